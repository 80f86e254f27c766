package doctor

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// First is what to do next, in one sentence for whoever has only begun: the first thing that is in the way of a release, and where there is
// none a rehearsal. It looks at little, and quickly: Examine is what looks at everything.
func (d Doctor) First(ctx context.Context) string {
	if d.Workspace == nil {
		return operr.NextOf(d.NoWorkspace)
	}
	if err := d.Workspace.NoPackages(); err != nil {
		return operr.NextOf(err)
	}
	if _, err := command.LookPath("git", d.Environ); err != nil {
		return "install git: a release is made of what is committed"
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
	const rehearse = "`mage rehearse` makes a whole release of what is committed, and nothing leaves this machine"
	if _, err := gitremote.URL(ctx, repo, d.Workspace.Config.Remote); err != nil && operr.NextOf(err) != "" {
		return rehearse + "; before a real one: " + operr.NextOf(err)
	}
	return rehearse
}
