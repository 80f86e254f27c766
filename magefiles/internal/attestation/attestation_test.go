package attestation_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/attestation/attestationtest"
)

var good = attestationtest.Claim{
	File:          "a-1.0-0.conda",
	SHA256:        strings.Repeat("a", 64),
	TargetChannel: "https://prefix.dev/demo",
	Repository:    "https://github.com/octo/tools",
}

func TestReadBundle(t *testing.T) {
	a, err := attestation.Parse(good.Bundle(t))
	require.NoError(t, err)
	require.Equal(t, attestation.Attestation{File: good.File, SHA256: good.SHA256, TargetChannel: good.TargetChannel, Repository: good.Repository}, a)
	require.NoError(t, a.Check(good.File, good.SHA256, "prefix.dev", "demo"))
	require.ErrorContains(t, a.Check("b-1.0-0.conda", good.SHA256, "prefix.dev", "demo"), "is for the file \"a-1.0-0.conda\"")
	require.ErrorContains(t, a.Check(good.File, strings.Repeat("b", 64), "prefix.dev", "demo"), "for a file with the sha256")
	require.ErrorContains(t, a.Check(good.File, good.SHA256, "prefix.dev", "other"), "is for the channel")
	require.ErrorContains(t, a.Check(good.File, good.SHA256, "evil.example", "demo"), "is for the channel")
	a.TargetChannel = ""
	require.NoError(t, a.Check(good.File, good.SHA256, "anywhere", "x"))
}

func TestRefusedBundles(t *testing.T) {
	change := func(f func(*attestationtest.Claim)) []byte {
		c := good
		f(&c)
		return c.Bundle(t)
	}
	bundle := good.Bundle(t)
	forged := base64.StdEncoding.EncodeToString([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`))
	for says, data := range map[string][]byte{
		"not a sigstore bundle in JSON":               []byte("{"),
		"media type":                                  bytes.ReplaceAll(bundle, []byte("sigstore.bundle"), []byte("other")),
		"one signature":                               change(func(c *attestationtest.Claim) { c.Envelope = map[string]any{"signatures": []any{}} }),
		"signature does not match its certificate":    change(func(c *attestationtest.Claim) { c.Envelope = map[string]any{"payload": forged} }),
		"no certificate":                              bytes.ReplaceAll(bundle, []byte("rawBytes"), []byte("noBytes")),
		"expected an in-toto v1 statement":            change(func(c *attestationtest.Claim) { c.Statement = map[string]any{"_type": "x"} }),
		"does not state that a package was published": change(func(c *attestationtest.Claim) { c.Statement = map[string]any{"predicateType": "x"} }),
		"names 0 files":                               change(func(c *attestationtest.Claim) { c.Statement = map[string]any{"subject": []any{}} }),
		"cannot parse the attestation's statement":    change(func(c *attestationtest.Claim) { c.Statement = map[string]any{"subject": 1} }),
	} {
		_, err := attestation.Parse(data)
		require.ErrorContains(t, err, says)
	}
}

func TestSidecars(t *testing.T) {
	bundle := good.Bundle(t)
	data, sum := attestation.Sidecar(bundle, bundle)
	require.True(t, attestation.OfSidecar(data, sum, good.File, good.SHA256))
	require.False(t, attestation.OfSidecar(data, strings.Repeat("0", 64), good.File, good.SHA256))
	require.False(t, attestation.OfSidecar(data, sum, good.File, strings.Repeat("0", 64)))
	none, sum := attestation.Sidecar()
	require.False(t, attestation.OfSidecar(none, sum, good.File, good.SHA256))
}

// Parse never panics, and its errors are never empty.
func FuzzParse(f *testing.F) {
	f.Add(good.Bundle(f))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := attestation.Parse(data); err != nil {
			require.NotEmpty(t, err.Error())
		}
	})
}
