// Package rpc holds what the stand-in plugins share: the wire form of properties and the plain provider calls.
package rpc

import (
	"encoding/json"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// options keep secrets and unknowns apart from plain values in both directions.
var options = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepByteString: true}

// Decode reads properties off the wire; a missing struct is an empty map.
func Decode(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, options)
}

// Encode writes properties for the wire.
func Encode(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, options)
}

// Into fills target, a struct with json tags, from properties on the wire. Secrets become plain, unknowns are left out.
func Into(properties *structpb.Struct, target any) error {
	plain, err := plugin.UnmarshalProperties(properties, plugin.MarshalOptions{})
	if err != nil {
		return err
	}
	text, err := json.Marshal(plain.Mappable())
	if err != nil {
		return err
	}
	return json.Unmarshal(text, target)
}

// Diff compares the inputs of the last success with the new ones. A change below a property for which replaces
// answers true asks for a replacement, any other for an update.
func Diff(oldInputs, newInputs resource.PropertyMap, replaces func(path string) bool) *pulumirpc.DiffResponse {
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, HasDetailedDiff: true}
	changed := oldInputs.Diff(newInputs)
	if !changed.AnyChanges() {
		return response
	}
	response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	response.DetailedDiff = map[string]*pulumirpc.PropertyDiff{}
	for path, property := range plugin.NewDetailedDiffFromObjectDiff(changed, false) {
		kind := property.Kind
		if replaces(path) {
			kind = kind.AsReplace()
			response.Replaces = append(response.Replaces, path)
		}
		response.Diffs = append(response.Diffs, path)
		response.DetailedDiff[path] = &pulumirpc.PropertyDiff{
			Kind: pulumirpc.PropertyDiff_Kind(kind), InputDiff: property.InputDiff,
		}
	}
	return response
}

// Below tells whether path names the given property or something inside it.
func Below(path, property string) bool {
	rest, found := strings.CutPrefix(path, property)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
