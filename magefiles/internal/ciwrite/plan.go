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

// Settings are what the manifests do not say.
type Settings struct {
	Top    string // the repository's top folder, which the files are in; "" is the workspace's root
	Branch string // that pushes are checked on, and images are made from; "" is that of the ci.yml that is there, or main
	Module string // the folder, from the workspace's root, of the go.mod that pins Mage: "." or "magefiles"; "" is where it is
}

// State is how a file stands beside what would be written.
type State string

// The states of a file.
const (
	Absent  State = "absent"  // it is not there
	Same    State = "same"    // nothing is to be done
	Pins    State = "pins"    // it has older commits of actions than we know, and nothing else differs
	Behind  State = "behind"  // the workspace, or the pipeline, has changed since it was written, and nobody has changed it
	Changed State = "changed" // a person has changed it, and what was written then would be written now
	Foreign State = "foreign" // a person has changed or made it, and something else would be written now
	Over    State = "over"    // it was written, and the workspace has no use for it any more
)

// Writes reports whether a file of that state is written.
func (s State) Writes() bool { return s == Absent || s == Pins || s == Behind }

// File is a workflow file, as it is and as it would be written.
type File struct {
	Path  string `json:"path"` // from the repository's top, with slashes
	State State  `json:"state"`
	Old   string `json:"-"` // "" where it is not there
	New   string `json:"-"` // with the pins of Old, where those are newer; "" for one that is Over
}

// releasePR is the workflow that proposes releases by pull requests, and tags what has landed.
const releasePR = forge.Proposing

// folder is where GitHub looks for workflow files.
const folder = ".github/workflows"

//go:embed templates
var templatesFS embed.FS

// Plan says which files a workspace would get, by their names, and how each stands. It writes nothing. Errors say what of the workspace no file can be
// written for.
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
	over, err := leftOver(s.Top, files)
	slices.SortFunc(over, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return append(files, over...), err
}

// templates reads the templates, once.
var templates = sync.OnceValue(func() *template.Template {
	t := template.New("").Delims("<<", ">>").Funcs(template.FuncMap{
		"pin":     pin,
		"yaml":    scalar,
		"flow":    quoted,
		"word":    word,
		"shell":   func(word string) string { return operr.Quoted(word) },
		"glob":    glob,
		"comment": comment,
		"any":     anyOf,
	})
	return template.Must(t.ParseFS(templatesFS, "templates/*.tmpl"))
})

// write makes a file of a template, and compares it with what is there.
func write(top, name, of string, data any) (File, error) {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, of+".tmpl", data); err != nil {
		return File{}, err
	}
	f := File{
		Path: path.Join(folder, name),
		New:  signed(b.String()),
	}
	old, err := beneath.ReadFile(top, filepath.Join(top, filepath.FromSlash(f.Path)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return File{}, refused(f.Path, err)
	}
	f.Old = string(old)
	f.State, f.New = compare(f.Old, f.New)
	return f, nil
}

// leftOver finds the files that were written for what is gone.
func leftOver(top string, planned []File) (over []File, err error) {
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
			continue // a link that leads elsewhere is none of ours
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
