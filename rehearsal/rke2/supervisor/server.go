// Package supervisor is the port 9345 of a server: how nodes join, get their certificates and learn of the servers,
// and how the command line takes snapshots.
package supervisor

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"rehearsal/rke2/etcd"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/pki"
	"rehearsal/rke2/token"
)

// Port of the supervisor on every server.
const Port = 9345

// maxBody bounds requests and answers: bundles of certificates.
const maxBody = 1 << 20

// Server answers for one server node.
type Server struct {
	Layout    layout.Layout
	Token     token.Token
	Snapshots *etcd.Snapshots
	// SnapshotRetention of those that prune leaves.
	SnapshotRetention int
	// ClusterDNS and ClusterDomain are what kubelets tell their pods.
	ClusterDNS, ClusterDomain string
	// Ready is nil once the node's API server is.
	Ready func(context.Context) error
	// APIServers lists the addresses (HOST:PORT) of all ready API servers.
	APIServers func(context.Context) ([]string, error)
}

// NodeConfig is what an agent asks for before it starts its kubelet.
type NodeConfig struct {
	ClusterDNS    string `json:"clusterDNS"`
	ClusterDomain string `json:"clusterDomain"`
}

// CertificateRequest of a node: its public key as PEM, and its own name and address.
type CertificateRequest struct {
	NodeName  string `json:"nodeName"`
	NodeIP    string `json:"nodeIP"`
	PublicKey string `json:"publicKey"`
}

// Serve listens until the context ends.
func (s *Server) Serve(ctx context.Context) error {
	certificate, err := tls.LoadX509KeyPair(s.Layout.TLS("serving-kube-apiserver.crt"), s.Layout.TLS("serving-kube-apiserver.key"))
	if err != nil {
		return err
	}
	clients := x509.NewCertPool()
	bundle, err := os.ReadFile(s.Layout.TLS("client-ca.crt"))
	if err != nil {
		return err
	}
	clients.AppendCertsFromPEM(bundle)
	server := &http.Server{
		Addr:              ":9345",
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{certificate},
			ClientCAs:    clients, ClientAuth: tls.VerifyClientCertIfGiven, MinVersion: tls.VersionTLS12,
		},
		ErrorLog: log.New(logrus.StandardLogger().WriterLevel(logrus.DebugLevel), "", 0), // agents' health checks
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServeTLS("", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler routes the supervisor's requests. Without credentials only /ping and /cacerts answer.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "pong") })
	mux.HandleFunc("GET /cacerts", s.file("server-ca.crt"))

	node := func(pattern string, handler http.HandlerFunc) {
		mux.Handle(pattern, s.only(handler, token.Node, token.Server))
	}
	node("GET /v1-rke2/readyz", s.readyz)
	node("GET /v1-rke2/config", s.nodeConfig)
	node("GET /v1-rke2/apiservers", s.apiServers)
	node("GET /v1-rke2/client-ca.crt", s.file("client-ca.crt"))
	node("GET /v1-rke2/server-ca.crt", s.file("server-ca.crt"))
	node("POST /v1-rke2/client-kubelet.crt", s.kubeletClient)
	node("POST /v1-rke2/serving-kubelet.crt", s.kubeletServing)

	server := func(pattern string, handler http.HandlerFunc) { mux.Handle(pattern, s.only(handler, token.Server)) }
	server("GET /v1-rke2/server-bootstrap", s.bootstrap)
	server("GET /db/info", s.members)
	server("POST /db/snapshot", s.snapshot)
	return mux
}

// only lets those users in who give the token's password, and clients with a certificate of the cluster.
func (s *Server) only(next http.Handler, users ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, given := r.BasicAuth()
		allowed := false
		for _, one := range users {
			allowed = allowed || user == one
		}
		if given && allowed && subtle.ConstantTimeCompare([]byte(password), []byte(s.Token.Password)) == 1 {
			next.ServeHTTP(w, r)
			return
		}
		if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
			next.ServeHTTP(w, r)
			return
		}
		fail(w, http.StatusUnauthorized, "Unauthorized")
	})
}

func (s *Server) file(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		content, err := os.ReadFile(s.Layout.TLS(name))
		if err != nil {
			fail(w, http.StatusInternalServerError, err.Error())
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(content)
	}
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if err := s.Ready(r.Context()); err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func (s *Server) nodeConfig(w http.ResponseWriter, _ *http.Request) {
	answer(w, NodeConfig{s.ClusterDNS, s.ClusterDomain})
}

func (s *Server) apiServers(w http.ResponseWriter, r *http.Request) {
	addresses, err := s.APIServers(r.Context())
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	answer(w, addresses)
}

func (s *Server) kubeletClient(w http.ResponseWriter, r *http.Request) {
	s.sign(w, r, "client-ca", func(asked CertificateRequest) pki.Request {
		return pki.Request{
			Name: "system:node:" + asked.NodeName, Organizations: []string{"system:nodes"},
			Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
	})
}

func (s *Server) kubeletServing(w http.ResponseWriter, r *http.Request) {
	s.sign(w, r, "server-ca", func(asked CertificateRequest) pki.Request {
		return pki.Request{
			Name: asked.NodeName, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			Hosts: []string{asked.NodeName, "localhost", "127.0.0.1", asked.NodeIP},
		}
	})
}

func (s *Server) sign(w http.ResponseWriter, r *http.Request, authority string, request func(CertificateRequest) pki.Request) {
	var asked CertificateRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&asked); err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	block, _ := pem.Decode([]byte(asked.PublicKey))
	if block == nil || asked.NodeName == "" {
		fail(w, http.StatusBadRequest, "nodeName and publicKey are required")
		return
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	issuer, err := pki.LoadAuthority(s.Layout.TLS(authority+".crt"), s.Layout.TLS(authority+".key"))
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	certificate, err := issuer.Sign(request(asked), public)
	if err != nil {
		fail(w, http.StatusInternalServerError, err.Error())
		return
	}
	_, _ = w.Write(certificate)
}

// bootstrap hands out what all servers share: the authorities and the key of service accounts' tokens.
func (s *Server) bootstrap(w http.ResponseWriter, _ *http.Request) {
	files := map[string][]byte{}
	for _, name := range SharedFiles {
		content, err := os.ReadFile(s.Layout.TLS(name))
		if err != nil {
			fail(w, http.StatusInternalServerError, err.Error())
			return
		}
		files[name] = content
	}
	answer(w, files)
}

// SharedFiles of server/tls that are the same on every server.
var SharedFiles = []string{
	"server-ca.crt", "server-ca.key", "client-ca.crt", "client-ca.key", "request-header-ca.crt", "request-header-ca.key",
	"etcd/server-ca.crt", "etcd/server-ca.key", "etcd/peer-ca.crt", "etcd/peer-ca.key", "service.key",
}

// members lists the client URLs of etcd's voting members.
func (s *Server) members(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	client, err := s.Snapshots.Member.Local()
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	defer client.Close()
	listed, err := client.MemberList(ctx)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	var urls []string
	for _, member := range listed.Members {
		if !member.IsLearner {
			urls = append(urls, member.ClientURLs...)
		}
	}
	answer(w, urls)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(value); err != nil {
		logrus.Debugf("Failed to answer: %v", err)
	}
}

// fail answers as the Kubernetes API does, which RKE2's supervisor follows.
func fail(w http.ResponseWriter, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{}, "status": "Failure",
		"message": message, "reason": strings.ReplaceAll(http.StatusText(code), " ", ""), "code": code,
	})
}
