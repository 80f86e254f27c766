package folders

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// locks are the files by which a release, a deployment, a delivery, a rehearsal and the builds of images keep a workspace's folders to themselves: each
// with what has it. Some are not there. Those of deployments and deliveries are in folders below that of the clone's state.
func locks(ctx context.Context, runner command.Runner, w *workspace.Workspace) (files, users []string) {
	output := filepath.Join(w.Root, workspace.OutputDir)
	files, users = []string{filepath.Join(output, "rehearsal", ".lock")}, []string{"a rehearsal"}
	for _, d := range w.Downstreams {
		files, users = append(files, filepath.Join(output, "images", d.Dir, "lock")), append(users, "a build of an image of "+d.Dir)
	}
	repo, err := gitrepo.Open(ctx, runner, w.Root)
	if err != nil {
		return files, users // without a repository there is no release
	}
	_ = filepath.WalkDir(filepath.Join(repo.Common, State), func(file string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, is := strings.CutSuffix(e.Name(), ".lock")
			if is && !strings.HasSuffix(name, ".journal") { // that is held while files are replaced: nothing else is under way
				files, users = append(files, file), append(users, "a "+name)
			}
		}
		return nil // without this folder there is none, either
	})
	return files, users
}

// hold keeps others from the folders that are emptied, until free is called. Stopped where one of them is at work.
func hold(ctx context.Context, runner command.Runner, w *workspace.Workspace) (free func(), err error) {
	var held []func()
	free = func() {
		for _, release := range held {
			release()
		}
	}
	files, users := locks(ctx, runner, w)
	for i, file := range files {
		release, err := journal.Hold(file)
		switch {
		case errors.Is(err, journal.ErrLocked):
			free()
			return nil, operr.NewStopped("wait until it has ended, then run `mage clean`", "nothing was removed: %s is under way, %w", users[i], err)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission): // who may not take it has nothing under way here, either
		case err != nil:
			free()
			return nil, err
		default:
			held = append(held, release)
		}
	}
	return free, nil
}
