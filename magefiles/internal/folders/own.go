package folders

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Own is a folder that the program writes to and empties, relative to the root. It must be checked, because a committed symlink could redirect these
// operations to another location.
type Own struct {
	Folder string   // the folder; the user may replace it with a symlink, for example to a larger disk
	Parts  []string // subfolders that only we use, such as "rehearsal" in "output"; as symlinks they must stay in the work tree
}

// CheckOwn returns an error if git tracks a symlink at one of these folders or below it, or if one of their parts is a symlink, tracked or not, that
// leads out of the work tree. Outside a git repository it checks only the parts, because all other symlinks are the user's own.
func CheckOwn(ctx context.Context, runner command.Runner, root string, own ...Own) error {
	own = slices.DeleteFunc(slices.Clone(own), func(o Own) bool {
		_, err := os.Lstat(at(root, o.Folder))
		return errors.Is(err, fs.ErrNotExist)
	})
	if len(own) == 0 {
		return nil
	}
	top := root
	repo, err := gitrepo.Open(ctx, runner, root)
	switch {
	case errors.Is(err, gitrepo.ErrOutside):
	case err != nil:
		return err
	default:
		top = repo.Top
		if err := refuseTrackedLinks(ctx, repo, own); err != nil {
			return err
		}
	}
	for _, o := range own {
		for _, part := range o.Parts {
			if err := partInside(top, at(root, o.Folder), o.Folder, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseTrackedLinks returns an error for a tracked symlink or submodule at or below the folders.
func refuseTrackedLinks(ctx context.Context, repo *gitrepo.Repo, own []Own) error {
	var dirs []string
	for _, o := range own {
		dirs = append(dirs, o.Folder)
	}
	links, err := repo.Links(ctx, dirs...)
	if err != nil {
		return err
	}
	for _, l := range links {
		what := "a link"
		switch {
		case l.Mode == gitrepo.LinkMode:
			what = "another repository"
		case harmless(repo, l.Path):
			continue
		}
		return operr.New("find out who committed this path, and remove it from git with `git rm --cached`; a link at this path is allowed if git does not track it",
			"%q is committed as %s, but builds write there", l.Path, what)
	}
	return nil
}

// harmless reports whether a tracked symlink can stay, because we never write to it. The symlink must lead into the work tree. It must be one of
// pixi's settings in a .pixi folder, or have a name that we do not use in the output folder.
func harmless(r *gitrepo.Repo, name string) bool {
	if _, inside := beneath.Leads(r.Top, at(r.Top, name)); !inside {
		return false
	}
	dir, base := path.Split(name)
	if path.Base(dir) == ".pixi" {
		_, err := os.Stat(at(r.Top, name)) // a dangling symlink would be written to
		return (base == "config.toml" || base == ".gitignore") && err == nil
	}
	steps := strings.Split(strings.TrimPrefix(strings.TrimPrefix(name, r.Prefix), "/"), "/")
	return len(steps) > 1 && steps[0] != ".pixi" && !slices.Contains(steps, ".pixi") && !oursInOutput(steps[1])
}

// oursInOutput reports whether we write or empty files with this name in the output folder.
func oursInOutput(name string) bool {
	return slices.Contains([]string{"rehearsal", "release", "images", "channels", ".gitignore"}, name) ||
		slices.Contains([]string{".conda", ".json", ".html", ".partial", ".txt"}, path.Ext(name)) || strings.HasPrefix(name, "verify")
}

// partInside returns an error if a part of a folder leads out of the work tree through a symlink. If the user has replaced the folder itself with a
// symlink, its target counts as inside.
func partInside(top, folder, name, part string) error {
	leads, inside := beneath.Leads(folder, at(folder, part))
	if !inside {
		_, inside = beneath.Leads(top, at(folder, part))
	}
	if inside {
		return nil
	}
	return operr.New("remove the link; to keep such files on another disk, make "+name+" itself a link",
		"%q is a link that leads out of the work tree, to %q, but builds write there and empty that folder", path.Join(name, part), leads)
}

// `at` joins a folder and a slash-separated path.
func at(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
