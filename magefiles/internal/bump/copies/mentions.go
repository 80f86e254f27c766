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

// Mention is a line that has the old version of a package and stays: nobody knows whose it is.
type Mention struct {
	File    string `json:"file"` // relative to the workspace's root
	Line    int    `json:"line"`
	Version string `json:"version"`
	Text    string `json:"text"` // the line, cut
}

const (
	maxMentions  = 1000    // that a plan has
	maxText      = 4 << 20 // of a file that is looked through
	maxMentioned = 200     // of a line
)

// Find finds the lines that go on having an old version, and says so in a note; "" where there is none. changed are the files that the
// versions change in, and files those that git knows, relative to the workspace's root. What is passed over: the changelog, locks, and
// what asks for a package of somebody else.
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

// mentions gathers lines.
type mentions struct {
	w      *workspace.Workspace
	read   map[string][]byte       // what the workspace was read from
	known  map[string]map[int]bool // lines that are edited, or known for something else, by file
	ours   map[string]bool         // names of packages, as PyPI compares them
	found  []Mention
	count  int
	places []string // for people
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
	for _, d := range w.Downstreams { // they follow when they want to
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

// look looks through one file.
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

// line takes down one line that has the text of a version.
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
		case first == m.File: // a file with several lines asks for those that are meant
			copies = fmt.Sprintf("{ file = %q, line = \"REGEXP\" }", m.File)
		}
	}
	places := strings.Join(s.places, ", ")
	if more := s.count - len(s.places); more > 0 {
		places += fmt.Sprintf(" and %d more, which -json lists", more)
	}
	return fmt.Sprintf("%s stays in %s (%s); `copies = [%s]` in [tool.release] has the version in a file follow", operr.Some(versions), operr.Count(s.count, "more line"), places, copies)
}

// asks is what stands before a version where something is asked for by name: `numpy==`, `foo@v`, `image:`, `"name": "^`.
var asks = regexp.MustCompile(`([A-Za-z0-9][A-Za-z0-9._-]*)["']?[ \t]*(?:\[[^\]]*\])?[ \t]*\(?([=!<>~^]=?=?|@|:)([ \t]*)["']?([=!<>~^]=?=?)?[ \t]*[v^~]?$`)

// isTheirs reports whether a version that begins behind a text is asked of a package of somebody else.
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
		return true // an image
	}
	return isRequirements(file)
}

// isRequirements reports whether a file is one in which a name and a version ask for something.
func isRequirements(file string) bool {
	switch name := path.Base(file); name {
	case "Cargo.toml", "package.json", "Pipfile", "environment.yml", "environment.yaml", ".pre-commit-config.yaml":
		return true
	default:
		return strings.HasPrefix(name, "requirements") && strings.HasSuffix(name, ".txt") || slices.Contains(manifest.FileNames[:], name)
	}
}

// passedOver are the names of files, without what stands behind their last dot, that tell of the past.
var passedOver = []string{"changelog", "changes", "history", "news", "releases", "release-notes", "release_notes"}

// isIgnored reports whether a file is no part of the workspace, by its own path or that of a folder above it.
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

// readText reads a file, unless it is no text, or a very large one.
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
