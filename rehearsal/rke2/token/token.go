// Package token is RKE2's join token: K10<sha256 of the CA bundle>::<user>:<password>, or the password alone.
package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
)

// The users that a token stands for: server may join as one, node only as an agent.
const (
	Server = "server"
	Node   = "node"
)

// Token in its parts; CAHash and User are "" in a short one.
type Token struct{ CAHash, User, Password string }

var full = regexp.MustCompile(`^K10([0-9a-f]{64})::([^:]+):(.+)$`)

// Parse reads either form. The error is RKE2's.
func Parse(text string) (Token, error) {
	if parts := full.FindStringSubmatch(text); parts != nil {
		return Token{parts[1], parts[2], parts[3]}, nil
	}
	if text == "" || regexp.MustCompile(`^K10.*::`).MatchString(text) {
		return Token{}, errors.New("failed to normalize server token; must be in format K10<CERT-HASH>::<USERNAME>:<PASSWORD> or <PASSWORD>")
	}
	return Token{Password: text}, nil
}

// String is the long form if the CA's hash is known, else the short one.
func (t Token) String() string {
	if t.CAHash == "" {
		return t.Password
	}
	return "K10" + t.CAHash + "::" + t.User + ":" + t.Password
}

// CAHash of a PEM bundle.
func CAHash(bundle []byte) string {
	sum := sha256.Sum256(bundle)
	return hex.EncodeToString(sum[:])
}

// NewPassword is 32 random hexadecimal digits.
func NewPassword() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}
