package channel_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/attestation/attestationtest"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// py-rattler-build uploads an attestation as a trusted publisher. The server checks it, adds its sha256 to the index in every form, and serves it
// beside the artifact.
func TestAnAttestationOfTheRealUploader(t *testing.T) {
	w := trust(t)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	claim := attestationtest.Claim{File: u.File, SHA256: u.Record.SHA256, TargetChannel: w.url + "/demo", Repository: "https://github.com/octo/tools"}
	up := rattlertest.Upload{Server: w.url, Channel: "demo", Files: []string{u.Path}, Env: w.github.Environ()}
	attest := func(c attestationtest.Claim) string {
		up.Attestation = filepath.Join(t.TempDir(), "bundle.json")
		require.NoError(t, os.WriteFile(up.Attestation, c.Bundle(t), 0o600))
		return up.Run(t)
	}
	other := claim
	other.SHA256 = strings.Repeat("0", 64)
	require.Contains(t, attest(other), "unprocessable entity (HTTP 422): the attestation is for a file with the sha256")
	other = claim
	other.TargetChannel = "https://prefix.dev/demo"
	require.Contains(t, attest(other), "HTTP 422): the attestation is for the channel")
	other = claim
	other.Repository = "https://github.com/mallory/tools"
	require.Contains(t, attest(other), "HTTP 403): the attestation is from \"https://github.com/mallory/tools\"")
	require.Empty(t, attest(claim))

	c := client(t, w.url)
	seen := 0
	for _, form := range c.Forms(t.Context(), "noarch", "a") {
		require.NoError(t, form.Err)
		require.Len(t, form.Records, 1)
		sum := strings.Trim(string(form.Records[0].Extra[attestation.Field]), `"`)
		resp, err := http.Get(w.url + "/demo/noarch/" + attestation.SidecarName(u.File, sum))
		require.NoError(t, err)
		data, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		require.Equal(t, "public, max-age=31536000, immutable", resp.Header.Get("Cache-Control"))
		require.True(t, attestation.OfSidecar(data, sum, u.File, u.Record.SHA256), form.Name)
		seen++
	}
	require.Equal(t, 3, seen)
	for path, status := range map[string]int{
		"/demo/noarch/" + u.File + ".sigs." + strings.Repeat("0", 64): 404, "/demo/noarch/" + u.File + ".sigs.": 404, "/demo/noarch/.sigs.x": 404,
	} {
		resp, err := http.Get(w.url + path)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, status, resp.StatusCode, path)
	}
}

// py-rattler finds and reads the attestation on our channel. Verification fails, because the certificate is self-signed. (To pass, the
// certificate would have to be in a sigstore log, and sigstore-go's test helper creates no log entry that py-rattler accepts.)
func TestTheRealClientFindsAnAttestation(t *testing.T) {
	w := trust(t)
	remote := client(t, w.url)
	none, attested := channeltest.Upload(t, condapkgtest.Package{Name: "none"}), channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	attested.Attestation = attestationtest.Claim{File: attested.File, SHA256: attested.Record.SHA256, TargetChannel: w.url + "/demo"}.Bundle(t)
	for _, u := range []channel.Upload{none, attested} {
		_, err := remote.Put(t.Context(), u)
		require.NoError(t, err)
	}
	ask := rattlertest.Attested{
		Channel:  w.url + "/demo",
		Name:     "none",
		Identity: "https://github.com/octo/tools/.github/workflows/release.yml@refs/tags/v1",
	}
	require.Contains(t, ask.Run(t), "advertised")
	ask.Name = "a"
	says := ask.Run(t)
	require.Contains(t, says, "no attestation for "+attested.File+" passed verification")
	require.Contains(t, says, "bundle 0")
	require.NotContains(t, says, "advertised")
	t.Log(says)
}

// The store keeps an artifact's sidecar when it is reopened and when its log is lost. When the artifact is replaced, its record no longer refers
// to the sidecar, and after the artifact is deleted, no sidecar is left.
func TestSidecarsOfArtifacts(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	c, err := s.Create(t.Context(), "demo")
	require.NoError(t, err)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	u.Attestation = attestationtest.Claim{File: u.File, SHA256: u.Record.SHA256}.Bundle(t)
	_, err = c.Put(t.Context(), u)
	require.NoError(t, err)
	sum := func() string {
		records, err := c.Records(t.Context(), "noarch", "a")
		require.NoError(t, err)
		require.Len(t, records, 1)
		return strings.Trim(string(records[0].Extra[attestation.Field]), `"`)
	}
	first := sum()
	require.Len(t, first, 64)
	noarch := filepath.Join(dir, "demo", "noarch")
	reopen := func(damage func()) {
		require.NoError(t, s.Close())
		damage()
		s, err = store.Open(dir)
		require.NoError(t, err)
		c, err = s.Channel(t.Context(), "demo")
		require.NoError(t, err)
		channeltest.Index(t, c, "noarch")
	}
	reopen(func() {})
	require.Equal(t, first, sum())
	reopen(func() { require.NoError(t, os.Remove(filepath.Join(noarch, ".records.log"))) })
	require.Equal(t, first, sum(), "without the log, the sidecar is found by its name")
	reopen(func() {
		require.NoError(t, os.Rename(filepath.Join(noarch, attestation.SidecarName(u.File, first)), filepath.Join(dir, "kept")))
	})
	require.Empty(t, sum(), "a missing sidecar is not advertised")
	reopen(func() {
		require.NoError(t, os.Rename(filepath.Join(dir, "kept"), filepath.Join(noarch, attestation.SidecarName(u.File, first))))
		require.NoError(t, os.Remove(filepath.Join(noarch, ".records.log")))
	})
	require.Equal(t, first, sum())

	other := channeltest.Upload(t, condapkgtest.Package{Name: "a", Depends: []string{"b"}})
	other.Force = true
	_, err = c.Put(t.Context(), other)
	require.NoError(t, err)
	require.Empty(t, sum(), "the attestation does not cover other bytes")
	_, err = c.Open(t.Context(), "noarch", attestation.SidecarName(u.File, first))
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.NoError(t, c.Delete(t.Context(), "noarch", u.File))
	left, err := filepath.Glob(filepath.Join(noarch, "*.sigs.*"))
	require.NoError(t, err)
	require.Empty(t, left)
	f, err := c.Open(t.Context(), "noarch", repodata.JSON)
	require.NoError(t, err)
	f.Close()
	require.NoError(t, s.Close())
}
