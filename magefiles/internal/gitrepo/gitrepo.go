// Package gitrepo asks a git repository what the pipeline has to know of it: where it is, what is committed, since when,
// what is tagged; and it commits and tags. Everything is done by git itself, with the user's configuration and hooks.
package gitrepo

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Repo is a git work tree.
type Repo struct {
	Top    string // absolute path of the work tree's top
	Prefix string // path from Top to the folder that Open was given, with slashes; "" for the top itself
	Dir    string // absolute path of the folder that git keeps for this work tree; nothing in it is ever committed
	index  string // absolute path of the index
	runner command.Runner
}

// Open finds the work tree that dir belongs to.
func Open(ctx context.Context, r command.Runner, dir string) (*Repo, error) {
	repo := &Repo{Top: dir, runner: r}
	out, err := repo.git(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-path", "index")
	if errors.Is(err, command.ErrNotFound) {
		return nil, operr.New("install git", "there is no git on PATH")
	}
	if err != nil {
		return nil, sentence(err, "not a git repository", "run `git init` and commit the workspace", dir+" is not in a git repository")
	}
	lines := strings.Split(out, "\n")
	if len(lines) != 4 {
		return nil, operr.New("see what git says there", "finding the repository of %s: git said %q", dir, out)
	}
	repo.Top, repo.Prefix = filepath.FromSlash(lines[0]), strings.TrimSuffix(lines[1], "/")
	repo.Dir, repo.index = filepath.FromSlash(lines[2]), filepath.FromSlash(lines[3])
	if !filepath.IsAbs(repo.index) {
		repo.index = filepath.Join(dir, repo.index)
	}
	return repo, nil
}

// sentence stands in place of what git ended with. Git's own words go with it, unless they are the usual ones, which say
// the same.
func sentence(err error, usual, next, summary string) error {
	var exit *command.ExitError
	if !errors.As(err, &exit) {
		return operr.New(next, "%s: %w", summary, err)
	}
	if said := exit.Tail; !strings.Contains(said, usual) {
		return operr.New(next, "%s", summary).WithDetail(said)
	}
	return operr.New(next, "%s", summary)
}

// Head is the commit that is checked out.
type Head struct {
	Commit string    // 40 or 64 hex digits
	Branch string    // "" when it is detached
	Time   time.Time // the committer's
}

// Short is the abbreviated commit, for people.
func (h Head) Short() string { return h.Commit[:min(len(h.Commit), 12)] }

// Head returns the commit that is checked out.
func (r *Repo) Head(ctx context.Context) (Head, error) {
	out, err := r.git(ctx, "show", "--no-patch", "--no-show-signature", "--format=%H %ct", "HEAD")
	if err != nil {
		return Head{}, sentence(err, "HEAD", "commit the workspace first", r.Top+" has no commit yet")
	}
	commit, seconds, _ := strings.Cut(out, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return Head{}, operr.New("see what git says there", "reading the commit of %s: git said %q", r.Top, out)
	}
	branch, err := r.git(ctx, "symbolic-ref", "--quiet", "--short", "HEAD")
	if err != nil {
		branch = ""
	}
	return Head{Commit: commit, Branch: branch, Time: time.Unix(unix, 0).UTC()}, nil
}

// Identity returns the name and address that commits are made under; an error where git does not know them.
func (r *Repo) Identity(ctx context.Context) (string, error) {
	var who string
	for _, variable := range []string{"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"} {
		out, err := r.git(ctx, "var", variable)
		if err != nil {
			return "", operr.New("`git config user.name …` and `git config user.email …`", "git does not know who commits: %w", err)
		}
		who, _, _ = strings.Cut(out, ">")
	}
	return who + ">", nil
}

// Changes returns the paths, relative to Top, that differ from HEAD or that git does not know and does not ignore.
func (r *Repo) Changes(ctx context.Context) ([]string, error) {
	return r.status(ctx, "--untracked-files=all")
}

// Clone makes a clone of what is committed in dir, which must not exist, and checks out HEAD there, with the submodules that
// this machine has. It shares no file with the original.
func (r *Repo) Clone(ctx context.Context, dir string) error {
	_, err := r.git(ctx, "-c", "advice.detachedHead=false", "clone", "--quiet", "--no-local", r.Top, dir)
	if err != nil {
		return operr.New("see what git says there", "cloning %s: %w", r.Top, err)
	}
	return r.Fill(ctx, dir)
}

// CloneAt is Clone for a commit that HEAD may not be: it is checked out on no branch.
func (r *Repo) CloneAt(ctx context.Context, dir, commit string) error {
	_, err := r.git(ctx, "clone", "--quiet", "--no-local", "--no-checkout", r.Top, dir)
	if err == nil {
		err = r.carry(ctx, r.origin(ctx).own(), dir)
	}
	if err == nil {
		err = r.checkOut(ctx, dir, commit)
	}
	if err != nil {
		return operr.New("see what git says there", "cloning %s at %s: %w", r.Top, short(commit), err)
	}
	return r.Fill(ctx, dir)
}

func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	return command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: args, Dir: r.Top, Gentle: true})
}
