package manifest

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// condaTable reads a dependency table. `like` has the values that all entries share, and `keys` is the path of the table.
func (s *File) condaTable(n *tomledit.Node, like Dependency, keys ...string) []Dependency {
	like.Table, like.Kind = s.table(keys...), Conda
	out := s.entries(n, like)
	seen := map[string]string{}
	for _, d := range out {
		if before, twice := seen[CondaName(d.Name)]; twice {
			s.FailAt(d.Pos, "keep one of the two lines", "%s is required twice in [%s]: %s before (names are compared in lower case)", d.Name, d.Table, before)
		}
		seen[CondaName(d.Name)] = d.Name
	}
	return out
}

// entries reads the members of a table as dependencies.
func (s *File) entries(n *tomledit.Node, like Dependency) []Dependency {
	if n == nil || !s.Want(n, tomledit.Table) {
		return nil
	}
	out := make([]Dependency, 0, len(n.Children))
	for _, e := range n.Children {
		d := like
		d.Pos, d.Name, d.Spec = s.Pos(e), e.Key, s.readSpec(e)
		out = append(out, d)
	}
	return out
}

// conditionalTable reads a package's dependency table, which may have sub-tables "if(…)". It returns unconditional entries first, then
// each sub-table in source order (crates/pixi_manifest/src/utils/inheritable_package_map.rs).
func (s *File) conditionalTable(n *tomledit.Node, like Dependency, keys ...string) []Dependency {
	if n == nil || !s.Want(n, tomledit.Table) {
		return nil
	}
	plain := *n
	plain.Children = nil
	var conditional []Dependency
	for _, e := range n.Children {
		if !strings.Contains(e.Key, "(") {
			plain.Children = append(plain.Children, e)
			continue
		}
		inner, isIf := strings.CutPrefix(e.Key, "if(")
		inner, closed := strings.CutSuffix(inner, ")")
		like := like
		if like.Condition = strings.TrimSpace(inner); !isIf || !closed || like.Condition == "" {
			s.Fail(e, "wrap the expression in if(…), such as \"if(linux)\".", "%s is neither a package name nor a condition", tomledit.JoinKey(e.Key))
			continue
		}
		conditional = append(conditional, s.condaTable(e, like, append(keys[:len(keys):len(keys)], e.Key)...)...)
	}
	return append(s.condaTable(&plain, like, keys...), conditional...)
}

// packageTables lists the dependency tables of a [package], in the order in which ReadDependencies returns them.
var packageTables = []struct {
	key  string
	role Role
}{
	{"build-dependencies", RoleBuild},
	{"host-dependencies", RoleHost},
	{"run-dependencies", RoleRun},
	{"run-constraints", RoleConstraint},
	{"extra-dependencies", RoleExtra},
	{"run-exports", RoleRunExport},
}

// ReadDependencies reads all dependency tables of a [package]. Within each role, entries from legacy [package.target.*] tables come
// last.
func (s *File) ReadDependencies() []Dependency {
	pkg := s.Pixi.Get("package")
	var out []Dependency
	for _, t := range packageTables {
		like := Dependency{Role: t.role}
		out = append(out, s.roleTables(pkg, like, "package", t.key)...)
		for _, target := range pkg.Get("target").Members() {
			like.Condition = targetCondition(target.Key)
			out = append(out, s.roleTables(target, like, "package", "target", target.Key, t.key)...)
		}
	}
	return out
}

// roleTables reads one table below parent. extra-dependencies and run-exports have one sub-table per group.
func (s *File) roleTables(parent *tomledit.Node, like Dependency, keys ...string) []Dependency {
	n := parent.Get(keys[len(keys)-1])
	if like.Role != RoleExtra && like.Role != RoleRunExport {
		return s.conditionalTable(n, like, keys...)
	}
	var out []Dependency
	for _, group := range n.Members() {
		like.Group = group.Key
		out = append(out, s.conditionalTable(group, like, append(keys[:len(keys):len(keys)], group.Key)...)...)
	}
	return out
}

// targetCondition returns the condition to which pixi translates a legacy [package.target.<selector>] (target_selector_expression in
// crates/pixi_manifest/src/toml/package.rs).
func targetCondition(selector string) string {
	switch selector {
	case "linux", "unix", "win", "osx":
		return selector
	case "macos":
		return "osx"
	}
	return "host_platform == '" + selector + "'"
}

// pypiTable reads [pypi-dependencies].
func (s *File) pypiTable(n *tomledit.Node, like Dependency, keys ...string) []Dependency {
	like.Table, like.Kind = s.table(keys...), PyPI
	return s.entries(n, like)
}
