package store_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

func open(t *testing.T, dir string) (*store.Store, channel.Channel) {
	t.Helper()
	s, err := store.Open(dir)
	require.NoError(t, err)
	c, err := s.Create(t.Context(), "demo")
	require.NoError(t, err)
	return s, c
}

func TestConformance(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channel.Channel {
		dir := t.TempDir()
		s, c := open(t, dir)
		t.Cleanup(func() {
			require.NoError(t, s.Close())
			left, err := os.ReadDir(filepath.Join(dir, ".incoming"))
			require.NoError(t, err)
			require.Empty(t, left, "temporary files")
		})
		return c
	})
}

func put(t *testing.T, c channel.Channel, p condapkgtest.Package) channel.Upload {
	t.Helper()
	u := channeltest.Upload(t, p)
	_, err := c.Put(t.Context(), u)
	require.NoError(t, err)
	return u
}

// After the store is closed, clients can read the folder directly, because the index on disk is complete.
func TestClosedFolderIsAChannel(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	u := put(t, c, condapkgtest.Package{Name: "a"})
	require.NoError(t, s.Close())
	channeltest.NoStrays(t, dir, 1)
	f, err := os.Open(filepath.Join(dir, "demo", "noarch", repodata.JSON))
	require.NoError(t, err)
	defer f.Close()
	records, err := repodata.Own.Decode(f, nil)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, u.Record.SHA256, records[0].SHA256)
	for _, subdir := range condapkg.Subdirs() {
		for _, file := range []string{repodata.JSON, repodata.JSONZst, repodata.Shards} {
			require.FileExists(t, filepath.Join(dir, "demo", subdir, file))
		}
	}
	shards, err := filepath.Glob(filepath.Join(dir, "demo", "noarch", "shards", "*"))
	require.NoError(t, err)
	require.Len(t, shards, 1)
}

// If the index or the log is lost, damaged or outdated, the reopened store still matches the .conda files.
func TestReopening(t *testing.T) {
	for what, damage := range map[string]func(t *testing.T, noarch string){
		"nothing":            func(*testing.T, string) {},
		"the log is gone":    func(t *testing.T, d string) { require.NoError(t, os.Remove(filepath.Join(d, ".records.log"))) },
		"the log is torn":    func(t *testing.T, d string) { truncate(t, filepath.Join(d, ".records.log"), 20) },
		"the log is zeros":   func(t *testing.T, d string) { zero(t, filepath.Join(d, ".records.log")) },
		"the index is gone":  func(t *testing.T, d string) { require.NoError(t, os.Remove(filepath.Join(d, repodata.JSON))) },
		"the index is torn":  func(t *testing.T, d string) { truncate(t, filepath.Join(d, repodata.Shards), 9) },
		"shards are gone":    func(t *testing.T, d string) { require.NoError(t, os.RemoveAll(filepath.Join(d, "shards"))) },
		"all indexes gone":   func(t *testing.T, d string) { removeAllBut(t, d, condapkg.Ext) },
		"a file was touched": func(t *testing.T, d string) { touch(t, d) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, c := open(t, dir)
			a, b := put(t, c, condapkgtest.Package{Name: "a"}), put(t, c, condapkgtest.Package{Name: "b"})
			gone := put(t, c, condapkgtest.Package{Name: "gone"})
			require.NoError(t, c.Delete(t.Context(), "noarch", gone.File))
			require.NoError(t, s.Close())
			damage(t, filepath.Join(dir, "demo", "noarch"))

			s, c = open(t, dir)
			require.Equal(t, []string{"demo"}, s.Channels())
			want := map[string]string{a.File: a.Record.SHA256, b.File: b.Record.SHA256}
			require.Equal(t, want, channeltest.Index(t, c, "noarch"))
			require.NoError(t, s.Close())
			data, err := os.ReadFile(filepath.Join(dir, "demo", "noarch", repodata.JSON))
			require.NoError(t, err)
			require.Contains(t, string(data), a.Record.SHA256, "the disk has the same")
		})
	}
}

func truncate(t *testing.T, path string, by int64) {
	t.Helper()
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, st.Size()-by))
}

func zero(t *testing.T, path string) {
	t.Helper()
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, make([]byte, st.Size()), 0o644))
}

func removeAllBut(t *testing.T, dir, ext string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ext {
			require.NoError(t, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
}

func touch(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"+condapkg.Ext))
	require.NoError(t, err)
	for _, f := range files {
		require.NoError(t, os.Chtimes(f, time.Unix(1, 0), time.Unix(1, 0)))
	}
}

// A killed process leaves outdated index files and temporary files behind.
func TestAfterAKill(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	a := put(t, c, condapkgtest.Package{Name: "a"})
	require.NoError(t, s.Close())
	late := condapkgtest.Package{Name: "late"}
	late.Write(t, filepath.Join(dir, "demo", "noarch")) // as if the power failed just after the rename
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".incoming", "put-1.partial"), []byte("half"), 0o644))

	s, c = open(t, dir)
	defer s.Close()
	require.Len(t, channeltest.Index(t, c, "noarch"), 2)
	require.Contains(t, channeltest.Index(t, c, "noarch"), a.File)
	channeltest.NoStrays(t, dir, 2)
}

func TestCopiedFileIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	defer s.Close()
	condapkgtest.Package{Name: "a"}.Write(t, filepath.Join(dir, "demo", "noarch"))
	_, err := c.Put(t.Context(), channeltest.Upload(t, condapkgtest.Package{Name: "a", Depends: []string{"b"}}))
	require.ErrorIs(t, err, channel.ErrExists)
	require.Len(t, channeltest.Index(t, c, "noarch"), 1)
}

