package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func newAuthority(t *testing.T, name string) *Authority {
	t.Helper()
	folder := t.TempDir()
	certFile, keyFile := filepath.Join(folder, "tls/ca.crt"), filepath.Join(folder, "tls/ca.key")
	if err := EnsureAuthority(certFile, keyFile, name); err != nil {
		t.Fatal(err)
	}
	authority, err := LoadAuthority(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

var server = Request{Name: "node-1", Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, Hosts: []string{"localhost", "127.0.0.1"}}

func TestEnsureIssuesWhatVerifies(t *testing.T) {
	authority, folder := newAuthority(t, "rke2-server-ca"), t.TempDir()
	certFile, keyFile := filepath.Join(folder, "tls/a.crt"), filepath.Join(folder, "tls/a.key")
	if err := authority.Ensure(certFile, keyFile, server); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1"}); err != nil {
		t.Error(err)
	}
	listed, err := Read(certFile)
	if err != nil || len(listed) != 2 || listed[0].Usages[0] != "ServerAuth" || listed[1].Usages[0] != "CertSign" {
		t.Errorf("listed %+v, %v", listed, err)
	}
}

func TestEnsureRenewsOnlyWhatMust(t *testing.T) {
	authority, other, folder := newAuthority(t, "a"), newAuthority(t, "b"), t.TempDir()
	certFile, keyFile := filepath.Join(folder, "tls/a.crt"), filepath.Join(folder, "tls/a.key")
	changed := func(by *Authority, request Request) bool {
		t.Helper()
		before, _ := os.ReadFile(certFile)
		if err := by.Ensure(certFile, keyFile, request); err != nil {
			t.Fatal(err)
		}
		after, _ := os.ReadFile(certFile)
		return string(before) != string(after)
	}
	more := server
	more.Hosts = append([]string{"10.0.0.1"}, server.Hosts...)
	for _, step := range []struct {
		why  string
		by   *Authority
		want Request
		new  bool
	}{
		{"first", authority, server, true},
		{"again", authority, server, false},
		{"another host", authority, more, true},
		{"a host less", authority, server, false},
		{"another authority", other, server, true},
	} {
		if got := changed(step.by, step.want); got != step.new {
			t.Errorf("%s: issued anew: %v", step.why, got)
		}
	}
}

func TestStatus(t *testing.T) {
	now := time.Now()
	for want, expires := range map[string]time.Time{
		"OK": now.Add(renewBefore + time.Hour), "WARNING": now.Add(time.Hour), "EXPIRED": now.Add(-time.Hour),
	} {
		if got := (Certificate{Expires: expires}).Status(now); got != want {
			t.Errorf("%s instead of %s", got, want)
		}
	}
}
