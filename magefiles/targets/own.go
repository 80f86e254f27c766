package targets

import (
	"context"
	"errors"
	"path"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// ownFolders are the folders of a workspace that builds write to, and clean empties.
func ownFolders(w *workspace.Workspace) []gitrepo.Own {
	output := gitrepo.Own{Folder: outputDir, Parts: []string{"rehearsal", "release", "images", channelsDir}}
	dirs := []string{"."}
	for _, d := range w.Downstreams {
		dirs = append(dirs, d.Dir)
		output.Parts = append(output.Parts, path.Join("images", d.Dir))
	}
	own := []gitrepo.Own{output}
	for _, dir := range dirs {
		own = append(own, gitrepo.Own{Folder: path.Join(dir, ".pixi"), Parts: []string{"embedded", "overlay"}})
	}
	return own
}

// checkOwn is asked before anything is written to the workspace's own folders.
func (a *app) checkOwn(ctx context.Context, w *workspace.Workspace) error {
	return gitrepo.CheckOwn(ctx, a.runner, w.Root, ownFolders(w)...)
}

// checkEmptied is asked before these folders are removed, where a link is removed and what it leads to stays.
func (a *app) checkEmptied(ctx context.Context, w *workspace.Workspace) error {
	own := ownFolders(w)
	for i := range own {
		own[i].Parts = nil
	}
	return gitrepo.CheckOwn(ctx, a.runner, w.Root, own...)
}

// checkServed is asked before channels are kept in a folder, where that is in the one that we were started in.
func (a *app) checkServed(ctx context.Context, dir string) error {
	here, err := filepath.Abs(a.dir)
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
	own := gitrepo.Own{Folder: filepath.ToSlash(below)}
	var link *beneath.LinkError
	if errors.As(beneath.NoLink(here, own.Folder), &link) {
		own.Folder = link.Link // git knows nothing behind it
	}
	if below == filepath.Join(outputDir, channelsDir) {
		own = gitrepo.Own{Folder: outputDir, Parts: []string{channelsDir}}
	}
	return gitrepo.CheckOwn(ctx, a.runner, here, own)
}
