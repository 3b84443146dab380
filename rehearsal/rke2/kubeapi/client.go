// Package kubeapi is the little of the Kubernetes API that RKE2's own process asks: is it ready, and where are its
// servers. All else goes through the release's kubectl.
package kubeapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// Config is a kubeconfig: paths of a CA bundle, a client's certificate and its key.
type Config struct{ Server, CA, Certificate, Key string }

// YAML of a kubeconfig that names the files.
func (c Config) YAML() []byte {
	return c.yaml("certificate-authority: "+c.CA, "client-certificate: "+c.Certificate, "client-key: "+c.Key)
}

// Embedded is a kubeconfig that contains the files.
func (c Config) Embedded() ([]byte, error) {
	var lines [3]string
	for i, field := range []struct{ key, file string }{
		{"certificate-authority-data", c.CA}, {"client-certificate-data", c.Certificate}, {"client-key-data", c.Key},
	} {
		content, err := os.ReadFile(field.file)
		if err != nil {
			return nil, err
		}
		lines[i] = field.key + ": " + base64.StdEncoding.EncodeToString(content)
	}
	return c.yaml(lines[0], lines[1], lines[2]), nil
}

func (c Config) yaml(ca, certificate, key string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
clusters:
- cluster:
    %s
    server: %s
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    %s
    %s
`, ca, c.Server, certificate, key)
}

// Client of one API server.
type Client struct {
	server string
	http   *http.Client
}

// New reads the config's files.
func New(config Config) (*Client, error) {
	bundle, err := os.ReadFile(config.CA)
	if err != nil {
		return nil, err
	}
	certificate, err := tls.LoadX509KeyPair(config.Certificate, config.Key)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	return &Client{config.Server, &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
			// A connection would outlive the API server that it leads to.
			DisableKeepAlives: true,
		},
	}}, nil
}

// Get reads a path; an answer other than 200 is an error with the API's message.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %.200s", path, response.Status, body)
	}
	return body, nil
}

// Ready is nil once the API server is.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.Get(ctx, "/readyz")
	return err
}

// Servers are the addresses (HOST:PORT) of all ready API servers.
func (c *Client) Servers(ctx context.Context) ([]string, error) {
	body, err := c.Get(ctx, "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")
	if err != nil {
		return nil, err
	}
	var slice struct {
		Endpoints []struct{ Addresses []string }
		Ports     []struct{ Port int }
	}
	if err := json.Unmarshal(body, &slice); err != nil {
		return nil, err
	}
	if len(slice.Ports) == 0 {
		return nil, errors.New("the kubernetes service has no port yet")
	}
	var all []string
	for _, endpoint := range slice.Endpoints {
		for _, address := range endpoint.Addresses {
			all = append(all, net.JoinHostPort(address, strconv.Itoa(slice.Ports[0].Port)))
		}
	}
	return all, nil
}
