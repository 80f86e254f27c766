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

// About is info/about.json: what a person wants to know of a package. Everything may be empty.
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

// StringList is an array of strings, or the one string that older packages have in its place.
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

// Link is info/link.json: how a noarch package is linked into an environment.
type Link struct {
	Noarch struct {
		Type        Noarch   `json:"type"`
		EntryPoints []string `json:"entry_points"` // "command = module:function"; those of Archive.Link were checked
	} `json:"noarch"`
	Version int `json:"package_metadata_version"`
}

// EntryPoint is a command that is made of a function.
type EntryPoint struct{ Command, Module, Function string }

// command is the name of a script: a file in the folder of programs, and nowhere else. What it may be called is left to the systems.
// How long it is is counted apart: this form 255 times would take each program of ours 13 ms at its start.
var command = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^/\\:\pC\s]+$`) })

const longestCommand = 255 // characters

// dotted is a name of Python's. It is written into a script.
var dotted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL_][\pL\pM\pN_]*(\.[\pL_][\pL\pM\pN_]*)*$`) })

// ParseEntryPoint takes "command = module:function" apart, where extras may stand behind in brackets, and refuses a command that
// is not the name of a file, and what is not Python's behind it.
func ParseEntryPoint(text string) (EntryPoint, error) {
	name, target, ok := strings.Cut(text, "=")
	target, _, _ = strings.Cut(target, "[")
	module, function, ok2 := strings.Cut(target, ":")
	p := EntryPoint{Command: strings.TrimSpace(name), Module: strings.TrimSpace(module), Function: strings.TrimSpace(function)}
	switch {
	case !ok || !ok2 || !dotted().MatchString(p.Module) || !dotted().MatchString(p.Function):
		return p, fmt.Errorf("%.120q is not an entry point, which is of the form command = module:function", text)
	case !IsCommand(p.Command):
		return p, fmt.Errorf("the entry point %.120q has a command that is not the name of a file", text)
	}
	return p, nil
}

// IsCommand reports whether a script may be called so.
func IsCommand(name string) bool {
	return command().MatchString(name) && utf8.RuneCountInString(name) <= longestCommand && name != "." && name != ".."
}

// Path is one entry of info/paths.json. What is not listed there is not installed.
type Path struct {
	Path              string `json:"_path"`
	NoLink            bool   `json:"no_link,omitempty"`
	Type              string `json:"path_type"`           // "hardlink", "softlink" or "directory"
	FileMode          string `json:"file_mode,omitempty"` // "text" or "binary", where there is a placeholder
	PrefixPlaceholder string `json:"prefix_placeholder,omitempty"`
	SHA256            string `json:"sha256,omitempty"`        // hex; of a softlink, that of the file it points to
	Size              *int64 `json:"size_in_bytes,omitempty"` // bytes
}

type pathsFile struct {
	Paths   pathList `json:"paths"`
	Version int      `json:"paths_version"`
}

// About reads info/about.json; it is zero where the archive has none.
func (a *Archive) About() (About, error) {
	var v About
	return v, a.readJSON("info/about.json", &v)
}

// Link reads info/link.json; it is zero where the archive has none.
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

// HashInput is info/hash_input.json as it stands in the archive; nil where it has none.
func (a *Archive) HashInput() json.RawMessage { return a.info["info/hash_input.json"] }

// Paths reads info/paths.json; it is nil where the archive has none, as very old ones do.
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

// pathList is a list of paths that is read up to so many: a few bytes are enough for an empty one.
type pathList struct {
	most int
	all  []Path
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *pathList) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch t, err := d.Token(); {
	case err != nil || t == nil: // null
		return err
	case t != json.Delim('['):
		return fmt.Errorf("%.40q stands where the list of paths is expected", fmt.Sprint(t))
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

// maxJSON is how long a JSON file under info/ may be that is no list of paths, in bytes. It grows manifold when it is read.
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

// PathsJSON makes the info/paths.json that lists a payload: sorted, with digests and sizes, as rattler-build writes it.
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

// pretty writes v as rattler-build writes the files under info/: two spaces, no newline at the end.
func pretty(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // only values of this package come here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
