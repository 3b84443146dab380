package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/retry"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// unlimited is the dialErrorLimit that never gives up.
const unlimited = -1

// endpoint is one SSH server and how to log in to it.
type endpoint struct {
	Host               string  `json:"host"`
	Port               float64 `json:"port"`
	User               string  `json:"user"`
	Password           *string `json:"password"`
	PrivateKey         *string `json:"privateKey"`
	PrivateKeyPassword *string `json:"privateKeyPassword"`
	HostKey            *string `json:"hostKey"`
	AgentSocketPath    *string `json:"agentSocketPath"`
	// DialErrorLimit is how many failed dials are borne; -1 bears all.
	DialErrorLimit int `json:"dialErrorLimit"`
	// PerDialTimeout bounds one dial, in seconds; 0 does not bound it.
	PerDialTimeout int `json:"perDialTimeout"`
}

// connection is an endpoint that may stand behind a bastion.
type connection struct {
	endpoint
	Proxy *endpoint `json:"proxy"`
}

// withConnectionDefaults fills in what a connection leaves out, its proxy's included.
func withConnectionDefaults(value resource.PropertyValue) resource.PropertyValue {
	if value.IsSecret() {
		return resource.MakeSecret(withConnectionDefaults(value.SecretValue().Element))
	}
	if !value.IsObject() {
		return value
	}
	filled := value.ObjectValue().Copy()
	for key, standard := range map[resource.PropertyKey]resource.PropertyValue{
		"user": resource.NewProperty("root"), "port": resource.NewProperty(22.0),
		"dialErrorLimit": resource.NewProperty(10.0), "perDialTimeout": resource.NewProperty(15.0),
	} {
		if !filled.HasValue(key) {
			filled[key] = standard
		}
	}
	if proxy, found := filled["proxy"]; found {
		filled["proxy"] = withConnectionDefaults(proxy)
	}
	return resource.NewProperty(filled)
}

func (e *endpoint) check(path string) []*pulumirpc.CheckFailure {
	if e.Host == "" {
		return []*pulumirpc.CheckFailure{{Property: path, Reason: fmt.Sprintf("missing required property '%s.host'", path)}}
	}
	return nil
}

func (c *connection) check(path string) []*pulumirpc.CheckFailure {
	failures := c.endpoint.check(path)
	if c.Proxy != nil {
		failures = append(failures, c.Proxy.check(path+".proxy")...)
	}
	return failures
}

func (e *endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(e.Port)))
}

// config turns the endpoint into an SSH client's; without a host key any server is believed.
func (e *endpoint) config() (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{
		User:            e.User,
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Timeout:         time.Duration(e.PerDialTimeout) * time.Second,
	}
	if e.HostKey != nil {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
		if err != nil {
			return nil, fmt.Errorf("failed to parse host key: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = []string{key.Type()}
	}
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(e.answer))
	}
	socket := os.Getenv("SSH_AUTH_SOCK")
	if e.AgentSocketPath != nil {
		socket = *e.AgentSocketPath
	}
	if socket != "" {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			return nil, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(conn).Signers))
	}
	return config, nil
}

func (e *endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

// answer gives the password to whatever a keyboard-interactive server asks.
func (e *endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = *e.Password
	}
	return answers, nil
}

// dial connects, by way of the proxy where there is one, and tries again until the limit of errors is passed.
func (c *connection) dial(ctx context.Context, log logger) (*ssh.Client, error) {
	config, err := c.config()
	if err != nil {
		return nil, err
	}
	if c.Proxy == nil {
		return persist(ctx, log, "Dial", c.DialErrorLimit, func() (*ssh.Client, error) {
			return ssh.Dial("tcp", c.address(), config)
		})
	}
	client, err := c.dialThroughProxy(ctx, log, config)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return client, nil
}

func (c *connection) dialThroughProxy(
	ctx context.Context, log logger, config *ssh.ClientConfig,
) (*ssh.Client, error) {
	proxyConfig, err := c.Proxy.config()
	if err != nil {
		return nil, err
	}
	proxy, err := persist(ctx, log, "Dial proxy", c.Proxy.DialErrorLimit, func() (*ssh.Client, error) {
		return ssh.Dial("tcp", c.Proxy.address(), proxyConfig)
	})
	if err != nil {
		return nil, err
	}
	tunnel, err := persist(ctx, log, "Dial from proxy", c.DialErrorLimit, func() (net.Conn, error) {
		return proxy.Dial("tcp", c.address())
	})
	if err != nil {
		return nil, err
	}
	return persist(ctx, log, "Dial", c.DialErrorLimit, func() (*ssh.Client, error) {
		conn, channels, requests, err := ssh.NewClientConn(tunnel, c.address(), config)
		if err != nil {
			return nil, err
		}
		return ssh.NewClient(conn, channels, requests), nil
	})
}

// persist calls try until it succeeds, pausing 100 ms at first and half as long again each time, up to 5 s. It gives
// up once more than limit tries have failed: with the standard 10 that is 10 retries and about 11 s.
func persist[T any](ctx context.Context, log logger, what string, limit int, try func() (T, error)) (T, error) {
	var result T
	done, _, err := retry.Until(ctx, retry.Acceptor{Accept: func(retries int, _ time.Duration) (bool, any, error) {
		var failure error
		result, failure = try()
		if failure == nil {
			return true, nil, nil
		}
		dials := retries + 1
		if limit > unlimited && dials > limit {
			return true, nil, fmt.Errorf("after %d failed attempts: %w", retries, failure)
		}
		most := strconv.Itoa(limit)
		if limit == unlimited {
			most = "inf"
		}
		log.status(fmt.Sprintf("%s %d/%s failed: retrying", what, dials, most))
		return false, nil, nil
	}})
	if err == nil && !done {
		err = ctx.Err()
	}
	return result, err
}
