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

// ErrOutside is in the chain where no repository is in a folder or above it. That git refuses one is another error.
var ErrOutside = errors.New("outside of git")

// ErrNoCommit is in the chain where a repository has no commit yet, or none of a name.
var ErrNoCommit = errors.New("no such commit")

// place is where something of git's was found.
type place struct {
	path   string // ".git", a file or a folder, or a folder that is a git folder itself
	folder bool   // it is a git folder itself: a bare repository, or the inside of .git
}

// look finds the nearest repository in a folder or above it, as git does, by what stands in the file system. It does not
// matter whether git could use it; an error says that it cannot be seen whether there is one.
func look(dir string) (*place, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir) // git goes up from where it really is
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

// isGitFolder reports whether a folder is laid out as git lays out what others have in .git.
func isGitFolder(dir string) bool {
	for _, sub := range []string{"objects", "refs"} {
		if st, err := os.Stat(filepath.Join(dir, sub)); err != nil || !st.IsDir() {
			return false
		}
	}
	head, err := os.ReadFile(filepath.Join(dir, "HEAD"))
	return err == nil && headText.Match(head)
}

// refusal is the error of Open where git did not find a repository, or refuses the one that is there.
func (r *Repo) refusal(ctx context.Context, dir string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	at, lookErr := look(dir)
	switch {
	case lookErr != nil:
		return operr.New("make the folders above it readable", "whether %s is in a git repository cannot be seen: %w", dir, lookErr)
	case at == nil:
		return operr.New("run `git init` and commit the workspace", "%s is not in a git repository%w", dir, git.Silent(ErrOutside))
	case errors.Is(err, command.ErrNotFound):
		return operr.New("install git", "%s is in a git repository, and there is no git on PATH", dir)
	case at.folder:
		return operr.New("start it in a work tree of it: `git clone`, or `git worktree add`", "%s is in the git folder %s, where no files are checked out: %w", dir, at.path, err)
	}
	return operr.New(r.wayOut(at.path, dir), "git refuses the repository of %s: %w", filepath.Dir(at.path), err)
}

// other is the error where git passed over what is nearest, and took a repository that is further up, or one whose files are
// elsewhere: what lies in the folder is not what is committed there.
func (r *Repo) other(dir string) error {
	if !below(dir, r.Top) {
		return operr.New("`git config --unset core.worktree` there, or start it in "+r.Top, "the repository that %s is in, %s, has its files in %s", dir, r.Dir, r.Top)
	}
	at, err := look(dir)
	if err != nil || at == nil || at.folder {
		//lint:ignore nilerr what cannot be looked at is no repository that git passed over
		return nil
	}
	mine, err := os.Stat(at.path)
	if err != nil || !mine.IsDir() {
		//lint:ignore nilerr git follows a file, or refuses it
		return nil
	}
	if theirs, err := os.Stat(r.Dir); err == nil && os.SameFile(mine, theirs) {
		return nil
	}
	return operr.New("repair it, or remove it where it is left over", "git does not know the repository of %s, and takes the one of %s, which is above it", filepath.Dir(at.path), r.Top)
}

// wayOut is what to do about a repository that git refuses.
func (r *Repo) wayOut(folder, dir string) string {
	top := filepath.Dir(folder)
	env := r.Environ(nil)
	ceiling, _ := command.Getenv(env, "GIT_CEILING_DIRECTORIES")
	switch {
	case foreign(folder) || foreign(top):
		return "it belongs to another user: where you trust it, `git config --global --add safe.directory " + operr.Word(top) + "`"
	case ceiling != "" && !SameFile(top, dir):
		return "git may be kept from it by GIT_CEILING_DIRECTORIES=" + ceiling + ": unset it; or see what git says above"
	case device(top) != device(dir):
		return "it is on another file system: set GIT_DISCOVERY_ACROSS_FILESYSTEM=1"
	}
	if f, err := os.Open(folder); err != nil {
		return "make it readable: " + strings.TrimPrefix(err.Error(), "open ")
	} else {
		f.Close()
	}
	return git.See + "; `git -C " + operr.Word(dir) + " status` says it too"
}

// below reports whether a folder is another one, or in it.
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

// SameFile reports whether two paths are of the same file or folder, which is there.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// foreign reports whether a file belongs to another user than the one we run as.
func foreign(path string) bool {
	st, err := os.Lstat(path)
	if err != nil {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return ok && int(sys.Uid) != os.Geteuid()
}

// device is the file system that a file is on; 0 where that is not known.
func device(path string) uint64 {
	st, err := os.Stat(path)
	if err != nil {
		return 0
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return uint64(sys.Dev) //nolint:unconvert // it is of another type elsewhere
}
