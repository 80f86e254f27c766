package doctor

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// First returns the next thing to do, in one sentence for a new user: fix the first obstacle to a release, or rehearse if there is none. It does only
// a few quick checks. Examine does all checks.
func (d Doctor) First(ctx context.Context) string {
	if d.Workspace == nil {
		return operr.NextOf(d.NoWorkspace)
	}
	if err := d.Workspace.NoPackages(); err != nil {
		return operr.NextOf(err)
	}
	if _, err := command.LookPath("git", d.Environ); err != nil {
		return "install git: a release is made from committed files"
	}
	repo, err := gitrepo.Open(ctx, d.Runner, d.Dir)
	if err != nil {
		return operr.NextOf(err)
	}
	if _, err := command.LookPath("pixi", d.Environ); err != nil && d.Pythons != nil {
		if _, err := d.Pythons.Python(ctx); err != nil && operr.NextOf(err) != "" {
			return operr.NextOf(err)
		}
	}
	const rehearse = "run `mage rehearse`, which makes a whole release of the last commit; nothing leaves this machine"
	if _, err := gitremote.URL(ctx, repo, d.Workspace.Config.Remote); err != nil && operr.NextOf(err) != "" {
		return rehearse + "; before a real release: " + operr.NextOf(err)
	}
	return rehearse
}
