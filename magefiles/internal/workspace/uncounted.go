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

// Uncounted is a file that looks like a member of the workspace, or like a downstream, and is none.
type Uncounted struct {
	File string `json:"file"` // relative to the root
	Why  string `json:"why"`  // one sentence, and what would make it count
}

// String is a line for people.
func (u Uncounted) String() string { return u.File + " does not count: " + u.Why }

// NoPackages refuses a workspace in which there is nothing to do a thing with; nil where it has a package.
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

// findUncounted gathers what does not count, by file.
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
			add(s.Path, "it has a [workspace] of its own beside its [package], and is no member of this one; a member's manifest has [package] alone")
		case required != "":
			add(s.Path, "it requires %s, and takes it from no channel of ours; a downstream has %s among its channels", required, l.ourChannel(w))
		case f.pyproject != nil && f.pyproject.Doc.Root.Has("project"):
			add(s.Path, "it has a [workspace] of its own, and is no member of this one; a member's manifest has [package] alone")
		}
	}
	for _, file := range l.found.projects {
		if dir := path.Dir(file); dir != "." && !own[dir] {
			add(file, "it is a project of PyPI alone; [tool.pixi.package] in it, or a pixi.toml with [package] beside it, makes a conda package of it")
		}
	}
	for _, file := range l.found.recipes {
		if dir := path.Dir(file); !own[dir] {
			add(file, "no manifest leads to it; a pixi.toml beside it makes it a member: [package] with build.backend.name = %q", manifest.RecipeBackend)
		}
	}
	slices.SortFunc(w.Uncounted, func(a, b Uncounted) int { return strings.Compare(a.File, b.File) })
}

func (l *loader) isDownstream(w *Workspace, f *folder) bool {
	return slices.ContainsFunc(w.Downstreams, func(d *Downstream) bool { return d.Dir == f.dir })
}

// ourChannel is how a manifest may name our channel.
func (l *loader) ourChannel(w *Workspace) string {
	return fmt.Sprintf("%q", "https://prefix.dev/"+w.Config.Channel)
}

// takesFromUs reports whether a manifest takes a package of ours from our channel: it requires one otherwise than by a path, and has our
// channel, in whatever spelling, among those that it names. Where it is not known how ours is called, any will do. Where no table says how it
// is called, a variable of whoever publishes may, so that any channel will do but those that everybody takes from. What else the manifest has,
// such as an image, does not matter.
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

// isEverybodys reports whether what a manifest writes of a channel is one that packages of many projects are in.
func isEverybodys(written string) bool {
	name := path.Base(strings.TrimSuffix(strings.ToLower(strings.TrimSpace(written)), "/"))
	return !isOurChannel(written, name) || slices.Contains([]string{"conda-forge", "bioconda", "defaults", "main", "nvidia", "pytorch", "robostack", "pixi-build-backends"}, name)
}

// others are servers of channels that nobody publishes to by prefix.dev's protocol.
var others = []string{"anaconda.org", "anaconda.com", "anaconda.cloud"}

// isOurChannel reports whether what a manifest writes of a channel may be the one of a name: the name itself, or an address that ends with it, on
// prefix.dev or on what stands in for it.
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

// maxBelow is how many folders below one without a workspace are looked at for a manifest that has one.
const maxBelow = 2000

// noWorkspace says that a folder is in no workspace, and which manifests below it have one.
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
	const none = "no workspace at %s: neither it nor a folder above has a pixi.toml, pyproject.toml or mojoproject.toml with a [workspace] table"
	if len(below) == 0 {
		return operr.New("run this inside a pixi workspace, or make one with `pixi init`", none, start)
	}
	return operr.New("name its folder: `go tool mage -w "+operr.Word(path.Dir(below[0]))+" TARGET`",
		none+"; further down there is %s", start, strings.Join(below, ", "))
}
