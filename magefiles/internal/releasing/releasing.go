// Package releasing implements the user interface of `release`, `status` and `undo`: it validates the request, shows what will happen, asks the user,
// and shows the result. Package release makes the release itself.
//
//	releasing.go  `release`, from its flags to its result
//	open.go       opening the clone: the lock, the cleanup after a killed run, and the inputs of a release
//	show.go       showing the plan and the result
//	status.go     `status`
//	undo.go       `undo`, and the plan of the release after an abandoned one
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

// Releaser makes releases, shows their status, and undoes them.
type Releaser struct {
	Runner   command.Runner
	Dir      string // working directory
	View     *view.View
	Channels *ourchannel.Channels
	Tool     string      // version of this program
	Today    string      // date for the changelog, as 2006-01-02
	Lends    func() bool // reports whether child processes may prompt on the terminal

	// Confirm asks the user. It returns an error if the answer is no.
	Confirm func(ctx context.Context, question string) error
	// Cache returns the folder for build sources, which are temporary.
	Cache func() (string, error)
	// Hub returns the hub on which a workspace's releases are announced.
	Hub func(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) (forge.Hub, error)
	// Tools chooses a toolchain that creates its environments below a folder. fetching lists the environment variables that it uses to fetch
	// packages. uploads reports whether this run uploads what it builds.
	Tools func(ctx context.Context, w *workspace.Workspace, environments string, uploads bool) (t toolchain.Toolchain, fetching []string, err error)
	// Trial returns an in-process channel with the same name as the real one.
	Trial func(name string) publish.Trial
	// Readable returns the names of the credentials that repository code could read on this machine.
	Readable func() []string
	Pycache  string // folder for byte code, as in release.Means
}

// Run makes the requested release, or continues the unfinished one. by is the publisher, in the form that publishing.CheckPublisher accepts.
func (r Releaser) Run(ctx context.Context, req bump.Request, by string) (result release.Result, err error) {
	if err := publishing.CheckPublisher(by); err != nil {
		return result, err
	}
	if err := req.RefuseNonsense(); err != nil {
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
