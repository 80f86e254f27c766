// Package attestation reads the sigstore bundle by which the publisher of an artifact says what was published and where
// (CEP 27), and the sidecars in which a channel serves such bundles (CEP 50).
//
// What can be checked without asking anyone is checked: the form, the statement, and that the statement was signed with
// the key of the certificate in the bundle. That the certificate is sigstore's, and that the signature stands in its
// log, takes a trust root, which a channel that is to work offline does not have: it serves the bundle, and those who
// install verify it with theirs.
package attestation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// MaxSize is the largest sidecar that clients read, in bytes.
const MaxSize = 4 << 20

// Field is the key of a repodata record that advertises its sidecar, by the sidecar's sha256.
const Field = "attestations_sha256"

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://schemas.conda.org/attestations-publish-1.schema.json"
	mediaType     = "application/vnd.dev.sigstore.bundle"
)

// Attestation is a bundle that was read, whose statement was signed with its certificate's key.
type Attestation struct {
	File          string // that was published
	SHA256        string // of it, in hex
	TargetChannel string // URL of the channel; "" where the statement does not say
	Repository    string // URL of the sources, of the certificate; "" where that does not say
}

// bundle is what is read of a bundle.
type bundle struct {
	MediaType            string `json:"mediaType"`
	VerificationMaterial struct {
		Certificate *rawBytes `json:"certificate"`
		Chain       struct {
			Certificates []rawBytes `json:"certificates"`
		} `json:"x509CertificateChain"` // until version 0.2
	} `json:"verificationMaterial"`
	Envelope struct {
		Payload     []byte `json:"payload"`
		PayloadType string `json:"payloadType"`
		Signatures  []struct {
			Sig []byte `json:"sig"`
		} `json:"signatures"`
	} `json:"dsseEnvelope"`
}

type rawBytes struct {
	RawBytes []byte `json:"rawBytes"`
}

type statement struct {
	Type    string `json:"_type"`
	Subject []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
	PredicateType string `json:"predicateType"`
	Predicate     struct {
		TargetChannel string `json:"targetChannel"`
	} `json:"predicate"`
}

// Parse reads a bundle and checks its signature. Errors are sentences.
func Parse(data []byte) (Attestation, error) {
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return Attestation{}, errors.New("the attestation is no sigstore bundle in JSON")
	}
	if !strings.HasPrefix(b.MediaType, mediaType) {
		return Attestation{}, fmt.Errorf("the attestation has the media type %.100q, which is no sigstore bundle's", b.MediaType)
	}
	if b.Envelope.PayloadType != payloadType || len(b.Envelope.Signatures) != 1 {
		return Attestation{}, errors.New("the attestation has no in-toto statement with one signature")
	}
	certificate, err := b.certificate()
	if err != nil {
		return Attestation{}, err
	}
	signed := pae(b.Envelope.PayloadType, b.Envelope.Payload)
	if err := certificate.CheckSignature(x509.ECDSAWithSHA256, signed, b.Envelope.Signatures[0].Sig); err != nil {
		return Attestation{}, errors.New("the attestation's signature is not by the key of its certificate")
	}
	a, err := read(b.Envelope.Payload)
	a.Repository = repository(certificate)
	return a, err
}

// certificate is the signer's.
func (b bundle) certificate() (*x509.Certificate, error) {
	var der []byte
	switch m := b.VerificationMaterial; {
	case m.Certificate != nil:
		der = m.Certificate.RawBytes
	case len(m.Chain.Certificates) > 0:
		der = m.Chain.Certificates[0].RawBytes
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("the attestation has no certificate that can be read")
	}
	return c, nil
}

// pae is what a DSSE signature is made over (DSSE protocol, pre-authentication encoding).
func pae(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

func read(payload []byte) (Attestation, error) {
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return Attestation{}, errors.New("the attestation's statement cannot be read")
	}
	switch {
	case s.Type != statementType:
		return Attestation{}, fmt.Errorf("the attestation's statement is of the type %.100q", s.Type)
	case s.PredicateType != predicateType:
		return Attestation{}, fmt.Errorf("the attestation states %.100q, and not that a package was published", s.PredicateType)
	case len(s.Subject) != 1:
		return Attestation{}, fmt.Errorf("the attestation is about %d files, and has to be about one", len(s.Subject))
	}
	return Attestation{
		File:          s.Subject[0].Name,
		SHA256:        s.Subject[0].Digest["sha256"],
		TargetChannel: s.Predicate.TargetChannel,
	}, nil
}

// sourceRepository is Fulcio's extension with the URL of the sources (fulcio, docs/oid-info.md, 1.3.6.1.4.1.57264.1.12).
var sourceRepository = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 12}

func repository(c *x509.Certificate) string {
	for _, e := range c.Extensions {
		var text string
		if e.Id.Equal(sourceRepository) {
			if _, err := asn1.Unmarshal(e.Value, &text); err == nil {
				return text
			}
		}
	}
	return ""
}

// Check compares what is attested with what was uploaded: the file, its bytes, and the channel, of which host and name
// count.
func (a Attestation) Check(file, sha256, host, channel string) error {
	if a.File != file {
		return fmt.Errorf("the attestation is about %.150q, and not about %s", a.File, file)
	}
	if a.SHA256 != sha256 {
		return fmt.Errorf("the attestation is about the sha256 %.64q, and the file has %s", a.SHA256, sha256)
	}
	if a.TargetChannel == "" {
		return nil
	}
	u, err := url.Parse(a.TargetChannel)
	if err != nil || u.Host != host || strings.Trim(u.Path, "/") != channel {
		return fmt.Errorf("the attestation is for the channel %.150q, and not for %s", a.TargetChannel, host+"/"+channel)
	}
	return nil
}

// Sidecar is the file in which a channel serves bundles, and its sha256, which stands in its name and in the record.
func Sidecar(bundles ...[]byte) (data []byte, sum string) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, one := range bundles {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(bytes.TrimSpace(one))
	}
	b.WriteByte(']')
	digest := sha256.Sum256(b.Bytes())
	return b.Bytes(), hex.EncodeToString(digest[:])
}

// SidecarName is the name of a sidecar beside its artifact.
func SidecarName(file, sum string) string { return file + ".sigs." + sum }

// OfSidecar reports whether data is a sidecar of that sha256 about an artifact.
func OfSidecar(data []byte, sum, file, artifactSHA256 string) bool {
	digest := sha256.Sum256(data)
	var bundles []json.RawMessage
	if hex.EncodeToString(digest[:]) != sum || json.Unmarshal(data, &bundles) != nil || len(bundles) == 0 {
		return false
	}
	for _, b := range bundles {
		if a, err := Parse(b); err != nil || a.File != file || a.SHA256 != artifactSHA256 {
			return false
		}
	}
	return true
}
