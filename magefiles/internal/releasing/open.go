package releasing

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// open makes what release, status and undo work with. With the lock, what a killed run left behind is taken back.
func (r Releaser) open(ctx context.Context, locked bool) (*release.Release, func(), error) {
	repo, err := gitrepo.Open(ctx, r.Runner, r.Dir)
	if err != nil {
		return nil, nil, err
	}
	unlock := func() {}
	if locked {
		var killed time.Time
		if unlock, killed, err = trace.Lock(filepath.Join(repo.Common, folders.State)); err != nil {
			return nil, nil, err
		}
		if err := r.unlockGit(ctx, repo, killed); err != nil {
			unlock()
			return nil, nil, err
		}
	}
	one, err := r.equip(ctx, filepath.Join(repo.Dir, folders.State), locked)
	if err == nil && locked {
		one.Repo.Noting(notesOf(repo))
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return one, unlock, nil
}

// notesOf is where the gits of a release are noted while they are at work. It goes with the lock, which all work trees share.
func notesOf(repo *gitrepo.Repo) string { return filepath.Join(repo.Common, folders.State, "git") }

// unlockGit removes the locks that git left behind when it was killed together with us.
func (r Releaser) unlockGit(ctx context.Context, repo *gitrepo.Repo, killed time.Time) error {
	if killed.IsZero() {
		return nil
	}
	repo.Noting(notesOf(repo))
	removed, err := repo.Unlock(ctx)
	if len(removed) > 0 {
		r.View.Say("a release was killed while git was at work: removed %s", strings.Join(removed, ", "))
	}
	return err
}

// bumping reads the workspace, once what a killed run has left behind is taken back.
func (r Releaser) bumping(ctx context.Context) (*bumping.Bumper, error) {
	return bumping.Open(ctx, bumping.Config{
		Runner:  r.Runner,
		Dir:     r.Dir,
		View:    r.View,
		Confirm: r.Confirm,
	})
}

// equip gives a release what it works with. One that writes is refused where that would go wrong.
func (r Releaser) equip(ctx context.Context, state string, writes bool) (*release.Release, error) {
	b, err := r.bumping(ctx)
	if err != nil {
		return nil, err
	}
	if writes {
		if err := r.mayWrite(ctx, b); err != nil {
			return nil, err
		}
	}
	hub, err := r.Hub(ctx, b.Repo, b.Workspace)
	if err != nil {
		return nil, err
	}
	if writes {
		r.Channels.ToPublish()
	}
	cache, err := r.Cache()
	if err != nil {
		return nil, err
	}
	one := &release.Release{Reporter: r.View}
	var fetched []string
	one.Means = release.Means{
		Cache:    cache,
		Pycache:  r.Pycache,
		Repo:     b.Repo,
		Store:    b.Store,
		Runner:   r.Runner,
		Root:     b.Workspace.Root,
		Name:     b.Workspace.Manifest.Name,
		Dir:      filepath.Join(b.Workspace.Root, workspace.OutputDir, "release"),
		State:    state,
		Builds:   publishing.BuildsOf(b.Repo),
		Tool:     r.Tool,
		History:  b.History(),
		GitHub:   hub,
		Say:      r.View.Say,
		Progress: r.View.Progress(),
		Readable: r.Readable,
		Fetching: func() []string { return fetched },
		Wait:     pause.Wait{Tell: r.View.Waiting},
		Tools: func(ctx context.Context, w *workspace.Workspace, environments string) (t toolchain.Toolchain, err error) {
			uploads := cmp.Or(one.Publish, w.Config.Publish) == settings.PublishHere
			t, fetched, err = r.Tools(ctx, w, environments, uploads)
			return t, err
		},
		Channel: func(w *workspace.Workspace) (publish.Destination, error) { return r.Channels.Of(w) },
		Trial:   func(w *workspace.Workspace) publish.Trial { return r.Trial(r.Channels.NameOf(w)) },
	}
	return one, nil
}

// mayWrite refuses a clone in which links lead our folders elsewhere, and one of a rehearsal that would reach another channel.
func (r Releaser) mayWrite(ctx context.Context, b *bumping.Bumper) error {
	if err := folders.Check(ctx, r.Runner, b.Workspace); err != nil {
		return err
	}
	client, err := r.Channels.Client()
	if err != nil {
		//lint:ignore nilerr preflight says so
		return nil
	}
	return publishing.NotRehearsed(b.Repo, client.Server())
}
