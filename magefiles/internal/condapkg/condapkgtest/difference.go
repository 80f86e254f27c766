package condapkgtest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// member contains all properties of a file in an archive.
type member struct {
	head string // type, mode, time, and where a link points to
	data []byte
}

// Difference describes the first difference between two archives: the file and the surrounding bytes. It returns "" if the archives are identical.
func Difference(t testing.TB, first, second string) string {
	t.Helper()
	a, err := os.ReadFile(first)
	require.NoError(t, err)
	b, err := os.ReadFile(second)
	require.NoError(t, err)
	if bytes.Equal(a, b) {
		return ""
	}
	name := filepath.Base(first)
	if other := filepath.Base(second); other != name {
		return fmt.Sprintf("one file is called %s, the other %s", name, other)
	}
	orderA, inA := members(t, first)
	orderB, inB := members(t, second)
	for _, file := range causesFirst(union(inA, inB)) {
		x, isA := inA[file]
		y, isB := inB[file]
		switch {
		case !isA || !isB:
			return fmt.Sprintf("%s: %s is in only one of the two", name, file)
		case x.head != y.head:
			return fmt.Sprintf("%s: %s is %s in one and %s in the other", name, file, x.head, y.head)
		case !bytes.Equal(x.data, y.data):
			return fmt.Sprintf("%s: %s differs %s", name, file, at(x.data, y.data))
		}
	}
	for i, file := range orderA {
		if file != orderB[i] {
			return fmt.Sprintf("%s: %s stands in another place of the archive, where the other one has %s", name, file, orderB[i])
		}
	}
	return fmt.Sprintf("%s: both hold the same files and are packed differently: the archive itself differs %s", name, at(a, b))
}

// members reads the members of an archive, and their order in the payload.
func members(t testing.TB, path string) (order []string, all map[string]member) {
	t.Helper()
	a, err := condapkg.Open(path)
	require.NoError(t, err)
	defer a.Close()
	all = map[string]member{}
	require.NoError(t, a.Walk(func(h *tar.Header, r io.Reader) error {
		data, err := io.ReadAll(r)
		order = append(order, h.Name)
		all[h.Name] = member{
			head: fmt.Sprintf("%q %v %s %q of %d:%d", h.Typeflag, h.FileInfo().Mode(), h.ModTime.UTC().Format("2006-01-02T15:04:05"), h.Linkname, h.Uid, h.Gid),
			data: data,
		}
		return err
	}))
	files, err := a.Files()
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasPrefix(file, "info/") {
			data, err := a.ReadFile(file)
			require.NoError(t, err)
			all[file] = member{data: data}
		}
	}
	return order, all
}

func union(a, b map[string]member) map[string]member {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// causesFirst sorts an archive's files so that lists of other files and their digests come last.
func causesFirst(all map[string]member) []string {
	rank := func(file string) int {
		switch {
		case strings.HasPrefix(file, "info/"):
			return 2
		case strings.HasSuffix(file, ".dist-info/RECORD"):
			return 1
		}
		return 0
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a, b)) })
}

// around is the number of bytes to show on each side of a difference.
const around = 24

// `at` describes where two contents first differ.
func at(a, b []byte) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	line := 1 + bytes.Count(a[:i], []byte("\n"))
	return fmt.Sprintf("from byte %d on (line %d): %s and %s", i, line, excerpt(a, i), excerpt(b, i))
}

func excerpt(data []byte, i int) string {
	if i == len(data) {
		return fmt.Sprintf("%q, where it ends", data[max(0, i-around):])
	}
	return fmt.Sprintf("%q", data[max(0, i-around):min(len(data), i+around)])
}
