// Package toolchain runs the tasks of a pixi workspace and builds its packages, either with pixi or with the embedded toolchain, which requires
// only Python. Both read the same manifests and produce the same artifacts.
package toolchain

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Toolchain runs tasks and builds packages. Packages toolchain/pixi and toolchain/embedded implement it.
type Toolchain interface {
	// Name is Pixi or "embedded".
	Name() string

	// Describe returns the toolchain's name and version as one line.
	Describe(ctx context.Context) (string, error)

	// BuiltWith describes everything that affects a build of a package: the toolchain, the platform, and the tools' versions. It does not install
	// anything, and the result contains no local paths.
	BuiltWith(ctx context.Context, p *workspace.Package) (string, error)

	// Reproducible reports whether two builds of the same sources with the same tools are byte-for-byte identical.
	Reproducible() bool

	// Ready returns an error that lists known reasons why building the workspace's packages, or installing all of them together after publishing,
	// would fail. It does not build anything.
	Ready(ctx context.Context) error

	// Run runs a task of a manifest in one of its environments. It returns the child's exit error, if any.
	Run(ctx context.Context, t Task) error

	// Build builds packages into Dir and returns the artifacts in the order of the request.
	Build(ctx context.Context, b Build) ([]Artifact, error)

	// Install creates a clean environment in Dir with the packages, which come only from the channel, and returns it.
	Install(ctx context.Context, i Install) (Environment, error)
}

// Pixi is the name of the toolchain that runs pixi. pixi is also used to fetch packages.
const Pixi = "pixi"

// Task is a task of a manifest, as in `pixi run -e Environment Name Args…`.
type Task struct {
	Dir         string // folder of the manifest with the [workspace] table
	Environment string // "" means the environment that pixi would choose
	Name        string
	Args        []string
	Stdout      io.Writer
	Stderr      io.Writer

	Supply *Supply // supply of a downstream; nil lets the toolchain decide, which may use sources if they have the pinned version
}

// Supply determines where a downstream's environment gets the workspace's packages.
type Supply struct {
	Workspace *workspace.Workspace

	// If Sources is set, the packages are built from the workspace's sources, whatever versions the downstream pins. Otherwise the exact pinned
	// versions are fetched from the channel.
	Sources bool

	Channel string            // name of our channel
	Moved   map[string]string // maps channels as written in the downstream's manifest to the locations to read instead
}

// Build is a request to build packages.
type Build struct {
	Workspace  *workspace.Workspace
	Packages   []*workspace.Package // dependencies first
	Dir        string               // folder for the .conda files, without subfolders; earlier files of the same packages are removed
	SourceDate time.Time            // the timestamp of every file and of the archive
	Log        io.Writer            // receives the builder's output
	Sources    Sources              // source tree to build; nil means the workspace's folder

	// AnyWheel accepts an artifact in which the wheel and the package have different versions, if a tool derives the wheel's version from tags.
	// Between two tags, the tool correctly produces 0.1.1.dev2 in a package 0.1.1. These artifacts must not be published.
	AnyWheel bool
}

// Artifact is a .conda file that was built and checked against its manifest.
type Artifact struct {
	Package string // conda name
	Path    string // absolute
	SHA256  string // hex
	Size    int64
	Index   condapkg.Index
	Wheel   string // version of the wheel inside; "" if there is none
}

// Install is a request to create a clean environment.
type Install struct {
	Dir       string   // folder of the environment; must not exist
	Channels  []string // URLs, highest priority first
	Specs     []string // match specs, such as "a-package ==0.1.0"
	Artifacts []string // the packages' files, downloaded from the channel and verified, for a toolchain without a solver
	Log       io.Writer
}

// Environment is an installed environment.
type Environment struct {
	Dir    string
	Python string // path of the interpreter; "" if no package provides one
	Solved bool   // whether a conda solver chose the packages
}

// Foresee returns an error if the toolchain cannot install the workspace's packages together with their dependencies. It is a no-op for a
// toolchain that uses conda's solver.
func Foresee(t Toolchain, packages []*workspace.Package) error {
	if f, ok := t.(interface {
		Foresee(packages []*workspace.Package) error
	}); ok {
		return f.Foresee(packages)
	}
	return nil
}

// CheckVersions returns an error if pixi would not find a version for one of the packages. It is called before building.
func CheckVersions(packages ...*workspace.Package) error {
	var found []*operr.Error
	for _, n := range workspace.NoVersions(packages) {
		found = append(found, n.Err(""))
	}
	return operr.Join(found, "correct each of these packages; nothing was built", "%d packages cannot be built", len(found))
}

// NotPinned is the heading in the output of BuiltWith for tools whose version is not pinned.
const NotPinned = "NOT PINNED"

// ArePinned reports whether all tools in a BuiltWith description are pinned. The description may come from another machine. A tool that is not
// pinned may have a different version on each machine.
func ArePinned(tools string) bool { return !strings.Contains(tools, NotPinned) }
