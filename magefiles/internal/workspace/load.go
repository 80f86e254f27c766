package workspace

import (
	"cmp"
	"runtime"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Load reads the workspace that contains dir. It walks up to the nearest folder whose pixi.toml, pyproject.toml or mojoproject.toml has
// a [workspace] table, then down from there to every package and downstream that is not ignored. Errors are *operr.Error with exit
// status 1.
func Load(dir string) (*Workspace, error) { return LoadAs(dir, "") }

// LoadAs is like Load, for a copy of a workspace whose folder may have a different name, such as a clone. If the root manifest has no
// name, the workspace is called `name` instead of being named after its folder, unless `name` is "".
func LoadAs(dir, name string) (*Workspace, error) {
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	found, err := find(root)
	if err != nil {
		return nil, err
	}
	l := &loader{found: found, name: name, projects: map[string]*manifest.Project{}, texts: map[string][]byte{}}
	return l.load()
}

// loader makes a Workspace from the files that the finder found.
type loader struct {
	found    *finder
	name     string // workspace name if the manifest has none; "" means the folder name
	root     *manifest.File
	manifest *manifest.Manifest
	pool     map[string]*manifest.Dependency
	projects map[string]*manifest.Project             // keyed by file
	texts    map[string][]byte                        // keyed by path relative to the root
	locks    map[string]map[string][]manifest.Version // versions of our packages in lock files, by file and name
	strays   map[string]string                        // by the folder of a nested workspace: one of our packages that it requires, but not from our channel
	siblings siblings
	envs     []envVersion // versions in build environments, from all manifests
	problems []error      // errors in files, in walk order
}

func (l *loader) load() (*Workspace, error) {
	top := l.found.folders[0]
	l.root = top.manifest
	l.manifest = l.root.ReadManifest(l.ownProject(top))
	nameByFolder(l.manifest, l.found.root, l.name)
	l.pool = l.manifest.PoolByName()
	channel := ""
	if !l.manifest.ByFolder && isChannelName(l.manifest.Name) {
		channel = l.manifest.Name
	}
	w := &Workspace{Root: l.found.root, Manifest: l.manifest, Config: settings.ReadConfig(l.root, channel)}
	l.keep(l.root)

	var nested []*folder
	for _, f := range l.found.folders {
		switch {
		case f != top && f.manifest.IsWorkspace():
			nested = append(nested, f)
		case f.manifest.IsPackage():
			w.Packages = append(w.Packages, l.readPackage(f))
		}
	}
	if err := w.name(); err != nil {
		l.problems = append(l.problems, err)
	}
	l.ownEnvVersions(w.Packages)
	l.checkPyPI(w)
	if len(l.problems) > 0 {
		return nil, l.problems[0]
	}
	l.require(w, top)
	for _, f := range nested {
		if d := l.readDownstream(w, f); d != nil {
			w.Downstreams = append(w.Downstreams, d)
		}
	}
	if len(l.problems) > 0 {
		return nil, l.problems[0]
	}
	l.findUncounted(w, nested)
	l.readTogether(w, top)
	for _, c := range w.Config.Copies {
		_, _, _ = l.text(c.File) // ignored: a bump reports a missing file
	}
	w.Files, w.Texts = l.files(), l.textFiles()
	return w, w.sort()
}

// keep records the first problem of each file.
func (l *loader) keep(sources ...*manifest.File) {
	for _, s := range sources {
		if s == nil {
			continue
		}
		if err := s.TakeProblem(); err != nil {
			l.problems = append(l.problems, err)
		}
	}
}

// ownProject returns the [project] table if the manifest is itself a pyproject.toml, and nil otherwise.
func (l *loader) ownProject(f *folder) *manifest.Project {
	if f.manifest != f.pyproject {
		return nil
	}
	return l.project(f.manifest)
}

// name sorts the packages and rejects duplicate conda names, because a channel can hold only one package with a given name.
func (w *Workspace) name() error {
	slices.SortStableFunc(w.Packages, func(a, b *Package) int { return cmp.Compare(a.Name, b.Name) })
	w.byName = make(map[string]*Package, len(w.Packages))
	for _, p := range w.Packages {
		if other := w.byName[p.Name]; other != nil {
			return operr.New("rename one of the two packages, or add the folder of one to .gitignore",
				"%s: two packages are named %s; the other package is %s", p.Pos, p.Name, other.Pos)
		}
		w.byName[p.Name] = p
	}
	return nil
}

// require resolves which manifest requires which packages.
func (l *loader) require(w *Workspace, top *folder) {
	s := newSiblings(w.Packages)
	l.siblings = s
	for _, p := range w.Packages {
		p.Requires = s.requirements(p.Name, p.Deps, p.Build.Additional, p.backend(), dependenciesOf(p.Project), p.recipe)
	}
	own := s.dirs["."]
	if own != nil { // the root folder is a package, so its pyproject.toml was already read for that package
		w.Requires, w.Project = s.requirements(own.Name, l.manifest.Dependencies()), own.Project
		return
	}
	if top.pyproject != nil {
		w.Project = l.project(top.pyproject)
		l.keep(top.pyproject)
	}
	w.Requires = s.requirements("", l.manifest.Dependencies(), dependenciesOf(w.Project))
}

// readDownstream reads a nested workspace. If the nested workspace takes no package from our channel, it returns nil and reports no
// problems.
func (l *loader) readDownstream(w *Workspace, f *folder) *Downstream {
	s := f.manifest
	d := &Downstream{Manifest: s.ReadManifest(l.ownProject(f)), Dir: f.dir}
	nameByFolder(d.Manifest, l.found.root, "")
	var own []manifest.Dependency
	if s.IsPackage() {
		own = s.ReadDependencies()
	}
	if f.pyproject != nil {
		d.Pyproject, d.Project = f.pyproject.Path, l.project(f.pyproject)
	}
	if d.Requires = l.siblings.requirements("", d.Manifest.Dependencies(), own, dependenciesOf(d.Project)); len(d.Requires) == 0 {
		return nil
	}
	if !takesFromUs(w, d) {
		if l.strays == nil {
			l.strays = map[string]string{}
		}
		l.strays[f.dir] = d.Requires[0].Name
		return nil
	}
	d.Image = settings.ReadImage(s, d.Manifest)
	l.keep(s, f.pyproject)
	return d
}

func (l *loader) files() []*tomledit.Document {
	files := make([]*tomledit.Document, 0, len(l.found.docs))
	for _, doc := range l.found.docs {
		files = append(files, doc)
	}
	slices.SortFunc(files, func(a, b *tomledit.Document) int { return strings.Compare(a.Name, b.Name) })
	return files
}

func (l *loader) textFiles() []Text {
	texts := make([]Text, 0, len(l.texts))
	for name, src := range l.texts {
		texts = append(texts, Text{Name: name, Src: src})
	}
	slices.SortFunc(texts, func(a, b Text) int { return strings.Compare(a.Name, b.Name) })
	return texts
}

// HostPlatform returns the conda subdir for the current machine, such as "linux-64".
func HostPlatform() string {
	system := map[string]string{"darwin": "osx", "windows": "win"}[runtime.GOOS]
	if system == "" {
		system = runtime.GOOS
	}
	switch arch := runtime.GOARCH; {
	case arch == "amd64":
		return system + "-64"
	case arch == "arm64" && system == "linux":
		return "linux-aarch64"
	case arch == "386":
		return system + "-32"
	default:
		return system + "-" + arch
	}
}

// checkPyPI rejects [tool.release.pypi] entries that name a package of the workspace, because our packages are built from source or
// taken from the channel, never from PyPI.
func (l *loader) checkPyPI(w *Workspace) {
	for _, in := range w.Config.PyPI {
		if p := w.byName[in.Name]; p != nil {
			l.root.FailAt(in.Pos, "remove the line", "%s is a package of this workspace (%s), so it is not taken from PyPI", p.Name, p.Manifest)
		}
		for _, p := range w.Packages {
			if in.Project != "" && p.PyPIName != "" && manifest.PyPIName(p.PyPIName) == manifest.PyPIName(in.Project) {
				l.root.FailAt(in.Pos, "require "+p.Name+" instead, and remove the line", "%s cannot be %q, which is a package of this workspace (%s)", in.Name, in.Project, p.Manifest)
			}
		}
	}
	l.keep(l.root)
}
