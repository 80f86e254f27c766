package gitrepo

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/internal/git"
)

// Tracked returns what git has in its index below a folder of the one that Open was given ("" for all of it), with paths
// relative to that one: files, links and submodules, there or not.
func (r *Repo) Tracked(ctx context.Context, dir string) ([]string, error) {
	entries, err := r.Entries(ctx)
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
		if strings.HasPrefix(e.Path, top) && strings.HasPrefix(e.Path, prefix) {
			below = append(below, strings.TrimPrefix(e.Path, prefix))
		}
	}
	return below, nil
}

// FilesBelow are the regular files that git knows below a folder, which is relative to Top ("" for all of it), with paths relative to it.
// What a sparse checkout leaves out is not among them.
func (r *Repo) FilesBelow(ctx context.Context, dir string) (files []string, err error) {
	entries, err := r.Entries(ctx)
	if dir != "" {
		dir += "/"
	}
	for _, e := range entries {
		if below, ok := strings.CutPrefix(e.Path, dir); ok && strings.HasPrefix(e.Mode, "100") && !e.Skipped() {
			files = append(files, below)
		}
	}
	return files, err
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
		info, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(f)))
		return err != nil || !info.Mode().IsRegular()
	}), err
}

// Links returns the links, and the submodules, that git has in its index at folders and below them, which are relative to the one that
// Open was given. Their paths are relative to Top.
func (r *Repo) Links(ctx context.Context, folders ...string) (links []Entry, err error) {
	args := []string{"ls-files", "--stage", "-z", "--full-name", "--"}
	for _, dir := range folders {
		args = append(args, ":(top,literal)"+path.Join(r.Prefix, dir))
	}
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return nil, git.Failed(err, "asking git for the links of %s", r.Top)
	}
	for line := range strings.SplitSeq(out, "\x00") {
		head, name, _ := strings.Cut(line, "\t")
		mode, _, _ := strings.Cut(head, " ")
		if mode == "120000" || mode == LinkMode {
			links = append(links, Entry{Path: name, Mode: mode})
		}
	}
	return links, nil
}
