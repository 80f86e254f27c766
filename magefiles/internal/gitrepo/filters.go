package gitrepo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ask gives git its standard input and returns what it says.
func (r *Repo) ask(ctx context.Context, stdin string, args ...string) (string, error) {
	return command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: args, Dir: r.Top, Stdin: strings.NewReader(stdin), Gentle: true})
}

// carry takes the filters that are configured for one repository alone over to a clone of it: without them, files would be
// checked out as git stores them. What Git LFS has on this machine is used where it lies. The key of git-crypt is not given
// away: its files stay encrypted, and are refused where a package has some.
func (r *Repo) carry(ctx context.Context, from, clone string) error {
	if err := r.copyConfig(ctx, from, clone, `^(filter|lfs)\.`); err != nil {
		return err
	}
	objects := filepath.Join(from, "lfs")
	if _, err := os.Stat(objects); err != nil {
		return nil
	}
	_, err := command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: []string{"config", "--local", "lfs.storage", objects}, Dir: clone, Gentle: true})
	if err != nil {
		return operr.New("see what git says there", "telling the clone %s where Git LFS has its files: %w", clone, err)
	}
	return nil
}

// copyConfig takes settings of one repository over to another one; never the filter of git-crypt.
func (r *Repo) copyConfig(ctx context.Context, from, clone, pattern string) error {
	in := func(dir, stdin string, args ...string) (string, error) {
		return command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: args, Dir: dir, Stdin: strings.NewReader(stdin), Gentle: true})
	}
	out, _ := in(r.Top, "", "config", "--file", filepath.Join(from, "config"), "--includes", "--null", "--get-regexp", pattern) // ends with 1 where there is none
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, ok := strings.Cut(kv, "\n")
		if !ok || strings.HasPrefix(key, "filter.git-crypt") {
			continue
		}
		if _, err := in(clone, "", "config", "--local", "--add", key, value); err != nil {
			return operr.New("see what git says there", "taking %s over to the clone %s: %w", key, clone, err)
		}
	}
	return nil
}

// checkOut checks a commit out in a fresh clone. Where a filter fails, Git LFS is asked to leave the pointers of files that it
// cannot get: a package may do without them, and [Repo.Lacking] names those that one has.
func (r *Repo) checkOut(ctx context.Context, dir, commit string) error {
	git := func(env []string) error {
		_, err := command.Output(ctx, r.runner, command.Cmd{Name: "git", Args: []string{"checkout", "--quiet", "--force", "--detach", commit}, Dir: dir, Env: env, Gentle: true})
		return err
	}
	err := git(nil)
	env := r.quiet(ctx)
	if err == nil || ctx.Err() != nil || env == nil {
		return err
	}
	if git(command.Setenv(env, "GIT_LFS_SKIP_SMUDGE=1")) == nil {
		return nil
	}
	return err
}

// exitCode is the exit status that git ended with; -1 where it was not even started.
func exitCode(err error) int {
	var exit *command.ExitError
	if errors.As(err, &exit) {
		return exit.Code
	}
	return -1
}
