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

// atWork is a note of a git of ours that may take locks: it is written before that begins, and removed once it has ended. One that
// stays tells of a kill.
type atWork struct {
	Dir   string    `json:"dir"`  // git's folder of the work tree
	Verb  string    `json:"verb"` // what it was to do
	Since time.Time `json:"since"`
}

// notes tells the names of one process's notes apart.
var notes atomic.Int64

// Noting has every git of this repository that may take locks noted in a folder, which one process at a time has.
func (r *Git) Noting(dir string) { r.notes = dir }

// takes are the locks that a verb may leave behind, as path.Match has patterns: those of a work tree, and those that all work trees
// share, where one ends with a slash for all below. What only asks takes none, and has no note.
var takes = map[string]struct{ tree, common []string }{
	"commit":       {[]string{"index.lock", "next-index-*.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"revert":       {[]string{"index.lock", "next-index-*.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"reset":        {[]string{"index.lock", "*HEAD.lock"}, []string{"refs/heads/"}},
	"restore":      {[]string{"index.lock"}, nil},
	"status":       {[]string{"index.lock"}, nil}, // which refreshes the index where it can
	"update-index": {[]string{"index.lock"}, nil},
	"tag":          {nil, []string{"refs/tags/", "packed-refs.lock"}},
	"push":         {nil, []string{"refs/remotes/", "packed-refs.lock"}},
	"fetch":        {[]string{"FETCH_HEAD.lock"}, []string{"refs/remotes/", "refs/tags/", "packed-refs.lock", "shallow.lock"}},
}

// noted notes a call, and returns what takes the note away.
func (r *Git) noted(args []string) (ended func()) {
	verb := ""
	for _, a := range args {
		if verb = a; !strings.HasPrefix(a, "-") {
			break
		}
	}
	if _, may := takes[verb]; !may || r.notes == "" {
		return func() {}
	}
	text, err := json.Marshal(atWork{Dir: r.Dir, Verb: verb, Since: time.Now()})
	file := filepath.Join(r.notes, fmt.Sprintf("%d-%d", os.Getpid(), notes.Add(1)))
	if err == nil {
		err = errors.Join(os.MkdirAll(r.notes, 0o755), os.WriteFile(file, text, 0o644))
	}
	if err != nil {
		return func() {} // then a lock stays that a kill leaves, and git says so
	}
	return func() { _ = os.Remove(file) }
}

// Unlock removes the lock files that gits of ours left behind when they were killed, and returns their names. A git of ours left one
// if it was noted and its note is still there, if it takes such a lock, and if the lock was made since; and nobody may be at work with
// it now. Every other lock stays: it is somebody else's. The caller has what Noting asks for.
//
// Git removes its locks when it is asked to end, and can't when it is killed outright. Then each later git says "Another git
// process seems to be running in this repository", and leaves the rest to people.
func (r *Git) Unlock(context.Context) (removed []string, err error) {
	files, err := filepath.Glob(filepath.Join(r.notes, "*"))
	if err != nil || r.notes == "" {
		return nil, err
	}
	for _, file := range files {
		var w atWork
		text, err := os.ReadFile(file)
		if err != nil {
			return removed, err
		}
		if json.Unmarshal(text, &w) == nil && r.isTree(w.Dir) { // else it was killed over its note, before git began
			some, err := r.left(w)
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

// isTree reports whether a folder is git's own for one of the work trees.
func (r *Git) isTree(dir string) bool {
	return dir == r.Dir || dir == r.Common || filepath.Dir(dir) == filepath.Join(r.Common, "worktrees")
}

// left removes the locks that one git of ours left.
func (r *Git) left(w atWork) (removed []string, err error) {
	locks, err := w.locks(r.Common)
	if err != nil {
		return nil, err
	}
	for _, lock := range locks {
		if other := gitAt(lock, r.Top, r.Common, topOf(w.Dir)); other != "" {
			return removed, operr.NewStopped("wait until it has ended", "another git (%s) is at work in %s", other, r.Top)
		}
		if err := os.Remove(lock); err != nil && !os.IsNotExist(err) {
			return removed, err
		}
		removed = append(removed, filepath.Base(lock))
	}
	return removed, nil
}

// coarse is how much earlier than the clock of programs the one that files are stamped by may be.
const coarse = 20 * time.Millisecond

// locks are those that are there, that it takes, and that were made since it began.
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

// locksBelow finds lock files below a folder, which need not be there.
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

// topOf is the top of the work tree that a folder of git's is of; "" where that does not say.
func topOf(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "gitdir"))
	if err != nil && filepath.Base(dir) == ".git" {
		return filepath.Dir(dir) // the main one
	}
	if err != nil {
		return ""
	}
	return filepath.Dir(strings.TrimSpace(string(text)))
}

// gitAt names a process that has a lock open, whatever its program, or a running git whose working folder is in one of the folders; ""
// where there is none, or where the system does not tell.
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
