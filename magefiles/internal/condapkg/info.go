package condapkg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// About is info/about.json, which contains descriptions of a package. Every field may be empty.
type About struct {
	Home          StringList `json:"home"`
	DevURL        StringList `json:"dev_url"`
	DocURL        StringList `json:"doc_url"`
	License       string     `json:"license"`
	LicenseFamily string     `json:"license_family"`
	Summary       string     `json:"summary"`
	Description   string     `json:"description"`
	Channels      []string   `json:"channels"`
}

// StringList is an array of strings, which older packages encode as a single string.
type StringList []string

// UnmarshalJSON accepts both forms.
func (l *StringList) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		if *l = nil; s != "" {
			*l = StringList{s}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// Link is info/link.json, which specifies how to link a noarch package into an environment.
type Link struct {
	Noarch struct {
		Type        Noarch   `json:"type"`
		EntryPoints []string `json:"entry_points"` // "command = module:function"; validated by Archive.Link
	} `json:"noarch"`
	Version int `json:"package_metadata_version"`
}

// EntryPoint is a command that calls a function.
type EntryPoint struct{ Command, Module, Function string }

// command matches a valid script name: a file directly in the bin folder, on every operating system. The length is checked separately, because
// compiling this expression with a limit of 255 would add 13 ms to each program's startup.
var command = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^/\\:\pC\s]+$`) })

const longestCommand = 255 // characters

// dotted matches a dotted Python name, which is written to a script.
var dotted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL_][\pL\pM\pN_]*(\.[\pL_][\pL\pM\pN_]*)*$`) })

// ParseEntryPoint parses "command = module:function", optionally followed by extras in brackets. It rejects a command that is not a file name, and
// a target that is not a Python name.
func ParseEntryPoint(text string) (EntryPoint, error) {
	name, target, ok := strings.Cut(text, "=")
	target, _, _ = strings.Cut(target, "[")
	module, function, ok2 := strings.Cut(target, ":")
	p := EntryPoint{Command: strings.TrimSpace(name), Module: strings.TrimSpace(module), Function: strings.TrimSpace(function)}
	switch {
	case !ok || !ok2 || !dotted().MatchString(p.Module) || !dotted().MatchString(p.Function):
		return p, fmt.Errorf("%.120q is not an entry point of the form command = module:function", text)
	case !IsCommand(p.Command):
		return p, fmt.Errorf("the entry point %.120q has a command that is not a valid file name", text)
	}
	return p, nil
}

// IsCommand reports whether name is a valid script name.
func IsCommand(name string) bool {
	return command().MatchString(name) && utf8.RuneCountInString(name) <= longestCommand && name != "." && name != ".."
}

// Path is an entry in info/paths.json. Files that are not listed there are not installed.
type Path struct {
	Path              string `json:"_path"`
	NoLink            bool   `json:"no_link,omitempty"`
	Type              string `json:"path_type"`           // "hardlink", "softlink" or "directory"
	FileMode          string `json:"file_mode,omitempty"` // "text" or "binary", if there is a placeholder
	PrefixPlaceholder string `json:"prefix_placeholder,omitempty"`
	SHA256            string `json:"sha256,omitempty"`        // hex; of a softlink's target file
	Size              *int64 `json:"size_in_bytes,omitempty"` // bytes
}

type pathsFile struct {
	Paths   pathList `json:"paths"`
	Version int      `json:"paths_version"`
}

// About decodes info/about.json. It returns the zero value if the file does not exist.
func (a *Archive) About() (About, error) {
	var v About
	return v, a.readJSON("info/about.json", &v)
}

// Link decodes info/link.json. It returns the zero value if the file does not exist.
func (a *Archive) Link() (Link, error) {
	var v Link
	if err := a.readJSON("info/link.json", &v); err != nil {
		return v, err
	}
	for _, text := range v.Noarch.EntryPoints {
		if _, err := ParseEntryPoint(text); err != nil {
			return Link{}, bad("info/link.json: %v", err)
		}
	}
	return v, nil
}

// HashInput returns the content of info/hash_input.json, or nil if the file does not exist.
func (a *Archive) HashInput() json.RawMessage { return a.info["info/hash_input.json"] }

// Paths decodes info/paths.json. It returns nil if the file does not exist, as in very old archives.
func (a *Archive) Paths() ([]Path, error) {
	v := pathsFile{Paths: pathList{most: a.limits.Members}}
	if err := a.readJSON("info/paths.json", &v); err != nil {
		return nil, err
	}
	for _, p := range v.Paths.all {
		if !local(p.Path) {
			return nil, bad("info/paths.json has the path %.120q, which leaves the package", p.Path)
		}
	}
	return v.Paths.all, nil
}

// pathList is a length-limited list of paths. The limit is needed because an empty entry takes only a few bytes in the file.
type pathList struct {
	most int
	all  []Path
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *pathList) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch t, err := d.Token(); {
	case err != nil || t == nil: // JSON null
		return err
	case t != json.Delim('['):
		return fmt.Errorf("expected the list of paths, found %.40q", fmt.Sprint(t))
	}
	for d.More() {
		if len(l.all) >= l.most {
			return fmt.Errorf("it lists more than %d paths", l.most)
		}
		var p Path
		if err := d.Decode(&p); err != nil {
			return err
		}
		l.all = append(l.all, p)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (l pathList) MarshalJSON() ([]byte, error) { return encode(l.all) }

// maxJSON limits the size of a JSON file under info/, in bytes, except for the list of paths. Decoded JSON takes many times as much memory.
const maxJSON = 8 << 20

func (a *Archive) readJSON(path string, to any) error {
	raw, ok := a.info[path]
	if !ok {
		return nil
	}
	if len(raw) > maxJSON && path != "info/paths.json" {
		return bad("%s has more than %d bytes", path, maxJSON)
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return bad("%s: %v", path, err)
	}
	return nil
}

// PathsJSON returns a payload's info/paths.json: sorted, with digests and sizes, like rattler-build's.
func PathsJSON(payload []Member) []byte {
	byPath := map[string]Member{}
	v := pathsFile{Paths: pathList{all: make([]Path, 0, len(payload))}, Version: 1}
	for _, m := range payload {
		byPath[m.Path] = m
	}
	for _, m := range payload {
		p := Path{Path: m.Path, Type: "hardlink"}
		data, size := m.Data, int64(len(m.Data))
		if m.Link != "" {
			p.Type = "softlink"
			data, size = byPath[linkTarget(m)].Data, int64(len(m.Link))
		}
		sum := sha256.Sum256(data)
		p.SHA256, p.Size = hex.EncodeToString(sum[:]), &size
		v.Paths.all = append(v.Paths.all, p)
	}
	slices.SortFunc(v.Paths.all, func(a, b Path) int { return strings.Compare(a.Path, b.Path) })
	return pretty(v)
}

// pretty encodes v in rattler-build's format for files under info/: indented by two spaces, without a final newline.
func pretty(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // unreachable: all values come from this package
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
