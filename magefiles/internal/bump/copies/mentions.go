package copies

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Mention is a line with the old version of a package that is not changed, because it is not clear whose version it is.
type Mention struct {
	File    string `json:"file"` // relative to the workspace root
	Line    int    `json:"line"`
	Version string `json:"version"`
	Text    string `json:"text"` // the line, truncated if long
}

const (
	maxMentions  = 1000    // maximum number of mentions in a plan
	maxText      = 4 << 20 // maximum size of a searched file, in bytes
	maxMentioned = 200     // maximum number of bytes of a line to show
)

// Find returns the lines that keep an old version, and a note about them, or "". `changed` has the files with edits; `files` are all tracked files,
// relative to the workspace root. Find skips changelogs, lock files, and requirements on packages of other projects.
func Find(w *workspace.Workspace, changed []edits.File, old, files []string) (found []Mention, note string) {
	s := newMentions(w, changed)
	ignored := ignore.ReadRules(w.Config.Ignore)
	for _, file := range files {
		if !isPassedOver(file) && !isIgnored(ignored, file) {
			s.look(file, old)
		}
	}
	if s.count == 0 {
		return nil, ""
	}
	return s.found, s.String()
}

// mentions collects lines that may mention a version and are not edited.
type mentions struct {
	w      *workspace.Workspace
	read   map[string][]byte       // files that the workspace was loaded from
	known  map[string]map[int]bool // lines that are edited, or have another meaning, keyed by file
	ours   map[string]bool         // package names, normalized as on PyPI
	found  []Mention
	count  int
	places []string // positions to show in the note
}

func newMentions(w *workspace.Workspace, changed []edits.File) *mentions {
	s := &mentions{w: w, read: map[string][]byte{}, known: map[string]map[int]bool{}, ours: map[string]bool{}}
	for name, src := range edits.Sources(w) {
		s.read[name] = src
	}
	for _, f := range changed {
		for _, e := range f.Edits {
			s.knows(f.Path, e.Line)
		}
	}
	depends := func(all ...[]manifest.Dependency) {
		for _, deps := range all {
			for _, d := range deps {
				s.knows(d.File, d.Line)
			}
		}
	}
	ofProject := func(project *manifest.Project) {
		if project != nil {
			depends(project.Dependencies)
			s.knows(project.Version.Pos.File, project.Version.Pos.Line)
		}
	}
	for _, pkg := range w.Packages {
		s.ours[manifest.PyPIName(pkg.Name)], s.ours[manifest.PyPIName(pkg.PyPIName)] = true, true
		depends(pkg.Deps)
		ofProject(pkg.Project)
		for _, v := range pkg.Versions {
			s.knows(v.Pos.File, v.Pos.Line)
		}
	}
	depends(w.Manifest.Dependencies())
	ofProject(w.Project)
	for _, d := range w.Downstreams { // version:upgrade updates the pins of downstreams later
		depends(d.Manifest.Dependencies())
		ofProject(d.Project)
		for _, r := range d.Requires {
			s.knows(r.File, r.Line)
		}
		s.knows(d.Manifest.VersionPos.File, d.Manifest.VersionPos.Line)
	}
	return s
}

func (s *mentions) knows(file string, line int) {
	if s.known[file] == nil {
		s.known[file] = map[int]bool{}
	}
	s.known[file][line] = true
}

// look searches a file for the old versions.
func (s *mentions) look(file string, old []string) {
	src, ok := s.read[file]
	if !ok {
		src = readText(filepath.Join(s.w.Root, filepath.FromSlash(file)))
	}
	for _, v := range old {
		for rest := src; ; {
			i := bytes.Index(rest, []byte(v))
			if i < 0 {
				break
			}
			at := len(src) - len(rest) + i
			begin := bytes.LastIndexByte(src[:at], '\n') + 1
			end := len(src)
			if n := bytes.IndexByte(src[at:], '\n'); n >= 0 {
				end = at + n
			}
			rest = src[end:]
			s.line(file, src, begin, end, v)
		}
	}
}

