// Package gitrepo asks a git repository what the pipeline has to know of it: where it is, what is committed, since when,
// what is tagged; and it commits and tags. Everything is done by git itself.
//
// A person's settings are of two kinds. Hooks, signatures, the identity and the encoding are their will: they count where
// something is committed, tagged, reverted or pushed. All others must not change what is released: git is asked by commands
// for programs, in the C locale, with settings of ours where there is no such command.
//
//	gitrepo.go outside.go    which repository it is, and why git refuses one
//	index.go tracked.go status.go    what git knows, and what differs from the commit
//	history.go past.go touched.go ancestry.go    what was committed, when, by which commit, and before which
//	between.go      which files differ between two commits, and what a commit has of them
//	commit.go back.go     commits and tags, and the way back from them
//	propose.go      a commit on no branch, and what a branch has that another one has not
//	export.go       files of a commit in a folder
//	trouble.go tagtrouble.go underway.go    what keeps a commit or a tag from being made
//
// The packages below it have one job each: gitclone makes clones, lacking finds what such a clone, or a work tree, has not got, overlay
// brings what is not committed to a clone, gitremote asks, fetches and pushes, and internal/git is how git is run, here and there.
package gitrepo

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Repo is a git work tree. How git is run in it is known by package git; what else is done with it, by the packages below this one.
type Repo struct {
	git.Git
	index string // absolute path of the index
	cache *entryCache
}

// At is the work tree of a folder that is known to be the top of one. Nothing is asked: only Top is set.
func At(runner command.Runner, top string) *Repo {
	return &Repo{Git: git.Git{Top: top, Runner: runner}, cache: &entryCache{}}
}

// Open finds the work tree that dir belongs to. Where there is none, ErrOutside is in the chain of the error. A repository
// that git refuses, or cannot use, is another error.
func Open(ctx context.Context, r command.Runner, dir string) (*Repo, error) {
	repo := At(r, dir)
	out, err := repo.Ask(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir", "--git-path", "index")
	if err != nil {
		return nil, repo.refusal(ctx, dir, err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) != 5 {
		return nil, operr.New("give it a path without line breaks", "finding the repository of %s: git said %q", dir, out)
	}
	for i, line := range lines {
		lines[i] = filepath.FromSlash(line)
		if i > 2 && !filepath.IsAbs(lines[i]) {
			lines[i] = filepath.Join(dir, lines[i])
		}
	}
	repo.Top, repo.Prefix, repo.Dir = lines[0], strings.TrimSuffix(filepath.ToSlash(lines[1]), "/"), lines[2]
	repo.Common, repo.index = lines[3], lines[4]
	if err := repo.other(dir); err != nil {
		return nil, err
	}
	return repo, nil
}

// FromTop gives folders relative to what Open was given their paths from Top; "." is Top itself.
func (r *Repo) FromTop(dirs []string) (out []string) {
	for _, d := range dirs {
		if at := path.Join(r.Prefix, d); !strings.HasPrefix(at, "..") {
			out = append(out, at)
		}
	}
	return out
}

// Head is the commit that is checked out.
type Head struct {
	Commit string    // 40 or 64 hex digits
	Branch string    // "" when it is detached
	Time   time.Time // the committer's
}

// Short is the abbreviated commit, for people.
func (h Head) Short() string { return git.Short(h.Commit) }

// Head returns the commit that is checked out. ErrNoCommit is in the chain of the error where nothing was committed yet.
func (r *Repo) Head(ctx context.Context) (Head, error) {
	ref, onBranch, err := r.Answer(ctx, "symbolic-ref", "--quiet", "HEAD")
	if err != nil {
		return Head{}, git.Failed(err, "reading HEAD of %s", r.Top)
	}
	out, err := r.Ask(ctx, "rev-list", "--max-count=1", "--timestamp", "HEAD", "--")
	if err != nil {
		if onBranch && r.unborn(ctx, ref) {
			return Head{}, operr.New("commit the workspace first", "%s has no commit yet%w", r.Top, git.Silent(ErrNoCommit))
		}
		return Head{}, git.Failed(err, "reading the commit of %s", r.Top)
	}
	seconds, commit, _ := strings.Cut(out, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return Head{}, operr.New("run `git fsck`", "reading the commit of %s: git said %q", r.Top, out)
	}
	return Head{Commit: commit, Branch: strings.TrimPrefix(ref, "refs/heads/"), Time: time.Unix(unix, 0).UTC()}, nil
}

// unborn reports whether a branch is one without a commit, and not one that cannot be read.
func (r *Repo) unborn(ctx context.Context, ref string) bool {
	out, err := r.Ask(ctx, "for-each-ref", "--format=%(refname)", "--", ref)
	if err != nil || out != "" {
		return false
	}
	_, err = os.Lstat(filepath.Join(r.Common, filepath.FromSlash(ref))) // git passes over a file that it cannot read
	return os.IsNotExist(err)
}

// Identity returns the name and address that commits are made under; an error where git does not know them.
func (r *Repo) Identity(ctx context.Context) (string, error) {
	var who string
	for _, variable := range []string{"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"} {
		out, err := r.Ask(ctx, "var", variable)
		if err != nil {
			return "", operr.New("`git config user.name …` and `git config user.email …`", "git does not know who commits: %w", err)
		}
		who, _, _ = strings.Cut(out, ">")
	}
	return who + ">", nil
}

// AddressOf is the address in an identity, as Identity returns it.
func AddressOf(identity string) string {
	return strings.TrimSuffix(identity[strings.LastIndex(identity, "<")+1:], ">")
}
