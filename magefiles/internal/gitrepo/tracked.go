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

// Tracked returns the files, symlinks and submodules in the index below dir, even if they are missing from the work tree. dir is relative to Open's
// dir; "" is Open's dir itself. The returned paths are relative to Open's dir.
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

// FilesBelow returns the tracked regular files below a folder, relative to that folder. The folder is relative to Top; "" is Top itself. Files that a
// sparse checkout omits are not included.
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

// TrackedFiles returns the tracked regular files below a folder, relative to it. Outside a repository the result is empty.
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

// Links returns the tracked symlinks and submodules at or below the folders, which are relative to Open's dir. The returned paths are relative to
// Top.
func (r *Repo) Links(ctx context.Context, folders ...string) (links []Entry, err error) {
	args := []string{"ls-files", "--stage", "-z", "--full-name", "--"}
	for _, dir := range folders {
		args = append(args, ":(top,literal)"+path.Join(r.Prefix, dir))
	}
	out, err := r.Ask(ctx, args...)
	if err != nil {
		return nil, git.Failure(err, "asking git for the links of %s", r.Top)
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
