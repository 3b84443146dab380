package supervisor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rehearsal/rke2/etcd"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/pki"
	"rehearsal/rke2/token"
)

// start serves a supervisor with authorities of its own on a free port.
func start(t *testing.T) (*httptest.Server, *Server) {
	t.Helper()
	l := layout.Layout{Data: t.TempDir()}
	for _, name := range []string{"server-ca", "client-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"} {
		if err := pki.EnsureAuthority(l.TLS(name+".crt"), l.TLS(name+".key"), "test"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pki.EnsureKey(l.TLS("service.key")); err != nil {
		t.Fatal(err)
	}
	member, err := etcd.NewMember(l, "node-1", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Layout: l, Token: token.Token{Password: "secret"}, ClusterDNS: "10.43.0.10", ClusterDomain: "cluster.local",
		Snapshots: &etcd.Snapshots{Member: member, Folder: t.TempDir()}, SnapshotRetention: 5,
		Ready: func(context.Context) error { return errors.New("not ready") },
	}
	server := httptest.NewUnstartedServer(s.Handler())
	issuer, err := pki.LoadAuthority(l.TLS("server-ca.crt"), l.TLS("server-ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	request := pki.Request{Name: "node-1", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Hosts: []string{"127.0.0.1"}}
	if err := issuer.Ensure(l.TLS("serving.crt"), l.TLS("serving.key"), request); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(l.TLS("serving.crt"), l.TLS("serving.key"))
	if err != nil {
		t.Fatal(err)
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, s
}

func TestTokensHashIsHeldAgainstTheCA(t *testing.T) {
	server, s := start(t)
	bundle, err := os.ReadFile(s.Layout.TLS("server-ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	right := token.Token{CAHash: token.CAHash(bundle), User: "server", Password: "secret"}
	if _, err := Connect(t.Context(), server.URL, right, token.Server); err != nil {
		t.Error(err)
	}
	wrong := token.Token{CAHash: token.CAHash([]byte("other")), User: "server", Password: "secret"}
	if _, err := Connect(t.Context(), server.URL, wrong, token.Server); err == nil || !strings.Contains(err.Error(), "does not match") {
		t.Errorf("a wrong hash: %v", err)
	}
}

func TestWhoMayWhat(t *testing.T) {
	server, _ := start(t)
	for _, test := range []struct {
		user, password, path string
		refused              bool
	}{
		{token.Server, "secret", "/v1-rke2/server-bootstrap", false},
		{token.Node, "secret", "/v1-rke2/server-bootstrap", true},
		{token.Server, "wrong", "/v1-rke2/server-bootstrap", true},
		{token.Node, "secret", "/v1-rke2/config", false},
		{"", "", "/v1-rke2/config", true},
		{"", "", "/ping", false},
		{token.Node, "secret", "/db/info", true},
	} {
		client, err := Connect(t.Context(), server.URL, token.Token{Password: test.password}, test.user)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Get(t.Context(), test.path)
		if refused := err != nil && strings.Contains(err.Error(), "401 Unauthorized"); refused != test.refused {
			t.Errorf("%s as %q with %q: %v", test.path, test.user, test.password, err)
		}
	}
}

func TestReadyzSaysWhyNot(t *testing.T) {
	server, s := start(t)
	client, err := Connect(t.Context(), server.URL, s.Token, token.Node)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get(t.Context(), "/v1-rke2/readyz"); err == nil || err.Error() != "not ready" {
		t.Errorf("got %v", err)
	}
	s.Ready = func(context.Context) error { return nil }
	if body, err := client.Get(t.Context(), "/v1-rke2/readyz"); err != nil || string(body) != "ok" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestKubeletsCertificate(t *testing.T) {
	server, s := start(t)
	client, err := Connect(t.Context(), server.URL, s.Token, token.Node)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	key, err := pki.EnsureKey(filepath.Join(folder, "tls/kubelet.key"))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := client.Certificate(t.Context(), "/v1-rke2/client-kubelet.crt", "agent-1", "10.0.0.9", key.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "kubelet.crt")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	listed, err := pki.Read(file)
	if err != nil || listed[0].Subject != "system:node:agent-1" || !slices.Equal(listed[0].Usages, []string{"ClientAuth"}) {
		t.Errorf("%+v, %v", listed, err)
	}
}
