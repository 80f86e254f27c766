package publish

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Comparison is the result of comparing two builds of the same sources.
type Comparison struct {
	Same        []string // files with the same bytes
	NotCompared []string // one sentence for each file that the other build made with different tools
	Shown       []string // differences between builds that are not expected to be reproducible
}

// Compare compares our build, in dir, with another build of the same commit, in otherDir. If the same tools built a package in both, and these
// tools are reproducible, any difference is an operr.Stopped, because one of the two packages was not built from the sources alone. If the tools
// are not reproducible, Compare compares the package contents without timestamps, and returns the differences.
func Compare(ours Digests, dir string, others Digests, otherDir string) (c Comparison, err error) {
	if ours.Commit == "" || ours.Commit != others.Commit {
		return c, operr.New("build twice from the same commit, without uncommitted edits", "the builds cannot be compared: one was made from %s, the other from %s", orEdits(ours.Commit), orEdits(others.Commit))
	}
	for _, f := range ours.Files {
		n := slices.IndexFunc(others.Files, func(o Digest) bool { return o.Package == f.Package })
		if n < 0 {
			return c, operr.NewStopped("find out why the other build did not make this package", "the other build has no %s", f.Package)
		}
		o := others.Files[n]
		switch {
		case f.Tools != o.Tools:
			c.NotCompared = append(c.NotCompared, fmt.Sprintf("%s: built with %s here, and with %s in the other build", f.Package, f.Tools, o.Tools))
		case f.SHA256 == o.SHA256:
			c.Same = append(c.Same, f.File)
		case ours.Reproducible && others.Reproducible && toolchain.ArePinned(f.Tools):
			return c, operr.NewStopped("before you publish, find out which of the two machines has other sources or other tools, or was tampered with",
				"%s was built twice from the commit %.12s by the same tools, but has sha256 %s here and %s in the other build%s", f.Package, ours.Commit, f.SHA256, o.SHA256, describeDifference(filepath.Join(dir, f.File), filepath.Join(otherDir, o.File)))
		default:
			c.Shown = append(c.Shown, f.Package+": "+said(filepath.Join(dir, f.File), filepath.Join(otherDir, o.File)))
		}
	}
	return c, nil
}

func orEdits(commit string) string {
	if commit == "" {
		return "sources that are not committed"
	}
	return "the commit " + commit[:min(12, len(commit))]
}

// `describeDifference` describes the first difference between two archives, as the end of a sentence. It returns "" if it finds none.
func describeDifference(one, other string) string {
	differences, err := differencesOf(one, other)
	if err != nil || len(differences) == 0 {
		return ""
	}
	return ": " + differences[0]
}

func said(one, other string) string {
	differences, err := differencesOf(one, other)
	switch {
	case err != nil:
		return "the contents cannot be compared: " + err.Error()
	case len(differences) == 0:
		return "the same files, packed at another time"
	}
	return differences[0] + andMore(len(differences)-1)
}

func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %s more", operr.Count(n, "difference"))
}

// differencesOf compares the contents of two archives: info/index.json without its timestamp, and the digest of each file. It returns one sentence
// for each difference.
func differencesOf(one, other string) (found []string, err error) {
	a, err := readContents(one)
	if err != nil {
		return nil, err
	}
	b, err := readContents(other)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		switch is, there := b[name]; {
		case !there:
			found = append(found, name+" is in only one of the two packages")
		case is != a[name]:
			found = append(found, name+" differs")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, there := a[name]; !there {
			found = append(found, name+" is in only one of the two packages")
		}
	}
	return found, nil
}

// readContents returns a description of each file in an archive: its type and digest, or, for info/index.json, the JSON without its timestamp.
func readContents(path string) (map[string]string, error) {
	archive, err := condapkg.Open(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	index := archive.Index()
	index.Timestamp = 0
	text, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	paths, err := archive.Paths()
	if err != nil {
		return nil, err
	}
	all := map[string]string{"info/index.json": string(text)}
	for _, p := range paths {
		all[p.Path] = p.Type + " " + p.SHA256
	}
	return all, nil
}
