package manifest

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Version is a package's version and its position.
type Version struct {
	Text   string // "" if it is dynamic or missing
	Source VersionSource
	Detail string // tool that computes a dynamic version, such as "hatch-vcs"; the variable of VersionEnv; a file or a backend; or ""
	Pos    Pos    // position of the text, or of the value that makes the version dynamic

	// Node is the string to edit in a TOML file, or nil. Start and End delimit Text, without quotes, within Node if Text is only part
	// of it, or within a file that is not TOML. Otherwise both are 0.
	Node       *tomledit.Node
	Start, End int

	Cargo bool // whether Text uses Cargo's syntax: 0.2.0-rc.1
}

// Says returns Text converted to our syntax.
func (v Version) Says() string {
	if v.Cargo {
		return version.FromCargo(v.Text)
	}
	return v.Text
}

// Spell formats another version in the syntax used at this position, or returns "" if that is not possible.
func (v Version) Spell(to version.Version) string {
	if v.Cargo {
		return to.Cargo()
	}
	return to.String()
}

// VersionSource is the kind of source of a version.
type VersionSource string

// The sources of a version (pixi-facts.md §1.1).
const (
	VersionPackage   VersionSource = "package"   // [package] version
	VersionWorkspace VersionSource = "workspace" // [workspace] version, inherited by { workspace = true }
	VersionProject   VersionSource = "project"   // [project] version (or [tool.poetry] version) of the pyproject.toml
	VersionFile      VersionSource = "file"      // a literal in a Python file, named by [tool.hatch.version] path
	VersionLiteral   VersionSource = "literal"   // a copy: __version__ = "…" in the package's module
	VersionRecipe    VersionSource = "recipe"    // recipe.yaml, read by pixi-build-rattler-build
	VersionEnv       VersionSource = "env"       // a copy: a variable in [package.build.config] env for a tool that would otherwise use tags
	VersionCopy      VersionSource = "copy"      // a copy in a file of another tool, such as meson.build
	VersionTag       VersionSource = "tag"       // computed from the version control system: the tag is the version
	VersionDynamic   VersionSource = "dynamic"   // computed by another tool during the build
	VersionBackend   VersionSource = "backend"   // read by the build backend from another file, such as Cargo.toml
	VersionMissing   VersionSource = "missing"   // no version; the package cannot be built
)
