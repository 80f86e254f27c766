package provenance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/provenance"
)

func sha(n int) string { return fmt.Sprintf("%064x", n) }

func TestRecords(t *testing.T) {
	s := &provenance.Store{Dir: filepath.Join(t.TempDir(), "deep", "builds")}
	one := provenance.BuildRecord{SHA256: sha(1), Package: "a", File: "a-1-0.conda", Commit: "c", Tree: "t", Tools: "embedded"}
	_, known, err := s.Of(sha(1))
	require.NoError(t, err)
	require.False(t, known)
	require.NoError(t, s.Keep(one))
	got, known, err := s.Of(sha(1))
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, one, got)
}

// A clone may contain records from older versions, and from newer versions that someone tried. Both are read. A field that is missing from an
// older record is zero.
func TestRecordsOfOtherVersions(t *testing.T) {
	s := &provenance.Store{Dir: t.TempDir()}
	for n, text := range []string{
		`{"sha256": %q, "package": "a", "file": "a-1-0.conda", "commit": "c", "tree": "t", "tools": "embedded"}`,
		`{"sha256": %q, "package": "a", "file": "a-1-0.conda", "commit": "c", "tree": "t", "tools": "embedded", "reproducible": true}`,
		`{"sha256": %q, "package": "a", "file": "a-1-0.conda", "commit": "c", "tree": "t", "tools": "embedded", "reproducible": true, "new": [1]}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(s.Dir, sha(n)+".json"), fmt.Appendf(nil, text, sha(n)), 0o644))
		got, known, err := s.Of(sha(n))
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, provenance.BuildRecord{SHA256: sha(n), Package: "a", File: "a-1-0.conda", Commit: "c", Tree: "t", Tools: "embedded", Reproducible: n > 0}, got,
			"a field of a record that clones have was renamed: their records would not count any more")
	}
}

// A record's file name is the sha256 of its artifact. A record that is truncated, or copied to another name, is ignored.
func TestInvalidRecords(t *testing.T) {
	s := &provenance.Store{Dir: t.TempDir()}
	require.NoError(t, s.Keep(provenance.BuildRecord{SHA256: sha(1), Package: "a"}))
	data, err := os.ReadFile(filepath.Join(s.Dir, sha(1)+".json"))
	require.NoError(t, err)
	for n, text := range map[int]string{2: string(data), 3: string(data)[:10], 4: "", 5: "[]"} {
		require.NoError(t, os.WriteFile(filepath.Join(s.Dir, sha(n)+".json"), []byte(text), 0o644))
		_, known, err := s.Of(sha(n))
		require.NoError(t, err)
		require.False(t, known, n)
	}
	for _, name := range []string{"", "../" + sha(1), strings.ToUpper(sha(10)), sha(1) + "/"} {
		_, known, err := s.Of(name)
		require.NoError(t, err)
		require.False(t, known, name)
	}
	outside := "../" + sha(1)
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, outside+".json"), fmt.Appendf(nil, `{"sha256": %q}`, outside), 0o644))
	_, known, err := s.Of(outside)
	require.NoError(t, err)
	require.False(t, known, "a text that is not a digest has no record")
	var none *provenance.Store
	require.NoError(t, none.Keep(provenance.BuildRecord{SHA256: sha(1)}))
	_, known, err = none.Of(sha(1))
	require.NoError(t, err)
	require.False(t, known)
}

func TestOldestRecordsAreRemoved(t *testing.T) {
	s := &provenance.Store{Dir: t.TempDir()}
	old := time.Now().Add(-time.Hour)
	for n := range 2003 {
		path := filepath.Join(s.Dir, sha(n)+".json")
		require.NoError(t, os.WriteFile(path, []byte("{}"), 0o644))
		require.NoError(t, os.Chtimes(path, old, old.Add(time.Duration(n)*time.Second)))
	}
	other := filepath.Join(s.Dir, "of-another-program")
	require.NoError(t, os.WriteFile(other, nil, 0o644))
	require.NoError(t, os.Chtimes(other, old, old.Add(-time.Hour)))
	require.NoError(t, s.Keep(provenance.BuildRecord{SHA256: sha(9999)}))
	require.FileExists(t, other)
	for n, there := range map[int]bool{0: false, 3: false, 4: true, 9999: true} {
		_, err := os.Stat(filepath.Join(s.Dir, sha(n)+".json"))
		require.Equal(t, there, err == nil, n)
	}
}

// Built files are listed by name and digest. A truncated line in the list is ignored.
func TestMade(t *testing.T) {
	dir := t.TempDir()
	made, err := provenance.Made(dir)
	require.NoError(t, err)
	require.Empty(t, made)
	require.NoError(t, provenance.NoteMade(dir, map[string]string{"a 1.conda": sha(1)}))
	require.NoError(t, provenance.WriteMade(filepath.Join(dir, "b.json"), []byte("{}")))
	require.NoError(t, provenance.NoteMade(dir, map[string]string{"a 1.conda": sha(2)}))
	f, err := os.OpenFile(filepath.Join(dir, provenance.MadeFile), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(sha(3) + "  c.conda")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	made, err = provenance.Made(dir)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{
		"a 1.conda": {sha(1), sha(2)},
		"b.json":    {"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
	}, made)
}
