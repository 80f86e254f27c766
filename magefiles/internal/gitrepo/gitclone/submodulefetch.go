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

// take checks out a submodule, from a local repository or, if that is allowed, from its remote. It reports whether it succeeded.
func (f *filler) take(ctx context.Context, from module, dir, at, commit string) bool {
	for _, local := range from.dirs {
		// After `git submodule deinit` the repository's configuration still refers to the removed work tree, and pack-objects would try to enter it.
		ours := git.Call{
			Args:     []string{"--upload-pack=env GIT_WORK_TREE=. git -c uploadpack.allowAnySHA1InWant=true upload-pack", "--", local, commit},
			Settings: []string{"protocol.file.allow=always"}, // the repository is local and trusted
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

// careful returns a call for an untrusted URL from a commit. As in `git submodule`, the URL may not refer to a local file or run a program, unless
// the user's settings allow that.
func careful(args ...string) git.Call {
	return git.Call{Args: args, Set: []string{"GIT_PROTOCOL_FROM_USER=0"}}
}

// wordsOf returns git's own error message, or the error itself.
func wordsOf(err error) string { return cmp.Or(operr.DetailOf(err), err.Error()) }

// Unobtainable returns the submodules in lacks that a clone could not get either, because this machine does not have them and their remote does not
// respond. It skips nested submodules, which only the clone can resolve.
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

// fetchInto initializes a repository in an empty folder, fetches, and checks out the commit. On failure it empties the folder. fetch.Args are
// appended to the common arguments of git fetch.
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
	if local == "" { // only settings for reaching the remote, without secrets
		carry = func() error { return copyConfig(ctx, f.Repo, f.Common, dir, `^url\.|^core\.sshcommand$`) }
	}
	if err := carry(); err != nil {
		return err
	}
	fetch.Args = append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}, fetch.Args...)
	if _, err := sub.Talk(ctx, fetch); err != nil {
		return err
	}
	// A push checks whether submodules were pushed, and finds this ref.
	if _, err := sub.Ask(ctx, "update-ref", "--", "refs/remotes/origin/recorded", commit); err != nil {
		return err
	}
	return checkOut(ctx, sub, commit)
}

// `empty` removes everything in a folder.
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
