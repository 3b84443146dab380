package server

import (
	"context"
	"errors"
	"fmt"
	"os"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/supervisor"
	"rehearsal/rke2/token"
)

// ensureCredentials leaves the node with the cluster's authorities and token: its own from before, or those of the
// cluster that it joins, or new ones. The token it returns is complete.
func ensureCredentials(ctx context.Context, c *Config) (token.Token, error) {
	configured, err := c.token()
	if err != nil {
		return token.Token{}, err
	}
	before, err := tokenFile(c.Layout)
	if err != nil {
		return token.Token{}, err
	}
	founded := layout.Exists(c.Layout.TLS("server-ca.key"))
	switch {
	case founded && before.Password != "" && configured.Password != "" && configured.Password != before.Password:
		return token.Token{}, errors.New("bootstrap data already found and encrypted with different token")
	case c.JoinURL != "" && configured.Password == "" && !layout.Exists(c.Layout.Etcd("member", "wal")):
		// As k3s's shouldBootstrapLoad: the one in server/token is not asked here.
		return token.Token{}, errors.New("RKE2_TOKEN is required to join a cluster")
	case c.JoinURL != "" && !founded:
		if err := fetchAuthorities(ctx, c, configured); err != nil {
			return token.Token{}, err
		}
	}
	if err := ensureAuthorities(c.Layout); err != nil {
		return token.Token{}, err
	}
	bundle, err := os.ReadFile(c.Layout.TLS("server-ca.crt"))
	if err != nil {
		return token.Token{}, err
	}
	complete := token.Token{CAHash: token.CAHash(bundle), User: token.Server, Password: configured.Password}
	if configured.CAHash != "" && configured.CAHash != complete.CAHash {
		return token.Token{}, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", configured.CAHash, complete.CAHash)
	}
	if complete.Password == "" {
		complete.Password = before.Password
	}
	if complete.Password == "" {
		complete.Password = token.NewPassword()
	}
	return complete, writeToken(c.Layout, complete)
}

// fetchAuthorities gets what all servers share from the server to join.
func fetchAuthorities(ctx context.Context, c *Config, with token.Token) error {
	client, err := supervisor.Connect(ctx, c.JoinURL, with, token.Server)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	if err := client.GetJSON(ctx, "/v1-rke2/server-bootstrap", &files); err != nil {
		return err
	}
	for _, name := range supervisor.SharedFiles {
		content := files[name]
		if len(content) == 0 {
			return fmt.Errorf("%s/v1-rke2/server-bootstrap: no %s in it", c.JoinURL, name)
		}
		if err := layout.Write(c.Layout.TLS(name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ReadToken is the node's own, which the command line uses against its supervisor.
func ReadToken(l layout.Layout) (token.Token, error) {
	text, err := os.ReadFile(l.Server("token"))
	if err != nil {
		return token.Token{}, err
	}
	return token.Parse(string(trimNewline(text)))
}

// tokenFile is the node's token, or an empty one where it has none yet.
func tokenFile(l layout.Layout) (token.Token, error) {
	read, err := ReadToken(l)
	if errors.Is(err, os.ErrNotExist) {
		return token.Token{}, nil
	}
	return read, err
}

func writeToken(l layout.Layout, complete token.Token) error {
	if err := layout.Write(l.Server("token"), []byte(complete.String()+"\n"), 0o600); err != nil {
		return err
	}
	// Without a token of its own for agents, theirs is the same.
	for _, link := range []string{"node-token", "agent-token"} {
		if !layout.Exists(l.Server(link)) {
			if err := os.Symlink(l.Server("token"), l.Server(link)); err != nil {
				return err
			}
		}
	}
	return nil
}

func trimNewline(text []byte) []byte {
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return text
}
