// Package attestation reads sigstore bundles, in which an artifact's publisher attests what was published to which channel (CEP 27), and the
// sidecar files in which a channel serves these bundles (CEP 50).
//
// It performs the checks that work offline: it validates the bundle's format and statement, and verifies the signature with the key of the
// bundle's certificate. It does not verify that sigstore issued the certificate, or that the signature is in sigstore's log, because both require
// a trust root, and a channel that must work offline has none. Clients that install an artifact verify its bundle with their own trust root.
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

// MaxSize is the maximum size of a sidecar that clients read, in bytes.
const MaxSize = 4 << 20

// Field is the key of a repodata record that contains the sidecar's sha256.
const Field = "attestations_sha256"

const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://schemas.conda.org/attestations-publish-1.schema.json"
	mediaType     = "application/vnd.dev.sigstore.bundle"
)

// Attestation is the content of a bundle whose signature was verified with its certificate's key.
type Attestation struct {
	File          string // name of the published file
	SHA256        string // the file's sha256, in hex
	TargetChannel string // URL of the channel; "" if the statement has none
	Repository    string // URL of the source repository, from the certificate; "" if the certificate has none
}

// bundle declares only the fields that this package reads.
type bundle struct {
	MediaType            string `json:"mediaType"`
	VerificationMaterial struct {
		Certificate *rawBytes `json:"certificate"`
		Chain       struct {
			Certificates []rawBytes `json:"certificates"`
		} `json:"x509CertificateChain"` // used before version 0.3
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

// Parse parses a bundle and verifies its signature. Its errors are complete sentences.
func Parse(data []byte) (Attestation, error) {
	var b bundle
	if err := json.Unmarshal(data, &b); err != nil {
		return Attestation{}, errors.New("the attestation is not a sigstore bundle in JSON")
	}
	if !strings.HasPrefix(b.MediaType, mediaType) {
		return Attestation{}, fmt.Errorf("expected a sigstore bundle, but the attestation has the media type %.100q", b.MediaType)
	}
	if b.Envelope.PayloadType != payloadType || len(b.Envelope.Signatures) != 1 {
		return Attestation{}, errors.New("the attestation must contain an in-toto statement with exactly one signature")
	}
	certificate, err := b.certificate()
	if err != nil {
		return Attestation{}, err
	}
	signed := pae(b.Envelope.PayloadType, b.Envelope.Payload)
	if err := certificate.CheckSignature(x509.ECDSAWithSHA256, signed, b.Envelope.Signatures[0].Sig); err != nil {
		return Attestation{}, errors.New("the attestation's signature does not match its certificate")
	}
	a, err := read(b.Envelope.Payload)
	a.Repository = repository(certificate)
	return a, err
}

// certificate returns the signer's certificate.
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
		return nil, errors.New("the attestation has no certificate, or its certificate cannot be parsed")
	}
	return c, nil
}

// pae returns the bytes that a DSSE signature signs (DSSE protocol, pre-authentication encoding).
func pae(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

func read(payload []byte) (Attestation, error) {
	var s statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return Attestation{}, errors.New("cannot parse the attestation's statement")
	}
	switch {
	case s.Type != statementType:
		return Attestation{}, fmt.Errorf("expected an in-toto v1 statement, but the attestation's statement has the type %.100q", s.Type)
	case s.PredicateType != predicateType:
		return Attestation{}, fmt.Errorf("the attestation has the predicate type %.100q, which does not state that a package was published", s.PredicateType)
	case len(s.Subject) != 1:
		return Attestation{}, fmt.Errorf("the attestation names %d files, but must name exactly one file", len(s.Subject))
	}
	return Attestation{
		File:          s.Subject[0].Name,
		SHA256:        s.Subject[0].Digest["sha256"],
		TargetChannel: s.Predicate.TargetChannel,
	}, nil
}

// sourceRepository identifies the Fulcio certificate extension that contains the source repository's URL (fulcio, docs/oid-info.md,
// 1.3.6.1.4.1.57264.1.12).
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

// Check reports an error unless the attestation matches the upload's file name, sha256, server host and channel name.
func (a Attestation) Check(file, sha256, host, channel string) error {
	if a.File != file {
		return fmt.Errorf("the attestation is for the file %.150q, but %s was expected", a.File, file)
	}
	if a.SHA256 != sha256 {
		return fmt.Errorf("the attestation is for a file with the sha256 %.64q, but this file has the sha256 %s", a.SHA256, sha256)
	}
	if a.TargetChannel == "" {
		return nil
	}
	u, err := url.Parse(a.TargetChannel)
	if err != nil || u.Host != host || strings.Trim(u.Path, "/") != channel {
		return fmt.Errorf("the attestation is for the channel %.150q, but %s was expected", a.TargetChannel, host+"/"+channel)
	}
	return nil
}

// Sidecar returns the contents of a sidecar with these bundles, and their sha256, which is used in the sidecar's name and in the repodata record.
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

// SidecarName returns the file name of an artifact's sidecar.
func SidecarName(file, sum string) string { return file + ".sigs." + sum }

// OfSidecar reports whether data is a sidecar with the sha256 sum and contains only attestations of the given artifact.
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
