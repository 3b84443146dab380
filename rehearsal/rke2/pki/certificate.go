package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"slices"
	"time"

	"rehearsal/rke2/layout"
)

// Ensure makes a certificate and its key where there is none, and issues it anew where it would end within 120 days,
// has another authority, or is not good for a wanted host. The key is kept.
func (a *Authority) Ensure(certFile, keyFile string, request Request) error {
	key, err := EnsureKey(keyFile)
	if err != nil {
		return err
	}
	if certificates, _, err := readCertificates(certFile); err == nil && a.stillGood(certificates[0], request, key.Public()) {
		return nil
	}
	certificate, err := a.Sign(request, key.Public())
	if err != nil {
		return err
	}
	return layout.Write(certFile, certificate, 0o644)
}

func (a *Authority) stillGood(certificate *x509.Certificate, request Request, public crypto.PublicKey) bool {
	if own, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || !own.Equal(public) {
		return false
	}
	if certificate.CheckSignatureFrom(a.certificate) != nil || time.Until(certificate.NotAfter) < renewBefore {
		return false
	}
	return certificate.Subject.CommonName == request.Name && !slices.ContainsFunc(request.Hosts, func(host string) bool {
		return certificate.VerifyHostname(host) != nil
	})
}

// Certificate as `rke2 certificate check` shows it.
type Certificate struct {
	Subject string
	Usages  []string
	Expires time.Time
}

// Status is RKE2's word for how a certificate stands at a time.
func (c Certificate) Status(now time.Time) string {
	switch left := c.Expires.Sub(now); {
	case left < 0:
		return "EXPIRED"
	case left < renewBefore:
		return "WARNING"
	}
	return "OK"
}

// Read lists the certificates in a PEM file.
func Read(file string) ([]Certificate, error) {
	parsed, _, err := readCertificates(file)
	if err != nil {
		return nil, err
	}
	var all []Certificate
	for _, one := range parsed {
		shown := Certificate{Subject: one.Subject.CommonName, Expires: one.NotAfter}
		if one.KeyUsage&x509.KeyUsageCertSign != 0 {
			shown.Usages = append(shown.Usages, "CertSign")
		}
		for _, usage := range one.ExtKeyUsage {
			switch usage {
			case x509.ExtKeyUsageServerAuth:
				shown.Usages = append(shown.Usages, "ServerAuth")
			case x509.ExtKeyUsageClientAuth:
				shown.Usages = append(shown.Usages, "ClientAuth")
			}
		}
		all = append(all, shown)
	}
	return all, nil
}
