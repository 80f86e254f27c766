package pythons

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Places are where interpreters are looked for besides PATH: folders, of which "" and those that are not there hold none.
type Places struct {
	UV    string   // uv's own: <UV>/cpython-3.12.7-linux-x86_64-gnu/bin/python3.12
	Pyenv string   // pyenv's versions: <Pyenv>/3.12.1/bin/python3.12
	Tools []string // tool caches of runners: <Tools>/Python/3.12.7/x64/bin/python3.12

	// Chosen is the folder of the one that somebody has chosen for all uses that it fits, as actions/setup-python does: a newer one is not taken
	// then. "" where nobody has.
	Chosen string
}

// listCandidates lists what may be an interpreter, in the order in which one is preferred to another of the same version. A
// file that is found twice, through a link for instance, is listed once.
func (p Places) listCandidates(path string) []*candidate {
	out, versions := listPath(path)
	patterns := []string{join(p.UV, "*", "bin")}
	for _, dir := range append(versions, p.Pyenv) {
		patterns = append(patterns, join(dir, "*", "bin"))
	}
	for _, dir := range p.Tools {
		patterns = append(patterns, join(dir, "Python", "*", "*", "bin"))
	}
	for _, pattern := range patterns {
		bins, _ := filepath.Glob(pattern)
		for _, bin := range bins {
			out = append(out, listBin(bin)...)
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(c *candidate) bool {
		file := identify(c.path)
		before := seen[file]
		seen[file] = true
		return before
	})
}

// Named finds an interpreter of a version, such as 3.13 or 3.13.1, by what files and folders are called: none is run. path is a PATH. Of several the newest
// one counts, and "" is where there is none.
func (p Places) Named(path, version string) string {
	best, newest := "", unsaid-1
	for _, c := range p.listCandidates(path) {
		minor := fmt.Sprintf("3.%d", c.minor)
		if (version == minor || c.patch != unsaid && version == fmt.Sprintf("%s.%d", minor, c.patch)) && c.patch > newest {
			best, newest = c.path, c.patch
		}
	}
	return best
}

// chose reports whether a program is that of the chosen Python.
func (p Places) chose(file string) bool {
	return p.Chosen != "" && filepath.Dir(identify(file)) == filepath.Dir(identify(filepath.Join(p.Chosen, "bin", "python3")))
}

// join makes a pattern below a folder; "" below none.
func join(dir string, rest ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, rest...)...)
}

// names are the programs that may be an interpreter, those of versions first.
var names = func() []string {
	var out []string
	for minor := newestMinor + 3; minor >= 6; minor-- {
		out = append(out, fmt.Sprintf("python3.%d", minor))
	}
	return append(out, "python3", "python")
}()

// listPath lists what a shell would find on PATH, and, of what stands in front of it as a version manager's shim, also what
// is behind. pyenv's shims are not run at all: they run one of pyenv's own versions, whose folder is returned, or say
// that none is chosen.
func listPath(path string) (out []*candidate, versions []string) {
	for _, name := range names {
		for _, folder := range filepath.SplitList(path) {
			if !filepath.IsAbs(folder) {
				continue // as command finds programs
			}
			file, err := command.LookPath(filepath.Join(folder, name), nil)
			if err != nil {
				continue
			}
			shim := filepath.Base(folder) == "shims"
			if own := filepath.Join(filepath.Dir(folder), "versions"); shim && isDir(own) {
				if !slices.Contains(versions, own) {
					versions = append(versions, own)
				}
				continue
			}
			out = append(out, &candidate{path: file, minor: readMinor(file), patch: unsaid})
			if !shim {
				break
			}
		}
	}
	return out, versions
}

// listBin lists the interpreters of an installation: its folder, or the one above it, may bear the version.
func listBin(bin string) []*candidate {
	files, _ := filepath.Glob(filepath.Join(bin, "python3.*"))
	var out []*candidate
	for _, f := range files {
		file, err := command.LookPath(f, nil)
		minor := readMinor(filepath.Base(f))
		if err != nil || minor == unsaid {
			continue
		}
		out = append(out, &candidate{path: file, minor: minor, patch: patchOf(bin, minor)})
	}
	return out
}

var (
	versioned = regexp.MustCompile(`^python3\.(\d+)$`)
	plain     = regexp.MustCompile(`^python(3(\.\d+)?)?$`)
)

// readMinor reads what a file's name, or that of the file which it is a link to, says.
func readMinor(file string) int {
	m := versioned.FindStringSubmatch(filepath.Base(file))
	if m == nil {
		m = versioned.FindStringSubmatch(filepath.Base(identify(file)))
	}
	if m == nil {
		return unsaid
	}
	minor, err := strconv.Atoi(m[1])
	if err != nil {
		return unsaid
	}
	return minor
}

// patchOf is what the folders of an installation say: "3.12.1", "cpython-3.12.1-linux-x86_64-gnu", "Python/3.12.1/x64".
// One that says more, such as 3.13.0t or 3.14.0rc1, is not believed.
func patchOf(bin string, minor int) int {
	for dir := range strings.SplitSeq(filepath.ToSlash(bin), "/") {
		dir = strings.TrimPrefix(dir, "cpython-")
		rest, ok := strings.CutPrefix(dir, fmt.Sprintf("3.%d.", minor))
		digits, _, _ := strings.Cut(rest, "-")
		if patch, err := strconv.Atoi(digits); ok && err == nil && patch <= lastPatch {
			return patch
		}
	}
	return unsaid
}

// identify finds the file that a path leads to. A link to a program of another name, as version managers make them for
// shims, is not followed: what that does depends on the name.
func identify(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || !plain.MatchString(filepath.Base(real)) {
		return path
	}
	return real
}

// isDir reports whether a path leads to a folder.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
