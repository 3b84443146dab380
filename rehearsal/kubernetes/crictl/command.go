// Package crictl is the part of crictl that operators of RKE2 use, with its flags, columns and configuration file:
// ps, pods, images, stopp, rmp, stop, rm, version. It works with any CRI server.
package crictl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"sigs.k8s.io/yaml"
)

// client is the two services of one endpoint.
type client struct {
	runtimeapi.RuntimeServiceClient
	runtimeapi.ImageServiceClient
	// output is "table" or "json".
	output string
	out    io.Writer
}

// NewCommand returns crictl's command line.
func NewCommand() *cobra.Command { return newCommand(os.Stdout) }

func newCommand(out io.Writer) *cobra.Command {
	var endpoint, configFile string
	c := &client{out: out}
	root := &cobra.Command{Use: "crictl", Short: "client for CRI", SilenceUsage: true}
	root.PersistentFlags().StringVarP(&endpoint, "runtime-endpoint", "r", os.Getenv("CONTAINER_RUNTIME_ENDPOINT"), "Endpoint of CRI container runtime service")
	root.PersistentFlags().StringVarP(&configFile, "config", "c", defaultConfigFile(), "Location of the client config file")
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if endpoint == "" {
			var err error
			if endpoint, err = endpointOf(configFile); err != nil {
				return err
			}
		}
		conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		c.RuntimeServiceClient, c.ImageServiceClient = runtimeapi.NewRuntimeServiceClient(conn), runtimeapi.NewImageServiceClient(conn)
		return nil
	}
	root.AddCommand(c.ps(), c.pods(), c.listImages(), c.version(),
		c.onEach("stopp POD-ID…", "Stop one or more running pods", func(cmd *cobra.Command, id string) error {
			_, err := c.StopPodSandbox(cmd.Context(), &runtimeapi.StopPodSandboxRequest{PodSandboxId: id})
			return err
		}),
		c.onEach("rmp POD-ID…", "Remove one or more pods", func(cmd *cobra.Command, id string) error {
			_, err := c.RemovePodSandbox(cmd.Context(), &runtimeapi.RemovePodSandboxRequest{PodSandboxId: id})
			return err
		}),
		c.stop(),
		c.onEach("rm CONTAINER-ID…", "Remove one or more containers", func(cmd *cobra.Command, id string) error {
			_, err := c.RemoveContainer(cmd.Context(), &runtimeapi.RemoveContainerRequest{ContainerId: id})
			return err
		}))
	return root
}

func defaultConfigFile() string {
	if file := os.Getenv("CRI_CONFIG_FILE"); file != "" {
		return file
	}
	return "/etc/crictl.yaml"
}

// endpointOf reads runtime-endpoint from a configuration file; containerd's own default if there is none.
func endpointOf(configFile string) (string, error) {
	var config struct {
		RuntimeEndpoint string `json:"runtime-endpoint"`
	}
	data, err := os.ReadFile(configFile)
	if err == nil {
		err = yaml.Unmarshal(data, &config)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("load config file: %w", err)
	}
	if config.RuntimeEndpoint == "" {
		return "unix:///run/containerd/containerd.sock", nil
	}
	return config.RuntimeEndpoint, nil
}

func (c *client) ps() *cobra.Command {
	var all, quiet bool
	var name, pod, state string
	cmd := &cobra.Command{Use: "ps", Short: "List containers", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		pattern, err := regexp.Compile(name)
		if err != nil {
			return err
		}
		response, err := c.ListContainers(cmd.Context(), &runtimeapi.ListContainersRequest{Filter: &runtimeapi.ContainerFilter{PodSandboxId: pod}})
		if err != nil {
			return err
		}
		wanted := "CONTAINER_" + strings.ToUpper(state)
		if state == "" && !all {
			wanted = runtimeapi.ContainerState_CONTAINER_RUNNING.String()
		}
		response.Containers = slices.DeleteFunc(response.Containers, func(container *runtimeapi.Container) bool {
			return !pattern.MatchString(container.GetMetadata().GetName()) ||
				wanted != "CONTAINER_" && container.GetState().String() != wanted
		})
		slices.SortFunc(response.Containers, func(a, b *runtimeapi.Container) int { return int(b.CreatedAt - a.CreatedAt) })
		rows := [][]string{{"CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"}}
		for _, container := range response.Containers {
			labels := container.GetLabels()
			rows = append(rows, []string{
				short(container.Id), container.GetImage().GetUserSpecifiedImage(), age(container.CreatedAt),
				titled(container.State.String()), container.GetMetadata().GetName(), fmt.Sprint(container.GetMetadata().GetAttempt()),
				short(container.PodSandboxId), labels["io.kubernetes.pod.name"], labels["io.kubernetes.pod.namespace"],
			})
		}
		return c.print(response, quiet, ids(response.Containers), rows)
	}}
	flags := cmd.Flags()
	flags.BoolVarP(&all, "all", "a", false, "Show all containers")
	flags.BoolVarP(&quiet, "quiet", "q", false, "Only display container IDs")
	flags.StringVar(&name, "name", "", "filter by container name regular expression pattern")
	flags.StringVarP(&pod, "pod", "p", "", "Filter by pod id")
	flags.StringVarP(&state, "state", "s", "", "Filter by container state: created, running, exited")
	c.outputFlag(cmd)
	return cmd
}

