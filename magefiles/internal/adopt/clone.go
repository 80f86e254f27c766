package adopt

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/about"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// plan creates all files in a clone of HEAD, below tmp, and uses git there to find out which files differ.
func (a Adopter) plan(ctx context.Context, w *workspace.Workspace, repo *gitrepo.Repo, r Request, tmp string) (*Plan, error) {
	head, err := repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	p := &Plan{clone: filepath.Join(tmp, filepath.Base(repo.Top))}
	if err := a.git(ctx, tmp, "clone", "--quiet", "--template=", "--no-local", repo.Top, p.clone); err != nil {
		return nil, err
	}
	if err := gitclone.Fill(ctx, repo, p.clone); err != nil { // packages may have files in submodules, or be inside one
		return nil, err
	}
	folder, err := filepath.Rel(repo.Top, w.Root)
	if err != nil {
		return nil, err
	}
	p.folder = filepath.Join(p.clone, folder)
	if w, err = workspace.Load(p.folder); err != nil {
		return nil, operr.New("commit the manifests, and run this again: init plans its files for the last commit", "%w", err)
	}
	place, err := placeOf(p.clone, p.folder)
	if err != nil {
		return nil, err
	}
	p.Mage = place.Mage()
	if p.Found, err = find(ctx, w, p.clone, repo, head, r); err != nil {
		return nil, err
	}
	c := &changes{
		top:    p.clone,
		folder: folder,
		mage:   p.Mage,
		why:    map[string]string{},
		was:    map[string][]byte{},
	}
	if err := c.settings(p.Found, r); err != nil {
		return nil, err
	}
	if err := c.ignore(); err != nil {
		return nil, err
	}
	if w, err = workspace.Load(p.folder); err != nil { // with its new settings
		return nil, err
	}
	if err := a.module(ctx, c, place, p, w); err != nil {
		return nil, err
	}
	if p.Found.GitHub() {
		branch, err := ciwrite.DefaultBranch(ctx, repo, w) // the current branch is often a separate one for this change
		if err != nil {
			return nil, err
		}
		p.Ours, err = ciwrite.Plan(w, ciwrite.Settings{
			Top:    p.clone,
			Branch: branch,
			Module: place.Dir,
		})
		if err != nil {
			return nil, err
		}
		for _, f := range p.Ours {
			if f.State == ciwrite.Absent {
				err = c.write(f.Path, f.New, "a workflow file, as `mage ci:write` writes it")
			} else if f.State == ciwrite.Behind || f.State == ciwrite.Pins {
				p.Old = append(p.Old, f.Path+" is outdated: update this file with `"+p.Mage+" ci:write`")
			}
			if err != nil {
				return nil, err
			}
		}
	}
	p.Files, p.There, err = c.files(ctx, a, repo.Top)
	return p, err
}

// `files` returns the changes that git reports in the clone. `there` has the files that already exist as planned in the repository's work tree.
func (c *changes) files(ctx context.Context, a Adopter, top string) (files, there []File, err error) {
	if err := a.git(ctx, c.top, "add", "--all"); err != nil {
		return nil, nil, err
	}
	seen, err := command.Output(ctx, a.Runner, command.Cmd{Name: "git", Args: []string{"diff-index", "--cached", "--name-only", "-z", "HEAD", "--"}, Dir: c.top, Answers: true})
	if err != nil {
		return nil, nil, err
	}
	names := strings.FieldsFunc(seen, func(r rune) bool { return r == 0 })
	for path := range c.why {
		now, err := beneath.Read(filepath.Join(c.top, filepath.FromSlash(path)))
		if err != nil && !os.IsNotExist(err) {
			return nil, nil, err
		}
		if was, known := c.was[path]; known && string(was) == string(now) {
			continue // the file is already as planned
		}
		if !slices.Contains(names, path) {
			return nil, nil, operr.New("add the line `!/"+path+"` to .gitignore, and run this again", "init must write %s, but git ignores this file", path)
		}
	}
	for _, path := range names {
		f := File{
			Path: path,
			Why:  c.why[path],
		}
		if f.New, err = beneath.Read(filepath.Join(c.top, filepath.FromSlash(path))); err != nil {
			return nil, nil, err
		}
		was, known := c.was[path]
		now, err := beneath.Read(filepath.Join(top, filepath.FromSlash(path)))
		if known {
			f.Old = was
		}
		if err == nil && string(now) == string(f.New) {
			there = append(there, f)
			continue
		}
		if err == nil && (!known || string(now) != string(was)) {
			return nil, nil, operr.New("commit the file as it is now, or move it away, and run this again", "init must write %s, but the content of this file is not committed", path)
		}
		if err != nil && !os.IsNotExist(err) {
			return nil, nil, err
		}
		files = append(files, f)
	}
	return files, there, nil
}

