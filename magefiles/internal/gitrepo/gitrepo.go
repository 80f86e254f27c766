// Package gitrepo asks a git repository what the pipeline has to know of it: where it is, what is committed, since when,
// what is tagged; and it commits, tags, pushes and clones. Everything is done by git itself.
//
// A person's settings are of two kinds. Hooks, signatures, the identity and the encoding are their will: they count where
// something is committed, tagged, reverted or pushed. All others must not change what is released: git is asked by commands
// for programs, in the C locale, with settings of ours where there is no such command.
//
//	git.go between.go    how git is run, and what its errors say
//	gitrepo.go outside.go    which repository it is, and why git refuses one
//	index.go tracked.go status.go    what git knows, and what differs from the commit
//	history.go past.go touched.go ancestry.go    what was committed, when, by which commit, and before which
//	commit.go push.go remote.go      commits and tags, here and on a remote
//	limit.go        how long a remote may take
//	trouble.go tagtrouble.go underway.go    what keeps a commit or a tag from being made
//	clone.go export.go filters.go    a commit in a folder of its own
//	laid.go bring.go ignored.go tagged.go settled.go    what a build sees there besides the commit
//	renew.go        such a clone, for the next build
//	submodules.go submodulefetch.go  the submodules in such a clone
//	lacking.go lackingfiles.go lackingsubmodules.go    files that git did not put into a work tree
//	own.go          folders that are written to, and links at them that git knows
//	stale.go        locks that a killed git has left
package gitrepo

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Repo is a git work tree.
type Repo struct {
	Top    string   // absolute path of the work tree's top
	Prefix string   // path from Top to the folder that Open was given, with slashes; "" for the top itself
	Dir    string   // absolute path of the folder that git keeps for this work tree; nothing in it is ever committed
	Common string   // absolute path of the folder that git keeps for all work trees of the repository; Dir in the main one
	Pass   []string // variables that may hold a credential, and that hooks get nevertheless: [tool.release] pass
	index  string   // absolute path of the index
	runner command.Runner
	notes  string // folder of the notes of gits at work; "" where none are made
}

// Open finds the work tree that dir belongs to. Where there is none, ErrOutside is in the chain of the error. A repository
// that git refuses, or cannot use, is another error.
func Open(ctx context.Context, r command.Runner, dir string) (*Repo, error) {
	repo := &Repo{Top: dir, runner: r}
	out, err := repo.git(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir", "--git-path", "index")
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

// Head is the commit that is checked out.
type Head struct {
	Commit string    // 40 or 64 hex digits
	Branch string    // "" when it is detached
	Time   time.Time // the committer's
}

// Short is the abbreviated commit, for people.
func (h Head) Short() string { return h.Commit[:min(len(h.Commit), 12)] }

// Head returns the commit that is checked out. ErrNoCommit is in the chain of the error where nothing was committed yet.
func (r *Repo) Head(ctx context.Context) (Head, error) {
	ref, onBranch, err := r.answer(ctx, "symbolic-ref", "--quiet", "HEAD")
	if err != nil {
		return Head{}, failed(err, "reading HEAD of %s", r.Top)
	}
	out, err := r.git(ctx, "rev-list", "--max-count=1", "--timestamp", "HEAD", "--")
	if err != nil {
		if onBranch && r.unborn(ctx, ref) {
			return Head{}, operr.New("commit the workspace first", "%s has no commit yet%w", r.Top, silent{error: ErrNoCommit})
		}
		return Head{}, failed(err, "reading the commit of %s", r.Top)
	}
	seconds, commit, _ := strings.Cut(out, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return Head{}, operr.New("run `git fsck`", "reading the commit of %s: git said %q", r.Top, out)
	}
	return Head{Commit: commit, Branch: strings.TrimPrefix(ref, "refs/heads/"), Time: time.Unix(unix, 0).UTC()}, nil
}

// unborn says whether a branch is one without a commit, and not one that cannot be read.
func (r *Repo) unborn(ctx context.Context, ref string) bool {
	out, err := r.git(ctx, "for-each-ref", "--format=%(refname)", "--", ref)
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
		out, err := r.git(ctx, "var", variable)
		if err != nil {
			return "", operr.New("`git config user.name …` and `git config user.email …`", "git does not know who commits: %w", err)
		}
		who, _, _ = strings.Cut(out, ">")
	}
	return who + ">", nil
}
