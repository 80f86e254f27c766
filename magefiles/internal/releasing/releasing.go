// Package releasing is `release`, `status` and `undo` as a person sees them: what is refused before anything is done, what is shown before
// the question, and what is said in the end. The release itself is package release's.
//
//	releasing.go  a release, from its flags to its result
//	open.go       the clone that it is made in: its lock, what a killed run has left, and what the release works with
//	show.go       what is shown of a release: its plan, and what came of it
//	status.go     where the last release stands
//	undo.go       the way back, as it is agreed to, and the release that follows one which is given up
package releasing

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Releaser is what a release is made with, looked at, and taken back.
type Releaser struct {
	Runner   command.Runner
	Dir      string // where we were started
	View     *view.View
	Channels *ourchannel.Channels
	Tool     string      // version of this program
	Today    string      // as 2006-01-02, for the changelog
	Lends    func() bool // reports whether a child may ask a person at our terminal

	// Confirm asks a person. Its error is the answer no.
	Confirm func(ctx context.Context, question string) error
	// Cache is the folder for the sources of builds, of which nothing stays.
	Cache func() (string, error)
	// Hub is where the release of a workspace is shown to people.
	Hub func(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error)
	// Tools picks a toolchain whose environments lie below a folder, and names the variables by which it fetches packages. uploads says
	// that this run sends what is built.
	Tools func(ctx context.Context, w *workspace.Workspace, environments string, uploads bool) (t toolchain.Toolchain, fetching []string, err error)
	// Trial opens a channel of this process, of the same name as ours.
	Trial func(name string) publish.Trial
	// Readable names the credentials that code of the repository could read on this machine.
	Readable func() []string
	Pycache  string // folder for byte code, as release.Means has it
}

// Run makes the release that is asked for, or goes on with the one that is unfinished. by is who publishes, as publishing.CheckPublisher has it.
func (r Releaser) Run(ctx context.Context, req bump.Request, by string) (result release.Result, err error) {
	if err := publishing.CheckPublisher(by); err != nil {
		return result, err
	}
	one, unlock, err := r.open(ctx, true)
	if err != nil {
		return result, err
	}
	defer unlock()
	one.Request, one.Publish = bumping.WithChangelog(req, one.Root), by
	one.Confirm = func(ctx context.Context, p *plan.Plan, left *release.Left) error {
		if left != nil {
			return r.confirmRest(ctx, p, left)
		}
		return r.confirm(ctx, one, p)
	}
	result, err = one.Run(ctx)
	if errors.Is(err, operr.ErrDeclined) {
		err = operr.NewDeclined("not released")
	}
	return result, err
}
