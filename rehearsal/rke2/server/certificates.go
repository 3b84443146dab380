package server

import (
	"crypto/x509"
	"path/filepath"
	"strings"

	"rehearsal/rke2/kubeapi"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/pki"
)

// authorities of the cluster, by their file in server/tls, and their names.
var authorities = map[string]string{
	"server-ca": "rke2-server-ca", "client-ca": "rke2-client-ca", "request-header-ca": "rke2-request-header-ca",
	"etcd/server-ca": "etcd-server-ca", "etcd/peer-ca": "etcd-peer-ca",
}

var (
	forClients = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	forServers = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	forPeers   = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
)

// ensureAuthorities founds those that this server has not got; a server that joins has got them all.
func ensureAuthorities(l layout.Layout) error {
	for file, name := range authorities {
		if err := pki.EnsureAuthority(l.TLS(file+".crt"), l.TLS(file+".key"), name); err != nil {
			return err
		}
	}
	_, err := pki.EnsureKey(l.TLS("service.key"))
	return err
}

// ensureCertificates issues what the server's programs need, in RKE2's layout, and renews what is about to expire.
func ensureCertificates(c *Config) error {
	group := func(name string) []string { return []string{name} }
	hosts := c.hosts()
	for _, certificate := range []struct {
		file, authority string
		request         pki.Request
	}{
		{"client-admin", "client-ca", pki.Request{Name: "system:admin", Organizations: group("system:masters"), Usages: forClients}},
		{"client-supervisor", "client-ca", pki.Request{Name: "system:rke2-supervisor", Organizations: group("system:masters"), Usages: forClients}},
		{"client-controller", "client-ca", pki.Request{Name: "system:kube-controller-manager", Usages: forClients}},
		{"client-scheduler", "client-ca", pki.Request{Name: "system:kube-scheduler", Usages: forClients}},
		{"client-kube-apiserver", "client-ca", pki.Request{Name: "system:apiserver", Organizations: group("system:masters"), Usages: forClients}},
		{"client-kube-proxy", "client-ca", pki.Request{Name: "system:kube-proxy", Usages: forClients}},
		{"client-auth-proxy", "request-header-ca", pki.Request{Name: "system:auth-proxy", Usages: forClients}},
		{"serving-kube-apiserver", "server-ca", pki.Request{Name: "kube-apiserver", Usages: forServers, Hosts: hosts}},
		{"kube-controller-manager/kube-controller-manager", "server-ca", pki.Request{Name: "kube-controller-manager", Usages: forServers, Hosts: []string{"localhost", "127.0.0.1", "::1"}}},
		{"kube-scheduler/kube-scheduler", "server-ca", pki.Request{Name: "kube-scheduler", Usages: forServers, Hosts: []string{"localhost", "127.0.0.1", "::1"}}},
		{"etcd/client", "etcd/server-ca", pki.Request{Name: "etcd-client", Usages: forClients}},
		{"etcd/server-client", "etcd/server-ca", pki.Request{Name: "etcd-server", Usages: forPeers, Hosts: hosts}},
		{"etcd/peer-server-client", "etcd/peer-ca", pki.Request{Name: "etcd-peer", Usages: forPeers, Hosts: hosts}},
	} {
		authority, err := pki.LoadAuthority(c.Layout.TLS(certificate.authority+".crt"), c.Layout.TLS(certificate.authority+".key"))
		if err != nil {
			return err
		}
		err = authority.Ensure(c.Layout.TLS(certificate.file+".crt"), c.Layout.TLS(certificate.file+".key"), certificate.request)
		if err != nil {
			return err
		}
	}
	return nil
}

// clientConfig of a client certificate in server/tls, for the API server of this node.
func clientConfig(l layout.Layout, certificate string) kubeapi.Config {
	return kubeapi.Config{
		Server: "https://127.0.0.1:6443", CA: l.TLS("server-ca.crt"),
		Certificate: l.TLS(certificate + ".crt"), Key: l.TLS(certificate + ".key"),
	}
}

// writeKubeconfigs writes those of the server's programs to server/cred, and the administrator's.
func writeKubeconfigs(c *Config) error {
	for _, name := range []string{"admin", "supervisor", "controller", "scheduler"} {
		content := clientConfig(c.Layout, "client-"+name).YAML()
		if err := layout.Write(c.Layout.Server("cred", name+".kubeconfig"), content, 0o600); err != nil {
			return err
		}
	}
	mode, err := c.kubeconfigMode()
	if err != nil {
		return err
	}
	content, err := clientConfig(c.Layout, "client-admin").Embedded()
	if err != nil {
		return err
	}
	return layout.Write(c.Layout.Kubeconfig(), content, mode)
}

// CertificateFiles lists what `rke2 certificate check` looks at on this node.
func CertificateFiles(l layout.Layout) ([]string, error) {
	var files []string
	for _, pattern := range []string{l.TLS("*.crt"), l.TLS("*/*.crt"), l.Agent("*.crt")} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range found {
			if !strings.HasSuffix(file, "-ca.crt") {
				files = append(files, file)
			}
		}
	}
	return files, nil
}
