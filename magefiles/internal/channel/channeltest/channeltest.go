// Package channeltest tests implementations of channel.Channel. All of them must pass the same tests, so that a local folder and a remote server
// behave alike.
package channeltest

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// Run runs the tests. `open` must return a new, empty channel.
func Run(t *testing.T, open func(t *testing.T) channel.Channel) {
	for name, test := range map[string]func(*testing.T, channel.Channel){
		"an empty channel has an index in every subdir": empty,
		"an uploaded file is visible at once":           put,
		"the same bytes again are not an error":         checkAgain,
		"other bytes are refused with both digests":     checkOtherBytes,
		"force replaces": force,
		"a mismatch between file and record is refused": invalid,
		"subdirs are separate":                          subdirs,
		"a deleted file is gone":                        checkDeleted,
		"uploads side by side":                          sideBySide,
		"concurrent uploads with one name":              race,
		"a cancelled upload leaves nothing":             checkCancelled,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// Upload builds a package and returns an upload of it.
func Upload(t testing.TB, p condapkgtest.Package) channel.Upload {
	t.Helper()
	u, err := channel.NewUpload(p.Write(t, t.TempDir()))
	require.NoError(t, err)
	return u
}

// Index reads a subdir's index in all forms, requires that they contain the same records, and returns the sha256 of each file.
func Index(t testing.TB, c channel.Channel, subdir string) map[string]string {
	t.Helper()
	plain, err := repodata.Own.Decode(open(t, c, subdir, repodata.JSON), nil)
	require.NoError(t, err)
	z, err := repodata.Own.Decompress(open(t, c, subdir, repodata.JSONZst))
	require.NoError(t, err)
	defer z.Close()
	zst, err := repodata.Own.Decode(z, nil)
	require.NoError(t, err)
	x, err := repodata.Own.DecodeShards(open(t, c, subdir, repodata.Shards))
	require.NoError(t, err)
	require.Equal(t, subdir, x.Subdir)
	var sharded []condapkg.Record
	for name, digest := range x.Shards {
		records, err := repodata.Own.DecodeShard(open(t, c, subdir, digest.File()), digest, "")
		require.NoError(t, err, name)
		sharded = append(sharded, records...)
	}
	require.Equal(t, digests(plain), digests(zst))
	require.Equal(t, digests(plain), digests(sharded))
	return digests(plain)
}

func digests(records []condapkg.Record) map[string]string {
	m := map[string]string{}
	for _, r := range records {
		m[r.FileName()] = r.SHA256
	}
	return m
}

// `open` opens a file on the channel and closes it when the test ends.
func open(t testing.TB, c channel.Channel, subdir, file string) io.Reader {
	t.Helper()
	f, err := c.Open(t.Context(), subdir, file)
	require.NoError(t, err, file)
	t.Cleanup(func() { f.Close() })
	return f
}

func has(t *testing.T, c channel.Channel, u channel.Upload) {
	t.Helper()
	want, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	got, err := io.ReadAll(open(t, c, u.Record.Subdir, u.File))
	require.NoError(t, err)
	require.Equal(t, want, got)
	records, err := c.Records(t.Context(), u.Record.Subdir, u.Record.Name)
	require.NoError(t, err)
	require.Equal(t, u.Record.SHA256, digests(records)[u.File])
	require.Equal(t, u.Record.SHA256, Index(t, c, u.Record.Subdir)[u.File])
}

func empty(t *testing.T, c channel.Channel) {
	for _, subdir := range condapkg.Subdirs() {
		require.Empty(t, Index(t, c, subdir), subdir)
	}
	records, err := c.Records(t.Context(), "noarch")
	require.NoError(t, err)
	require.Empty(t, records)
	for _, path := range [][2]string{
		{"noarch", "a-1-0.conda"}, {"noarch", "shards/0.msgpack.zst"}, {"nowhere", repodata.JSON}, {"noarch", ".records.log"},
	} {
		_, err := c.Open(t.Context(), path[0], path[1])
		require.ErrorIs(t, err, channel.ErrNotFound, path)
	}
	require.ErrorIs(t, c.Delete(t.Context(), "noarch", "a-1-0.conda"), channel.ErrNotFound)
}

func put(t *testing.T, c channel.Channel) {
	a := Upload(t, condapkgtest.Package{Name: "a", Extra: map[string]any{"license": "MIT", "custom": "kept"}})
	receipt, err := c.Put(t.Context(), a)
	require.NoError(t, err)
	require.False(t, receipt.Existed)
	has(t, c, a)
	b := Upload(t, condapkgtest.Package{Name: "b-with-dash", Version: "1!2.0+x.1", Depends: []string{"a ==1.0"}})
	_, err = c.Put(t.Context(), b)
	require.NoError(t, err)
	has(t, c, a)
	has(t, c, b)

	records, err := c.Records(t.Context(), "noarch")
	require.NoError(t, err)
	require.Len(t, records, 2)
	whole, err := condapkg.Inspect(a.Path)
	require.NoError(t, err)
	require.JSONEq(t, string(whole.JSON()), string(records[0].JSON()), "the record is the package's complete record with an MD5")
	records, err = c.Records(t.Context(), "noarch", "b-with-dash", "none")
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.FileExists(t, a.Path, "the file was copied")
}

func checkAgain(t *testing.T, c channel.Channel) {
	u := Upload(t, condapkgtest.Package{Name: "a"})
	_, err := c.Put(t.Context(), u)
	require.NoError(t, err)
	receipt, err := c.Put(t.Context(), u)
	require.NoError(t, err)
	require.True(t, receipt.Existed)
	has(t, c, u)
}

func checkOtherBytes(t *testing.T, c channel.Channel) {
	first := Upload(t, condapkgtest.Package{Name: "a"})
	other := Upload(t, condapkgtest.Package{Name: "a", Depends: []string{"b"}})
	_, err := c.Put(t.Context(), first)
	require.NoError(t, err)
	_, err = c.Put(t.Context(), other)
	require.ErrorIs(t, err, channel.ErrExists)
	var exists *channel.ExistsError
	require.ErrorAs(t, err, &exists)
	require.Equal(t, channel.ExistsError{File: first.File, Have: first.Record.SHA256, Sent: other.Record.SHA256}, *exists)
	has(t, c, first)
}

func force(t *testing.T, c channel.Channel) {
	first := Upload(t, condapkgtest.Package{Name: "a"})
	other := Upload(t, condapkgtest.Package{Name: "a", Depends: []string{"b"}})
	_, err := c.Put(t.Context(), first)
	require.NoError(t, err)
	other.Force = true
	receipt, err := c.Put(t.Context(), other)
	require.NoError(t, err)
	require.False(t, receipt.Existed)
	has(t, c, other)
}

func invalid(t *testing.T, c channel.Channel) {
	for what, spoil := range map[string]func(*channel.Upload){
		"the file name":      func(u *channel.Upload) { u.File = "b-1.0-pyh4616a5c_0.conda" },
		"the bytes":          func(u *channel.Upload) { require.NoError(t, os.WriteFile(u.Path, []byte("other"), 0o644)) },
		"a name in capitals": func(u *channel.Upload) { *u = Upload(t, condapkgtest.Package{Name: "Upper"}) },
		"an unknown subdir":  func(u *channel.Upload) { *u = Upload(t, condapkgtest.Package{Name: "a", Subdir: "amiga-68k"}) },
	} {
		u := Upload(t, condapkgtest.Package{Name: "a"})
		spoil(&u)
		_, err := c.Put(t.Context(), u)
		require.ErrorIs(t, err, channel.ErrInvalid, what)
	}
	v3 := Upload(t, condapkgtest.Package{Name: "a", Extra: map[string]any{"flags": []string{"x"}}})
	_, err := c.Put(t.Context(), v3)
	require.ErrorIs(t, err, channel.ErrForbidden)
	require.ErrorContains(t, err, "does not allow v3 repodata uploads")
	require.Empty(t, Index(t, c, "noarch"))
}

func subdirs(t *testing.T, c channel.Channel) {
	u := Upload(t, condapkgtest.Package{Name: "a", Subdir: "linux-64", Build: "h0_0"})
	_, err := c.Put(t.Context(), u)
	require.NoError(t, err)
	has(t, c, u)
	require.Empty(t, Index(t, c, "noarch"))
	_, err = c.Open(t.Context(), "noarch", u.File)
	require.ErrorIs(t, err, channel.ErrNotFound)
}

func checkDeleted(t *testing.T, c channel.Channel) {
	a, b := Upload(t, condapkgtest.Package{Name: "a"}), Upload(t, condapkgtest.Package{Name: "a", Version: "2.0"})
	for _, u := range []channel.Upload{a, b} {
		_, err := c.Put(t.Context(), u)
		require.NoError(t, err)
	}
	require.NoError(t, c.Delete(t.Context(), "noarch", a.File))
	require.ErrorIs(t, c.Delete(t.Context(), "noarch", a.File), channel.ErrNotFound)
	require.Equal(t, map[string]string{b.File: b.Record.SHA256}, Index(t, c, "noarch"))
	_, err := c.Open(t.Context(), "noarch", a.File)
	require.ErrorIs(t, err, channel.ErrNotFound)
	_, err = c.Put(t.Context(), a)
	require.NoError(t, err, "a deleted file can be uploaded again")
	has(t, c, a)
}

func sideBySide(t *testing.T, c channel.Channel) {
	want := map[string]string{}
	var uploads []channel.Upload
	for _, name := range []string{"a", "b", "c", "d"} {
		for _, version := range []string{"1", "2", "3"} {
			u := Upload(t, condapkgtest.Package{Name: name, Version: version})
			uploads, want[u.File] = append(uploads, u), u.Record.SHA256
		}
	}
	errs := parallel(uploads, func(u channel.Upload) error { _, err := c.Put(t.Context(), u); return err })
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, want, Index(t, c, "noarch"))
}

func race(t *testing.T, c channel.Channel) {
	var uploads []channel.Upload
	for _, dep := range []string{"a", "b", "c", "d", "e", "f"} {
		uploads = append(uploads, Upload(t, condapkgtest.Package{Name: "x", Depends: []string{dep}}))
	}
	errs := parallel(uploads, func(u channel.Upload) error { _, err := c.Put(t.Context(), u); return err })
	won := -1
	for i, err := range errs {
		if err == nil {
			require.Equal(t, -1, won, "only one is stored")
			won = i
			continue
		}
		require.ErrorIs(t, err, channel.ErrExists)
	}
	require.NotEqual(t, -1, won)
	has(t, c, uploads[won])
}

func checkCancelled(t *testing.T, c channel.Channel) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Put(ctx, Upload(t, condapkgtest.Package{Name: "a"}))
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, Index(t, c, "noarch"))
}

func parallel(uploads []channel.Upload, do func(channel.Upload) error) []error {
	errs := make([]error, len(uploads))
	var wg sync.WaitGroup
	for i, u := range uploads {
		wg.Go(func() { errs[i] = do(u) })
	}
	wg.Wait()
	return errs
}

// NoStrays requires that a folder of channels contains the expected number of artifacts, and no files from uploads that have ended.
func NoStrays(t testing.TB, dir string, artifacts int) {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == condapkg.Ext {
			n++
		}
		return err
	}))
	require.Equal(t, artifacts, n)
	left, err := os.ReadDir(filepath.Join(dir, ".incoming"))
	require.NoError(t, err)
	require.Empty(t, left)
}
