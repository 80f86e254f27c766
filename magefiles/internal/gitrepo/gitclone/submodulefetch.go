package gitclone

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// take checks a submodule out: from this machine, or from its address where that may be asked.
func (f *filler) take(ctx context.Context, from module, dir, at, commit string) bool {
	for _, local := range from.dirs {
		// After `git submodule deinit` its configuration still names a work tree, which pack-objects would enter, and which is gone.
		ours := git.Call{
			Args:     []string{"--upload-pack=env GIT_WORK_TREE=. git -c uploadpack.allowAnySHA1InWant=true upload-pack", "--", local, commit},
			Settings: []string{"protocol.file.allow=always"}, // it is ours
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
		theirs.Args = []string{"--", from.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"}
		err = f.fetchInto(ctx, dir, commit, "", theirs)
	}
	if err != nil {
		f.failed[at] = wordsOf(err)
	}
	return err == nil
}

// careful is a call with an address that others have committed: as with `git submodule`, it may name neither a file nor a
// program, unless the person's settings allow that.
func careful(args ...string) git.Call {
	return git.Call{Args: args, Set: []string{"GIT_PROTOCOL_FROM_USER=0"}}
}

// wordsOf is what git said when it failed.
func wordsOf(err error) string { return cmp.Or(operr.DetailOf(err), err.Error()) }

// Unobtainable returns those submodules, of what is lacking in this work tree, that a clone of it could not get either: this
// machine has none of them, and where they come from does not answer. What is in another submodule is left to the clone.
func Unobtainable(ctx context.Context, r *gitrepo.Repo, lacks []lacking.Lack) (found []lacking.Lack) {
	f, m, settings := &filler{Repo: r}, origin(r), submodules(ctx, r)
	m.url = originURL(ctx, r)
	for _, l := range lacks {
		if l.Kind != lacking.Missing || !l.Submodule || inSubmodule(r, l.Path) {
			continue
		}
		from := f.modules(ctx, m, l.Path, settings[l.Path])
		switch {
		case len(from.dirs) > 0:
			continue
		case from.url == "" || strings.HasPrefix(from.url, "-"):
			l.Detail = noAddress
		default:
			_, err := r.Talk(ctx, careful("ls-remote", "--quiet", "--", from.url, "HEAD"))
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
func inSubmodule(r *gitrepo.Repo, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if r.IsCheckedOut(dir) {
			return true
		}
	}
	return false
}

const noAddress = ".gitmodules has no address for it"

// fetchInto makes a repository of an empty folder, fetches, and checks the commit out; or leaves the folder empty. fetch has the
// arguments behind those of every fetch.
func (f *filler) fetchInto(ctx context.Context, dir, commit, local string, fetch git.Call) (err error) {
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
	sub := gitrepo.At(f.Runner, dir)
	if _, err := sub.Ask(ctx, "init", "--quiet", "--template=", "--object-format="+format, "--initial-branch=main"); err != nil {
		return err
	}
	for _, s := range git.AsCommitted {
		key, value, _ := strings.Cut(s, "=")
		if _, err := sub.Ask(ctx, "config", "--", key, value); err != nil {
			return err
		}
	}
	carry := func() error { return carry(ctx, f.Repo, local, dir) }
	if local == "" { // the ways to addresses; what is secret stays where it is
		carry = func() error { return copyConfig(ctx, f.Repo, f.Common, dir, `^url\.|^core\.sshcommand$`) }
	}
	if err := carry(); err != nil {
		return err
	}
	fetch.Args = append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}, fetch.Args...)
	if _, err := sub.Talk(ctx, fetch); err != nil {
		return err
	}
	// A push that looks whether submodules are out has to see that this one is.
	if _, err := sub.Ask(ctx, "update-ref", "--", "refs/remotes/origin/recorded", commit); err != nil {
		return err
	}
	return checkOut(ctx, sub, commit)
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
