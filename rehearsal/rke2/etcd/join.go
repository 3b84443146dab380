package etcd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const (
	// joinTimeout is how long a server waits for others to finish joining: one joins at a time.
	joinTimeout     = 5 * time.Minute
	promoteInterval = 2 * time.Second
	requestTimeout  = 5 * time.Second
)

// Client of the members at these addresses (HOST:PORT), with the server's certificate.
func (m *Member) Client(endpoints ...string) (*clientv3.Client, error) {
	config, err := m.clientConfig(endpoints...)
	if err != nil {
		return nil, err
	}
	return clientv3.New(config)
}

// Local is a client of this member alone.
func (m *Member) Local() (*clientv3.Client, error) {
	return m.Client(fmt.Sprintf("https://127.0.0.1:%d", ClientPort))
}

func (m *Member) clientConfig(endpoints ...string) (clientv3.Config, error) {
	certificate, err := tls.LoadX509KeyPair(m.Layout.TLS("etcd/client.crt"), m.Layout.TLS("etcd/client.key"))
	if err != nil {
		return clientv3.Config{}, err
	}
	bundle, err := os.ReadFile(m.Layout.TLS("etcd/server-ca.crt"))
	if err != nil {
		return clientv3.Config{}, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	return clientv3.Config{
		Endpoints:            endpoints,
		DialTimeout:          2 * time.Second,
		DialKeepAliveTime:    30 * time.Second,
		DialKeepAliveTimeout: 10 * time.Second,
		TLS:                  &tls.Config{Certificates: []tls.Certificate{certificate}, RootCAs: roots, MinVersion: tls.VersionTLS12},
		Logger:               zap.NewNop(), // what goes wrong is in the errors
	}, nil
}

// Found prepares the first member of a new cluster.
func (m *Member) Found() error {
	logrus.Infof("Starting etcd for new cluster, cluster-reset=false")
	return m.WriteConfig(m.founder(), "new")
}

// Join adds this server to the cluster whose members are at the given client URLs, as a learner, and writes etcd's
// configuration for it. While another one is still joining it waits. It fails where a node of this name is a member
// already: its data must go together with its membership.
func (m *Member) Join(ctx context.Context, endpoints []string) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	client, err := m.Client(endpoints...)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		listed, err := client.MemberList(ctx)
		if err != nil {
			return fmt.Errorf("failed to get member list from etcd cluster: %w", err)
		}
		cluster, joined, err := m.initialCluster(listed.Members)
		if err != nil {
			return err
		}
		if !joined {
			logrus.Infof("Adding member %s to etcd cluster %v", m.founder(), cluster)
			if _, err := client.MemberAddAsLearner(ctx, []string{m.PeerURL()}); mustWait(err) {
				logrus.Infof("Waiting for other members to finish joining etcd cluster: %v", err)
				if err := sleep(ctx, 2*time.Second); err != nil {
					return err
				}
				continue
			} else if err != nil {
				return err
			}
			cluster = append(cluster, m.founder())
		}
		logrus.Infof("Starting etcd to join cluster with members %v", cluster)
		return m.WriteConfig(strings.Join(cluster, ","), "existing")
	}
}

// initialCluster is the list of NAME=URL that etcd needs to join the members, and whether this one is among them.
func (m *Member) initialCluster(members []*etcdserverpb.Member) (cluster []string, joined bool, err error) {
	for _, member := range members {
		name := member.Name
		for _, peer := range member.PeerURLs {
			// A member that was added but has not started has no name: with this address it is this one.
			if at, err := url.Parse(peer); err == nil && at.Hostname() == m.Address && (name == "" || name == m.Name) {
				name, joined = m.Name, true
			}
		}
		if name != m.Name && nodeOf(name) == m.NodeName {
			return nil, false, errors.New("duplicate node name found, please use a unique name for this node")
		}
		if name != "" && len(member.PeerURLs) > 0 {
			cluster = append(cluster, name+"="+member.PeerURLs[0])
		}
	}
	return cluster, joined, nil
}

// mustWait tells the errors that go away once other members have joined or come back.
func mustWait(err error) bool {
	for _, one := range []error{
		rpctypes.ErrTooManyLearners, rpctypes.ErrMemberNotEnoughStarted, rpctypes.ErrUnhealthy,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// PromoteLearners makes voting members of learners that have caught up, for as long as the context lasts. Every server
// does it, and only the one whose member leads acts, as in RKE2 (which looks every 15 s).
func (m *Member) PromoteLearners(ctx context.Context) {
	for sleep(ctx, promoteInterval) == nil {
		if err := m.promoteLearners(ctx); err != nil && ctx.Err() == nil {
			logrus.Debugf("Failed to manage learners: %v", err)
		}
	}
}

func (m *Member) promoteLearners(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	client, err := m.Local()
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, client.Endpoints()[0])
	if err != nil || status.Leader != status.Header.MemberId {
		return err
	}
	listed, err := client.MemberList(ctx)
	if err != nil {
		return err
	}
	for _, member := range listed.Members {
		if !member.IsLearner {
			continue
		}
		if _, err := client.MemberPromote(ctx, member.ID); err != nil {
			return fmt.Errorf("unable to promote learner %s: %w", member.Name, err)
		}
		logrus.Infof("Promoted learner %s", member.Name)
	}
	return nil
}

// Ready asks whether this member votes and the cluster has a quorum: it reads through the leader.
func (m *Member) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	client, err := m.Local()
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, client.Endpoints()[0])
	if err != nil {
		return err
	}
	if status.IsLearner {
		return errors.New("this server has not yet been promoted from learner to voting member")
	}
	_, err = client.Get(ctx, "health")
	return err
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}
