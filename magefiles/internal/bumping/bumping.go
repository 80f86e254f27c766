// Package bumping implements the user interface of `version:bump`: it resumes an unfinished run, shows the plan, asks for confirmation, and
// shows the result. Package bump makes the changes.
//
//	bumping.go  opens the workspace, after reverting the changes of a killed run, and makes the plan
//	history.go  adapts the repository's history for package bump
//	take.go     performs a bump or an upgrade, and shows the result
package bumping

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// View prints output for the user. view.View implements it.
type View interface {
	Say(format string, args ...any)     // progress
	Line(format string, args ...any)    // a line of the result
	Heading(format string, args ...any) // highlighted line
	Next(format string, args ...any)    // last line: the next step for the user
	Plan(p *bump.Plan, brief bool)
}

// Config configures a Bumper.
type Config struct {
	Runner command.Runner
	Dir    string // folder in which the program was started
	View   View

	// Unfinished returns the title of the unfinished release of the work tree with this state folder, or "" if there is none. If Unfinished is nil,
	// no release is unfinished.
	Unfinished func(state string) (title string, err error)

	// Confirm asks the user. It returns an error if the answer is no.
	Confirm func(ctx context.Context, question string) error
	Quiet   bool // the output is read by a program, so the plan is not shown before the question
}

// Bumper bumps a workspace.
type Bumper struct {
	Config
	Store     *bump.Store
	Repo      *gitrepo.Repo // nil outside of git
	Workspace *workspace.Workspace
}

// Open reverts the changes of a killed run, and then loads the workspace.
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

// Plan makes a plan, or reads one from a file and checks that it is still valid.
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
		return nil, operr.NewUsage("omit -to and -only", "-plan=%s cannot be combined with -to or -only, because the plan already has the new version", file)
	}
	p, err := bump.ReadPlan(file)
	if err != nil {
		return nil, err
	}
	return p, p.Check(b.Workspace)
}

// WithChangelog requests a changelog section if the workspace has a changelog. A manifest may configure another name for the changelog, but the
// manifests are not read yet. IfThere covers this case.
func WithChangelog(req bump.Request, root string) bump.Request {
	if at, err := changelog.Find(root, ""); err != nil || at.There {
		req.Changelog = true
		return req
	}
	req.IfThere = true
	return req
}

// Raises parses the value of -ranges. It reports whether ranges that exclude the new version should be raised.
func Raises(word string) (bool, error) {
	if word != "" && word != "raise" {
		return false, operr.NewUsage("pass -ranges=raise, or omit -ranges", "-ranges=%s is not a known value: the only value is raise", word)
	}
	return word != "", nil
}

// CommandFor returns the command line for a plan: a bump, or a release proposal if releases land by pull requests.
func (b *Bumper) CommandFor(req bump.Request) string {
	if b.byPull() {
		return "mage release -pr " + req.Flags() // a proposal does not fix drift, and writes the changelog if it exists
	}
	line := "mage version:bump " + req.Flags()
	if req.FixDrift {
		line += " -fixDrift"
	}
	switch {
	case req.NoChangelog:
		line += " -changelog=false"
	case req.Changelog && !req.ReadsCommits(): // auto writes the changelog anyway
		line += " -changelog"
	}
	return line
}

// byPull reports whether releases land on the branch by pull requests.
func (b *Bumper) byPull() bool {
	return b.Repo != nil && b.Workspace.Config.Land == settings.LandByPull
}

// DescribeNoChange returns a sentence about a plan that changes nothing. It names the plan's tags.
func DescribeNoChange(p *bump.Plan) string {
	var tags []string
	for _, t := range p.Tags {
		tags = append(tags, t.Name)
	}
	if tags == nil {
		return "every version and every pin already has the requested value"
	}
	return "everything is at " + strings.Join(tags, ", ") + " already"
}

// AfterNothing returns the next step after a plan that changes nothing. If the versions in the manifests have no tags, the next step releases these
// versions.
func (b *Bumper) AfterNothing(ctx context.Context, p *bump.Plan) string {
	const show = "`mage version:show`"
	if b.Repo == nil || len(p.Tags) == 0 {
		return show
	}
	tags, err := b.Repo.Tags(ctx)
	if err != nil {
		return show
	}
	return cmp.Or(nextstep.Unreleased(b.Workspace, tags), show)
}
