// Package gitrepo asks a git repository what the pipeline has to know of it: where it is, what is committed, since when.
// Everything is done by git itself, with the user's configuration.
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
	runner command.Runner
}

// Open finds the work tree that dir belongs to.
func Open(ctx context.Context, r command.Runner, dir string) (*Repo, error) {
	repo := &Repo{Top: dir, runner: r}
	out, err := repo.git(ctx, "rev-parse", "--show-toplevel", "--show-prefix")
	if errors.Is(err, command.ErrNotFound) {
		return nil, operr.New("install git", "there is no git on PATH")
	}
	if err != nil {
		return nil, operr.New("run `git init` and commit the workspace", "%s is not in a git repository: %w", dir, err)
	}
	top, prefix, _ := strings.Cut(out, "\n")
	repo.Top, repo.Prefix = filepath.FromSlash(top), strings.TrimSuffix(prefix, "/")
	return repo, nil
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
		return Head{}, operr.New("commit the workspace first", "%s has no commit yet: %w", r.Top, err)
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

// Changes returns the paths, relative to Top, that differ from HEAD or that git does not know and does not ignore.
func (r *Repo) Changes(ctx context.Context) ([]string, error) {
	out, err := r.git(ctx, "status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, line := range strings.Split(out, "\x00") {
		if len(line) > 3 {
			paths = append(paths, line[3:])
		}
	}
	return paths, nil
}

// Clone makes a clone of what is committed in dir, which must not exist, and checks out HEAD there. It shares no file
// with the original.
func (r *Repo) Clone(ctx context.Context, dir string) error {
	_, err := r.git(ctx, "-c", "advice.detachedHead=false", "clone", "--quiet", "--no-local", r.Top, dir)
	if err != nil {
		return operr.New("see what git says there", "cloning %s: %w", r.Top, err)
	}
	return nil
}

func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	return command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: args, Dir: r.Top})
}
