// Package gomodule finds tags that Go would reject as versions of a module. The versions of a Go module are the tags of its repository, and
// releases of packages from the same repository make tags with the same format. From major version 2 on, Go accepts a tag only if the
// module path ends with the major version.
//
// [Unusable] returns the tags of a release that importers of a module cannot use. It ignores modules that cannot be imported, because a
// repository may have a go.mod only for its magefile.
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

// BuiltAs returns the version of a module in this program, as recorded by the go command. It is a tag or a pseudo-version.
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

// File is the name of the file that marks the root of a module.
const File = "go.mod"

// HasMage reports whether the text of a go.mod file makes Mage a tool of the module, so that `go tool mage` works there.
func HasMage(text []byte) bool { return mage().Match(text) }

// Tag is a tag that Go would reject as a version of a module, because of the module path.
type Tag struct {
	Name    string // such as "v2.0.0" or "sub/v2.0.0"
	File    string // path of the go.mod file, relative to the top of the repository, with slashes
	Module  string // module path
	Want    string // the required module path
	Package string // import path of a package in the module that can be imported
}

// String returns two sentences: which command will fail, and which command works.
func (t Tag) String() string {
	return fmt.Sprintf("Go modules that import %s cannot use the tag %s, because %s does not declare the module %s: `go get %s@%s` fails. "+
		"They can use a commit: `go get %s@COMMIT`", t.Package, t.Name, t.File, t.Want, t.Module, t.Name[strings.LastIndex(t.Name, "/")+1:], t.Module)
}

var (
	// version matches a tag that Go accepts as a version. It must be canonical, without build metadata. Go ignores tags such as "v2.0", "v2.0.0rc1"
	// and "name-v2.0.0".
	version = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)
	})
	// mage matches a line of a go.mod file that makes Mage a tool of the module
	mage = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?m)^\s*(?:tool\s+)?github\.com/magefile/mage\s*(?://.*)?$`)
	})
	major = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`/v([2-9]|[1-9]\d+)$`) })
	gopkg = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\.v(0|[1-9]\d*)(-unstable)?$`) })
)

// gopkgHost is the prefix of module paths in which a dot precedes the major version.
const gopkgHost = "gopkg.in/"

// Unusable returns the given tags that importers cannot use, in the same order. The tags will be made in the repository whose work tree is `top`.
// Unusable returns an error if a file cannot be read, or if a go.mod has no module line.
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
			continue // major versions 0 and 1 do not appear in the module path
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

// look returns nil if the folder has no module, if the tag's major version fits its path, or if the module cannot be imported.
func look(top, dir string, n int) (*Tag, error) {
	file := path.Join(dir, File)
	module, err := modulePath(top, file)
	if module == "" || err != nil || fits(module, n) || !fetched(module) {
		return nil, err
	}
	// The new major version may be in its own subfolder.
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

// fits reports whether a tag with major version n, 2 or higher, is valid for a module path.
func fits(module string, n int) bool {
	suffix := major()
	if strings.HasPrefix(module, gopkgHost) {
		suffix = gopkg()
	}
	m := suffix.FindStringSubmatch(module)
	return m != nil && m[1] == strconv.Itoa(n)
}

// `want` returns the module path for major version n.
func want(module string, n int) string {
	if strings.HasPrefix(module, gopkgHost) {
		return fmt.Sprintf("%s.v%d", gopkg().ReplaceAllString(module, ""), n)
	}
	return fmt.Sprintf("%s/v%d", major().ReplaceAllString(module, ""), n)
}

// fetched reports whether Go can download a module. Its path must begin with a host name, which contains a dot.
func fetched(module string) bool {
	host, _, _ := strings.Cut(module, "/")
	return strings.Contains(host, ".")
}

// modulePath returns the module path in a go.mod file, or "" if the file does not exist.
func modulePath(top, file string) (string, error) {
	name := filepath.Join(top, filepath.FromSlash(file))
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("reading %s: it is not a regular file", file) // reading a device or a pipe may never end
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
