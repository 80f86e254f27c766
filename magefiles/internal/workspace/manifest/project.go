package manifest

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// Project is a pyproject.toml: its [project] and [build-system] tables.
type Project struct {
	Path           string // relative to the root
	Name           string
	NamePos        Pos
	Version        Version // VersionMissing where there is none
	Dynamic        []string
	RequiresPython string
	Python         []Dependency // what the file asks of the interpreter, each with its place; see PythonSpecs
	Description    string
	License        string   // SPDX expression, or { text = "…" }
	LicenseFile    string   // the old { file = "…" }
	LicenseFiles   []string // globs
	URLs           []KeyValue
	Scripts        []KeyValue // console_scripts, in the order of the source
	GUIScripts     []KeyValue
	BuildBackend   string   // [build-system] build-backend
	BuildRequires  []string // [build-system] requires, as written
	Elsewhere      []string // projects that [tool.uv.sources] takes from elsewhere than from PyPI, in the form of PEP 503

	// Dependencies are all PEP 508 requirements of the file: [project] dependencies, optional-dependencies,
	// [dependency-groups], [build-system] requires and [tool.poetry], told apart by Role and Group.
	Dependencies []Dependency
}

// ReadProject reads what a pyproject.toml says for pip: [project], [build-system], [dependency-groups], and the
// requirements of poetry and hatch.
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
		Elsewhere:      elsewhere(root),
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

// commands refuses scripts whose names are paths: each becomes a file in the folder of programs.
func (s *File) commands(tables ...*tomledit.Node) {
	for _, table := range tables {
		for _, e := range table.Members() {
			if !condapkg.IsCommand(e.Key) {
				s.Fail(e, "name it as a file may be called", "a script cannot be called %q", e.Key)
			}
		}
	}
}

// projectDeps reads every requirement of a pyproject.toml, in the order of the source.
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

// poetryDeps reads the tables of poetry before it took PEP 621 up. Its bare "1.2.3" is exact, like conda's.
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

// onlySpecs leaves out poetry's lists of alternatives, which no exact pin can be.
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

// RequiresLike reports where a pyproject.toml requires the project of PyPI that is named like a conda package, in any of its
// lists. What it takes from elsewhere (an address, git, a path, another index, [tool.uv.sources]) is not that of PyPI.
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

// elsewhere are the projects that uv is told to take from elsewhere than from PyPI.
func elsewhere(root *tomledit.Node) []string {
	var names []string
	for _, e := range root.Get("tool", "uv", "sources").Members() {
		names = append(names, PyPIName(e.Key))
	}
	return names
}