func (c *client) pods() *cobra.Command {
	var quiet bool
	var name, namespace string
	cmd := &cobra.Command{Use: "pods", Short: "List pods", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		pattern, err := regexp.Compile(name)
		if err != nil {
			return err
		}
		response, err := c.ListPodSandbox(cmd.Context(), &runtimeapi.ListPodSandboxRequest{})
		if err != nil {
			return err
		}
		response.Items = slices.DeleteFunc(response.Items, func(pod *runtimeapi.PodSandbox) bool {
			return !pattern.MatchString(pod.GetMetadata().GetName()) || namespace != "" && pod.GetMetadata().GetNamespace() != namespace
		})
		slices.SortFunc(response.Items, func(a, b *runtimeapi.PodSandbox) int { return int(b.CreatedAt - a.CreatedAt) })
		rows := [][]string{{"POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"}}
		for _, pod := range response.Items {
			rows = append(rows, []string{
				short(pod.Id), age(pod.CreatedAt), titled(pod.State.String()), pod.GetMetadata().GetName(),
				pod.GetMetadata().GetNamespace(), fmt.Sprint(pod.GetMetadata().GetAttempt()), "(default)",
			})
		}
		return c.print(response, quiet, ids(response.Items), rows)
	}}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "list only pod IDs")
	cmd.Flags().StringVar(&name, "name", "", "filter by pod name regular expression pattern")
	cmd.Flags().StringVar(&namespace, "namespace", "", "filter by pod namespace")
	c.outputFlag(cmd)
	return cmd
}

func (c *client) listImages() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{Use: "images", Aliases: []string{"image", "img"}, Short: "List images", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		response, err := c.ListImages(cmd.Context(), &runtimeapi.ListImagesRequest{})
		if err != nil {
			return err
		}
		slices.SortFunc(response.Images, func(a, b *runtimeapi.Image) int { return slices.Compare(a.RepoTags, b.RepoTags) })
		rows := [][]string{{"IMAGE", "TAG", "IMAGE ID", "SIZE"}}
		for _, image := range response.Images {
			for _, tag := range image.RepoTags {
				colon := strings.LastIndexByte(tag, ':')
				if colon < 0 {
					colon, tag = len(tag), tag+":latest"
				}
				rows = append(rows, []string{tag[:colon], tag[colon+1:], short(image.Id), fmt.Sprintf("%.1fMB", float64(image.Size)/1e6)})
			}
		}
		return c.print(response, quiet, ids(response.Images), rows)
	}}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "Only show image IDs")
	c.outputFlag(cmd)
	return cmd
}

func (c *client) version() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Display runtime version information", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		response, err := c.RuntimeServiceClient.Version(cmd.Context(), &runtimeapi.VersionRequest{})
		if err == nil {
			fmt.Fprintf(c.out, "Version:  %s\nRuntimeName:  %s\nRuntimeVersion:  %s\nRuntimeApiVersion:  %s\n",
				response.Version, response.RuntimeName, response.RuntimeVersion, response.RuntimeApiVersion)
		}
		return err
	}}
}

func (c *client) stop() *cobra.Command {
	var timeout int64
	cmd := c.onEach("stop CONTAINER-ID…", "Stop one or more running containers", func(cmd *cobra.Command, id string) error {
		_, err := c.StopContainer(cmd.Context(), &runtimeapi.StopContainerRequest{ContainerId: id, Timeout: timeout})
		return err
	})
	cmd.Flags().Int64VarP(&timeout, "timeout", "t", 0, "Seconds to wait to kill the container after a graceful stop is requested")
	return cmd
}

// onEach is a command that does something to each ID, and prints the IDs with which that went well. IDs may be cut.
func (c *client) onEach(use, what string, do func(*cobra.Command, string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: what, Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		var failed error
		for _, id := range args {
			full, err := c.complete(cmd, id)
			if err == nil {
				err = do(cmd, full)
			}
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s %q: %w", cmd.Name(), id, err))
				continue
			}
			fmt.Fprintln(c.out, id)
		}
		return failed
	}}
}

// complete finds the pod or container whose ID begins so.
func (c *client) complete(cmd *cobra.Command, id string) (string, error) {
	pods, err := c.ListPodSandbox(cmd.Context(), &runtimeapi.ListPodSandboxRequest{})
	if err != nil {
		return "", err
	}
	containers, err := c.ListContainers(cmd.Context(), &runtimeapi.ListContainersRequest{})
	if err != nil {
		return "", err
	}
	for _, full := range append(ids(pods.Items), ids(containers.Containers)...) {
		if strings.HasPrefix(full, id) {
			return full, nil
		}
	}
	return "", errors.New("not found")
}

func (c *client) outputFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&c.output, "output", "o", "table", "Output format: table, json")
}

// print writes a response as crictl does: IDs alone, JSON, or a table.
func (c *client) print(response proto.Message, quiet bool, ids []string, rows [][]string) error {
	switch {
	case quiet:
		for _, id := range ids {
			fmt.Fprintln(c.out, id)
		}
		return nil
	case c.output == "json":
		data, err := protojson.MarshalOptions{Multiline: true, EmitUnpopulated: true}.Marshal(response)
		if err == nil {
			_, err = fmt.Fprintln(c.out, string(data))
		}
		return err
	case c.output != "table":
		return fmt.Errorf("unsupported output format %q", c.output)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 3, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// ids of pods, containers or images.
func ids[I interface{ GetId() string }](items []I) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.GetId())
	}
	return all
}

// short cuts an ID to 13 digits, as crictl does.
func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 13)]
}

// titled makes Running of CONTAINER_RUNNING.
func titled(state string) string {
	_, word, _ := strings.Cut(state, "_")
	if word == "NOTREADY" {
		return "NotReady"
	}
	return word[:1] + strings.ToLower(word[1:])
}

func age(nanoseconds int64) string {
	return time.Since(time.Unix(0, nanoseconds)).Round(time.Second).String() + " ago"
}
