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

// locks returns the lock files of releases, deployments, deliveries, rehearsals and image builds in a workspace, and a description of each lock's
// holder. Some of the files may not exist. Locks of deployments and deliveries are in subfolders of the clone's state folder.
func locks(ctx context.Context, runner command.Runner, w *workspace.Workspace) (files, users []string) {
	output := filepath.Join(w.Root, workspace.OutputDir)
	files, users = []string{filepath.Join(output, "rehearsal", ".lock")}, []string{"a rehearsal"}
	for _, d := range w.Downstreams {
		files, users = append(files, filepath.Join(output, "images", d.Dir, "lock")), append(users, "a build of an image of "+d.Dir)
	}
	repo, err := gitrepo.Open(ctx, runner, w.Root)
	if err != nil {
		return files, users // without a repository there are no releases
	}
	_ = filepath.WalkDir(filepath.Join(repo.Common, State), func(file string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, is := strings.CutSuffix(e.Name(), ".lock")
			if is && !strings.HasSuffix(name, ".journal") { // .journal.lock is only held while files are replaced, and is not the lock of a run
				files, users = append(files, file), append(users, "a "+name)
			}
		}
		return nil // without this folder there are no locks
	})
	return files, users
}

// hold takes all of these locks. No other run can start until free is called. If another run is in progress, the error is an operr.Stopped.
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
			return nil, operr.NewStopped("wait until the other run has ended, then run `mage clean` again", "nothing was removed, because %s is under way: %w", users[i], err)
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission): // a user without permission to take the lock has no run in progress
		case err != nil:
			free()
			return nil, err
		default:
			held = append(held, release)
		}
	}
	return free, nil
}
