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

// Comparison is what two builds of the same sources have to say of each other.
type Comparison struct {
	Same        []string // files with the same bytes
	NotCompared []string // a sentence for each that other tools built
	Shown       []string // differences by tools that never give the same bytes
}

// Compare holds what was built against what another build of the same commit made, which lies in a folder. Where both were built by
// the same tools, and these promise the same bytes, a difference is for operr.Stopped: one of the two is not what the sources give.
// Where they do not promise it, what the packages hold is compared, without times, and what differs is shown.
func Compare(ours Digests, dir string, others Digests, otherDir string) (c Comparison, err error) {
	if ours.Commit == "" || ours.Commit != others.Commit {
		return c, operr.New("build both of one commit, with nothing edited", "the builds cannot be compared: one is of %s, the other of %s", orEdits(ours.Commit), orEdits(others.Commit))
	}
	for _, f := range ours.Files {
		n := slices.IndexFunc(others.Files, func(o Digest) bool { return o.Package == f.Package })
		if n < 0 {
			return c, operr.NewStopped("find out why it is missing", "the other build has no %s", f.Package)
		}
		o := others.Files[n]
		switch {
		case f.Tools != o.Tools:
			c.NotCompared = append(c.NotCompared, fmt.Sprintf("%s: built by %s, and there by %s", f.Package, f.Tools, o.Tools))
		case f.SHA256 == o.SHA256:
			c.Same = append(c.Same, f.File)
		case ours.Reproducible && others.Reproducible && toolchain.ArePinned(f.Tools):
			return c, operr.NewStopped("find out which of the two machines builds something else before anything is sent: one has other sources, other tools, or somebody else's hands in it",
				"%s was built two times of the commit %.12s by the same tools, with sha256 %s here and %s there%s", f.Package, ours.Commit, f.SHA256, o.SHA256, inside(filepath.Join(dir, f.File), filepath.Join(otherDir, o.File)))
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

// inside names what differs in two archives, for the end of a sentence; "" where that cannot be said.
func inside(one, other string) string {
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
		return "what it holds cannot be compared: " + err.Error()
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

// differencesOf compares what two archives hold, without times: info/index.json, and the digest of each file. A sentence for each.
func differencesOf(one, other string) (found []string, err error) {
	a, err := held(one)
	if err != nil {
		return nil, err
	}
	b, err := held(other)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		switch is, there := b[name]; {
		case !there:
			found = append(found, name+" is in only one of them")
		case is != a[name]:
			found = append(found, name+" differs")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, there := a[name]; !there {
			found = append(found, name+" is in only one of them")
		}
	}
	return found, nil
}

// held is what an archive holds: each file with what identifies its contents, and info/index.json without its time.
func held(path string) (map[string]string, error) {
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