// git runs git in a folder. Errors name the subcommand.
func (a Adopter) git(ctx context.Context, dir string, args ...string) error {
	err := a.Runner.Run(ctx, command.Cmd{Name: "git", Args: args, Dir: dir})
	if err != nil {
		return operr.New("fix what git reports, and run this again", "git %s: %w", args[0], err)
	}
	return nil
}

// rehearse commits the plan in the clone, and rehearses a release there.
func (a Adopter) rehearse(ctx context.Context, p *Plan) error {
	identity := []string{
		"GIT_AUTHOR_NAME=init", "GIT_AUTHOR_EMAIL=init@example.invalid", "GIT_COMMITTER_NAME=init", "GIT_COMMITTER_EMAIL=init@example.invalid",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0=" + os.DevNull, "GIT_CONFIG_KEY_1=commit.gpgSign", "GIT_CONFIG_VALUE_1=false",
	}
	err := a.Runner.Run(ctx, command.Cmd{
		Name: "git",
		Args: []string{"commit", "--quiet", "--message=" + message},
		Dir:  p.clone,
		Env:  a.environ(identity...),
	})
	if err != nil {
		return operr.New("fix what git reports, and run this again", "committing the planned files in a clone: %w", err)
	}
	return a.mage(ctx, p, "rehearse")
}

// environ returns the environment of child processes, plus the variables in `more`. It has no credentials for publishing, because the magefile may
// be third-party code. It includes the variables that modules and tasks may need.
func (a Adopter) environ(more ...string) []string {
	clean, _ := command.Withhold(a.Environ, "*")
	return command.Setenv(clean, more...)
}

// mage runs a target in the clone, as a user would. It prints the output without the next step, and without the path of a report that is removed
// with the clone. The error of a failed target has its next step.
func (a Adopter) mage(ctx context.Context, p *Plan, target string) error {
	var said about.Log
	out := about.Without(a.View.Inner(a.View.Out), func(line string) bool { return strings.HasPrefix(line, "Report: ") })
	told := about.Without(a.View.Inner(a.View.Err), about.ErrorAfter(func() bool { return ctx.Err() != nil }))
	words := strings.Fields(p.Mage)
	err := a.Runner.Run(ctx, command.Cmd{
		Name:   words[0],
		Args:   append(words[1:], target),
		Dir:    p.folder,
		Env:    a.environ(),
		Stdout: out,
		Stderr: io.MultiWriter(told, &said),
		Gentle: true,
	})
	if ended := errors.Join(out.EndLine(), told.EndLine()); err == nil {
		return ended
	}
	return operr.New(strings.ReplaceAll(said.Next(), "`mage ", "`"+p.Mage+" "), "%w", err)
}

// remoteOf returns the name and URL of the remote for releases: the configured one, or the only one. Both are "" if there is none.
func remoteOf(ctx context.Context, w *workspace.Workspace, repo *gitrepo.Repo) (name, address string, err error) {
	name = w.Config.Remote
	if address, err = gitremote.URL(ctx, repo, name); err == nil {
		return name, withoutUser(address), nil
	}
	all, err := repo.Ask(ctx, "remote")
	if err != nil {
		return "", "", err
	}
	if names := strings.Fields(all); len(names) == 1 {
		address, err = gitremote.URL(ctx, repo, names[0])
		return names[0], withoutUser(address), err
	}
	return "", "", nil
}

// withoutUser removes the user and password, which may be a token, from an http URL, so that it can be shown.
func withoutUser(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil || u.Scheme != "https" && u.Scheme != "http" {
		return address
	}
	u.User = nil
	return u.String()
}
