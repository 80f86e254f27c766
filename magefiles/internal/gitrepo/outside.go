package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrOutside means that neither the folder nor a parent folder is in a git repository. If git refuses a repository, Open returns another error.
var ErrOutside = errors.New("outside of git")

// ErrNoCommit means that the repository has no commit yet, or none with the given name.
var ErrNoCommit = errors.New("no such commit")

// place is the location of a repository that look found.
type place struct {
	path   string // path of .git, which is a file or a folder, or of a bare repository
	folder bool   // whether path is the folder that was searched: a bare repository, or a folder inside .git
}

// look searches a folder and its parents for a repository, as git does, but without running git. It also finds a repository that git would refuse. It
// returns an error if a folder cannot be read.
func look(dir string) (*place, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir) // git walks up from the resolved path
	}
	if err != nil {
		return nil, err
	}
	for {
		git := filepath.Join(dir, ".git")
		switch _, err := os.Lstat(git); {
		case err == nil:
			return &place{path: git}, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case isGitFolder(dir):
			return &place{path: dir, folder: true}, nil
		case dir == filepath.Dir(dir):
			return nil, nil
		}
		dir = filepath.Dir(dir)
	}
}

var headText = regexp.MustCompile(`^(ref: ?refs/|[0-9a-f]{40})`)

// isGitFolder reports whether a folder is laid out like a .git folder.
func isGitFolder(dir string) bool {
	for _, sub := range []string{"objects", "refs"} {
		if st, err := os.Stat(filepath.Join(dir, sub)); err != nil || !st.IsDir() {
			return false
		}
	}
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	return err == nil && headText.Match(head)
}

// refusal returns Open's error for a folder in which git found no repository, or refused one.
func (r *Repo) refusal(ctx context.Context, dir string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	at, lookErr := look(dir)
	switch {
	case lookErr != nil:
		return operr.New("make this folder and its parent folders readable", "checking whether %s is in a git repository: %w", dir, lookErr)
	case at == nil:
		return operr.New("run `git init` and commit the workspace", "%s is not in a git repository%w", dir, git.Silent(ErrOutside))
	case errors.Is(err, command.ErrNotFound):
		return operr.New("install git", "%s is in a git repository, but there is no git on PATH", dir)
	case at.folder:
		return operr.New("run this command in a work tree of that repository, which `git clone` or `git worktree add` makes", "%s is in the git folder %s, where no files are checked out: %w", dir, at.path, err)
	}
	return operr.New(r.wayOut(at.path, dir), "git refuses the repository of %s: %w", filepath.Dir(at.path), err)
}

// checkRepository returns an error if git skipped the nearest repository and used one above it, or if the work tree is elsewhere. In both cases the
// files in dir are not the files that git would commit.
func (r *Repo) checkRepository(dir string) error {
	if !below(dir, r.Top) {
		return operr.New("`git config --unset core.worktree` in that repository, or run this command in "+r.Top, "%s is in the repository %s, but this repository has its files in %s", dir, r.Dir, r.Top)
	}
	at, err := look(dir)
	if err != nil || at == nil || at.folder {
		//lint:ignore nilerr git cannot have skipped a repository that is missing or unreadable
		return nil
	}
	mine, err := os.Stat(at.path)
	if err != nil || !mine.IsDir() {
		//lint:ignore nilerr git itself follows or refuses a .git file
		return nil
	}
	if theirs, err := os.Stat(r.Dir); err == nil && os.SameFile(mine, theirs) {
		return nil
	}
	return operr.New("repair the inner repository, or remove its .git if you do not need it", "git does not accept the repository of %s, and uses the repository of %s, a folder above, instead", filepath.Dir(at.path), r.Top)
}

// wayOut returns the next step for a repository that git refuses.
func (r *Repo) wayOut(folder, dir string) string {
	top := filepath.Dir(folder)
	env := r.Environ(nil)
	ceiling, _ := command.Getenv(env, "GIT_CEILING_DIRECTORIES")
	switch {
	case foreign(folder) || foreign(top):
		return "if you trust the user who owns the repository, run `git config --global --add safe.directory " + operr.Word(top) + "`"
	case ceiling != "" && !SameFile(top, dir):
		return "unset GIT_CEILING_DIRECTORIES=" + ceiling + ", which may hide the repository from git; or read git's message above"
	case device(top) != device(dir):
		return "set GIT_DISCOVERY_ACROSS_FILESYSTEM=1, because the repository is on another file system"
	}
	if f, err := os.Open(folder); err != nil {
		return "make the repository readable: " + strings.TrimPrefix(err.Error(), "open ")
	} else {
		f.Close()
	}
	return git.See + "; `git -C " + operr.Word(dir) + " status` prints the same error"
}

// `below` reports whether `dir` is `top`, or a folder in `top`.
func below(dir, top string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	for err == nil && !SameFile(real, top) {
		if real == filepath.Dir(real) {
			return false
		}
		real = filepath.Dir(real)
	}
	return err == nil
}

// SameFile reports whether two paths refer to the same existing file or folder.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// foreign reports whether a file is owned by a user other than the effective user.
func foreign(path string) bool {
	st, err := os.Lstat(path)
	if err != nil {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) != os.Geteuid()
}

// device returns the ID of the file system that contains a file, or 0 if it is unknown.
func device(path string) uint64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(sys.Dev) //nolint:unconvert // Dev has another type on other systems
}
