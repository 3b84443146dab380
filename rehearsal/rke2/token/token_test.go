package token

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	hash := CAHash([]byte("bundle"))
	for text, want := range map[string]Token{
		"secret":                               {Password: "secret"},
		"user:secret":                          {Password: "user:secret"},
		"K10" + hash + "::server:s3:cret":      {hash, "server", "s3:cret"},
		Token{hash, "node", "secret"}.String(): {hash, "node", "secret"},
	} {
		got, err := Parse(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, text := range []string{"", "K10short::server:secret", "K10" + strings.ToUpper(hash) + "::server:x"} {
		if got, err := Parse(text); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestNewPassword(t *testing.T) {
	if a, b := NewPassword(), NewPassword(); a == b || len(a) != 32 {
		t.Errorf("%q, %q", a, b)
	}
}
