package folders

import (
	"context"
	"errors"
	"path"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// State is the folder, in the git folder of a clone, for what must be known of a run that was killed: journals, and records of builds.
const State = "pixi-release"

// Channels is where channel:serve keeps its channels, below the folder of outputs.
const Channels = "channels"

// own are the folders of a workspace that builds write to, and clean empties.
func own(w *workspace.Workspace) []Own {
	output := Own{Folder: workspace.OutputDir, Parts: []string{"rehearsal", "release", "images", Channels}}
	dirs := []string{"."}
	for _, d := range w.Downstreams {
		dirs = append(dirs, d.Dir)
		output.Parts = append(output.Parts, path.Join("images", d.Dir))
	}
	all := []Own{output}
	for _, dir := range dirs {
		all = append(all, Own{Folder: path.Join(dir, manifest.PixiDir), Parts: []string{"embedded", "overlay"}})
	}
	return all
}

// Check is asked before anything is written to the workspace's own folders.
func Check(ctx context.Context, runner command.Runner, w *workspace.Workspace) error {
	return CheckOwn(ctx, runner, w.Root, own(w)...)
}

// checkEmptied is asked before these folders are removed, where a link is removed and what it leads to stays.
func checkEmptied(ctx context.Context, runner command.Runner, w *workspace.Workspace) error {
	all := own(w)
	for i := range all {
		all[i].Parts = nil
	}
	return CheckOwn(ctx, runner, w.Root, all...)
}

// CheckServed is asked before channels are kept in a folder, where that is in the one that we were started in, here.
func CheckServed(ctx context.Context, runner command.Runner, here, dir string) error {
	here, err := filepath.Abs(here)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	below, _ := filepath.Rel(here, dir) // "" where there is no way from one to the other
	if !filepath.IsLocal(below) {
		return nil
	}
	own := Own{Folder: filepath.ToSlash(below)}
	var link *beneath.LinkError
	if errors.As(beneath.NoLink(here, own.Folder), &link) {
		own.Folder = link.Link // git knows nothing behind it
	}
	if below == filepath.Join(workspace.OutputDir, Channels) {
		own = Own{Folder: workspace.OutputDir, Parts: []string{Channels}}
	}
	return CheckOwn(ctx, runner, here, own)
}
