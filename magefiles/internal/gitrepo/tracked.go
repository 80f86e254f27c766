package gitrepo

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Tracked returns what git has in its index below a folder of the one that Open was given ("" for all of it), with paths
// relative to that one: files, links and submodules, there or not.
func (r *Repo) Tracked(ctx context.Context, dir string) ([]string, error) {
	entries, err := r.entries(ctx)
	if err != nil {
		return nil, err
	}
	top := ""
	if full := path.Join(r.Prefix, dir); full != "" && full != "." {
		top = full + "/"
	}
	prefix := strings.TrimPrefix(r.Prefix+"/", "/")
	var below []string
	for _, e := range entries {
		if strings.HasPrefix(e.path, top) && strings.HasPrefix(e.path, prefix) {
			below = append(below, strings.TrimPrefix(e.path, prefix))
		}
	}
	return below, nil
}

// TrackedFiles are the regular files that git knows below a folder, with paths relative to it. Outside of a repository there are none.
func TrackedFiles(ctx context.Context, runner command.Runner, dir string) ([]string, error) {
	repo, err := Open(ctx, runner, dir)
	if errors.Is(err, ErrOutside) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := repo.Tracked(ctx, "")
	return slices.DeleteFunc(files, func(f string) bool {
		info, err := os.Lstat(at(dir, f))
		return err != nil || !info.Mode().IsRegular()
	}), err
}
