// Package bumping is `version:bump` as a person sees it: what an earlier run left is taken up, the plan is shown and agreed to, and what
// was done is said. What a bump changes is package bump's.
//
//	bumping.go  the workspace, with what a killed run left taken back, and the plan
//	history.go  the commits of its repository
//	take.go     a bump and an upgrade, from the plan to what is said of them
package bumping

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// View is where a person reads. A view.View is one.
type View interface {
	Say(format string, args ...any)     // what is going on
	Line(format string, args ...any)    // a line of the result
	Heading(format string, args ...any) // one that stands out
	Next(format string, args ...any)    // the last one: what a person does next
	Plan(p *bump.Plan, brief bool)
}

// Config is what a bump is told.
type Config struct {
	Runner command.Runner
	Dir    string // where we were started
	View   View

	// Unfinished says which release the clone with this state folder has begun and not ended; "" where there is none. Nil: there are none.
	Unfinished func(state string) (title string, err error)

	// Confirm asks a person. Its error is the answer no.
	Confirm func(ctx context.Context, question string) error
	Quiet   bool // a program reads what was done: the plan is not shown before it is agreed to
}

// Bumper bumps one workspace.
type Bumper struct {
	Config
	Store     *bump.Store
	Repo      *gitrepo.Repo // nil outside of git
	Workspace *workspace.Workspace
}

// Open takes back what a killed run has left behind, and then reads the workspace.
func Open(ctx context.Context, c Config) (*Bumper, error) {
	b := &Bumper{Config: c}
	repo, err := gitrepo.Open(ctx, c.Runner, c.Dir)
	switch {
	case err == nil:
		b.Repo, b.Store = repo, &bump.Store{Top: repo.Top, Dir: filepath.Join(repo.Dir, folders.State)}
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case !errors.Is(err, gitrepo.ErrOutside):
		return nil, err
	default:
		root, err := workspace.Root(c.Dir)
		if err != nil {
			return nil, err
		}
		b.Store = &bump.Store{Top: root, Dir: filepath.Join(root, manifest.PixiDir, folders.State)}
	}
	said, err := b.Store.Recover()
	if err != nil {
		return nil, err
	}
	if said != "" {
		c.View.Say("%s", said)
	}
	if b.Workspace, err = workspace.Load(c.Dir); err != nil {
		return nil, err
	}
	if b.Repo != nil {
		b.Repo.Pass = b.Workspace.Config.Pass
	}
	prefix, err := filepath.Rel(b.Store.Top, b.Workspace.Root)
	if err != nil {
		return nil, err
	}
	if prefix != "." {
		b.Store.Prefix = filepath.ToSlash(prefix)
	}
	return b, nil
}

// Plan works a bump out, or reads the one that a file has and looks whether it still holds.
func (b *Bumper) Plan(ctx context.Context, req bump.Request, file string) (*bump.Plan, error) {
	if file == "" {
		p, err := bump.New(ctx, b.Workspace, req, b.History())
		if err != nil || b.Repo == nil {
			return p, err
		}
		p.NoteGoModules(b.Repo.Top)
		files, err := b.Repo.FilesBelow(ctx, b.Store.Prefix)
		p.NoteMentions(b.Workspace, files)
		return p, err
	}
	if req.To != "" || req.Only != "" {
		return nil, operr.NewUsage("leave -to and -only out", "-plan=%s says where to go", file)
	}
	p, err := bump.ReadPlan(file)
	if err != nil {
		return nil, err
	}
	return p, p.Check(b.Workspace)
}

// WithChangelog has the changelog written where a workspace has one. Whether it has one of a name that is configured is seen once its
// manifests are read.
func WithChangelog(req bump.Request, root string) bump.Request {
	if at, err := changelog.Find(root, ""); err != nil || at.There {
		req.Changelog = true
		return req
	}
	req.IfThere = true
	return req
}

// Raises reports whether ranges are to be raised that would not admit the new version, by the word of -ranges; "" leaves them.
func Raises(word string) (bool, error) {
	if word != "" && word != "raise" {
		return false, operr.NewUsage("say -ranges=raise, or leave it out", "-ranges=%s: there is only raise", word)
	}
	return word != "", nil
}

// CommandFor is the command line that brings what a plan is of: a bump, or, where releases land by pull requests, the proposal of one.
func (b *Bumper) CommandFor(req bump.Request) string {
	line := "mage version:bump -to=" + req.To
	if b.byPull() {
		line = "mage release -pr -to=" + req.To
	}
	if req.Only != "" {
		line += " -only=" + req.Only
	}
	if req.Raise {
		line += " -ranges=raise"
	}
	if b.byPull() {
		return line // it corrects nothing beside, and writes the changelog that there is
	}
	if req.FixDrift {
		line += " -fixDrift"
	}
	switch {
	case req.NoChangelog:
		line += " -changelog=false"
	case req.Changelog && !req.ReadsCommits(): // which writes it by itself
		line += " -changelog"
	}
	return line
}

// byPull reports whether what is released comes to the branch by a pull request.
func (b *Bumper) byPull() bool {
	return b.Repo != nil && b.Workspace.Config.Land == settings.LandByPull
}

// Already says where everything is, in a plan that changes nothing.
func Already(p *bump.Plan) string {
	var tags []string
	for _, t := range p.Tags {
		tags = append(tags, t.Name)
	}
	if tags == nil {
		return "every version and every pin is as it was asked for"
	}
	return "everything is at " + strings.Join(tags, ", ") + " already"
}
