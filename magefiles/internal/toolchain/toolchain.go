// Package toolchain is what runs the tasks of a pixi workspace and builds its packages: pixi itself, or the embedded
// one, which needs only Python. Both read the same manifests and give the same artifacts.
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

// Toolchain runs tasks and builds packages. It is implemented by toolchain/pixi and toolchain/embedded.
type Toolchain interface {
	// Name is Pixi or "embedded".
	Name() string

	// Describe says in a line which one this is: version, and where it was found.
	Describe(ctx context.Context) (string, error)

	// BuiltWith names what a build of a package takes: the toolchain, the platform, and the versions of the tools. Nothing is
	// installed to find out. A path of this machine is not in it.
	BuiltWith(ctx context.Context, p *workspace.Package) (string, error)

	// Reproducible reports whether two builds of the same sources by the same tools give the same bytes.
	Reproducible() bool

	// Ready says, before anything is built, what is known to be in the way of building the workspace's packages, and of
	// installing them all together, which comes after they were published.
	Ready(ctx context.Context) error

	// Run runs one task of a manifest in one of its environments and returns the child's exit error, if any.
	Run(ctx context.Context, t Task) error

	// Build builds packages into Dir and returns the artifacts in the order of the request.
	Build(ctx context.Context, b Build) ([]Artifact, error)

	// Install makes a clean environment in Dir that holds the packages, from the channel alone, and returns it.
	Install(ctx context.Context, i Install) (Environment, error)
}

// Pixi is the name of the toolchain that is pixi itself: beside what it builds, it fetches packages.
const Pixi = "pixi"

// Task names a task of a manifest, as `pixi run -e Environment Name Args…` does.
type Task struct {
	Dir         string // folder of the manifest that has the [workspace] table
	Environment string // "" is the one that pixi would choose
	Name        string
	Args        []string
	Stdout      io.Writer
	Stderr      io.Writer

	Supply *Supply // for a downstream; nil leaves it to the toolchain, which may take sources that have the pinned version
}

// Supply says where the environment of a downstream takes the packages of a workspace from.
type Supply struct {
	Workspace *workspace.Workspace

	// Sources takes them from the sources in the workspace, whatever versions the downstream pins. Otherwise they come
	// from the channel, in exactly the versions that it pins.
	Sources bool

	Channel string            // name of our channel
	Moved   map[string]string // channels as the downstream's manifest has them → where they are to be read from instead
}

// Build asks for packages to be built.
type Build struct {
	Workspace  *workspace.Workspace
	Packages   []*workspace.Package // dependencies first
	Dir        string               // where the .conda files go, flat; replaced files of the same package are removed
	SourceDate time.Time            // the timestamp of every file and of the archive
	Log        io.Writer            // what the builder prints
	Sources    Sources              // what is built; nil is what lies in the workspace's folder

	// AnyWheel takes an artifact whose wheel is of another version than its package, where a tool makes the wheel's from
	// tags: between two tags it rightly says 0.1.1.dev2 in a package that is called 0.1.1. Nothing of it may be published.
	AnyWheel bool
}

// Artifact is one .conda file that was built and checked against its manifest.
type Artifact struct {
	Package string // conda name
	Path    string // absolute
	SHA256  string // hex
	Size    int64
	Index   condapkg.Index
	Wheel   string // the version that the wheel inside says; "" where there is none
}

// Install asks for a clean environment.
type Install struct {
	Dir       string   // where the environment goes; must not exist
	Channels  []string // URLs, first wins
	Specs     []string // match specs, such as "a-package ==0.1.0"
	Artifacts []string // the packages' files, downloaded from the channel and verified: for a toolchain without a solver
	Log       io.Writer
}

// Environment is an installed environment.
type Environment struct {
	Dir    string
	Python string // path of its interpreter; "" where nothing in it brings one
	Solved bool   // whether a conda solver chose the packages
}

// Foresee asks a toolchain that cannot install every package whether it will be able to install those of a workspace with
// what they depend on. It is nil for one that has conda's own means.
func Foresee(t Toolchain, packages []*workspace.Package) error {
	if f, ok := t.(interface {
		Foresee(packages []*workspace.Package) error
	}); ok {
		return f.Foresee(packages)
	}
	return nil
}

// CheckVersions refuses packages in whose manifests pixi finds no version, before anything is built.
func CheckVersions(packages ...*workspace.Package) error {
	var found []*operr.Error
	for _, n := range workspace.NoVersions(packages) {
		found = append(found, n.Err(""))
	}
	return operr.Join(found, "see to each; nothing was built", "%d packages cannot be built", len(found))
}

// NotPinned stands in what BuiltWith says, before the names of what was taken in whatever version there was.
const NotPinned = "NOT PINNED"

// ArePinned reports whether all tools are pinned of a build that BuiltWith describes, here or in a record of another machine: what is not
// may be of another version on each machine.
func ArePinned(tools string) bool { return !strings.Contains(tools, NotPinned) }
