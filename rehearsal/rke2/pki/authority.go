// Package pki is the cluster's certificate authorities and the certificates that they issue, of the kinds, names and
// lifetimes of RKE2.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"rehearsal/rke2/layout"
)

// Lifetimes as in RKE2: ten years for an authority, one for a certificate, which is renewed at a start within 120
// days of its end.
const (
	authorityLifetime   = 10 * 365 * 24 * time.Hour
	certificateLifetime = 365 * 24 * time.Hour
	renewBefore         = 120 * 24 * time.Hour
)

// Authority issues certificates.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	// PEM of its own certificate.
	PEM []byte
}

// EnsureAuthority reads an authority from its two files, or founds it there as name@<unix time>.
func EnsureAuthority(certFile, keyFile, name string) error {
	if layout.Exists(certFile) && layout.Exists(keyFile) {
		return nil
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", name, now.Unix())},
		NotBefore:             now.UTC(),
		NotAfter:              now.Add(authorityLifetime).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	if err := layout.Write(keyFile, keyPEM, 0o600); err != nil {
		return err
	}
	return layout.Write(certFile, certificatePEM(der), 0o644)
}

// LoadAuthority reads an authority's two files.
func LoadAuthority(certFile, keyFile string) (*Authority, error) {
	certificates, data, err := readCertificates(certFile)
	if err != nil {
		return nil, err
	}
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	return &Authority{certificates[0], key, data}, nil
}

// Request for a certificate.
type Request struct {
	// Name and Organizations become user and groups in Kubernetes.
	Name          string
	Organizations []string
	Usages        []x509.ExtKeyUsage
	// Hosts that a server's certificate is good for: names and addresses.
	Hosts []string
}

// Sign issues a certificate for a public key. It returns it and the authority's own as PEM, as RKE2 writes both.
func (a *Authority) Sign(request Request, public crypto.PublicKey) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: request.Name, Organization: request.Organizations},
		// Clocks of a cluster differ by less than its age.
		NotBefore:   a.certificate.NotBefore,
		NotAfter:    time.Now().Add(certificateLifetime).UTC(),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: request.Usages,
	}
	for _, host := range request.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	if err != nil {
		return nil, err
	}
	return append(certificatePEM(der), a.PEM...), nil
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}

// EnsureKey makes a private key where there is none, and returns it.
func EnsureKey(file string) (crypto.Signer, error) {
	if layout.Exists(file) {
		return readKey(file)
	}
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	return key, layout.Write(file, keyPEM, 0o600)
}

func readKey(file string) (crypto.Signer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s: no private key in it", file)
	}
	return x509.ParseECPrivateKey(block.Bytes)
}

// readCertificates reads a PEM bundle; one without a certificate is an error.
func readCertificates(file string) ([]*x509.Certificate, []byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var all []*x509.Certificate
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, certificate)
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return all, data, nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func serial() *big.Int {
	number, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // never fails
	return number
}