func TestOldShardIsStillServed(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	put(t, c, condapkgtest.Package{Name: "a"})
	f, err := c.Open(t.Context(), "noarch", repodata.Shards)
	require.NoError(t, err)
	x, err := repodata.Own.DecodeShards(f)
	require.NoError(t, err)
	put(t, c, condapkgtest.Package{Name: "a", Version: "2.0"})
	read := func() {
		f, err := c.Open(t.Context(), "noarch", x.Shards["a"].File())
		require.NoError(t, err)
		defer f.Close()
		require.True(t, f.Immutable)
		records, err := repodata.Own.DecodeShard(f, x.Shards["a"], "")
		require.NoError(t, err)
		require.Len(t, records, 1)
	}
	read()
	require.NoError(t, s.Flush())
	read()
	require.NoError(t, s.Close())
	s, c = open(t, dir)
	defer s.Close()
	read()
}

func TestOwnedFileIsRemoved(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	defer s.Close()
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	mine := filepath.Join(s.Incoming(), "received")
	data, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(mine, data, 0o600))
	u.Record, err = condapkg.Inspect(u.Path)
	require.NoError(t, err)
	u.Path, u.Owned = mine, true
	_, err = c.Put(t.Context(), u)
	require.NoError(t, err)
	require.NoFileExists(t, mine)
	channeltest.NoStrays(t, dir, 1)
	st, err := os.Stat(filepath.Join(dir, "demo", "noarch", u.File))
	require.NoError(t, err)
	require.EqualValues(t, 0o644, st.Mode().Perm())
}

func TestFolderIsLocked(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	_, err := store.Open(dir)
	require.ErrorContains(t, err, "open in another process")
	require.ErrorContains(t, store.CheckUnused(dir), "open in another process")
	require.NoError(t, s.Close())
	s, err = store.Open(dir)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestNamesOfChannels(t *testing.T) {
	s, _ := open(t, t.TempDir())
	defer s.Close()
	for _, name := range []string{"", ".", "..", "a/b", "../x", ".incoming", "api", "t", "a b"} {
		_, err := s.Create(t.Context(), name)
		require.ErrorIs(t, err, channel.ErrMalformed, name)
		_, err = s.Channel(t.Context(), name)
		require.ErrorIs(t, err, channel.ErrNotFound, name)
	}
}

// After the store is closed, the index on disk contains every successful upload. Later uploads fail and leave no files behind.
func TestCloseDuringUploads(t *testing.T) {
	dir := t.TempDir()
	s, c := open(t, dir)
	var uploads []channel.Upload
	for i := range 40 {
		uploads = append(uploads, channeltest.Upload(t, condapkgtest.Package{Name: "a", Version: strconv.Itoa(i)}))
	}
	errs := make([]error, len(uploads))
	var group sync.WaitGroup
	begun := make(chan struct{}, len(uploads))
	for i, u := range uploads {
		group.Go(func() {
			begun <- struct{}{}
			_, errs[i] = c.Put(t.Context(), u)
		})
	}
	for range 20 {
		<-begun
	}
	require.NoError(t, s.Close())
	group.Wait()
	want := map[string]bool{}
	for i, err := range errs {
		if err != nil {
			require.ErrorIs(t, err, channel.ErrUnavailable)
			continue
		}
		want[uploads[i].File] = true
	}
	f, err := os.Open(filepath.Join(dir, "demo", "noarch", repodata.JSON))
	require.NoError(t, err)
	defer f.Close()
	records, err := repodata.Own.Decode(f, nil)
	require.NoError(t, err)
	have := map[string]bool{}
	for _, r := range records {
		have[r.FileName()] = true
	}
	require.Equal(t, want, have)
	channeltest.NoStrays(t, dir, len(want))
}

// If a folder contains a .conda file that is not a valid artifact, Open returns an error with its name, and does not silently skip it.
func TestInvalidFileInTheFolder(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "demo", "noarch", "a-1-0.conda"), []byte("no"), 0o644))
	_, err := store.Open(dir)
	require.ErrorContains(t, err, "a-1-0.conda")
	require.Contains(t, fmt.Sprintf("%+v", err), "not a zip file")
}

// The cost of an upload does not depend on the number of records in the channel.
func BenchmarkPutAmong20000(b *testing.B) {
	s, err := store.Open(b.TempDir())
	require.NoError(b, err)
	defer s.Close()
	c, err := s.Create(b.Context(), "demo")
	require.NoError(b, err)
	seed := channeltest.Upload(b, condapkgtest.Package{Name: "seed"})
	store.Fill(b, c, seed.Record, 20000)
	uploads := make([]channel.Upload, b.N)
	for i := range uploads {
		uploads[i] = channeltest.Upload(b, condapkgtest.Package{Name: "new", Version: time.Unix(int64(i), 0).UTC().Format("2006.1.2.15.4.5")})
	}
	b.ResetTimer()
	for _, u := range uploads {
		_, err := c.Put(b.Context(), u)
		require.NoError(b, err)
	}
	b.StopTimer()
	f, err := c.Open(b.Context(), "noarch", repodata.JSON)
	require.NoError(b, err)
	n, err := io.Copy(io.Discard, f)
	require.NoError(b, err)
	b.ReportMetric(float64(n), "index-bytes")
}
