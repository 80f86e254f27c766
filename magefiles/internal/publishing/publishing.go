// Package publishing implements the targets `build` and `publish`: it checks the flags and the repository, runs the steps that the flags select,
// and prints their results. Package publish implements the publication itself.
//
//	flags.go       the flags of the targets
//	publishing.go  the configuration, and the checks before the first step
//	run.go         the list of steps, and the result of a run
//	steps.go       the steps, and the text that each step shows
//	from.go        digests that one CI job passes to the next
//	tag.go         checks that the tag and its branch match the manifests
//	origin.go      the commit that is built, and the timestamp of artifacts
//	build.go       builds packages, and writes build records
//	compare.go     compares two builds
//	ci.go          the CI run, and the outputs of its jobs
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

// View shows the user what happens. It is implemented by view.View.
type View interface {
	steps.Reporter
	Say(format string, args ...any)     // shows a progress message
	Line(format string, args ...any)    // shows a line of the result
	Heading(format string, args ...any) // shows a highlighted line
	Once(line string)                   // shows a line at most once per process
	Table(header []string, rows [][]string)
	AddMade(what, digest string) // adds an artifact to the CI summary
}

// Destination is the channel to publish to. It is implemented by prefixdev.Channel.
type Destination interface {
	publish.Destination
	Name() string
	Server() string // address of the channel's server
}

// Config configures building and publishing. The fields up to Sources are also used by builds that publish nothing.
type Config struct {
	Workspace *workspace.Workspace
	Runner    command.Runner
	View      View
	CI        CI
	Verbose   bool // show the output of builders

	// Job shows the output of f as a group, and the next step if f fails.
	Job func(ctx context.Context, name, next string, f func(log io.Writer) error) error
	// Epoch returns the timestamp for artifacts; zero for the time of the commit.
	Epoch func() (time.Time, error)
	// Toolchain finds the toolchain, and shows its name.
	Toolchain func(ctx context.Context) (toolchain.Toolchain, error)
	// Sources returns the sources that packages are built from.
	Sources func() (sources.Sources, error)

	// Channel returns our channel.
	Channel func() (Destination, error)
	// Trial returns a function that opens a temporary channel with this name in this process.
	Trial func(name string) publish.Trial
	// Confirm asks the user a question. An error means no.
	Confirm func(ctx context.Context, question string) error
	Yes     bool // Confirm does not ask
	// GivenUp returns the title of the release of these versions if it was given up by an undo, and otherwise "". It may be nil.
	GivenUp  func(ctx context.Context) (title string, err error)
	Pycache  string // see publish.Publisher
	Progress publish.Progress
	Wait     pause.Wait
}

// Publication is one run of `publish`. It shows the progress of a publish.Sequence to the user, or in the log of a CI job.
type Publication struct {
	*publish.Sequence
	config Config
	flags  Flags
	view   View
	repo   *gitrepo.Repo // nil outside of git
	server string        // address of the channel's server
	given  publish.Digests
	passed []string // reasons why files in the output folder are not ready
	result Result
}

// New prepares a publication, or returns an error if something cannot be published. It checks first what the user should fix first: the versions,
// packages for one platform, the tag, the channel, the toolchain, uncommitted files, and the digests that were passed.
func New(ctx context.Context, c Config, f Flags) (*Publication, error) {
	w := c.Workspace
	if err := w.NoPackages(); err != nil {
		return nil, err
	}
	if err := c.checkVersioned(ctx, w.Packages); err != nil {
		return nil, err
	}
	if d := w.Disagreements(); len(d) > 0 {
		return nil, operr.New("run `mage version:show`, which lists all problems", "%s: %s", d[0].Pos, d[0].Message)
	}
	if err := refuseNotNoarch(w); err != nil {
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
	if err := p.refuseUncommitted(ctx); err != nil {
		return nil, err
	}
	return p, p.readHanded()
}

// equip sets the timestamp for artifacts and finds the toolchain. A run that only uploads does not need a toolchain.
func (p *Publication) equip(ctx context.Context) (err error) {
	w := p.Workspace
	if p.Date, err = p.config.date(ctx); err != nil || p.uploadsOnly() {
		return err
	}
	if p.Tools, err = p.config.Toolchain(ctx); err == nil {
		err = p.Tools.Ready(ctx)
	}
	if err == nil {
		err = toolchain.Foresee(p.Tools, w.Packages) // checked now, because installing is among the last steps, after the upload
	}
	return err
}

// uploadsOnly reports whether this run only uploads files. They were built by one run, and are verified by another.
func (p *Publication) uploadsOnly() bool { return p.flags.From != "" && !p.flags.Check }

// refuseNotNoarch returns an error that lists all packages that would be built for this platform only.
func refuseNotNoarch(w *workspace.Workspace) error {
	var found []*operr.Error
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return operr.Join(found, "fix each problem; nothing was built or sent", "%d packages cannot be published", len(found))
}

// refuseUncommitted returns an error if a source file is not committed. It sets the publisher's origin and, for released packages, the time of the
// last change to their sources. Outside of git, packages are built from the work tree, and the time of changes is not known.
func (p *Publication) refuseUncommitted(ctx context.Context) error {
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
	if err := sources.CheckPresent(ctx, of.repo, w); err != nil { // checked before edits, because this error says more
		return err
	}
	if of.edited != "" {
		return operr.New("commit or stash this change first", "%s is not committed, but would be published", of.edited)
	}
	if err := publish.RefusePlanted(ctx, of.repo); err != nil {
		return err
	}
	if err := RefuseRehearsal(of.repo, p.server); err != nil {
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
		return nil // the files are compared with the digests, so their times do not matter
	}
	p.Sources = func(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
		if !releasedBy(w, tags, pkg) {
			return time.Time{}, nil
		}
		at, known, err := repo.Touched(ctx, pkg.Sources()...)
		if err == nil && !known {
			p.view.Once("this clone is shallow, so it is not known whether the sources changed after a version was published; to fetch the history, run `git fetch --unshallow` (in CI, set fetch-depth: 0 or GIT_DEPTH: 0)")
		}
		return at, err
	}
	if p.flags.From != "" {
		p.Keeps = func(pkg *workspace.Package) bool { return !p.given.Reproducible || !releasedBy(w, tags, pkg) }
	}
	return nil
}
