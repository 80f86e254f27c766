package workspace

import (
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readProject reads what a pyproject.toml says for pip: [project], [build-system], [dependency-groups], and the
// requirements of poetry and hatch.
func (s *source) readProject(readText textReader) *Project {
	root := s.doc.Root
	project, build := root.Get("project"), root.Get("build-system")
	p := &Project{
		Path:           s.file,
		Name:           first(s.str(project.Get("name")), root.Get("tool", "poetry", "name").Text()),
		NamePos:        s.pos(project.Get("name")),
		Dynamic:        s.strs(project.Get("dynamic")),
		RequiresPython: s.str(project.Get("requires-python")),
		Python:         PythonSpecs(s.doc),
		Description:    first(s.str(project.Get("description")), root.Get("tool", "poetry", "description").Text()),
		LicenseFiles:   project.Get("license-files").Strings(),
		URLs:           s.pairs(project.Get("urls")),
		Scripts:        s.pairs(project.Get("scripts")),
		GUIScripts:     s.pairs(project.Get("gui-scripts")),
		BuildBackend:   s.str(build.Get("build-backend")),
		BuildRequires:  s.strs(build.Get("requires")),
		Elsewhere:      elsewhere(root),
	}
	if license := project.Get("license"); license.Is(tomledit.Table) {
		p.License, p.LicenseFile = s.str(license.Get("text")), s.str(license.Get("file"))
	} else {
		p.License = s.str(license)
	}
	s.commands(project.Get("scripts"), project.Get("gui-scripts"))
	p.Version = s.projectVersion(p, readText)
	p.Dependencies = s.projectDeps(root)
	return p
}

// commands refuses scripts whose names are paths: each becomes a file in the folder of programs.
func (s *source) commands(tables ...*tomledit.Node) {
	for _, table := range tables {
		for _, e := range table.Members() {
			if !condapkg.IsCommand(e.Key) {
				s.fail(e, "name it as a file may be called", "a script cannot be called %q", e.Key)
			}
		}
	}
}

// projectDeps reads every requirement of a pyproject.toml, in the order of the source.
func (s *source) projectDeps(root *tomledit.Node) []Dependency {
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
	slices.SortStableFunc(out, func(a, b Dependency) int { return comparePos(a.Pos, b.Pos) })
	return out
}

// poetryDeps reads the tables of poetry before it took PEP 621 up. Its bare "1.2.3" is exact, like conda's.
func (s *source) poetryDeps(poetry *tomledit.Node) []Dependency {
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

func comparePos(a, b Pos) int {
	if a.Line != b.Line {
		return a.Line - b.Line
	}
	return a.Col - b.Col
}
