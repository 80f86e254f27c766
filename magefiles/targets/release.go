package targets

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Release takes the packages from a version to what people can install, and goes on with a release that is unfinished.
func Release(ctx context.Context,
	to *string, // patch, minor, major, auto (from the commits), a, b, rc, dev, post, or a version; none goes on with the unfinished one
	only *string, // one package, where versions are independent
	ranges *string, // raise: raise ranges that would not admit the new version
	publish *string, // here or ci, in place of [tool.release] publish
	yes *bool, // do not ask
	json *bool, // print one JSON object
) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		return a.release(ctx, bumpFlags{to: to, only: only, ranges: ranges, assumed: yes, asJSON: json}, orZero(publish))
	})
}

func (a *app) release(ctx context.Context, f bumpFlags, by string) error {
	req, err := f.request()
	if err != nil {
		return err
	}
	if err := isPublisher(by); err != nil {
		return err
	}
	return answer(a, isSet(f.asJSON), func() (result release.Result, err error) {
		r, unlock, err := a.newRelease(ctx, true)
		if err != nil {
			return result, err
		}
		defer unlock()
		r.Request, r.Publish = withChangelog(req, r.Root), by
		r.Confirm = func(ctx context.Context, p *plan.Plan) error { return a.confirmRelease(ctx, r, p, isSet(f.assumed)) }
		return r.Run(ctx)
	}, func(result release.Result) { a.reportRelease(ctx, result) })
}

// isPublisher refuses a word that does not say who publishes; "" leaves it to the manifest.
func isPublisher(by string) error {
	if by != "" && by != workspace.PublishHere && by != workspace.PublishCI {
		return operr.NewUsage("say -publish=here or -publish=ci", "-publish=%s does not say who publishes", by)
	}
	return nil
}

// withChangelog has the changelog written where there is one.
func withChangelog(req bump.Request, root string) bump.Request {
	if _, err := os.Lstat(filepath.Join(root, bump.ChangelogFile)); err == nil {
		req.Changelog = true
	}
	return req
}

// newRelease makes what release, status and undo work with. With the lock, what a killed run left behind is taken back.
func (a *app) newRelease(ctx context.Context, locked bool) (*release.Release, func(), error) {
	repo, state, err := a.repository(ctx)
	if err != nil {
		return nil, nil, err
	}
	unlock := func() {}
	if locked {
		var killed time.Time
		if unlock, killed, err = trace.Lock(filepath.Join(repo.Common, folders.State)); err != nil {
			return nil, nil, err
		}
		if err := a.unlockGit(ctx, repo, killed); err != nil {
			unlock()
			return nil, nil, err
		}
	}
	r, err := a.openRelease(ctx, state, locked)
	if err == nil && locked {
		r.Repo.Noting(notesOf(repo))
	}
	if err != nil {
		unlock()
		return nil, nil, err
	}
	return r, unlock, nil
}

// repository finds the clone, and the folder in it for what must be known of a run that was killed.
func (a *app) repository(ctx context.Context) (*gitrepo.Repo, string, error) {
	repo, err := gitrepo.Open(ctx, a.runner, a.dir)
	if err != nil {
		return nil, "", err
	}
	return repo, filepath.Join(repo.Dir, folders.State), nil
}

// notesOf is where the gits of a release are noted while they are at work. It goes with the lock, which all work trees share.
func notesOf(repo *gitrepo.Repo) string { return filepath.Join(repo.Common, folders.State, "git") }

// unlockGit removes the locks that git left behind when it was killed together with us.
func (a *app) unlockGit(ctx context.Context, repo *gitrepo.Repo, killed time.Time) error {
	if killed.IsZero() {
		return nil
	}
	repo.Noting(notesOf(repo))
	removed, err := repo.Unlock(ctx)
	if len(removed) > 0 {
		a.view.Say("a release was killed while git was at work: removed %s", strings.Join(removed, ", "))
	}
	return err
}

