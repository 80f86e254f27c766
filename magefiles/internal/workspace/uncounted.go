package workspace

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Uncounted is a file that looks like a member of the workspace or a downstream, but is neither.
type Uncounted struct {
	File string `json:"file"` // relative to the root
	Why  string `json:"why"`  // one sentence: the reason, and how to make the file count
}

// String returns a line of output for the user.
func (u Uncounted) String() string { return u.File + " does not count: " + u.Why }

// NoPackages returns an error if the workspace has no package.
func (w *Workspace) NoPackages() error {
	if len(w.Packages) > 0 {
		return nil
	}
	lines := make([]string, len(w.Uncounted))
	for i, u := range w.Uncounted {
		lines[i] = u.String()
	}
	return operr.New("give a member a manifest with a [package] table (name, version, and build.backend), or [tool.pixi.package] in its pyproject.toml",
		"the workspace %s has no package: no %s or %s in %s, or below it, has a [package] table",
		w.Manifest.Name, strings.Join(manifest.FileNames[:2], ", "), manifest.FileNames[2], w.Root).WithDetail(strings.Join(lines, "\n"))
}

// findUncounted collects the files that do not count, sorted by path.
func (l *loader) findUncounted(w *Workspace, nested []*folder) {
	add := func(file, format string, args ...any) {
		w.Uncounted = append(w.Uncounted, Uncounted{File: file, Why: fmt.Sprintf(format, args...)})
	}
	own := map[string]bool{}
	for _, p := range w.Packages {
		own[p.Dir], own[p.SourceDir], own[path.Join(p.Dir, "recipe")] = true, true, true
	}
	for _, f := range nested {
		own[f.dir] = true
		if l.isDownstream(w, f) {
			continue
		}
		s := f.manifest
		switch required := l.strays[f.dir]; {
		case s.IsPackage():
			add(s.Path, "it has its own [workspace] beside [package], so it is not a member of this workspace; a member's manifest has only [package]")
		case required != "":
			add(s.Path, "it requires %s, but has none of our channels; a downstream has %s among its channels", required, l.ourChannel(w))
		case f.pyproject != nil && f.pyproject.Doc.Root.Has("project"):
			add(s.Path, "it has its own [workspace], so it is not a member of this workspace; a member's manifest has only [package]")
		}
	}
	for _, file := range l.found.projects {
		if dir := path.Dir(file); dir != "." && !own[dir] {
			add(file, "it is only a project of PyPI; to make it a conda package, add [tool.pixi.package] to it, or a pixi.toml with [package] beside it")
		}
	}
	for _, file := range l.found.recipes {
		if dir := path.Dir(file); !own[dir] {
			add(file, "no manifest refers to it; to make it a member, add a pixi.toml beside it: [package] with build.backend.name = %q", manifest.RecipeBackend)
		}
	}
	slices.SortFunc(w.Uncounted, func(a, b Uncounted) int { return strings.Compare(a.File, b.File) })
}

func (l *loader) isDownstream(w *Workspace, f *folder) bool {
	return slices.ContainsFunc(w.Downstreams, func(d *Downstream) bool { return d.Dir == f.dir })
}

// ourChannel returns a quoted URL that a manifest can use to name our channel.
func (l *loader) ourChannel(w *Workspace) string {
	return fmt.Sprintf("%q", "https://prefix.dev/"+w.Config.Channel)
}

// takesFromUs reports whether a manifest takes any of our packages from our channel: it requires one of our packages other than by path, and lists
// our channel in any spelling. If the name of our channel is unknown, any channel matches. If [tool.release] does not name the channel, a variable
// may do so when publishing, so any channel matches except public ones that serve many projects. The rest of the manifest, such as an image, is not
// considered.
func takesFromUs(w *Workspace, d *Downstream) bool {
	if !slices.ContainsFunc(d.Requires, func(r Requirement) bool {
		of := r.Dependency.Spec.Channel
		return r.Path == "" && (of == "" || isOurChannel(of, w.Config.Channel))
	}) {
		return false
	}
	channels := slices.Clone(d.Manifest.Channels)
	for _, f := range d.Manifest.Features {
		channels = append(channels, f.Channels...)
	}
	return slices.ContainsFunc(channels, func(written string) bool {
		return isOurChannel(written, w.Config.Channel) || !w.Config.Named && !isEverybodys(written)
	})
}

// isEverybodys reports whether a channel in a manifest is a public one with packages from many projects.
func isEverybodys(written string) bool {
	name := path.Base(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(written)), "/"))
	return !isOurChannel(written, name) || slices.Contains([]string{"conda-forge", "bioconda", "defaults", "main", "nvidia", "pytorch", "robostack", "pixi-build-backends"}, name)
}

// `others` lists channel servers that do not support publishing by prefix.dev's protocol.
var others = []string{"anaconda.org", "anaconda.com", "anaconda.cloud"}

// isOurChannel reports whether a channel in a manifest may be the channel called `name`. It must be the name itself, or a URL that
// ends with the name and points to prefix.dev or a stand-in for it.
func isOurChannel(written, name string) bool {
	if name == "" {
		return true
	}
	u, err := url.Parse(strings.TrimSuffix(strings.TrimSpace(written), "/"))
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	if slices.ContainsFunc(others, func(other string) bool { return host == other || strings.HasSuffix(host, "."+other) }) {
		return false
	}
	return strings.EqualFold(path.Base(u.Path), name)
}

// maxBelow limits the number of folders that noWorkspace searches for a workspace manifest.
const maxBelow = 2000

// noWorkspace returns the error for a folder that is not in a workspace. It suggests workspaces in the folders below, if there are any.
func noWorkspace(start string) error {
	var below []string
	f := &finder{root: start, docs: map[string]*tomledit.Document{}}
	folders := []string{"."}
	for seen := 0; len(folders) > 0 && seen < maxBelow && len(below) < 5; seen++ {
		dir := folders[0]
		folders = folders[1:]
		abs := filepath.Join(start, filepath.FromSlash(dir))
		entries, _ := os.ReadDir(abs)
		found, err := f.read(dir, abs, f.manifests(abs, entries))
		if err == nil && found != nil && found.manifest.IsWorkspace() {
			below = append(below, found.manifest.Path)
			continue
		}
		for _, e := range entries {
			if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && e.Name() != "node_modules" {
				folders = append(folders, path.Join(dir, e.Name()))
			}
		}
	}
	const none = "no workspace at %s: neither this folder nor a folder above has a pixi.toml, pyproject.toml or mojoproject.toml with a [workspace] table"
	if len(below) == 0 {
		return operr.New("run this command inside a pixi workspace, or make a workspace with `pixi init`", none, start)
	}
	return operr.New("name the folder of the workspace: `go tool mage -w "+operr.Word(path.Dir(below[0]))+" TARGET`",
		"%w", &AboveError{Folder: path.Dir(below[0]), says: fmt.Sprintf(none+"; below this folder are these workspaces: %s", start, strings.Join(below, ", "))})
}

// AboveError is wrapped by the error for a folder that is not in a workspace, but has a workspace below it.
type AboveError struct {
	Folder string // first workspace found below, relative to the folder
	says   string
}

func (e *AboveError) Error() string { return e.says }
