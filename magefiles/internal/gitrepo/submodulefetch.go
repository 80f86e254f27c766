package gitrepo

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// take checks a submodule out: from this machine, or from its address where that may be asked.
func (f *filler) take(ctx context.Context, from module, dir, at, commit string) bool {
	for _, local := range from.dirs {
		// After `git submodule deinit` its configuration still names a work tree, which pack-objects would enter, and which is gone.
		ours := call{
			args:     []string{"--upload-pack=env GIT_WORK_TREE=. git -c uploadpack.allowAnySHA1InWant=true upload-pack", "--", local, commit},
			settings: []string{"protocol.file.allow=always"}, // it is ours
		}
		if f.fetchInto(ctx, dir, commit, local, ours) == nil {
			return true
		}
	}
	if !f.address(at) || context.Cause(ctx) != nil {
		return false
	}
	if from.url == "" || strings.HasPrefix(from.url, "-") {
		f.failed[at] = noAddress
		return false
	}
	theirs := careful("--", from.url, commit)
	err := f.fetchInto(ctx, dir, commit, "", theirs)
	if err != nil {
		theirs.args = []string{"--", from.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}
		err = f.fetchInto(ctx, dir, commit, "", theirs)
	}
	if err != nil {
		f.failed[at] = wordsOf(err)
	}
	return err == nil
}

// careful is a call with an address that others have committed: as with `git submodule`, it may name neither a file nor a
// program, unless the person's settings allow that.
func careful(args ...string) call { return call{args: args, set: []string{"GIT_PROTOCOL_FROM_USER=0"}} }

// wordsOf is what git said when it failed.
func wordsOf(err error) string { return cmp.Or(operr.DetailOf(err), err.Error()) }

// Unobtainable returns those submodules, of what is lacking in this work tree, that a clone of it could not get either: this
// machine has none of them, and where they come from does not answer. What is in another submodule is left to the clone.
func (r *Repo) Unobtainable(ctx context.Context, lacks []Lack) (found []Lack) {
	f, m, settings := &filler{Repo: r}, r.origin(), r.submodules(ctx)
	m.url = r.originURL(ctx)
	for _, l := range lacks {
		if l.Kind != Missing || !l.Submodule || r.inSubmodule(l.Path) {
			continue
		}
		from := f.modules(ctx, m, l.Path, settings[l.Path])
		switch {
		case len(from.dirs) > 0:
			continue
		case from.url == "" || strings.HasPrefix(from.url, "-"):
			l.Detail = noAddress
		default:
			_, err := r.talk(ctx, careful("ls-remote", "--quiet", "--", from.url, "HEAD"))
			if err == nil || ctx.Err() != nil {
				continue
			}
			l.Detail = wordsOf(err)
		}
		found = append(found, l)
	}
	return found
}

// inSubmodule reports whether a path is below the folder of a submodule that is checked out.
func (r *Repo) inSubmodule(name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if r.isCheckedOut(dir) {
			return true
		}
	}
	return false
}

const noAddress = ".gitmodules has no address for it"

// fetchInto makes a repository of an empty folder, fetches, and checks the commit out; or leaves the folder empty. fetch has the
// arguments behind those of every fetch.
func (f *filler) fetchInto(ctx context.Context, dir, commit, local string, fetch call) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dir))
		}
	}()
	format := "sha1"
	if len(commit) > 40 {
		format = "sha256"
	}
	sub := &Repo{Top: dir, runner: f.runner}
	if _, err := sub.git(ctx, "init", "--quiet", "--template=", "--object-format="+format, "--initial-branch=main"); err != nil {
		return err
	}
	for _, s := range asCommitted {
		key, value, _ := strings.Cut(s, "=")
		if _, err := sub.git(ctx, "config", "--", key, value); err != nil {
			return err
		}
	}
	carry := func() error { return f.carry(ctx, local, dir) }
	if local == "" { // the ways to addresses; what is secret stays where it is
		carry = func() error { return f.copyConfig(ctx, f.Common, dir, `^url\.|^core\.sshcommand$`) }
	}
	if err := carry(); err != nil {
		return err
	}
	fetch.args = append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}, fetch.args...)
	if _, err := sub.talk(ctx, fetch); err != nil {
		return err
	}
	// A push that looks whether submodules are out has to see that this one is.
	if _, err := sub.git(ctx, "update-ref", "--", "refs/remotes/origin/recorded", commit); err != nil {
		return err
	}
	return sub.checkOut(ctx, commit)
}

// empty removes what is in a folder.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
