// Package gitrepo reads a git repository's commits, tags and status, and makes commits and tags. It runs the git command for
// all of this.
//
// There are two kinds of user settings. Hooks, signing, the identity and the encoding apply whenever something is committed,
// tagged, reverted or pushed. All other settings must not affect a release. For this reason, gitrepo uses git's plumbing
// commands, in the C locale. If there is no plumbing command, it overrides the settings.
//
//	gitrepo.go outside.go    finding a repository, and the reasons why git refuses it
//	index.go tracked.go status.go    tracked files, and changes since the commit
//	history.go past.go touched.go ancestry.go    commits: their order, dates and changes
//	between.go      differences between two commits, and a commit's files
//	commit.go back.go     making and undoing commits and tags
//	propose.go      commits on no branch, and the commits that one branch has and another lacks
//	export.go       writing a commit's files to a folder
//	trouble.go tagtrouble.go underway.go    problems that prevent a commit or a tag
//
// Each package below it has one job: gitclone makes clones, lacking finds what is missing in a clone or a work tree, overlay
// copies uncommitted changes to a clone, gitremote queries, fetches and pushes, and internal/git runs git for all of them.
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

// Repo is a git work tree. The embedded Git runs git in it. The packages below gitrepo have more operations.
type Repo struct {
	git.Git
	index string // absolute path of the index
	cache *entryCache
}

// At returns the work tree with the given top folder. It does not run git, and sets only Top.
func At(runner command.Runner, top string) *Repo {
	return &Repo{Git: git.Git{Top: top, Runner: runner}, cache: &entryCache{}}
}

// Open finds the work tree that contains `dir`. If there is none, the error wraps ErrOutside. If git refuses or cannot use the repository, the error
// does not wrap ErrOutside.
func Open(ctx context.Context, r command.Runner, dir string) (*Repo, error) {
	repo := At(r, dir)
	out, err := repo.Ask(ctx, "rev-parse", "--show-toplevel", "--show-prefix", "--absolute-git-dir", "--git-common-dir", "--git-path", "index")
	if err != nil {
		return nil, repo.refusal(ctx, dir, err)
	}
	lines := strings.Split(out, "\n")
	if len(lines) != 5 {
		return nil, operr.New("move the repository to a path without line breaks", "cannot find the repository of %s: git answered %q", dir, out)
	}
	for i, line := range lines {
		lines[i] = filepath.FromSlash(line)
		if i > 2 && !filepath.IsAbs(lines[i]) {
			lines[i] = filepath.Join(dir, lines[i])
		}
	}
	repo.Top, repo.Prefix, repo.Dir = lines[0], strings.TrimSuffix(filepath.ToSlash(lines[1]), "/"), lines[2]
	repo.Common, repo.index = lines[3], lines[4]
	if err := repo.checkRepository(dir); err != nil {
		return nil, err
	}
	return repo, nil
}

// FromTop converts folders relative to Open's dir to paths relative to Top. Top itself is ".".
func (r *Repo) FromTop(dirs []string) (out []string) {
	for _, d := range dirs {
		if at := path.Join(r.Prefix, d); !strings.HasPrefix(at, "..") {
			out = append(out, at)
		}
	}
	return out
}

// Head describes the commit that is checked out.
type Head struct {
	Commit string    // 40 or 64 hex digits
	Branch string    // "" if HEAD is detached
	Time   time.Time // committer date
}

// Short returns the abbreviated hash, for display.
func (h Head) Short() string { return git.Short(h.Commit) }

// Head returns the commit that is checked out. If there is no commit yet, the error wraps ErrNoCommit.
func (r *Repo) Head(ctx context.Context) (Head, error) {
	ref, onBranch, err := r.Answer(ctx, "symbolic-ref", "--quiet", "HEAD")
	if err != nil {
		return Head{}, git.Failure(err, "reading HEAD of %s", r.Top)
	}
	out, err := r.Ask(ctx, "rev-list", "--max-count=1", "--timestamp", "HEAD", "--")
	if err != nil {
		if onBranch && r.unborn(ctx, ref) {
			return Head{}, operr.New("commit the workspace first", "%s has no commit yet%w", r.Top, git.Silent(ErrNoCommit))
		}
		return Head{}, git.Failure(err, "reading the commit of %s", r.Top)
	}
	seconds, commit, _ := strings.Cut(out, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return Head{}, operr.New("run `git fsck`", "cannot read the commit of %s: git answered %q", r.Top, out)
	}
	return Head{Commit: commit, Branch: strings.TrimPrefix(ref, "refs/heads/"), Time: time.Unix(unix, 0).UTC()}, nil
}

// unborn reports whether a branch has no commit yet. It returns false if the branch exists but cannot be read.
func (r *Repo) unborn(ctx context.Context, ref string) bool {
	out, err := r.Ask(ctx, "for-each-ref", "--format=%(refname)", "--", ref)
	if err != nil || out != "" {
		return false
	}
	_, err = os.Lstat(filepath.Join(r.Common, filepath.FromSlash(ref))) // for-each-ref skips a ref file that it cannot read
	return os.IsNotExist(err)
}

// Identity returns the name and address that git uses for commits. It returns an error if git has none.
func (r *Repo) Identity(ctx context.Context) (string, error) {
	var who string
	for _, variable := range []string{"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"} {
		out, err := r.Ask(ctx, "var", variable)
		if err != nil {
			return "", operr.New("set them with `git config user.name …` and `git config user.email …`", "git has no name or no email address for your commits: %w", err)
		}
		who, _, _ = strings.Cut(out, ">")
	}
	return who + ">", nil
}

// AddressOf returns the email address in an identity that Identity returned.
func AddressOf(identity string) string {
	return strings.TrimSuffix(identity[strings.LastIndex(identity, "<")+1:], ">")
}
