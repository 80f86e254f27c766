package targets

import (
	"context"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Rehearse takes what is committed through a release in an embedded world, offline but for PyPI.
func Rehearse(ctx context.Context,
	json *bool, // print the report as one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		return a.rehearse(ctx, w, isSet(json))
	})
}

func (a *app) rehearse(ctx context.Context, w *workspace.Workspace, asJSON bool) error {
	if asJSON {
		a.view.Out = a.view.Err
	}
	dir := filepath.Join(w.Root, outputDir, "rehearsal")
	inside := a.withTemporary(filepath.Join(dir, rehearsal.TemporaryDir))
	report, err := rehearsal.Run(ctx, rehearsal.Config{
		Runner: inside.runner, Root: w.Root, Toolchain: inside.pick, Reporter: a.view, Dir: dir,
	})
	if err != nil {
		return err
	}
	if asJSON {
		a.view.Out = os.Stdout
		return a.view.JSON(report)
	}
	a.view.Heading("\n%s was rehearsed: %d packages built, published to an embedded channel, installed and imported", report.Workspace, len(report.Packages))
	for _, p := range report.Packages {
		a.view.Line("  %s %s  %s  sha256 %s…", p.Name, p.Version, p.File, p.SHA256[:12])
	}
	a.view.Heading("Not rehearsed:")
	for _, m := range report.Missing {
		a.view.Line("  ○ %s: %s", m.What, m.Why)
	}
	return nil
}
