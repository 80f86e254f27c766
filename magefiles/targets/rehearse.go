package targets

import (
	"context"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Rehearse releases in an embedded world. It takes what is committed through a whole release, offline but for PyPI; nothing leaves this machine. For
// example: `mage rehearse`, `mage rehearse -to=minor`.
func Rehearse(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; default: patch
	only *string, // one package, where versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, in place of [tool.release] publish
	keep *bool, // stay when it is through, with the world running, until Ctrl-C
	full *bool, // push the upgrade too, run the workflow files that it starts, with an embedded registry, and deliver to hosts that stand in for yours
	faults *int, // a seed: calls of the outside fail at random, and the release is killed and run again until it is through
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		c, err := a.rehearsal(ctx, w, isSet(full))
		if err != nil {
			return err
		}
		req, err := bumpFlags{to: to, only: only, ranges: ranges}.request()
		if err != nil {
			return err
		}
		f := rehearsal.Flags{Request: req, Publish: orZero(publish), Faults: orZero(faults), Keep: isSet(keep)}
		if err := f.Fit(); err != nil {
			return err
		}
		return answer(a, isSet(json), func() (rehearsal.Report, error) {
			return rehearsal.Show(ctx, c, f, a.view)
		}, func(report rehearsal.Report) { report.Show(a.view) })
	})
}

// rehearsedHosts stand in for hosts of deployment environments; nil where no package that deploys is imported.
var rehearsedHosts func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)

// RehearseOn lets rehearsals go as far as the hosts: whoever can deploy says how to stand in for them, and those who cannot link nothing of it.
func RehearseOn(start func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)) {
	rehearsedHosts = start
}

// rehearsal is what one of a workspace needs of its surroundings; with full, images are a part of it.
func (a *pipeline) rehearsal(ctx context.Context, w *workspace.Workspace, full bool) (c rehearsal.Config, err error) {
	program, err := os.Executable()
	if err != nil {
		return c, err
	}
	if err := a.checkOwn(ctx, w); err != nil {
		return c, err
	}
	dir := rehearsal.DirOf(w)
	inside := a.withTemporary(filepath.Join(dir, folder.Temporary))
	c = rehearsal.Config{
		Runner:  inside.runner,
		Environ: inside.runner.Environ(),
		Program: program,
		Root:    w.Root,
		Name:    w.Manifest.Name,
		Dir:     dir,
		History: bumping.HistoryOf,
		Tools:   inside.pick,
	}
	if full {
		set, err := a.imageEnvironment(w)
		if err != nil {
			return c, err
		}
		c.Registry, c.Hosts = serveRegistry, rehearsedHosts
		c.Builder = &buildx.Builder{Runner: a.runner, Name: set.Builder}
	}
	return c, nil
}
