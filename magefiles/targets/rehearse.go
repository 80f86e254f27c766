package targets

import (
	"context"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/folder"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Rehearse releases in an embedded world. It makes a whole release of the committed files, offline except for PyPI. Nothing leaves this machine. For
// example: `mage rehearse`, `mage rehearse -to=minor`. Exit statuses: mage help rehearse.
func Rehearse(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; default: patch
	only *string, // one package, if the versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, instead of [tool.release] publish
	keep *bool, // keep the embedded world running at the end, until Ctrl-C
	full *bool, // also push the upgrade, run the workflow files that this starts, with an embedded registry, and deliver to stand-ins for your hosts
	faults *int, // a seed for random faults: external calls fail, and the release is killed and run again until it is complete
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

// rehearsedHosts starts stand-ins for the hosts of deployment environments; nil if the magefile imports no package that deploys.
var rehearsedHosts func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)

// RehearseOn lets rehearsals include the hosts. A package that deploys passes a function that starts stand-ins for hosts; a magefile without such a
// package does not link them.
func RehearseOn(start func(w *workspace.Workspace, dir string) (hosts fleet.Hosts, why string, err error)) {
	rehearsedHosts = start
}

// firstEnvironment returns the step that deploys an image of a downstream for the first time; "" if the magefile imports no package that deploys.
var firstEnvironment = func(*workspace.Workspace, string) string { return "" }

// DeployFirst sets the next step after an image was made: its first deployment.
func DeployFirst(first func(w *workspace.Workspace, downstream string) string) {
	firstEnvironment = first
}

// rehearsal returns the configuration of a rehearsal of a workspace; with full, images are a part of it.
func (a *pipeline) rehearsal(ctx context.Context, w *workspace.Workspace, full bool) (c rehearsal.Config, err error) {
	program, err := os.Executable()
	if err != nil {
		return c, err
	}
	if err := folders.Check(ctx, a.runner, w); err != nil {
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
