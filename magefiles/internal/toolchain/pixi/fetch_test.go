package pixi

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// archive returns a .tar.gz with the given members.
func archive(t *testing.T, members ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range members {
		text := []byte("#!/bin/sh\necho pixi " + Version + "\n")
		h.Mode, h.Size = 0o644, int64(len(text))
		if h.Typeflag != tar.TypeReg {
			h.Size = 0
		}
		require.NoError(t, w.WriteHeader(&h))
		if h.Size > 0 {
			_, err := w.Write(text)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

func file(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }

// serve serves the bytes, and counts the requests.
func serve(t *testing.T, body []byte) (Source, Pin, *int) {
	t.Helper()
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if r.URL.Path != "/releases/v"+Version+"/pixi.tar.gz" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	digest := sha256.Sum256(body)
	source := Source{Downloads: server.URL + "/releases", Client: server.Client(), Cache: filepath.Join(t.TempDir(), "cache")}
	return source, Pin{Archive: "pixi.tar.gz", SHA256: hex.EncodeToString(digest[:])}, &requests
}

func TestFetch(t *testing.T) {
	source, pin, requests := serve(t, archive(t, file("pixi")))
	path, err := fetch(t.Context(), source, pin)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o755), info.Mode().Perm())

	again, err := fetch(t.Context(), source, pin)
	require.NoError(t, err)
	require.Equal(t, path, again)
	require.Equal(t, 1, *requests, "the archive is downloaded once")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 2, "only the program and its archive are left")
}

// TestHostileCache checks that nothing in the cache is used unless it matches the pin, because others may write to the cache.
func TestHostileCache(t *testing.T) {
	source, pin, requests := serve(t, archive(t, file("pixi")))
	program, err := fetch(t.Context(), source, pin)
	require.NoError(t, err)
	good, err := os.ReadFile(program)
	require.NoError(t, err)
	kept, evil := filepath.Join(filepath.Dir(program), "pixi.tar.gz"), []byte("#!/bin/sh\nevil\n")
	elsewhere := filepath.Join(t.TempDir(), "evil")
	require.NoError(t, os.WriteFile(elsewhere, evil, 0o755))
	for name, attack := range map[string]func() error{
		"another program": func() error { return os.WriteFile(program, evil, 0o755) },
		"a longer one":    func() error { return os.WriteFile(program, append(append([]byte(nil), good...), evil...), 0o755) },
		"a shorter one":   func() error { return os.WriteFile(program, good[:len(good)-1], 0o755) },
		"a link":          func() error { return errors.Join(os.Remove(program), os.Symlink(elsewhere, program)) },
		"no program":      func() error { return os.Remove(program) },
		"another archive": func() error { return os.WriteFile(kept, archive(t, file("pixi"), file("more")), 0o644) },
		"both":            func() error { return errors.Join(os.WriteFile(kept, evil, 0o644), os.WriteFile(program, evil, 0o755)) },
		"no archive":      func() error { return errors.Join(os.Remove(kept), os.WriteFile(program, evil, 0o755)) },
		"a link to another": func() error {
			return errors.Join(os.Remove(kept), os.Symlink(elsewhere, kept), os.WriteFile(program, evil, 0o755))
		},
	} {
		require.NoError(t, attack(), name)
		path, err := fetch(t.Context(), source, pin)
		require.NoError(t, err, name)
		info, err := os.Lstat(path)
		require.NoError(t, err, name)
		require.Equal(t, os.FileMode(0o755), info.Mode(), name)
		text, err := os.ReadFile(path)
		require.NoError(t, err, name)
		require.Equal(t, good, text, name)
		text, err = os.ReadFile(elsewhere)
		require.NoError(t, err)
		require.Equal(t, evil, text, "nothing is written through a link")
	}
	require.Equal(t, 5, *requests, "only an archive with a wrong digest is downloaded again")
}

func TestFetchRefuses(t *testing.T) {
	whole := archive(t, file("pixi"))
	for name, c := range map[string]struct {
		body   []byte
		digest string
		says   string
	}{
		"wrong digest":   {whole, "00", "expected the pinned sha256 00"},
		"other member":   {archive(t, file("pixie")), "", `in the archive, found "pixie"`},
		"path":           {archive(t, file("../pixi")), "", `in the archive, found "../pixi"`},
		"two members":    {archive(t, file("pixi"), file("readme")), "", `expected only the program pixi in the archive, found also "readme"`},
		"link":           {archive(t, tar.Header{Name: "pixi", Typeflag: tar.TypeSymlink, Linkname: "/bin/sh"}), "", "expected the program pixi in the archive"},
		"empty":          {archive(t), "", "EOF"},
		"truncated":      {whole[:len(whole)-20], "", "unexpected EOF"},
		"no archive":     {[]byte("<html>log in</html>"), "", "gzip"},
		"truncated late": {whole[:len(whole)/2], "", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			source, pin, _ := serve(t, c.body)
			if c.digest != "" {
				pin.SHA256 = c.digest + pin.SHA256[2:]
			}
			_, err := fetch(t.Context(), source, pin)
			require.ErrorContains(t, err, c.says)
			found, err := filepath.Glob(filepath.Join(source.Cache, "*", "*"))
			require.NoError(t, err)
			require.Empty(t, found, "nothing is left behind")
		})
	}
}

func TestFetchWithoutServer(t *testing.T) {
	source, pin, _ := serve(t, nil)
	source.Downloads += "/elsewhere"
	_, err := fetch(t.Context(), source, pin)
	require.ErrorContains(t, err, "404")
	source.Downloads = "http://127.0.0.1:1"
	_, err = fetch(t.Context(), source, pin)
	require.ErrorContains(t, err, "fetching http://127.0.0.1:1/v"+Version+"/pixi.tar.gz")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fetch(ctx, source, pin)
	require.ErrorIs(t, err, context.Canceled)
}

func TestPins(t *testing.T) {
	_, err := Fetch(t.Context(), Source{Cache: t.TempDir(), Platform: "win-64"})
	require.ErrorContains(t, err, "no archive of this version is pinned for the platform win-64")
	for platform, pin := range pins {
		require.Len(t, pin.SHA256, 64, platform)
	}
	require.Equal(t, DefaultDownloads+"/v0.77.0/pixi-x86_64-unknown-linux-musl.tar.gz", pins["linux-64"].address(DefaultDownloads))
}
