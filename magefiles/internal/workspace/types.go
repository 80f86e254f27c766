package workspace

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/named"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// Workspace is a pixi monorepo as described by its manifests. It is read-only.
type Workspace struct {
	Root        string // absolute, symlinks resolved
	Manifest    *manifest.Manifest
	Config      settings.Config
	Packages    []*Package           // the packages, sorted by name
	Downstreams []*Downstream        // the downstreams, sorted by folder
	Uncounted   []Uncounted          // files that look like a member or a downstream but are neither, sorted by path
	Copies      []manifest.Version   // copies of the shared version outside the packages: [workspace] version, a CITATION.cff
	Requires    []Requirement        // requirements in the root manifest: environments, features and the pool
	Project     *manifest.Project    // the pyproject.toml in the root folder; nil if there is none
	Files       []*tomledit.Document // every TOML file that was read, sorted by path relative to the root
	Texts       []Text               // every other file in which a version was looked for, sorted by path

	byName map[string]*Package
	order  []*Package   // dependencies first
	levels [][]*Package // groups of packages that can be built in parallel
}

// Package is a manifest with a [package] table.
type Package struct {
	Name      string       // the conda name, lower-cased
	PyPIName  string       // [project] name of its pyproject.toml, as written; "" if there is none
	Dir       string       // relative to the root, with slashes; "." for the root itself
	SourceDir string       // source folder: Dir, or the path in [package.build.source]; "" for a git or url source
	Manifest  string       // relative to the root
	Pyproject string       // relative to the root; "" if there is none
	Pos       manifest.Pos // position of its [package] table

	Version  manifest.Version   // version of the conda package
	Versions []manifest.Version // every place that has a version, Version first; the version in a pyproject.toml is separate and may differ

	Requires []Requirement         // requirements on siblings, in file order
	Deps     []manifest.Dependency // every conda table: build, host, run, constraints, extras, run-exports; see Dependencies
	Build    manifest.BuildConfig
	Publish  bool // `publish = true`: `pixi publish` without --path includes the package

	inherits    bool                      // whether its manifest inherits something from the workspace
	inherited   []string                  // inherited keys, in the format of manifest.InheritedIn
	outside     []string                  // packed files and folders outside Dir and SourceDir, relative to the root
	named       []named.File              // files that the build reads, in any folder
	recipe      []manifest.Dependency     // dependencies in its recipe.yaml
	onePlatform []versionfile.OnePlatform // outputs of its recipe.yaml that are not noarch

	Metadata manifest.Metadata // metadata in the [package] table only, with inherited values resolved
	Project  *manifest.Project // the pyproject.toml; nil if there is none
}

// Dependencies returns the package's dependencies with the given role, unconditional ones first, each in source order. pixi passes them
// to the build backend in this order.
func (p *Package) Dependencies(role manifest.Role) []manifest.Dependency {
	var out []manifest.Dependency
	for _, d := range p.Deps {
		if d.Role == role {
			out = append(out, d)
		}
	}
	return out
}

// Text is a file that is not TOML, such as a Python module or a recipe.
type Text struct {
	Name string // relative to the root, with slashes; symlinks resolved
	Src  []byte
}

// Requirement is an entry in a manifest that requires a package of the workspace.
type Requirement struct {
	Name    string `json:"name"` // name as written
	Spec    string `json:"spec"` // requirement as written: "==0.1.0"; "" if there is none
	Package string `json:"-"`    // the conda name of the required package
	manifest.Pos

	Kind  manifest.Kind `json:"-"`
	Role  manifest.Role `json:"-"`
	Table string        `json:"-"` // table name as in a TOML header
	Path  string        `json:"-"` // path of a source dependency, as written; otherwise "". A requirement may have both Path and Spec

	// Pin is the version if the requirement is an exact pin, and "" otherwise. An inherited requirement is pinned in the pool.
	Pin       string `json:"-"`
	Inherited bool   `json:"-"` // { workspace = true }: Spec comes from the pool, and an edit changes the pool

	Dependency manifest.Dependency `json:"-"` // the whole entry
}

// Downstream is a manifest that has its own [workspace] table and takes our packages from the channel.
type Downstream struct {
	Manifest  *manifest.Manifest
	Dir       string            // relative to the root, with slashes
	Pyproject string            // relative to the root; "" if there is none
	Project   *manifest.Project // nil if there is no pyproject.toml
	Requires  []Requirement     // requirements on our packages, in file order
	Image     *settings.Image   // the settings of its image; nil if the downstream has no image
}

// Name returns the downstream's name from its manifest.
func (d *Downstream) Name() string { return d.Manifest.Name }

// Disagreement is a contradiction between manifests that the user must resolve before a release.
type Disagreement struct {
	Package string `json:"package"` // conda name of the package whose manifest is wrong
	Message string `json:"message"` // the contradiction, as one sentence
	manifest.Pos

	Apart bool `json:"apart,omitempty"` // whether its version differs from the others although all packages should share one version
}

// Sources returns the source folders of a package, relative to the root.
func (p *Package) Sources() []string {
	folders := []string{p.Dir}
	if p.SourceDir != "" && p.SourceDir != p.Dir {
		folders = append(folders, p.SourceDir)
	}
	return append(folders, p.outside...)
}
