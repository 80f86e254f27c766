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

// Writing thousands of files takes longer than a build, so a borrowing clone is reused if its files are provably untouched. The .git folder is
// created again. The index is a copy that was saved before any build ran in the clone. It records each file's modification and change times and its
// inode.

// keptIndex and keptHow are files beside a clone. The first is a copy of its index. The second has a digest of the settings, and the commit, of its
// checkout.
const (
	keptIndex = "index"
	keptHow   = "how"
)

// Keep saves, beside `dir`, the state that Renew needs. `dir` is a clone of a commit that Borrow has just made. A clone with submodules is not kept.
func Keep(ctx context.Context, r *gitrepo.Repo, dir, commit string) error {
	how, err := digestOfHow(ctx, r)
	if err != nil {
		return err
	}
	_, err = keep(ctx, r, dir, commit, how)
	return err
}

// keep is like Keep, but takes the digest of the checkout's settings. It reports whether the clone was kept.
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

// copyIndex copies an index and its modification time, because git compares the contents of files that are newer than the index.
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

// digestOfHow returns a digest of all inputs, except the commit, that affect the contents of checked-out files.
func digestOfHow(ctx context.Context, r *gitrepo.Repo) (string, error) {
	settings, _, err := r.Answer(ctx, "config", "--null", "--get-regexp", `^(filter|lfs|core|extensions|working)\.`)
	if err != nil {
		return "", git.Failure(err, "reading the settings of %s", r.Top)
	}
	git, err := r.Ask(ctx, "version")
	sum := sha256.Sum256([]byte(r.Top + "\x00" + settings + "\x00" + git))
	return hex.EncodeToString(sum[:]), err
}

// errTouched means that a clone cannot be reused.
var errTouched = errors.New("the kept clone cannot be used again")

// Renew turns a kept clone, dir, into the clone that Borrow would make, and keeps it again. It removes all untracked files, ignored or not, and
// replaces all files that were touched. After any error, the caller must make a new clone.
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
	if old != commit { // the attributes decide how files are checked out, even files that did not change
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

// freshGit replaces a clone's .git folder with a new one.
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

// strict holds the settings with which git detects any modification of a file.
var strict = []string{"core.trustctime=true", "core.checkStat=default", "core.untrackedCache=false", "core.ignoreStat=false"}

// sweep removes everything that is not in the index, files that were touched since the index was written, and files whose mode git would not have
// given them. It does not follow symlinks.
func sweep(ctx context.Context, r *gitrepo.Repo) error {
	entries, err := r.Entries(ctx)
	if err != nil {
		return err
	}
	// Git compares contents only for files that were written in the same second as the index.
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
