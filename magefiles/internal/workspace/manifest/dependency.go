package manifest

import (
	"cmp"
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

// Compare orders places of one file, as it is read.
func (p Pos) Compare(other Pos) int {
	return cmp.Or(cmp.Compare(p.Line, other.Line), cmp.Compare(p.Col, other.Col))
}

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
