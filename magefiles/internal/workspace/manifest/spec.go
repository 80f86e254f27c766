package manifest

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readSpec reads the value of one dependency entry: `"==0.1.0"` or `{ version = "==0.1.0", … }`. It follows
// crates/pixi_spec/src/toml.rs for conda, and crates/pixi_pypi_spec/src/toml.rs for PyPI.
func (s *File) readSpec(n *tomledit.Node) Spec {
	spec := Spec{Raw: n.Plain()}
	switch {
	case n.Is(tomledit.String):
		spec.Text, spec.Node = n.Text(), n
		return spec
	case !n.Is(tomledit.Table):
		s.Fail(n, `Write a version, such as "==0.1.0", or a table, such as { path = "../core" }.`,
			"%s must be a string or a table, and is %s", tomledit.JoinKey(n.Key), n.Kind)
		return spec
	}
	if v := n.Get("version"); v != nil {
		spec.Text, spec.Node = s.Str(v), v
	}
	spec.Path, spec.Git, spec.URL = s.Str(n.Get("path")), s.Str(n.Get("git")), s.Str(n.Get("url"))
	spec.Ref = cmp.Or(s.Str(n.Get("tag")), s.Str(n.Get("branch")), s.Str(n.Get("rev")))
	spec.Channel, spec.Subdir, spec.Build = s.Str(n.Get("channel")), s.Str(n.Get("subdir")), s.Str(n.Get("build"))
	if b := n.Get("build-number"); b != nil {
		spec.Number = fmt.Sprint(b.Value)
	}
	spec.Extras = s.Strs(n.Get("extras"))
	spec.Marker, spec.Index = s.Str(n.Get("env-markers")), s.Str(n.Get("index"))
	spec.Editable = n.Get("editable").True()
	spec.PinCompatible, spec.PinSubpackage = n.Has("pin-compatible"), n.Has("pin-subpackage")
	if spec.Path != "" {
		spec.Dir = s.ResolvePath(spec.Path)
	}
	if w := n.Get("workspace"); w != nil {
		spec.Workspace = s.readInherited(w)
	}
	return spec
}

// readInherited reads the value of a `workspace` key, which must be true in pixi.
func (s *File) readInherited(w *tomledit.Node) bool {
	if !w.True() {
		s.Fail(w, "remove the key: a dependency without `workspace = true` inherits nothing", "`workspace` can only be true")
	}
	return w.True()
}

// Inherit copies the version and location of the pool entry to a `{ workspace = true }` entry, and keeps the entry's other fields.
func (s *File) Inherit(d *Dependency, pool map[string]*Dependency) {
	from, ok := pool[CondaName(d.Name)]
	if !ok {
		s.FailAt(d.Pos, "add the package to [workspace.dependencies] in the workspace's manifest, or write a version here",
			"%s inherits its version, but [workspace.dependencies] of the workspace does not have this package", d.Name)
		return
	}
	own := d.Spec
	d.Spec = from.Spec
	d.Spec.Workspace, d.Spec.Raw = true, own.Raw
	d.Spec.Channel, d.Spec.Build = cmp.Or(own.Channel, from.Spec.Channel), cmp.Or(own.Build, from.Spec.Build)
	d.Spec.Number, d.Spec.Subdir = cmp.Or(own.Number, from.Spec.Number), cmp.Or(own.Subdir, from.Spec.Subdir)
	if own.Extras != nil {
		d.Spec.Extras = own.Extras
	}
	if own.Text != "" || own.Source() {
		s.FailAt(d.Pos, "keep `workspace = true` or the other keys", "%s has `workspace = true` beside its own version or source", d.Name)
	}
}

// Target returns the source folder of a `path` dependency, even if the path refers to a manifest in that folder.
func (s Spec) Target() string {
	if base := path.Base(s.Dir); slices.Contains(FileNames[:], base) || base == RecipeFile || base == "package.xml" {
		return path.Dir(s.Dir)
	}
	return s.Dir
}

// Inherits reports whether a field of [package] is { workspace = true }.
func (s *File) Inherits(n *tomledit.Node) bool {
	w := n.Get("workspace")
	return w != nil && s.readInherited(w)
}