// line records a line that contains a version.
func (s *mentions) line(file string, src []byte, begin, end int, v string) {
	text := strings.TrimRight(string(src[begin:end]), "\r")
	theirs := 0
	hits := findWhole(text, v)
	for _, at := range hits {
		if s.isTheirs(file, text[:at]) {
			theirs++
		}
	}
	if len(hits) == theirs {
		return
	}
	number := 1 + bytes.Count(src[:begin], []byte{'\n'})
	if s.known[file][number] {
		return
	}
	s.count++
	if len(s.places) < 3 {
		s.places = append(s.places, fmt.Sprintf("%s:%d", file, number))
	}
	if len(s.found) < maxMentions {
		text = strings.ToValidUTF8(text[:min(len(text), maxMentioned)], "")
		s.found = append(s.found, Mention{File: file, Line: number, Version: v, Text: strings.TrimSpace(text)})
	}
}

func (s *mentions) String() string {
	var versions []string
	var first, copies string
	for _, m := range s.found {
		if !slices.Contains(versions, m.Version) {
			versions = append(versions, m.Version)
		}
		switch {
		case first == "":
			first, copies = m.File, fmt.Sprintf("%q", m.File)
		case first == m.File: // several lines in one file need a pattern to select the right ones
			copies = fmt.Sprintf("{ file = %q, line = \"REGEXP\" }", m.File)
		}
	}
	places := strings.Join(s.places, ", ")
	if more := s.count - len(s.places); more > 0 {
		places += fmt.Sprintf(" and %d more, which -json lists", more)
	}
	return fmt.Sprintf("%s stays in %s (%s); `copies = [%s]` in [tool.release] makes a bump change the version in a file", operr.Abbreviate(versions), operr.Count(s.count, "more line"), places, copies)
}

// `asks` matches text before a version that requires something by name: `numpy==`, `foo@v`, `image:`, `"name": "^`.
var asks = regexp.MustCompile(`([A-Za-z0-9][A-Za-z0-9._-]*)["']?[ \t]*(?:\[[^\]]*\])?[ \t]*\(?([=!<>~^]=?=?|@|:)([ \t]*)["']?([=!<>~^]=?=?)?[ \t]*[v^~]?$`)

// isTheirs reports whether a version belongs to a requirement on another project's package. `before` is the text before the version.
func (s *mentions) isTheirs(file, before string) bool {
	m := asks.FindStringSubmatch(before)
	if m == nil {
		return false
	}
	name, op, apart, compared := m[1], m[2], m[3] != "", m[4] != ""
	switch own := s.ours[manifest.PyPIName(path.Base(name))]; {
	case own:
		return false
	case compared || op != "=" && op != ":":
		return true
	case strings.Contains(strings.ToLower(name), "version"):
		return false
	case op == ":" && !apart && !strings.HasSuffix(before, `":`) && !strings.HasSuffix(before, `":"`):
		return true // an image name precedes the version
	}
	return isRequirements(file)
}

// isRequirements reports whether a name and a version in this file form a requirement.
func isRequirements(file string) bool {
	switch name := path.Base(file); name {
	case "Cargo.toml", "package.json", "Pipfile", "environment.yml", "environment.yaml", ".pre-commit-config.yaml":
		return true
	default:
		return strings.HasPrefix(name, "requirements") && strings.HasSuffix(name, ".txt") || slices.Contains(manifest.FileNames[:], name)
	}
}

// passedOver lists base names, without extension, of files about past versions.
var passedOver = []string{"changelog", "changes", "history", "news", "releases", "release-notes", "release_notes"}

// isIgnored reports whether a file or one of its parent folders is excluded from the workspace.
func isIgnored(rules ignore.Rules, file string) bool {
	for name, isDir := file, false; name != "."; name, isDir = path.Dir(name), true {
		if rules.Match(name, isDir) {
			return true
		}
	}
	return false
}

func isPassedOver(file string) bool {
	name := strings.ToLower(path.Base(file))
	return settings.IsOwnedByATool(file) || slices.Contains(passedOver, strings.TrimSuffix(name, path.Ext(name)))
}

// readText reads a file. It returns nil if the file is binary or very large.
func readText(name string) []byte {
	f, err := beneath.OpenFile(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
		return nil
	}
	src := make([]byte, info.Size())
	if _, err := io.ReadFull(f, src); err != nil || bytes.IndexByte(src[:min(len(src), 8000)], 0) >= 0 {
		return nil
	}
	return src
}
