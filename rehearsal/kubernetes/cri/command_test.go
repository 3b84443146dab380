package cri

import (
	"testing"
	"time"
)

func TestKnownCommandsEnd(t *testing.T) {
	for _, test := range []struct {
		command []string
		after   time.Duration
		code    int32
	}{
		{[]string{"true"}, 0, 0},
		{[]string{"/bin/false"}, 0, 1},
		{[]string{"sleep", "2.5"}, 2500 * time.Millisecond, 0},
	} {
		got := Behaviour{}.known(test.command)
		if got.RunFor == nil || *got.RunFor != test.after || got.ExitCode != test.code {
			t.Errorf("%q: %+v", test.command, got)
		}
	}
	for _, command := range [][]string{nil, {"nginx"}, {"sleep"}, {"sleep", "infinity"}} {
		if got := (Behaviour{}).known(command); got.RunFor != nil {
			t.Errorf("%q ends after %s", command, got.RunFor)
		}
	}
	own := 3 * time.Second
	if got := (Behaviour{RunFor: &own}).known([]string{"true"}); *got.RunFor != own {
		t.Error("an annotation must win over the command")
	}
}
