package gitrepo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// take checks a submodule out: from this machine, or from its address where that may be asked.
func (f *filler) take(ctx context.Context, from module, dir, at, commit string) bool {
	for _, local := range from.dirs {
		// One that was put away keeps a work tree in mind that is gone, which pack-objects would enter.
		if f.fetchInto(ctx, dir, commit, local, func(args ...string) []string {
			return append([]string{"-c", "protocol.file.allow=always"}, args...) // it is ours
		}, nil, "--upload-pack=env GIT_WORK_TREE=. git -c uploadpack.allowAnySHA1InWant=true upload-pack", local, commit) == nil {
			return true
		}
	}
	if !f.address(at) || context.Cause(ctx) != nil {
		return false
	}
	if from.url == "" || strings.HasPrefix(from.url, "-") {
		f.failed[at] = ".gitmodules does not say where it is to be had"
		return false
	}
	plain := func(args ...string) []string { return args }
	env := f.quiet(ctx)
	if env != nil { // as `git submodule` does: an address that others have committed reaches no file and no program
		env = command.Setenv(env, "GIT_PROTOCOL_FROM_USER=0")
	}
	err := f.fetchInto(ctx, dir, commit, "", plain, env, from.url, commit)
	if err != nil {
		err = f.fetchInto(ctx, dir, commit, "", plain, env, from.url, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
	}
	if err != nil {
		var exit *command.ExitError
		if f.failed[at] = err.Error(); errors.As(err, &exit) {
			f.failed[at] = strings.TrimSpace(exit.Tail)
		}
	}
	return err == nil
}

// fetchInto makes a repository of an empty folder, fetches, and checks the commit out; or leaves the folder empty.
func (f *filler) fetchInto(ctx context.Context, dir, commit, local string, with func(args ...string) []string, env []string, fetch ...string) (err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, empty(dir))
		}
	}()
	git := func(args ...string) error {
		args = append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "submodule.recurse=false"}, args...)
		return f.runner.Run(ctx, command.Cmd{Name: "git", Args: with(args...), Dir: dir, Env: env, Gentle: true})
	}
	format := "sha1"
	if len(commit) > 40 {
		format = "sha256"
	}
	if err := git("init", "--quiet", "--template=", "--object-format="+format, "--initial-branch=main"); err != nil {
		return err
	}
	if local != "" {
		if err := f.carry(ctx, local, dir); err != nil {
			return err
		}
	}
	if err := git(append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules"}, fetch...)...); err != nil {
		return err
	}
	// A push that looks whether submodules are out has to see that this one is.
	if err := git("update-ref", "refs/remotes/origin/recorded", commit); err != nil {
		return err
	}
	return git("checkout", "--quiet", "--detach", commit)
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
