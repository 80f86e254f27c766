package settings

import (
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Copy is an additional file in which a bump replaces the old version.
type Copy struct {
	File string         // relative to the root, with slashes
	Line *regexp.Regexp // matches the lines to change; nil: the version must occur exactly once in the file
	Pos  manifest.Pos
}

// readCopies reads `copies`, a list of file names or { file = "…", line = "regexp" }.
func readCopies(s *manifest.File, n *tomledit.Node, c *Config) {
	if !s.Want(n, tomledit.Array) {
		return
	}
	for _, e := range n.Elements() {
		one, name := Copy{Pos: s.ValuePos(e)}, e
		if e.Is(tomledit.Table) {
			for _, key := range e.Members() {
				if key.Key != "file" && key.Key != "line" {
					s.FailKey(key, "copies", []string{"file", "line"})
				}
			}
			if name = e.Get("file"); name == nil {
				s.Fail(e, `name the file: { file = "docs/conf.py", line = "^release" }`, "an entry of copies has no file")
				continue
			}
			if line := e.Get("line"); line != nil {
				var err error
				if one.Line, err = regexp.Compile(s.Str(line)); err != nil {
					s.Fail(line, "write a regular expression in the syntax of Go: \"^release = \"", "line cannot be %q: %v", line.Text(), err)
				}
			}
		}
		file := s.Str(name)
		if one.File = path.Clean(file); !isOwnPath(file) {
			s.Fail(name, `name a file by its path from the workspace's root: "docs/conf.py"`, "copies cannot have %q", file)
			continue
		}
		if IsOwnedByATool(one.File) {
			s.Fail(name, "remove the entry: a tool writes this file, and its versions are those of the packages that it lists", "copies cannot have %q", file)
			continue
		}
		c.Copies = append(c.Copies, one)
	}
}

// isOwnPath reports whether `file` is the path of a file in the workspace. Patterns, and paths inside .git, are not allowed.
func isOwnPath(file string) bool {
	clean := path.Clean(file)
	return file != "" && clean != "." && filepath.IsLocal(filepath.FromSlash(clean)) && !strings.ContainsAny(file, `*?[\`+"\x00\r\n") &&
		!slices.ContainsFunc(strings.Split(clean, "/"), func(name string) bool { return strings.EqualFold(name, ".git") })
}
