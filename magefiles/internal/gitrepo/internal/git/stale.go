package git

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// atWork records a git process that may take locks. The record is written before git starts and removed after it ends. A record that remains means
// that git was killed.
type atWork struct {
	Dir   string    `json:"dir"`  // the work tree's git folder
	Verb  string    `json:"verb"` // the git command, such as commit
	Since time.Time `json:"since"`
}

// `recorded` counts the records, so that their file names are unique within a process.
var recorded atomic.Int64

// RecordIn enables records for git processes that may take locks, and sets the folder for them. The folder must not be used by two processes at once.
func (r *Git) RecordIn(dir string) { r.records = dir }

// `takes` lists the lock files that a git command may leave, as patterns for path.Match, relative to the work tree's git folder and to the common
// one. A pattern with a trailing slash matches all lock files below a folder. Read-only commands take no locks, and are not recorded.
var takes = map[string]struct{ tree, common []string }{
	"commit":       {[]string{"index.lock", "next-index-*.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"revert":       {[]string{"index.lock", "next-index-*.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"reset":        {[]string{"index.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"restore":      {[]string{"index.lock"}, nil},
	"status":       {[]string{"index.lock"}, nil}, // status updates the index
	"update-index": {[]string{"index.lock"}, nil},
	"tag":          {nil, []string{"refs/tags/", "packed-refs.lock"}},
	"push":         {nil, []string{"refs/remotes/", "packed-refs.lock"}},
	"fetch":        {[]string{"FETCH_HEAD.lock"}, []string{"refs/remotes/", "refs/tags/", "packed-refs.lock", "shallow.lock"}},
}

// recordCall records a call, and returns a function that removes the record.
func (r *Git) recordCall(args []string) (ended func()) {
	verb := ""
	for _, a := range args {
		if verb = a; !strings.HasPrefix(a, "-") {
			break
		}
	}
	if _, may := takes[verb]; !may || r.records == "" {
		return func() {}
	}
	text, err := json.Marshal(atWork{Dir: r.Dir, Verb: verb, Since: time.Now()})
	file := filepath.Join(r.records, fmt.Sprintf("%d-%d", os.Getpid(), recorded.Add(1)))
	if err == nil {
		err = errors.Join(os.MkdirAll(r.records, 0o755), os.WriteFile(file, text, 0o644))
	}
	if err != nil {
		return func() {} // without a record, a lock remains after a kill, and git reports it
	}
	return func() { _ = os.Remove(file) }
}

// Unlock removes lock files that our own git processes left when they were killed, and returns the names of these files. A lock is ours if a
// record remains whose command takes this lock, and if the lock was made after the command started. A lock that may still be in use is an error.
// All other locks are kept, because another program may have made them. The caller must have exclusive use of RecordIn's folder.
//
// Git removes its locks when it is terminated, but not when it is killed with SIGKILL. After that, every git command prints "Another git process
// seems to be running in this repository", and the user must remove the lock.
func (r *Git) Unlock(context.Context) (removed []string, err error) {
	files, err := filepath.Glob(filepath.Join(r.records, "*"))
	if err != nil || r.records == "" {
		return nil, err
	}
	for _, file := range files {
		var w atWork
		text, err := os.ReadFile(file)
		if err != nil {
			return removed, err
		}
		if json.Unmarshal(text, &w) == nil && r.isTree(w.Dir) { // otherwise our process was killed while it wrote the record, before git started
			some, err := r.removeLocks(w)
			if removed = append(removed, some...); err != nil {
				return removed, err
			}
		}
		if err := os.Remove(file); err != nil {
			return removed, err
		}
	}
	return removed, nil
}

// isTree reports whether a folder is the git folder of a work tree of this repository.
func (r *Git) isTree(dir string) bool {
	return dir == r.Dir || dir == r.Common || filepath.Dir(dir) == filepath.Join(r.Common, "worktrees")
}

// removeLocks removes the locks that one recorded git process left.
func (r *Git) removeLocks(w atWork) (removed []string, err error) {
	locks, err := w.locks(r.Common)
	if err != nil {
		return nil, err
	}
	for _, lock := range locks {
		if other := gitAt(lock, r.Top, r.Common, topOf(w.Dir)); other != "" {
			return removed, operr.NewStopped("wait until the other git process has ended", "another git process (%s) is running in %s", other, r.Top)
		}
		if err := os.Remove(lock); err != nil && !os.IsNotExist(err) {
			return removed, err
		}
		removed = append(removed, filepath.Base(lock))
	}
	return removed, nil
}

// coarse is how far file times may be behind the system clock.
const coarse = 20 * time.Millisecond

// locks returns the lock files that this command takes, and that were made after it started.
func (w atWork) locks(common string) (locks []string, err error) {
	add := func(file string, info fs.FileInfo) {
		if info.Mode().IsRegular() && !info.ModTime().Before(w.Since.Add(-coarse)) && !slices.Contains(locks, file) {
			locks = append(locks, file)
		}
	}
	kinds := takes[w.Verb]
	for _, at := range []struct {
		dir      string
		patterns []string
	}{{w.Dir, kinds.tree}, {common, kinds.common}} {
		dir := at.dir
		for _, pattern := range at.patterns {
			if strings.HasSuffix(pattern, "/") {
				err = errors.Join(err, locksBelow(filepath.Join(dir, pattern), add), locksBelow(filepath.Join(dir, "reftable"), add))
				continue
			}
			entries, readErr := os.ReadDir(dir)
			err = errors.Join(err, readErr)
			for _, e := range entries {
				matches, _ := path.Match(pattern, e.Name())
				if info, statErr := e.Info(); matches && statErr == nil {
					add(filepath.Join(dir, e.Name()), info)
				}
			}
		}
	}
	slices.Sort(locks)
	return locks, err
}

// locksBelow calls add for the lock files below a folder, which need not exist.
func locksBelow(dir string, add func(file string, info fs.FileInfo)) error {
	return filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if info, err := d.Info(); err == nil && strings.HasSuffix(file, ".lock") {
			add(file, info)
		}
		return nil
	})
}

// topOf returns the top of the work tree that a git folder belongs to, or "" if it cannot be determined.
func topOf(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "gitdir"))
	if err != nil && filepath.Base(dir) == ".git" {
		return filepath.Dir(dir) // the main work tree
	}
	if err != nil {
		return ""
	}
	return filepath.Dir(strings.TrimSpace(string(text)))
}

// gitAt returns a description of a process that has the lock file open, or of a git process whose working directory is in one of the folders. It
// returns "" if there is none, or if there is no /proc file system.
func gitAt(lock string, dirs ...string) string {
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		name := "process " + filepath.Base(p)
		files, _ := filepath.Glob(filepath.Join(p, "fd", "*"))
		for _, f := range files {
			if open, err := os.Readlink(f); err == nil && open == lock {
				return name
			}
		}
		program, err := os.ReadFile(filepath.Join(p, "comm"))
		if err != nil || !strings.HasPrefix(string(program), "git") {
			continue
		}
		cwd, err := os.Readlink(filepath.Join(p, "cwd"))
		for _, dir := range dirs {
			if err == nil && dir != "" && (cwd == dir || strings.HasPrefix(cwd, dir+string(filepath.Separator))) {
				return name
			}
		}
	}
	return ""
}
