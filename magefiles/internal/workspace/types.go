package workspace

import (
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// Pos is a place in a manifest.
type Pos struct {
	File string `json:"file"` // relative to the root, with slashes; symlinks resolved
	Line int    `json:"line"` // from 1; 0 where only the file is known
	Col  int    `json:"-"`    // from 1, in bytes
}

// String is what an editor understands: "packages/core/pixi.toml:3:7".
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Workspace is a pixi monorepo as its manifests describe it: a read-only value.
type Workspace struct {
	Root        string // absolute, symlinks resolved
	Manifest    *Manifest
	Config      Config
	Packages    []*Package           // by name
	Downstreams []*Downstream        // by folder
	Requires    []Requirement        // of the root manifest itself: environments, features and the pool
	Project     *Project             // the pyproject.toml in the root folder; nil where there is none
	Files       []*tomledit.Document // every TOML file that was read, by name relative to the root
	Texts       []Text               // every other file that was read for a version in it, the same way

	byName map[string]*Package
	order  []*Package   // dependencies first
	levels [][]*Package // what may be built side by side
}

// Package is a manifest with a [package] table.
type Package struct {
	Name      string // the conda name, lower-cased
	PyPIName  string // [project] name of its pyproject.toml, as written; "" where there is none
	Dir       string // relative to the root, with slashes; "." for the root itself
	SourceDir string // where its sources are: Dir, or what [package.build.source] path says; "" for a git or url source
	Manifest  string // relative to the root
	Pyproject string // relative to the root; "" where there is none
	Pos       Pos    // of its [package] table

	Version  Version   // of the conda package
	Versions []Version // every place where it is written, Version first: a pyproject's is another one, and may differ

	Requires []Requirement // on siblings, in the order of the files
	Deps     []Dependency  // every conda table: build, host, run, constraints, extras, run-exports; see Dependencies
	Build    BuildConfig
	Publish  bool // `publish = true`: what `pixi publish` without --path takes

	inherits    bool          // something of its manifest is the workspace's
	outside     []string      // files and folders out of these that it packs, relative to the root
	named       []NamedFile   // files that are read to make it, wherever they are
	recipe      []Dependency  // of its recipe.yaml
	onePlatform []onePlatform // outputs of its recipe.yaml that are not noarch

	Metadata Metadata // of the [package] table alone, inherited values resolved
	Project  *Project // the pyproject.toml; nil where there is none
}

// Dependencies returns the package's own tables of one role, unconditional ones first, each in the order of the source,
// as pixi hands them to the build backend.
func (p *Package) Dependencies(role Role) []Dependency {
	var out []Dependency
	for _, d := range p.Deps {
		if d.Role == role {
			out = append(out, d)
		}
	}
	return out
}

// Version is a package's version and where it is written.
type Version struct {
	Text   string // "" when it is dynamic or missing
	Source VersionSource
	Detail string // for a dynamic one, what makes it: "hatch-vcs", "setuptools-scm"; for VersionEnv the variable; else ""
	Pos    Pos    // of the text, or of what says that it is dynamic

	// Node is the string to edit; nil where there is none in a TOML file. Text stands from Start to End of it, where it is not
	// all of it, or of another file, one of Workspace.Texts, without quotes; both are 0 where it stands in no file.
	Node       *tomledit.Node
	Start, End int
}

// Text is a file that is no TOML: a Python module, a recipe.
type Text struct {
	Name string // relative to the root, with slashes; symlinks resolved
	Src  []byte
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
	VersionTag       VersionSource = "tag"       // computed from the version control system: the tag is the version
	VersionDynamic   VersionSource = "dynamic"   // made by another tool while building
	VersionBackend   VersionSource = "backend"   // the build backend takes it from a file of its own, such as Cargo.toml
	VersionMissing   VersionSource = "missing"   // nowhere: the package cannot be built
)

// Kind is the world that a requirement belongs to: names compare differently in each.
type Kind string

const (
	Conda Kind = "conda" // compared lower-cased
	PyPI  Kind = "pypi"  // compared by PEP 503: case, '-', '_' and '.' fold
)

// Role says what a dependency table is for.
type Role string

const (
	RoleRun         Role = "run"         // [package.run-dependencies], [project] dependencies
	RoleHost        Role = "host"        // [package.host-dependencies]
	RoleBuild       Role = "build"       // [package.build-dependencies], [build-system] requires
	RoleConstraint  Role = "constraint"  // [package.run-constraints], [constraints]
	RoleExtra       Role = "extra"       // [package.extra-dependencies.*], [project.optional-dependencies.*]
	RoleRunExport   Role = "run-export"  // [package.run-exports.*]
	RoleGroup       Role = "group"       // [dependency-groups.*], [tool.poetry.group.*]
	RoleBackend     Role = "backend"     // [package.build] backend
	RoleEnvironment Role = "environment" // [dependencies], [pypi-dependencies], of a feature, target or environment too
	RoleDev         Role = "dev"         // [dev]
	RolePool        Role = "pool"        // [workspace.dependencies]
)

// Orders reports whether the required package must be built, and published, first.
func (r Role) Orders() bool { return r == RoleRun || r == RoleHost || r == RoleBuild }

// Dependency is one entry of one dependency table.
type Dependency struct {
	Pos              // of the key, or of the element in an array of PEP 508 strings
	Name      string // as written
	Spec      Spec
	Kind      Kind
	Role      Role
	Table     string // as a TOML header would name it: `package.run-dependencies."if(linux)"`
	Condition string // the expression of "if(…)", or the one that a legacy target table stands for; "" without
	Group     string // extra, dependency group, or run-exports bucket; "" for other roles
	Target    string // selector of the workspace's target table; "" without
	Feature   string // feature of the workspace's table; "" for packages and pyproject tables
}

// Spec is what a dependency asks for. For an entry `{ workspace = true, … }` it is the pool's, with the entry's own
// fields laid over it.
type Spec struct {
	// Text is the version part exactly as written: "==0.1.0", ">=1, <2"; of a PEP 508 string what follows name and extras
	// and precedes the marker, without parentheses. "" stands for any version.
	Text string

	Path      string   // { path = "…" }, as written: relative to the manifest (for the pool's, to the root)
	Dir       string   // Path relative to the root, with slashes; begins with ".." outside of it; "" without Path
	Git, URL  string   // { git = "…" }, { url = "…" }, `name @ url`
	Ref       string   // tag, branch or rev of Git
	Channel   string   // conda
	Build     string   // conda build string matcher
	Number    string   // conda build-number matcher
	Subdir    string   // conda
	Extras    []string // PyPI and conda extras
	Marker    string   // PEP 508 marker, or env-markers
	Index     string   // PyPI index
	Editable  bool     // PyPI path
	Workspace bool     // { workspace = true }

	PinCompatible bool // { pin-compatible = … }: maintains itself
	PinSubpackage bool // { pin-subpackage = … }: maintains itself
	Raw           any  // the whole entry as plain Go values: string, or map[string]any

	// Node is the string that holds Text, to edit; nil where there is none. In a PEP 508 string Text stands at
	// Offset, in bytes of the decoded string; in a recipe, which has no Node, at Offset in the file.
	Node   *tomledit.Node
	Offset int
}

// Source reports whether the spec names sources (path, git or url) and not a package of a channel or an index.
func (s Spec) Source() bool { return s.Path != "" || s.Git != "" || s.URL != "" }

// Requirement is one place where a manifest asks for a package of the workspace.
type Requirement struct {
	Name    string `json:"name"` // as it is written
	Spec    string `json:"spec"` // as it is written: "==0.1.0"; "" where there is none
	Package string `json:"-"`    // the conda name of the package that is meant
	Pos

	Kind  Kind   `json:"-"`
	Role  Role   `json:"-"`
	Table string `json:"-"` // as a TOML header would name it
	Path  string `json:"-"` // of a source dependency, as written; "" else. Path and Spec may both be there

	// Pin is the version when the requirement is an exact pin, else "". An inherited one is pinned by the pool.
	Pin       string `json:"-"`
	Inherited bool   `json:"-"` // { workspace = true }: Spec is the pool's and is edited there

	Dependency Dependency `json:"-"` // the whole entry
}

// Downstream is a manifest with a [workspace] table of its own that takes our packages from the channel.
type Downstream struct {
	Manifest  *Manifest
	Dir       string        // relative to the root, with slashes
	Pyproject string        // relative to the root; "" where there is none
	Project   *Project      // nil where there is no pyproject.toml
	Requires  []Requirement // on our packages, in the order of the files
	Image     *Image        // nil where no image is made of it
}

// Name is the downstream's name, as its manifest gives it.
func (d *Downstream) Name() string { return d.Manifest.Name }

// Disagreement is a contradiction between manifests that a person has to resolve before a release.
type Disagreement struct {
	Package string `json:"package"` // conda name of the package whose manifest is wrong
	Message string `json:"message"` // one sentence
	Pos
}

// Sources are the folders that a package is made of, relative to the workspace's root.
func (p *Package) Sources() []string {
	folders := []string{p.Dir}
	if p.SourceDir != "" && p.SourceDir != p.Dir {
		folders = append(folders, p.SourceDir)
	}
	return append(folders, p.outside...)
}
