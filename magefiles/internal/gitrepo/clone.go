package gitrepo

import (
	"context"
	"os"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// asCommitted are the settings of a clone of ours. They stay in it, for what runs git there: a file has the bytes of the
// commit, or those that the repository's own attributes ask for.
var asCommitted = []string{"core.autocrlf=false", "core.eol=lf", "core.attributesFile=" + os.DevNull}

// clone runs git clone: nothing of it is said by settings, and no hook and no template comes along.
func (r *Repo) clone(ctx context.Context, args ...string) error {
	c := call{args: []string{"clone", "--quiet", "--no-local", "--template=", "--origin=origin"}, settings: []string{"protocol.file.allow=always"}}
	for _, s := range asCommitted {
		c.args = append(c.args, "--config="+s)
	}
	if allowed, ok := command.Getenv(r.environ(nil), "GIT_ALLOW_PROTOCOL"); ok {
		c.set = []string{"GIT_ALLOW_PROTOCOL=" + allowed + ":file"}
	}
	c.args = append(c.args, args...)
	_, err := r.call(ctx, c)
	return err
}

// Clone makes a clone of what is committed in dir, which must not exist, and checks out HEAD there. It shares no file
// with the original.
func (r *Repo) Clone(ctx context.Context, dir string) error {
	if err := r.clone(ctx, r.Top, dir); err != nil {
		return failed(err, "cloning %s", r.Top)
	}
	return nil
}

// CloneAt is Clone for a commit that HEAD may not be: it is checked out on no branch.
func (r *Repo) CloneAt(ctx context.Context, dir, commit string) error {
	err := r.clone(ctx, "--no-checkout", r.Top, dir)
	if err == nil {
		clone := &Repo{Top: dir, runner: r.runner}
		_, err = clone.git(ctx, "checkout", "--quiet", "--detach", commit)
	}
	if err != nil {
		return failed(err, "cloning %s at %s", r.Top, short(commit))
	}
	return nil
}
