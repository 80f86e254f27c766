package publish_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// FuzzDigests checks that ParseDigests either returns an error with a next step, or valid digests: each file name stays inside its folder, no
// package is listed twice, and writing and parsing the digests again does not change them.
func FuzzDigests(f *testing.F) {
	sum := strings.Repeat("0", 64)
	for _, text := range []string{
		"", "null", "{}", "[]", "{} {}", `{"files":null}`, `{"files":[null]}`, `{"files":[{}]}`, `{"run":"1","commit":"-x","reproducible":true,"files":[]}`,
		`{"files":[{"package":"a","file":"a-1-0.conda","sha256":"` + sum + `","size":1,"tools":"\u001b[2J"}]}`,
		`{"files":[{"package":"..","file":"..-1-0.conda","sha256":"` + sum + `","size":1}]}`,
		`{"files":[{"package":"a/b","file":"a/b-1-0.conda","sha256":"` + sum + `","size":1}]}`,
		`{"files":[{"package":"-a","file":"-a-1-0.conda","sha256":"` + sum + `","size":-1}]}`,
		`{"FILES":[{"Package":"a","file":"a-1-0.conda","sha256":"` + strings.Repeat("A", 64) + `","size":1e400}]}`,
		`{"files":[{"package":"a","file":"a-1-..\u0000.conda","sha256":"` + sum + `"}]}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := publish.ParseDigests(text)
		if err != nil {
			require.NotEmpty(t, operr.NextOf(err))
			require.Less(t, len(err.Error()), 2000)
			return
		}
		seen := map[string]bool{}
		for _, one := range d.Files {
			require.False(t, seen[one.Package], one.Package)
			seen[one.Package] = true
			require.Equal(t, one.File, filepath.Base(one.File))
			require.True(t, filepath.IsLocal(one.File), one.File)
			require.NotContains(t, one.File, "\x00")
			require.False(t, strings.HasPrefix(one.File, "-"), one.File)
			require.True(t, strings.HasPrefix(one.File, one.Package+"-"), one.File)
		}
		line, err := d.Line()
		require.NoError(t, err)
		require.NotContains(t, line, "\n", "the output of a job is one line")
		again, err := publish.ParseDigests(line)
		require.NoError(t, err)
		twice, err := again.Line()
		require.NoError(t, err)
		require.Equal(t, line, twice)
	})
}
