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

// Places lists the folders, besides PATH, in which to look for interpreters. Folders that are "" or do not exist are skipped.
type Places struct {
	UV    string   // uv's own Pythons: <UV>/cpython-3.12.7-linux-x86_64-gnu/bin/python3.12
	Pyenv string   // pyenv's versions: <Pyenv>/3.12.1/bin/python3.12
	Tools []string // tool caches of runners: <Tools>/Python/3.12.7/x64/bin/python3.12

	// Chosen is the folder of the Python that the user has selected, as actions/setup-python does. This Python is preferred to newer ones if it
	// satisfies the requirements. Chosen is "" if none is selected.
	Chosen string
}

// listCandidates returns files that may be interpreters, each only once even if it is also reachable through a link. Of files with the same version,
// the first is preferred.
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

// Named finds the newest interpreter with the given version, such as 3.13 or 3.13.1, using only file and folder names. It does not run interpreters.
// `path` is the value of PATH. Named returns "" if there is no such interpreter.
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

// chose reports whether a program belongs to the selected Python.
func (p Places) chose(file string) bool {
	return p.Chosen != "" && filepath.Dir(identify(file)) == filepath.Dir(identify(filepath.Join(p.Chosen, "bin", "python3")))
}

// join joins a pattern to dir, or returns "" if dir is "".
func join(dir string, rest ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, rest...)...)
}

// `names` lists the names of interpreters, versioned ones first.
var names = func() []string {
	var out []string
	for minor := newestMinor + 3; minor >= 6; minor-- {
		out = append(out, fmt.Sprintf("python3.%d", minor))
	}
	return append(out, "python3", "python")
}()

// listPath returns the interpreters that a shell would find on PATH. If the first is a version manager's shim, later ones are included as well.
// pyenv's shims are never run. They would only run one of pyenv's own versions, whose folder is returned, or report that none is selected.
func listPath(path string) (out []*candidate, versions []string) {
	for _, name := range names {
		for _, folder := range filepath.SplitList(path) {
			if !filepath.IsAbs(folder) {
				continue // skipped, because package command does the same
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

// listBin returns the interpreters of an installation. The version may be in the name of the folder or of its parent.
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

// readMinor returns the minor version in the name of a file or of its link target.
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

// patchOf returns the patch number in an installation's path: "3.12.1", "cpython-3.12.1-linux-x86_64-gnu", "Python/3.12.1/x64". It ignores other
// forms, such as 3.13.0t or 3.14.0rc1.
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

// identify resolves the symlinks of a path. It does not follow a link to a program with another name, as used for version managers' shims,
// because these programs depend on the name under which they are called.
func identify(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err != nil || !plain.MatchString(filepath.Base(real)) {
		return path
	}
	return real
}

// isDir reports whether a path is a folder or a symlink to one.
func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
