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

// State is the name of a folder inside the git folder that holds journals and build records, which are needed after a run was killed.
const State = "pixi-release"

// Channels is the subfolder of the output folder in which channel:serve stores its channels.
const Channels = "channels"

// ownFolders returns the folders of a workspace that builds write to and that `clean` empties.
func ownFolders(w *workspace.Workspace) []Own {
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

// Check must be called before anything is written to the workspace's own folders.
func Check(ctx context.Context, runner command.Runner, w *workspace.Workspace) error {
	return CheckOwn(ctx, runner, w.Root, ownFolders(w)...)
}

// checkEmptied must be called before these folders are removed. Parts are not checked, because a symlink is removed without its target.
func checkEmptied(ctx context.Context, runner command.Runner, w *workspace.Workspace) error {
	all := ownFolders(w)
	for i := range all {
		all[i].Parts = nil
	}
	return CheckOwn(ctx, runner, w.Root, all...)
}

// CheckServed must be called before channels are stored in the folder dir. It checks dir only if dir is inside `here`, the working directory.
func CheckServed(ctx context.Context, runner command.Runner, here, dir string) error {
	here, err := filepath.Abs(here)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	below, _ := filepath.Rel(here, dir) // "" if there is no relative path
	if !filepath.IsLocal(below) {
		return nil
	}
	own := Own{Folder: filepath.ToSlash(below)}
	var link *beneath.LinkError
	if errors.As(beneath.NoLink(here, own.Folder), &link) {
		own.Folder = link.Link // git does not track files behind a symlink
	}
	if below == filepath.Join(workspace.OutputDir, Channels) {
		own = Own{Folder: workspace.OutputDir, Parts: []string{Channels}}
	}
	return CheckOwn(ctx, runner, here, own)
}
