// Package publishing is `build` and `publish` as a person, or a job of a CI, sees them: what is refused before anything is done, the steps
// that the flags ask for, and what is said of each. What a publication does is package publish's.
//
//	flags.go       what is asked for
//	publishing.go  what is told from outside, and what is refused before the first step
//	run.go         which steps there are, and what came of them
//	steps.go       each step, and what it saw
//	from.go        what jobs of a CI hand to one another
//	tag.go         tag and branch, held against the manifests
//	origin.go      what the work tree is built of, and the time that artifacts bear
//	build.go       a build, and the record of it
//	compare.go     two builds, held against each other
//	ci.go          what a CI says of its run
package publishing

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// View is where a person reads. A view.View is one.
type View interface {
	steps.Reporter
	Say(format string, args ...any)     // what is going on
	Line(format string, args ...any)    // a line of the result
	Heading(format string, args ...any) // one that stands out
	Once(line string)                   // what is said once in a process
	Table(header []string, rows [][]string)
	Made(what, digest string) // for the summary of a CI
}

// Destination is the channel that is published to. A prefixdev.Channel is one.
type Destination interface {
	publish.Destination
	Name() string
	Server() string // its address
}

// Config is what building and publishing are told. What a build needs comes first.
type Config struct {
	Workspace *workspace.Workspace
	Runner    command.Runner
	View      View
	CI        CI
	Verbose   bool // what builders say is shown

	// Job shows what f writes as one group, with a next step for where it fails.
	Job func(ctx context.Context, name, next string, f func(log io.Writer) error) error
	// Epoch is the time that artifacts are to bear; zero where it is that of the commit.
	Epoch func() (time.Time, error)
	// Toolchain finds the toolchain, and says which it is.
	Toolchain func(ctx context.Context) (toolchain.Toolchain, error)
	// Sources are what packages are built from.
	Sources func() (sources.Sources, error)

	// Channel finds our channel.
	Channel func() (Destination, error)
	// Trial opens a channel of this process, of a name.
	Trial func(name string) publish.Trial
	// Confirm asks a person. Its error is the answer no.
	Confirm  func(ctx context.Context, question string) error
	Pycache  string // see publish.Publisher
	Progress publish.Progress
	Wait     pause.Wait
}

// Publication is one run of `publish`: what a person, or a job of a CI, sees of a publish.Sequence.
type Publication struct {
	*publish.Sequence
	config Config
	flags  Flags
	view   View
	repo   *gitrepo.Repo // nil outside of git
	server string        // of the channel
	given  publish.Digests
	passed []string // what lies in the folder of artifacts, and does not count
	result Result
}

// New refuses what cannot be published, and makes ready what can be. The order is that in which a person can do something about it:
// versions, packages for one platform, the tag, the channel, what is needed to build, what is not committed, what was handed over.
func New(ctx context.Context, c Config, f Flags) (*Publication, error) {
	w := c.Workspace
	if err := w.NoPackages(); err != nil {
		return nil, err
	}
	if err := c.versioned(ctx, w.Packages); err != nil {
		return nil, err
	}
	if d := w.Disagreements(); len(d) > 0 {
		return nil, operr.New("run `mage version:show`, which names them all", "%s: %s", d[0].Pos, d[0].Message)
	}
	if err := allNoarch(w); err != nil {
		return nil, err
	}
	if err := fitsTag(w, c.CI.Tag); err != nil {
		return nil, err
	}
	to, err := c.Channel()
	if err != nil {
		return nil, err
	}
	p := &Publication{
		config: c,
		flags:  f,
		view:   c.View,
		server: to.Server(),
		Sequence: &publish.Sequence{
			Publisher: &publish.Publisher{
				Workspace: w,
				Channel:   to,
				Runner:    c.Runner,
				Output:    filepath.Join(w.Root, workspace.OutputDir),
				Force:     f.Force,
				Pycache:   c.Pycache,
				Progress:  c.Progress,
				Wait:      c.Wait,
			},
			Trial: c.Trial(to.Name()),
		},
	}
	p.result.Channel = to.URL()
	if err := p.equip(ctx); err != nil {
		return nil, err
	}
	if err := p.committed(ctx); err != nil {
		return nil, err
	}
	return p, p.handed()
}

// equip finds the toolchain, and the time that artifacts bear. What uploads only runs nothing but this program.
func (p *Publication) equip(ctx context.Context) (err error) {
	w := p.Workspace
	if p.Date, err = p.config.date(ctx); err != nil || p.uploadsOnly() {
		return err
	}
	if p.Tools, err = p.config.Toolchain(ctx); err == nil {
		err = p.Tools.Ready(ctx)
	}
	if err == nil {
		err = toolchain.Foresee(p.Tools, w.Packages) // it is installed in the end, when it is out
	}
	return err
}

// uploadsOnly reports whether files are sent which another run has built, and another one will verify.
func (p *Publication) uploadsOnly() bool { return p.flags.From != "" && !p.flags.Check }

// allNoarch refuses packages that would be built for this platform alone, all of them by name.
func allNoarch(w *workspace.Workspace) error {
	var found []*operr.Error
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return operr.Join(found, "see to each; nothing was built or sent", "%d packages cannot be published", len(found))
}

// committed refuses what is not committed, and tells the publisher what packages are built from, and since when their sources are
// what they are, of those that are released. Outside git neither is known.
func (p *Publication) committed(ctx context.Context) error {
	w := p.Workspace
	from, err := p.config.Sources()
	if err != nil {
		return err
	}
	of, err := p.config.origin(ctx)
	if err != nil {
		return err
	}
	if of == nil {
		p.From = from.WorkTree()
		return nil
	}
	if err := sources.AllThere(ctx, of.repo, w); err != nil { // it says more of an edit than that there is one
		return err
	}
	if of.edited != "" {
		return operr.New("commit it first, or put it away", "%s is not committed, and would be published", of.edited)
	}
	if err := publish.NothingPlanted(ctx, of.repo); err != nil {
		return err
	}
	if err := NotRehearsed(of.repo, p.server); err != nil {
		return err
	}
	repo := of.repo
	p.repo, p.result.Commit, p.Origin, p.Builds = repo, of.Commit, of.Origin, of.builds
	tags, err := p.config.CI.tags(ctx, repo, of.Commit)
	if err != nil {
		return err
	}
	p.From = from.Commit(repo, of.Commit, sources.TagsSeen(w, time.Time{}))
	if p.flags.Verify && p.flags.Digests != "" {
		return nil // they say what is right, whatever its time
	}
	p.Sources = func(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
		if !releasedBy(w, tags, pkg) {
			return time.Time{}, nil
		}
		at, known, err := repo.Touched(ctx, pkg.Sources()...)
		if err == nil && !known {
			p.view.Once("this clone is shallow: whether the sources have changed since a version was published is not known; `git fetch --unshallow` (in CI fetch-depth: 0, GIT_DEPTH: 0) brings what says it")
		}
		return at, err
	}
	if p.flags.From != "" {
		p.Keeps = func(pkg *workspace.Package) bool { return !p.given.Reproducible || !releasedBy(w, tags, pkg) }
	}
	return nil
}
