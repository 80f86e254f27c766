package manifest

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// Project is the contents of a pyproject.toml: its [project] and [build-system] tables.
type Project struct {
	Path           string // relative to the root
	Name           string
	NamePos        Pos
	Version        Version // VersionMissing if there is none
	Dynamic        []string
	RequiresPython string
	Python         []Dependency // requirements on the interpreter, with positions; see PythonSpecs
	Description    string
	License        string   // SPDX expression, or { text = "…" }
	LicenseFile    string   // legacy { file = "…" }
	LicenseFiles   []string // globs
	URLs           []KeyValue
	Scripts        []KeyValue // console_scripts, in source order
	GUIScripts     []KeyValue
	BuildBackend   string   // [build-system] build-backend
	BuildRequires  []string // [build-system] requires, as written
	Elsewhere      []string // normalized names of projects that [tool.uv.sources] takes from somewhere other than PyPI

	// Dependencies holds all requirements in the file: [project] dependencies, optional-dependencies, [dependency-groups],
	// [build-system] requires, [tool.poetry] and [tool.hatch]. Role and Group distinguish them.
	Dependencies []Dependency
}

// ReadProject reads the parts of a pyproject.toml that pip uses, [project], [build-system] and [dependency-groups], as well as poetry
// and hatch requirements.
func (s *File) ReadProject() *Project {
	root := s.Doc.Root
	project, build := root.Get("project"), root.Get("build-system")
	p := &Project{
		Path:           s.Path,
		Name:           cmp.Or(s.Str(project.Get("name")), root.Get("tool", "poetry", "name").Text()),
		NamePos:        s.Pos(project.Get("name")),
		Dynamic:        s.Strs(project.Get("dynamic")),
		RequiresPython: s.Str(project.Get("requires-python")),
		Python:         PythonSpecs(s.Doc),
		Description:    cmp.Or(s.Str(project.Get("description")), root.Get("tool", "poetry", "description").Text()),
		LicenseFiles:   project.Get("license-files").Strings(),
		URLs:           s.pairs(project.Get("urls")),
		Scripts:        s.pairs(project.Get("scripts")),
		GUIScripts:     s.pairs(project.Get("gui-scripts")),
		BuildBackend:   s.Str(build.Get("build-backend")),
		BuildRequires:  s.Strs(build.Get("requires")),
		Elsewhere:      projectsElsewhere(root),
	}
	if license := project.Get("license"); license.Is(tomledit.Table) {
		p.License, p.LicenseFile = s.Str(license.Get("text")), s.Str(license.Get("file"))
	} else {
		p.License = s.Str(license)
	}
	s.commands(project.Get("scripts"), project.Get("gui-scripts"))
	p.Dependencies = s.projectDeps(root)
	return p
}

// commands rejects scripts whose names are paths, because each script is installed as a file in the bin folder.
func (s *File) commands(tables ...*tomledit.Node) {
	for _, table := range tables {
		for _, e := range table.Members() {
			if !condapkg.IsCommand(e.Key) {
				s.Fail(e, "write a valid name of a file", "a script cannot be called %q: that is not a valid name of a file", e.Key)
			}
		}
	}
}

// projectDeps reads every requirement in a pyproject.toml, in source order.
func (s *File) projectDeps(root *tomledit.Node) []Dependency {
	project, tool := root.Get("project"), root.Get("tool")
	out := s.pep508Array(project.Get("dependencies"), Dependency{Role: RoleRun, Table: "project.dependencies"})
	for _, extra := range project.Get("optional-dependencies").Members() {
		like := Dependency{Role: RoleExtra, Group: extra.Key, Table: tomledit.JoinKey("project", "optional-dependencies", extra.Key)}
		out = append(out, s.pep508Array(extra, like)...)
	}
	for _, group := range root.Get("dependency-groups").Members() {
		like := Dependency{Role: RoleGroup, Group: group.Key, Table: tomledit.JoinKey("dependency-groups", group.Key)}
		out = append(out, s.pep508Array(group, like)...)
	}
	out = append(out, s.pep508Array(root.Get("build-system", "requires"), Dependency{Role: RoleBuild, Table: "build-system.requires"})...)
	out = append(out, s.poetryDeps(tool.Get("poetry"))...)
	for _, env := range tool.Get("hatch", "envs").Members() {
		for _, key := range []string{"dependencies", "extra-dependencies"} {
			like := Dependency{Role: RoleGroup, Group: env.Key, Table: tomledit.JoinKey("tool", "hatch", "envs", env.Key, key)}
			out = append(out, s.pep508Array(env.Get(key), like)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Dependency) int { return a.Pos.Compare(b.Pos) })
	return out
}

// poetryDeps reads the tables that poetry used before PEP 621. In poetry, as in conda, a bare "1.2.3" is an exact version.
func (s *File) poetryDeps(poetry *tomledit.Node) []Dependency {
	table := func(n *tomledit.Node, like Dependency, keys ...string) []Dependency {
		like.Kind, like.Table = PyPI, tomledit.JoinKey(append([]string{"tool", "poetry"}, keys...)...)
		var out []Dependency
		for _, d := range s.entries(onlySpecs(n), like) {
			if d.Name != "python" {
				out = append(out, d)
			}
		}
		return out
	}
	out := table(poetry.Get("dependencies"), Dependency{Role: RoleRun}, "dependencies")
	out = append(out, table(poetry.Get("dev-dependencies"), Dependency{Role: RoleGroup, Group: "dev"}, "dev-dependencies")...)
	for _, group := range poetry.Get("group").Members() {
		like := Dependency{Role: RoleGroup, Group: group.Key}
		out = append(out, table(group.Get("dependencies"), like, "group", group.Key, "dependencies")...)
	}
	return out
}

// onlySpecs drops entries that are lists of alternatives (a poetry feature), because they cannot be exact pins.
func onlySpecs(n *tomledit.Node) *tomledit.Node {
	if !n.Is(tomledit.Table) {
		return nil
	}
	c := *n
	c.Children = slices.DeleteFunc(slices.Clone(n.Children), func(e *tomledit.Node) bool {
		return !e.Is(tomledit.String) && !e.Is(tomledit.Table)
	})
	return &c
}

// RequiresLike reports where a pyproject.toml requires the PyPI project that has the same name as a conda package. All of its lists are
// searched. Requirements that do not come from PyPI (a URL, git, a path, another index, [tool.uv.sources]) are ignored.
func (p *Project) RequiresLike(conda string) (Pos, bool) {
	if p == nil {
		return Pos{}, false
	}
	name := PyPIName(conda)
	if slices.Contains(p.Elsewhere, name) {
		return Pos{}, false
	}
	for _, d := range p.Dependencies {
		raw, _ := d.Spec.Raw.(map[string]any)
		if PyPIName(d.Name) == name && !d.Spec.Source() && d.Spec.Index == "" && raw["source"] == nil {
			return d.Pos, true
		}
	}
	return Pos{}, false
}

// `projectsElsewhere` returns the projects for which uv is configured to use a source other than PyPI.
func projectsElsewhere(root *tomledit.Node) []string {
	var names []string
	for _, e := range root.Get("tool", "uv", "sources").Members() {
		names = append(names, PyPIName(e.Key))
	}
	return names
}
