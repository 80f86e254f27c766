package manifest

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// Version is a package's version and where it is written.
type Version struct {
	Text   string // "" when it is dynamic or missing
	Source VersionSource
	Detail string // for a dynamic one, what makes it: "hatch-vcs", "setuptools-scm"; for VersionEnv the variable; else ""
	Pos    Pos    // of the text, or of what says that it is dynamic

	// Node is the string to edit; nil where there is none in a TOML file. Text stands from Start to End of it, where it is not
	// all of it, or of another file, without quotes; both are 0 where it stands in no file.
	Node       *tomledit.Node
	Start, End int

	Cargo bool // it is spelled as Cargo does: 0.2.0-rc.1
}

// Says is the text in our spelling.
func (v Version) Says() string {
	if v.Cargo {
		return version.FromCargo(v.Text)
	}
	return v.Text
}

// Spell is how another version is written in its place; "" where it cannot be.
func (v Version) Spell(to version.Version) string {
	if v.Cargo {
		return to.Cargo()
	}
	return to.String()
}

// VersionSource says where a version comes from.
type VersionSource string

// Where a version may come from (pixi-facts.md §1.1).
const (
	VersionPackage   VersionSource = "package"   // [package] version
	VersionWorkspace VersionSource = "workspace" // [workspace] version, inherited by { workspace = true }
	VersionProject   VersionSource = "project"   // [project] version (or [tool.poetry] version) of the pyproject.toml
	VersionFile      VersionSource = "file"      // a literal in a Python file, named by [tool.hatch.version] path
	VersionLiteral   VersionSource = "literal"   // a copy: __version__ = "…" in the package's module
	VersionRecipe    VersionSource = "recipe"    // recipe.yaml, which pixi-build-rattler-build takes it from
	VersionEnv       VersionSource = "env"       // a copy: what the manifest's [package.build.config] env tells the tool that would else ask the tags
	VersionCopy      VersionSource = "copy"      // a copy in a file of another tool, such as meson.build
	VersionTag       VersionSource = "tag"       // computed from the version control system: the tag is the version
	VersionDynamic   VersionSource = "dynamic"   // made by another tool while building
	VersionBackend   VersionSource = "backend"   // the build backend takes it from a file of its own, such as Cargo.toml
	VersionMissing   VersionSource = "missing"   // nowhere: the package cannot be built
)
