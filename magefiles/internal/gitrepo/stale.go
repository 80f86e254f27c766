package gitrepo

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Unlock removes the lock files that a git of ours left behind when it was killed: those made since a time, when we are
// known to have been at work here, if no git runs in this repository now, in none of its work trees. It returns their names.
//
// Git removes its locks when it is asked to end, and can't when it is killed outright. Then each later git says "Another git
// process seems to be running in this repository", and leaves the rest to people.
func (r *Repo) Unlock(ctx context.Context, since time.Time) (removed []string, err error) {
	others, err := filepath.Glob(filepath.Join(r.Common, "worktrees", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range append([]string{r.Common}, others...) {
		locks, err := locksIn(dir, since)
		if err != nil {
			return removed, err
		}
		for _, lock := range locks {
			if other := gitAt(r.Top, r.Common, topOf(dir)); other != "" {
				return removed, operr.NewStopped("wait until it has ended", "another git (%s) is at work in %s", other, r.Top)
			}
			if err := os.Remove(lock); err != nil && !os.IsNotExist(err) {
				return removed, err
			}
			removed = append(removed, filepath.Base(lock))
		}
	}
	return removed, nil
}

// topOf is the top of the work tree that a folder of git's is of; "" where that does not say.
func topOf(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "gitdir"))
	if err != nil {
		return ""
	}
	return filepath.Dir(strings.TrimSpace(string(text)))
}

// locksIn finds lock files by name where git makes them: in its folder, and below refs and reftable.
func locksIn(dir string, since time.Time) (locks []string, err error) {
	add := func(path string, d fs.DirEntry) {
		if st, err := d.Info(); err == nil && !d.IsDir() && strings.HasSuffix(path, ".lock") && !st.ModTime().Before(since) {
			locks = append(locks, path)
		}
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		add(filepath.Join(dir, e.Name()), e)
	}
	if err != nil {
		return nil, err
	}
	for _, below := range []string{"refs", "reftable"} {
		err = filepath.WalkDir(filepath.Join(dir, below), func(path string, d fs.DirEntry, err error) error {
			if err == nil {
				add(path, d)
			} else if os.IsNotExist(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return locks, err
		}
	}
	return locks, nil
}

// gitAt names a running git whose working folder is in one of the folders; "" where there is none, or where the system does
// not tell.
func gitAt(dirs ...string) string {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		program, err := os.ReadFile(filepath.Join(p, "comm"))
		if err != nil || !strings.HasPrefix(string(program), "git") {
			continue
		}
		cwd, err := os.Readlink(filepath.Join(p, "cwd"))
		for _, dir := range dirs {
			if err == nil && dir != "" && (cwd == dir || strings.HasPrefix(cwd, dir+string(filepath.Separator))) {
				return "process " + filepath.Base(p)
			}
		}
	}
	return ""
}
