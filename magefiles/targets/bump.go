package targets

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// bumpFlags are those of version:plan, version:bump and app:upgrade.
type bumpFlags struct {
	to, only, ranges, plan                            *string
	fixDrift, changelog, commit, tag, asJSON, assumed *bool
}

func text(flag *string) string {
	if flag == nil {
		return ""
	}
	return *flag
}

// request reads the flags.
func (f bumpFlags) request() (bump.Request, error) {
	r := bump.Request{To: text(f.to), Only: text(f.only), FixDrift: isSet(f.fixDrift), Changelog: isSet(f.changelog), Date: today()}
	switch text(f.ranges) {
	case "":
	case "raise":
		r.Raise = true
	default:
		return r, operr.NewUsage("say -ranges=raise, or leave it out", "-ranges=%s: there is only raise", text(f.ranges))
	}
	return r, nil
}

// bumping is what a bump works with.
type bumping struct {
	*app
	store *bump.Store
	repo  *gitrepo.Repo // nil outside of git
	w     *workspace.Workspace
}

// bumping takes back what a killed run has left behind, and then reads the workspace.
func (a *app) bumping(ctx context.Context) (*bumping, error) {
	b := &bumping{app: a}
	repo, err := gitrepo.Open(ctx, a.runner, a.dir)
	switch {
	case err == nil:
		b.repo, b.store = repo, &bump.Store{Top: repo.Top, Dir: filepath.Join(repo.Dir, folders.State)}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !errors.Is(err, gitrepo.ErrOutside):
		return nil, err
	default:
		root, err := workspace.Root(a.dir)
		if err != nil {
			return nil, err
		}
		b.store = &bump.Store{Top: root, Dir: filepath.Join(root, workspace.PixiDir, folders.State)}
	}
	said, err := b.store.Recover()
	if err != nil {
		return nil, err
	}
	if said != "" {
		a.view.Say("%s", said)
	}
	if b.w, err = a.workspace(); err != nil {
		return nil, err
	}
	if b.repo != nil {
		b.repo.Pass = b.w.Config.Pass
	}
	prefix, err := filepath.Rel(b.store.Top, b.w.Root)
	if err != nil {
		return nil, err
	}
	if prefix != "." {
		b.store.Prefix = filepath.ToSlash(prefix)
	}
	return b, nil
}

// history is nil outside of git, and not a nil *gitrepo.Repo.
func (b *bumping) history() bump.History {
	if b.repo == nil {
		return nil
	}
	return history{Repo: b.repo, prefix: b.store.Prefix}
}

// history gives package bump the commits of a repository, as it wants them.
type history struct {
	*gitrepo.Repo
	prefix string
}

// historyOf is the history of a workspace that lies where its repository was opened.
func historyOf(repo *gitrepo.Repo) bump.History { return history{Repo: repo, prefix: repo.Prefix} }

// Log implements bump.History.
func (h history) Log(ctx context.Context, since string) ([]bump.Commit, error) {
	commits, err := h.Repo.Log(ctx, since)
	out := make([]bump.Commit, len(commits))
	for i, c := range commits {
		out[i] = bump.Commit{Hash: c.Hash[:min(len(c.Hash), 7)], Subject: c.Subject, Body: c.Body}
		for _, p := range c.Paths {
			if rel, inside := strings.CutPrefix("/"+p, strings.TrimSuffix("/"+h.prefix, "/")+"/"); inside {
				out[i].Paths = append(out[i].Paths, rel)
			}
		}
	}
	return out, err
}

// plan works a bump out, or reads the one that a file has and looks whether it still holds.
func (b *bumping) plan(ctx context.Context, f bumpFlags, req bump.Request) (*bump.Plan, error) {
	if text(f.plan) == "" {
		p, err := bump.New(ctx, b.w, req, b.history())
		if err == nil && b.repo != nil {
			p.NoteGoModules(b.repo.Top)
		}
		return p, err
	}
	if req.To != "" || req.Only != "" {
		return nil, operr.NewUsage("leave -to and -only out", "-plan=%s says where to go", text(f.plan))
	}
	p, err := bump.ReadPlan(text(f.plan))
	if err != nil {
		return nil, err
	}
	return p, p.Check(b.w)
}

func (a *app) versionPlan(ctx context.Context, f bumpFlags) error {
	req, err := f.request()
	if err != nil {
		return err
	}
	b, err := a.bumping(ctx)
	if err != nil {
		return err
	}
	p, err := b.plan(ctx, f, req)
	if err != nil {
		return err
	}
	if isSet(f.asJSON) {
		return a.view.JSON(p)
	}
	a.view.Plan(p, false)
	if p.Empty() && len(p.Notes) == 0 {
		a.view.Line("nothing to change: %s", already(p))
	}
	return nil
}

func already(p *bump.Plan) string {
	var tags []string
	for _, t := range p.Tags {
		tags = append(tags, t.Name)
	}
	if tags == nil {
		return "every version and every pin is as it was asked for"
	}
	return "everything is at " + strings.Join(tags, ", ") + " already"
}
