package manifest

import (
	"cmp"
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// Pos is a position in a manifest.
type Pos struct {
	File string `json:"file"` // relative to the root, with slashes; symlinks resolved
	Line int    `json:"line"` // from 1; 0 if only the file is known
	Col  int    `json:"-"`    // from 1, in bytes
}

// String returns the position in a form that editors recognize: "packages/core/pixi.toml:3:7".
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders positions in the same file.
func (p Pos) Compare(other Pos) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Col, other.Col))
}

// Kind is the ecosystem of a requirement. Conda and PyPI compare names differently.
type Kind string

const (
	Conda Kind = "conda" // compared lower-cased
	PyPI  Kind = "pypi"  // compared as in PEP 503: case-insensitive, with '-', '_' and '.' equivalent
)

// Role is the purpose of a dependency table.
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
	RoleEnvironment Role = "environment" // [dependencies] and [pypi-dependencies], also of a feature, target or environment
	RoleDev         Role = "dev"         // [dev]
	RolePool        Role = "pool"        // [workspace.dependencies]
)

// Orders reports whether the required package must be built and published first.
func (r Role) Orders() bool { return r == RoleRun || r == RoleHost || r == RoleBuild }

// Dependency is one entry in a dependency table.
type Dependency struct {
	Pos              // position of the key, or of the element if the table is an array of PEP 508 strings
	Name      string // name as written
	Spec      Spec
	Kind      Kind
	Role      Role
	Table     string // table name as in a TOML header: `package.run-dependencies."if(linux)"`
	Condition string // expression in "if(…)", or the equivalent of a legacy target table; "" if unconditional
	Group     string // extra, dependency group, or run-exports bucket; "" for other roles
	Target    string // selector of the workspace's target table; "" in other tables
	Feature   string // feature that contains the table; "" in packages and pyproject.toml files
}

// Spec is the requirement of a dependency. For an entry `{ workspace = true, … }`, it is the pool entry's requirement, overridden by
// fields of the entry itself.
type Spec struct {
	// Text is the version constraint as written: "==0.1.0", ">=1, <2". In a PEP 508 string it is the part after the name and extras and
	// before the marker, without parentheses. "" means any version.
	Text string

	Path      string   // { path = "…" }, as written, relative to the manifest (or to the root if it comes from the pool)
	Dir       string   // Path relative to the root, with slashes; begins with ".." if it is outside the root; "" if there is no Path
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

	PinCompatible bool // { pin-compatible = … }: computed by the build
	PinSubpackage bool // { pin-subpackage = … }: computed by the build
	Raw           any  // the entire entry as plain Go values: string, or map[string]any

	// Node is the string to edit, which contains Text, or nil. In a PEP 508 string, Text starts at Offset, in bytes of the decoded
	// string. For a recipe, Node is nil and Offset is relative to the start of the file.
	Node   *tomledit.Node
	Offset int
}

// Source reports whether the spec refers to sources (path, git or url) and not to a package in a channel or index.
func (s Spec) Source() bool { return s.Path != "" || s.Git != "" || s.URL != "" }
