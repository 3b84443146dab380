package supervisor

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/token"
)

// Client asks one supervisor as one user.
type Client struct {
	// URL as https://HOST:9345, and CA, the server's bundle.
	URL string
	CA  []byte

	user, password string
	http           *http.Client
}

// Connect fetches the CA bundle and holds it against the token's hash; a token without one trusts what it is given,
// with a warning. user is token.Server or token.Node.
func Connect(ctx context.Context, url string, with token.Token, user string) (*Client, error) {
	url = strings.TrimSuffix(url, "/")
	blind := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // the hash is what proves it
	}
	bundle, err := get(ctx, blind, url+"/cacerts", "", "")
	if err != nil {
		return nil, fmt.Errorf("failed to get CA certs: %w", err)
	}
	if with.CAHash == "" {
		warnOfTrust()
	} else if hash := token.CAHash(bundle); hash != with.CAHash {
		return nil, fmt.Errorf("token CA hash does not match the Cluster CA certificate hash: %s != %s", with.CAHash, hash)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	return &Client{
		URL: url, CA: bundle, user: user, password: with.Password,
		http: &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, IdleConnTimeout: 30 * time.Second,
		}},
	}, nil
}

// warnOfTrust says once what a short token means.
var warnOfTrust = sync.OnceFunc(func() {
	logrus.Warn("Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. " +
		"Use the full token from the server's node-token file to enable Cluster CA validation.")
})

// Get reads a path's body.
func (c *Client) Get(ctx context.Context, path string) ([]byte, error) {
	return get(ctx, c.http, c.URL+path, c.user, c.password)
}

// GetJSON reads a path into value.
func (c *Client) GetJSON(ctx context.Context, path string, value any) error {
	body, err := c.Get(ctx, path)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, value)
}

// Post sends value as JSON and reads the answer's body.
func (c *Client) Post(ctx context.Context, path string, value any) ([]byte, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return do(c.http, request, c.user, c.password)
}

// Certificate has the server sign a kubelet's key; path says which of its two certificates.
func (c *Client) Certificate(ctx context.Context, path, nodeName, nodeIP string, public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return c.Post(ctx, path, CertificateRequest{nodeName, nodeIP, string(key)})
}

func get(ctx context.Context, client *http.Client, url, user, password string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return do(client, request, user, password)
}

// do returns the body of an answer in 200; of another the error names URL, status and what the server said.
func do(client *http.Client, request *http.Request, user, password string) ([]byte, error) {
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return body, nil
	}
	var status struct{ Message string }
	if json.Unmarshal(body, &status) == nil && status.Message != "" && response.StatusCode != http.StatusUnauthorized {
		return nil, errors.New(status.Message)
	}
	return nil, fmt.Errorf("%s: %s", request.URL, response.Status)
}