func (a *app) openRelease(ctx context.Context, state string, writes bool) (*release.Release, error) {
	b, err := a.bumping(ctx, bumpFlags{})
	if err != nil {
		return nil, err
	}
	if writes {
		if err := a.checkOwn(ctx, b.Workspace); err != nil {
			return nil, err
		}
		if client, err := a.channels.Client(); err == nil { // else preflight says so
			if err := publishing.NotRehearsed(b.Repo, client.Server()); err != nil {
				return nil, err
			}
		}
	}
	hub, err := a.hub(ctx, b.Repo, b.Workspace)
	if err != nil {
		return nil, err
	}
	if writes {
		a.channels.ToPublish()
	}
	var fetched []string
	r := &release.Release{Reporter: a.view}
	cache, err := a.cache()
	if err != nil {
		return nil, err
	}
	r.Means = release.Means{
		Cache:    filepath.Join(cache, sourcesDir),
		Repo:     b.Repo,
		Store:    b.Store,
		Runner:   a.runner,
		Root:     b.Workspace.Root,
		Name:     b.Workspace.Manifest.Name,
		Dir:      filepath.Join(b.Workspace.Root, workspace.OutputDir, "release"),
		State:    state,
		Builds:   publishing.BuildsOf(b.Repo),
		Tool:     toolVersion(),
		History:  b.History(),
		GitHub:   hub,
		Say:      a.view.Say,
		Progress: a.view.Progress(),
		Readable: readable,
		Fetching: func() []string { return fetched },
		Wait:     pause.Wait{Tell: a.view.Waiting},
		Tools: func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error) {
			a.uploads = cmp.Or(r.Publish, w.Config.Publish) == workspace.PublishHere
			fetched = fetching(command.Unset(a.runner.Environ(), a.keptFromPixi()...))
			return a.pick(ctx, w, environments)
		},
		Channel: func(w *workspace.Workspace) (publish.Channel, error) {
			return a.channels.Of(w)
		},
		Trial: func(w *workspace.Workspace) publish.Trial { return trial(a.channels.NameOf(w)) },
	}
	return r, nil
}

// confirmRelease shows what is going to happen, and asks.
func (a *app) confirmRelease(ctx context.Context, r *release.Release, p *plan.Plan, yes bool) error {
	a.view.Plan(p.Bump, true)
	by := "CI publishes to " + p.Channel + ", and it is watched"
	if r.GitHub.Client == nil {
		by = "CI is to publish to " + p.Channel + ", which is waited for (this CI cannot be asked from here)"
	}
	if r.By() == workspace.PublishHere {
		by = "published from here to " + p.Channel
	}
	a.view.Heading("\n%s: checked and built; then tagged and pushed to %s/%s; %s; verified", p.Title, p.Remote, p.Branch, by)
	if len(p.Along) > 0 {
		var names []string
		for _, pkg := range p.Along {
			names = append(names, pkg.Name+" "+pkg.Version)
		}
		a.view.Line("published along, and not tagged, since the channel has no such version: %s", strings.Join(names, ", "))
	}
	if p.Unpushed > 0 {
		a.view.Line("%s that %s not on %s yet, and will be pushed along", operr.Count(p.Unpushed, "commit"), map[bool]string{true: "is", false: "are"}[p.Unpushed == 1], p.Remote)
	}
	return a.confirm(ctx, yes, fmt.Sprintf("Release %s?", p.Title))
}

func (a *app) reportRelease(ctx context.Context, result release.Result) {
	if result.Already {
		a.view.Heading("%s is released: %s has it; nothing was changed", result.Plan.Title, result.Channel)
		return
	}
	a.view.Heading("\n%s is released, at commit %.12s", result.Plan.Title, result.Commit)
	if result.Plan.Bump.Empty() {
		a.view.Line("no commit was made: the manifests were at %s already", result.Plan.Title)
	}
	var specs []string
	for _, p := range result.Packages {
		a.view.Line("  %s %s  %s  sha256 %.12s…", p.Name, p.Version, p.URL, p.SHA256)
		specs = append(specs, fmt.Sprintf("%q", p.Name+"=="+p.Version))
	}
	if result.GitHub != "" {
		a.view.Line("  %s", result.GitHub)
	}
	private := false
	w, err := a.workspace()
	if err == nil {
		if c, err := a.channels.Of(w); err == nil {
			private, _ = c.Private(ctx) // it was read before: this is known
		}
	}
	a.view.Line("%s", toInstall(result.Channel, specs, private))
}

// toInstall is how people install what was released.
func toInstall(channel string, specs []string, private bool) string {
	how := fmt.Sprintf("To install it: pixi workspace channel add %s && pixi add %s", channel, strings.Join(specs, " "))
	if u, err := url.Parse(channel); private && err == nil {
		how += fmt.Sprintf("\nThe channel is private: who installs from it is a member of it, and runs `pixi auth login %s` once", u.Hostname())
	}
	return how
}
