package targets

import (
	"cmp"
	"context"

	"github.com/foopack/foopack/magefiles/internal/doctor"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Doctor says what is installed and missing. It says what each thing is for, and how to get it. For example: `mage doctor`, `mage doctor -json`. Exit
// statuses: mage help doctor.
func Doctor(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		d := a.doctor()
		d.Hub = a.asked(ctx, d.Workspace)
		found := d.Report(ctx)
		err := answer(a, isSet(json), func() (doctor.Report, error) { return found, nil }, a.view.ShowExamination)
		return cmp.Or(err, doctor.Missing(found.Findings))
	})
}

// asked returns a client of GitHub for the repository's settings; nil if the remote is not on GitHub, or there is no token.
func (a *pipeline) asked(ctx context.Context, w *workspace.Workspace) doctor.Hub {
	if w == nil {
		return nil
	}
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	if err != nil {
		return nil
	}
	if hub, err := a.hub(ctx, repo, w); err == nil && hub.Token && hub.Client != nil {
		return hub.Client
	}
	return nil
}

func (a *pipeline) doctor() doctor.Doctor {
	d := doctor.Doctor{
		Runner:   a.runner,
		Environ:  a.runner.Environ(),
		Dir:      a.dir,
		Readable: readable(),
	}
	d.Workspace, d.NoWorkspace = a.workspace()
	if d.NoWorkspace != nil {
		d.Workspace = nil
	}
	d.Channel = func(ctx context.Context) []doctor.Finding {
		if d.NoWorkspace != nil {
			return nil // the findings are printed already
		}
		return a.channels.Examine(ctx, d.Workspace)
	}
	cache, err := a.cache()
	if d.NoPythons = err; err == nil {
		d.Pythons = a.embedded(d.Workspace, cache, "")
	}
	return d
}
