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

// `open` sets up a release for release, status and undo. If locked, it takes the lock and cleans up after a killed run.
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
		one.Repo.RecordIn(recordsOf(repo))
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return one, unlock, nil
}

// recordsOf returns the folder with the records of a release's running git commands. It is next to the lock, which protects it and which all work trees
// share.
func recordsOf(repo *gitrepo.Repo) string { return filepath.Join(repo.Common, folders.State, "git") }

// unlockGit removes the lock files that git commands left behind when they were killed together with this program.
func (r Releaser) unlockGit(ctx context.Context, repo *gitrepo.Repo, killed time.Time) error {
	if killed.IsZero() {
		return nil
	}
	repo.RecordIn(recordsOf(repo))
	removed, err := repo.Unlock(ctx)
	if len(removed) > 0 {
		r.View.Say("a release was killed while git was at work: removed %s", strings.Join(removed, ", "))
	}
	return err
}

// bumping opens the workspace, after reverting what a killed run left behind.
func (r Releaser) bumping(ctx context.Context) (*bumping.Bumper, error) {
	return bumping.Open(ctx, bumping.Config{
		Runner:  r.Runner,
		Dir:     r.Dir,
		View:    r.View,
		Confirm: r.Confirm,
	})
}

// equip returns a release with all its inputs. If the release writes, it first checks that writing is safe.
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

// mayWrite returns an error if symbolic links redirect our folders, or if a rehearsal's clone would publish to a real channel.
func (r Releaser) mayWrite(ctx context.Context, b *bumping.Bumper) error {
	if err := folders.Check(ctx, r.Runner, b.Workspace); err != nil {
		return err
	}
	client, err := r.Channels.Client()
	if err != nil {
		//lint:ignore nilerr preflight reports this error
		return nil
	}
	return publishing.RefuseRehearsal(b.Repo, client.Server())
}
