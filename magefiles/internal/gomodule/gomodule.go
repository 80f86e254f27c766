// Package gomodule knows what a version tag is to Go: whoever imports a module gets versions by tags of its repository, and
// packages that are released from there are tagged in the same way. From major version 2 on, Go takes a tag only where the
// module's path ends in that number.
//
// [Unusable] says which of a release's tags a module's importers cannot use. Only modules that somebody can import count: a
// repository may have its go.mod for a magefile alone.
package gomodule

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// BuiltAs is the version of a module of this program, as the go command built it: a tag, or a commit.
func BuiltAs(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path == module && m.Version != "" {
			return m.Version
		}
	}
	return "devel"
}

// File is what a module is known by, in its top folder.
const File = "go.mod"

// Tag is one that would be a version of a module, and that Go refuses for the path that the module has.
type Tag struct {
	Name    string // "v2.0.0", "sub/v2.0.0"
	File    string // the go.mod, from the top of the repository, with slashes
	Module  string // its path
	Want    string // the path that it would need
	Package string // import path of a package in it that others can import
}

// String is a sentence for a person: what will fail, and what works.
func (t Tag) String() string {
	return fmt.Sprintf("whoever imports %s cannot use the tag %s: in %s the module would have to be %s, and `go get %s@%s` fails. "+
		"It goes on by commit: `go get %s@COMMIT`", t.Package, t.Name, t.File, t.Want, t.Module, t.Name[strings.LastIndex(t.Name, "/")+1:], t.Module)
}

var (
	// version is what Go takes for one in a tag: canonical, and without build metadata. "v2.0", "v2.0.0rc1" and "name-v2.0.0" are
	// names like any other.
	version = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)
	})
	major = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`/v([2-9]|[1-9]\d+)$`) })
	gopkg = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.v(0|[1-9]\d*)(-unstable)?$`) })
)

// gopkgHost is where a major version stands behind a dot.
const gopkgHost = "gopkg.in/"

// Unusable returns those of the tags that are about to be made in the repository whose work tree has its top at that folder, in
// their order. An error is one of the disk, or of a go.mod that names no module.
func Unusable(top string, tags []string) (found []Tag, err error) {
	for _, tag := range tags {
		dir, v := path.Split(tag)
		dir = path.Clean("./" + dir)
		m := version().FindStringSubmatch(v)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 2 {
			continue // of 0 and 1 nothing stands in a path
		}
		t, err := look(top, dir, n)
		if err != nil {
			return nil, err
		}
		if t != nil {
			t.Name = tag
			found = append(found, *t)
		}
	}
	return found, nil
}

// look returns nil where the folder has no module, or one that a tag of that major version fits, or that nobody can import.
func look(top, dir string, n int) (*Tag, error) {
	file := path.Join(dir, File)
	module, err := modulePath(top, file)
	if module == "" || err != nil || fits(module, n) || !fetched(module) {
		return nil, err
	}
	// The newer major version may have a folder of its own below the older one.
	next, err := modulePath(top, path.Join(dir, fmt.Sprintf("v%d", n), File))
	if err != nil || next != "" && fits(next, n) {
		return nil, err
	}
	pkg, err := importable(filepath.Join(top, filepath.FromSlash(dir)))
	if pkg == "" || err != nil {
		return nil, err
	}
	return &Tag{File: file, Module: module, Want: want(module, n), Package: path.Join(module, pkg)}, nil
}

// fits reports whether a tag of a major version, 2 or above, is a version of a module with that path.
func fits(module string, n int) bool {
	suffix := major()
	if strings.HasPrefix(module, gopkgHost) {
		suffix = gopkg()
	}
	m := suffix.FindStringSubmatch(module)
	return m != nil && m[1] == strconv.Itoa(n)
}

// want is the path of a module at that major version.
func want(module string, n int) string {
	if strings.HasPrefix(module, gopkgHost) {
		return fmt.Sprintf("%s.v%d", gopkg().ReplaceAllString(module, ""), n)
	}
	return fmt.Sprintf("%s/v%d", major().ReplaceAllString(module, ""), n)
}

// fetched reports whether Go would fetch a module of that path at all: what it fetches begins with a host, which has a dot.
func fetched(module string) bool {
	host, _, _ := strings.Cut(module, "/")
	return strings.Contains(host, ".")
}

// modulePath reads the path of a module; it is "" where there is no such file.
func modulePath(top, file string) (string, error) {
	name := filepath.Join(top, filepath.FromSlash(file))
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("reading %s: it is not a file", file) // a device or a pipe has no end
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", file, err)
	}
	block := false
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case block && len(words) == 1 && words[0] != ")":
			return unquoted(words[0]), nil
		case len(words) == 2 && words[0] == "module" && words[1] == "(":
			block = true
		case len(words) == 2 && words[0] == "module":
			return unquoted(words[1]), nil
		}
	}
	return "", fmt.Errorf("reading %s: it has no line `module PATH`", file)
}

func unquoted(word string) string {
	if text, err := strconv.Unquote(word); err == nil {
		return text
	}
	return word
}
