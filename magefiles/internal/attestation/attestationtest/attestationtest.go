// Package attestationtest creates sigstore bundles for tests. They are well-formed, but their certificate is self-signed.
package attestationtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Claim describes the contents of a bundle.
type Claim struct {
	File, SHA256  string
	TargetChannel string         // URL; "" for none
	Repository    string         // URL in the certificate; "" for none
	Statement     map[string]any // overrides fields of the statement
	Envelope      map[string]any // overrides fields of the envelope
}

// Bundle returns a version 0.3 bundle.
func (c Claim) Bundle(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	statement := map[string]any{
		"_type":         "https://in-toto.io/Statement/v1",
		"subject":       []any{map[string]any{"name": c.File, "digest": map[string]string{"sha256": c.SHA256}}},
		"predicateType": "https://schemas.conda.org/attestations-publish-1.schema.json",
		"predicate":     map[string]string{},
	}
	if c.TargetChannel != "" {
		statement["predicate"] = map[string]string{"targetChannel": c.TargetChannel}
	}
	for k, v := range c.Statement {
		statement[k] = v
	}
	payload := marshal(t, statement)
	const kind = "application/vnd.in-toto+json"
	digest := sha256.Sum256(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload))
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	require.NoError(t, err)
	envelope := map[string]any{"payload": payload, "payloadType": kind, "signatures": []any{map[string]any{"sig": sig}}}
	for k, v := range c.Envelope {
		envelope[k] = v
	}
	return marshal(t, map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": map[string]any{"certificate": map[string]any{"rawBytes": c.certificate(t, key)}, "tlogEntries": []any{}},
		"dsseEnvelope":         envelope,
	})
}

func (c Claim) certificate(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	identity, err := url.Parse("https://github.com/octo/tools/.github/workflows/release.yml@refs/tags/v1")
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(10 * time.Minute),
		URIs:         []*url.URL{identity},
	}
	if c.Repository != "" {
		value, err := asn1.MarshalWithParams(c.Repository, "utf8")
		require.NoError(t, err)
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 12}, Value: value}}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return der
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}
