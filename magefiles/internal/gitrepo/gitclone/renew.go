package gitclone

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Making thousands of files takes longer than a build. So what is left of a clone that borrows is used again, as far as it can be
// proved that nobody touched it: git's folder is made new; its index is the one that was kept before anybody else was there, and
// says of each file when it was last written or changed in any way, and where it lies on the disk.

// keptIndex and keptHow are the files beside a clone that say what was checked out there, and how.
const (
	keptIndex = "index"
	keptHow   = "how"
)

// Keep remembers beside a clone, dir, which Borrow has just made of a commit, what Renew needs to know of it. One with submodules
// is not kept.
func Keep(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	how, err := digestOfHow(ctx, r)
	if err != nil {
		return err
	}
	_, err = keep(ctx, r, dir, commit, how)
	return err
}

// keep is Keep for files that were checked out as how says. It reports whether the clone was kept.
func keep(ctx context.Context, r *gitrepo.Repo, dir, commit, how string) (kept bool, err error) {
	beside := filepath.Dir(dir)
	if err := os.RemoveAll(filepath.Join(beside, keptHow)); err != nil {
		return false, err
	}
	entries, err := gitrepo.At(r.Runner, dir).Entries(ctx)
	if err != nil || slices.ContainsFunc(entries, func(e gitrepo.Entry) bool { return e.Mode == gitrepo.LinkMode }) {
		return false, err
	}
	if err := copyIndex(filepath.Join(dir, ".git", "index"), filepath.Join(beside, keptIndex)); err != nil {
		return false, err
	}
	return true, os.WriteFile(filepath.Join(beside, keptHow), []byte(how+" "+commit), 0o600)
}

// copyIndex copies an index with its time: a file that was written after that is looked into.
func copyIndex(from, to string) error {
	st, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		return err
	}
	return os.Chtimes(to, st.ModTime(), st.ModTime())
}

// digestOfHow is a digest of what has a say in the bytes of files that are checked out, besides what is committed.
func digestOfHow(ctx context.Context, r *gitrepo.Repo) (string, error) {
	settings, _, err := r.Answer(ctx, "config", "--null", "--get-regexp", `^(filter|lfs|core|extensions|working)\.`)
	if err != nil {
		return "", git.Failed(err, "reading the settings of %s", r.Top)
	}
	git, err := r.Ask(ctx, "version")
	sum := sha256.Sum256([]byte(r.Top + "\x00" + settings + "\x00" + git))
	return hex.EncodeToString(sum[:]), err
}

// errTouched is in the chain where a clone cannot be used again.
var errTouched = errors.New("it has to be made new")

// Renew makes a clone that was kept, dir, what Borrow would make, and keeps it: nothing that was left in it stays, be it ignored or
// not, and no file that anybody has touched. Any error says that it has to be made new.
func Renew(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	beside := filepath.Dir(dir)
	kept, err := os.ReadFile(filepath.Join(beside, keptHow))
	if err != nil {
		return err
	}
	if st, err := os.Lstat(dir); err != nil || !st.IsDir() {
		return errors.Join(errTouched, err)
	}
	how, old, _ := strings.Cut(string(kept), " ")
	if now, err := digestOfHow(ctx, r); err != nil || now != how {
		return errors.Join(errTouched, err)
	}
	if old != commit { // files that are the same in both may have to be checked out otherwise
		rules, err := r.Ask(ctx, "diff-tree", "-r", "--name-only", "--end-of-options", old, commit, "--", ":(top,glob)**/.gitattributes", ":(top).gitmodules")
		if err != nil || rules != "" {
			return errors.Join(errTouched, err)
		}
	}
	if err := freshGit(ctx, r, dir, commit); err != nil {
		return err
	}
	if err := copyIndex(filepath.Join(beside, keptIndex), filepath.Join(dir, ".git", "index")); err != nil {
		return err
	}
	clone := gitrepo.At(r.Runner, dir)
	if err := sweep(ctx, clone); err != nil {
		return err
	}
	if err := checkOut(ctx, clone, commit); err != nil {
		return err
	}
	if kept, err := keep(ctx, r, dir, commit, how); err != nil || !kept {
		return errors.Join(errTouched, err)
	}
	return nil
}

// freshGit gives a clone a new folder of git's.
func freshGit(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	fresh := filepath.Join(filepath.Dir(dir), "fresh")
	git := filepath.Join(dir, ".git")
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(git)); err != nil {
		return err
	}
	defer os.RemoveAll(fresh)
	if err := clone(ctx, r, commit, r.Top, fresh); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(fresh, ".git"), git); err != nil {
		return err
	}
	return carry(ctx, r, r.Common, dir)
}

// strict are the settings under which git sees that a file was touched.
var strict = []string{"core.trustctime=true", "core.checkStat=default", "core.untrackedCache=false", "core.ignoreStat=false"}

// sweep removes all that is not in the index, and the files that were touched since that was written, or that have other permissions
// than those that git has just given to a new file. Nothing is removed through a link.
func sweep(ctx context.Context, r *gitrepo.Repo) error {
	entries, err := r.Entries(ctx)
	if err != nil {
		return err
	}
	// It does not compare contents, but for a file that was written in the second in which the index was.
	touched, err := r.Call(ctx, git.Call{Args: []string{"diff-files", "--name-only", "-z"}, Settings: strict})
	if err != nil {
		return err
	}
	files, folders := map[string]bool{}, map[string]bool{".": true}
	for _, e := range entries {
		files[e.Path] = true
		for dir := path.Dir(e.Path); !folders[dir]; dir = path.Dir(dir) {
			folders[dir] = true
		}
	}
	for name := range strings.SplitSeq(touched, "\x00") {
		delete(files, name)
	}
	fresh, err := os.Stat(filepath.Join(r.Top, ".git", "HEAD"))
	if err != nil {
		return err
	}
	plain := fresh.Mode().Perm()
	folder := plain | plain&0o444>>2
	return filepath.WalkDir(r.Top, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(r.Top, file)
		if err != nil || name == ".git" {
			return cmp.Or(err, filepath.SkipDir)
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		perm := st.Mode().Perm()
		switch {
		case d.IsDir() && !folders[name]:
			if err := os.RemoveAll(file); err != nil {
				return err
			}
			return filepath.SkipDir
		case d.IsDir() && perm != folder:
			return os.Chmod(file, folder)
		case !d.IsDir() && !files[name], d.Type().IsRegular() && perm != plain && perm != folder:
			return os.Remove(file)
		}
		return nil
	})
}
