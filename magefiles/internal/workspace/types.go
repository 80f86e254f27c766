package workspace

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/named"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// Workspace is a pixi monorepo as its manifests describe it: a read-only value.
type Workspace struct {
	Root        string // absolute, symlinks resolved
	Manifest    *manifest.Manifest
	Config      settings.Config
	Packages    []*Package           // by name
	Downstreams []*Downstream        // by folder
	Uncounted   []Uncounted          // what looks like a member or a downstream and is none, by file
	Copies      []manifest.Version   // of the version that all packages have, in no file of theirs: [workspace] version, a CITATION.cff
	Requires    []Requirement        // of the root manifest itself: environments, features and the pool
	Project     *manifest.Project    // the pyproject.toml in the root folder; nil where there is none
	Files       []*tomledit.Document // every TOML file that was read, by name relative to the root
	Texts       []Text               // every other file that was read for a version in it, the same way

	byName map[string]*Package
	order  []*Package   // dependencies first
	levels [][]*Package // what may be built side by side
}

// Package is a manifest with a [package] table.
type Package struct {
	Name      string       // the conda name, lower-cased
	PyPIName  string       // [project] name of its pyproject.toml, as written; "" where there is none
	Dir       string       // relative to the root, with slashes; "." for the root itself
	SourceDir string       // where its sources are: Dir, or what [package.build.source] path says; "" for a git or url source
	Manifest  string       // relative to the root
	Pyproject string       // relative to the root; "" where there is none
	Pos       manifest.Pos // of its [package] table

	Version  manifest.Version   // of the conda package
	Versions []manifest.Version // every place where it is written, Version first: a pyproject's is another one, and may differ

	Requires []Requirement         // on siblings, in the order of the files
	Deps     []manifest.Dependency // every conda table: build, host, run, constraints, extras, run-exports; see Dependencies
	Build    manifest.BuildConfig
	Publish  bool // `publish = true`: what `pixi publish` without --path takes

	inherits    bool                      // something of its manifest is the workspace's
	inherited   []string                  // what that is
	outside     []string                  // files and folders out of these that it packs, relative to the root
	named       []named.File              // files that are read to make it, wherever they are
	recipe      []manifest.Dependency     // of its recipe.yaml
	onePlatform []versionfile.OnePlatform // outputs of its recipe.yaml that are not noarch

	Metadata manifest.Metadata // of the [package] table alone, inherited values resolved
	Project  *manifest.Project // the pyproject.toml; nil where there is none
}

// Dependencies returns the package's own tables of one role, unconditional ones first, each in the order of the source,
// as pixi hands them to the build backend.
func (p *Package) Dependencies(role manifest.Role) []manifest.Dependency {
	var out []manifest.Dependency
	for _, d := range p.Deps {
		if d.Role == role {
			out = append(out, d)
		}
	}
	return out
}

// Text is a file that is no TOML: a Python module, a recipe.
type Text struct {
	Name string // relative to the root, with slashes; symlinks resolved
	Src  []byte
}

// Requirement is one place where a manifest asks for a package of the workspace.
type Requirement struct {
	Name    string `json:"name"` // as it is written
	Spec    string `json:"spec"` // as it is written: "==0.1.0"; "" where there is none
	Package string `json:"-"`    // the conda name of the package that is meant
	manifest.Pos

	Kind  manifest.Kind `json:"-"`
	Role  manifest.Role `json:"-"`
	Table string        `json:"-"` // as a TOML header would name it
	Path  string        `json:"-"` // of a source dependency, as written; "" else. Path and Spec may both be there

	// Pin is the version when the requirement is an exact pin, else "". An inherited one is pinned by the pool.
	Pin       string `json:"-"`
	Inherited bool   `json:"-"` // { workspace = true }: Spec is the pool's and is edited there

	Dependency manifest.Dependency `json:"-"` // the whole entry
}

// Downstream is a manifest with a [workspace] table of its own that takes our packages from the channel.
type Downstream struct {
	Manifest  *manifest.Manifest
	Dir       string            // relative to the root, with slashes
	Pyproject string            // relative to the root; "" where there is none
	Project   *manifest.Project // nil where there is no pyproject.toml
	Requires  []Requirement     // on our packages, in the order of the files
	Image     *settings.Image   // nil where no image is made of it
}

// Name is the downstream's name, as its manifest gives it.
func (d *Downstream) Name() string { return d.Manifest.Name }

// Disagreement is a contradiction between manifests that a person has to resolve before a release.
type Disagreement struct {
	Package string `json:"package"` // conda name of the package whose manifest is wrong
	Message string `json:"message"` // one sentence
	manifest.Pos

	Apart bool `json:"apart,omitempty"` // it has another version than others, where all have one
}

// Sources are the folders that a package is made of, relative to the workspace's root.
func (p *Package) Sources() []string {
	folders := []string{p.Dir}
	if p.SourceDir != "" && p.SourceDir != p.Dir {
		folders = append(folders, p.SourceDir)
	}
	return append(folders, p.outside...)
}
