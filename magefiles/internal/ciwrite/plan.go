package ciwrite

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Settings holds values that are not in the manifests.
type Settings struct {
	Top    string // the repository root, to which file paths are relative; "" means the workspace root
	Branch string // branch on which pushes are checked and from which images are built; "" means the branch in the existing ci.yml, or main
	Module string // the folder of the go.mod that pins Mage, relative to the workspace root: "." or "magefiles"; "" searches for it
}

// State is the result of comparing a file with the text that would be generated now.
type State string

// These are the states of a file.
const (
	Absent  State = "absent"  // the file does not exist
	Same    State = "same"    // the file is up to date
	Pins    State = "pins"    // the file differs only in pins of actions, which are older than ours
	Behind  State = "behind"  // the workspace or the templates have changed since the file was generated, and nobody has edited the file
	Changed State = "changed" // the user has edited the file, and its generated text has not changed since
	Foreign State = "foreign" // the user has edited or created the file, and the generated text is different now
	Over    State = "over"    // the file was generated, and is no longer needed
)

// Writes reports whether a file in that state is written.
func (s State) Writes() bool { return s == Absent || s == Pins || s == Behind }

// File is a workflow file, with its current and its generated text.
type File struct {
	Path  string `json:"path"` // relative to the repository root, with slashes
	State State  `json:"state"`
	Old   string `json:"-"` // "" if the file does not exist
	New   string `json:"-"` // keeps pins of Old that are newer than ours; "" if State is Over
}

// releasePR is the workflow that proposes releases by pull requests, and tags the merged ones.
const releasePR = forge.Proposing

// folder is the folder in which GitHub looks for workflow files.
const folder = ".github/workflows"

//go:embed templates
var templatesFS embed.FS

// Plan returns the workflow files of a workspace, sorted by name, with their states. It writes nothing. An error names the part of the workspace for
// which no file can be generated.
func Plan(w *workspace.Workspace, s Settings) ([]File, error) {
	if s.Top = cmp.Or(s.Top, w.Root); s.Branch == "" {
		s.Branch = cmp.Or(branchOf(s.Top), "main")
	}
	f, err := read(w, s)
	if err != nil {
		return nil, err
	}
	var files []File
	add := func(name, of string, data any) {
		if err == nil {
			var file File
			if file, err = write(s.Top, name, of, data); err == nil {
				files = append(files, file)
			}
		}
	}
	add("ci.yml", "ci", f)
	if w.Config.Publish == settings.PublishCI {
		add(forge.Workflow, "release", f)
		if f.Pulls {
			add(releasePR, "release-pr", f)
		}
	}
	for _, i := range f.images {
		add(i.File, "image", i)
		if i.Deploy != "" {
			add(i.Deploy, "deploy", i.deployment())
		}
	}
	if err != nil {
		return nil, err
	}
	over, err := findLeftovers(s.Top, files)
	slices.SortFunc(over, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return append(files, over...), err
}

// templates parses the templates, once.
var templates = sync.OnceValue(func() *template.Template {
	t := template.New("").Delims("<<", ">>").Funcs(template.FuncMap{
		"pin":     pin,
		"yaml":    scalar,
		"flow":    quote,
		"word":    word,
		"shell":   func(word string) string { return operr.Quote(word) },
		"glob":    glob,
		"comment": comment,
		"any":     anyOf,
	})
	return template.Must(t.ParseFS(templatesFS, "templates/*.tmpl"))
})

// write generates a file from a template, and compares it with the existing file.
func write(top, name, of string, data any) (File, error) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, of+".tmpl", data); err != nil {
		return File{}, err
	}
	f := File{
		Path: path.Join(folder, name),
		New:  addDigest(b.String()),
	}
	old, err := beneath.ReadFile(top, filepath.Join(top, filepath.FromSlash(f.Path)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return File{}, refusalError(f.Path, err)
	}
	f.Old = string(old)
	f.State, f.New = compare(f.Old, f.New)
	return f, nil
}

// findLeftovers finds generated files that are no longer needed.
func findLeftovers(top string, planned []File) (over []File, err error) {
	names, err := filepath.Glob(filepath.Join(top, filepath.FromSlash(folder), "*.yml"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file := path.Join(folder, filepath.Base(name))
		if slices.ContainsFunc(planned, func(f File) bool { return f.Path == file }) {
			continue
		}
		text, err := beneath.ReadFile(top, name)
		if err != nil {
			continue // we did not write a file that is unreadable, or is a link to another place
		}
		if strings.HasPrefix(string(text), begins) {
			over = append(over, File{
				Path:  file,
				State: Over,
				Old:   string(text),
			})
		}
	}
	return over, nil
}
