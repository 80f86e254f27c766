package workspace

import (
	"fmt"
	"path"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readSpec reads the value of one entry of a dependency table: `"==0.1.0"` or `{ version = "==0.1.0", … }`, for conda as
// crates/pixi_spec/src/toml.rs has it, for PyPI as crates/pixi_pypi_spec/src/toml.rs.
func (s *source) readSpec(n *tomledit.Node) Spec {
	spec := Spec{Raw: n.Plain()}
	switch {
	case n.Is(tomledit.String):
		spec.Text, spec.Node = n.Text(), n
		return spec
	case !n.Is(tomledit.Table):
		s.fail(n, `Write a version, such as "==0.1.0", or a table, such as { path = "../core" }.`,
			"%s must be a string or a table, and is %s", tomledit.JoinKey(n.Key), n.Kind)
		return spec
	}
	if v := n.Get("version"); v != nil {
		spec.Text, spec.Node = s.str(v), v
	}
	spec.Path, spec.Git, spec.URL = s.str(n.Get("path")), s.str(n.Get("git")), s.str(n.Get("url"))
	spec.Ref = first(s.str(n.Get("tag")), s.str(n.Get("branch")), s.str(n.Get("rev")))
	spec.Channel, spec.Subdir, spec.Build = s.str(n.Get("channel")), s.str(n.Get("subdir")), s.str(n.Get("build"))
	if b := n.Get("build-number"); b != nil {
		spec.Number = fmt.Sprint(b.Value)
	}
	spec.Extras = s.strs(n.Get("extras"))
	spec.Marker, spec.Index = s.str(n.Get("env-markers")), s.str(n.Get("index"))
	spec.Editable = n.Get("editable").True()
	spec.PinCompatible, spec.PinSubpackage = n.Has("pin-compatible"), n.Has("pin-subpackage")
	if spec.Path != "" {
		spec.Dir = s.resolvePath(spec.Path)
	}
	if w := n.Get("workspace"); w != nil {
		spec.Workspace = s.inherits(w)
	}
	return spec
}

// inherits reads the value of a `workspace` key: only true means anything to pixi.
func (s *source) inherits(w *tomledit.Node) bool {
	if !w.True() {
		s.fail(w, "remove it: what does not say `workspace = true` inherits nothing", "`workspace` can only be true")
	}
	return w.True()
}

// inherit gives a `{ workspace = true }` entry the version and the location of the pool's, and keeps its own other fields.
func (s *source) inherit(d *Dependency, pool map[string]*Dependency) {
	from, ok := pool[CondaName(d.Name)]
	if !ok {
		s.problemAt(d.Pos, "add it to [workspace.dependencies] in the workspace's manifest, or write a version here",
			"%s takes its version from the workspace, whose [workspace.dependencies] does not have it", d.Name)
		return
	}
	own := d.Spec
	d.Spec = from.Spec
	d.Spec.Workspace, d.Spec.Raw = true, own.Raw
	d.Spec.Channel, d.Spec.Build = first(own.Channel, from.Spec.Channel), first(own.Build, from.Spec.Build)
	d.Spec.Number, d.Spec.Subdir = first(own.Number, from.Spec.Number), first(own.Subdir, from.Spec.Subdir)
	if own.Extras != nil {
		d.Spec.Extras = own.Extras
	}
	if own.Text != "" || own.Source() {
		s.problemAt(d.Pos, "keep one of the two", "%s has `workspace = true` beside a version or a source of its own", d.Name)
	}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// Target returns where the source of a `path` dependency leads: the folder, for a path that names a manifest file in it.
func (s Spec) Target() string {
	switch base := path.Base(s.Dir); base {
	case pixiFile, pyprojectFile, mojoFile, recipeFile, "package.xml":
		return path.Dir(s.Dir)
	}
	return s.Dir
}
