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

// Own is a folder that is written to, and emptied, by its path relative to the one that gitrepo.Open would be given. Whoever commits a link
// there would have it done elsewhere.
type Own struct {
	Folder string   // a person may make a link of it: to a bigger disk
	Parts  []string // folders in it that are ours alone, such as "rehearsal" in "output": where they are links, they stay in the work tree
}

// CheckOwn refuses links that git knows at such folders, or in them, and links of whomever at one of their parts that lead out of the
// work tree. Outside of git all links are the person's own.
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
		if err := trackedLinks(ctx, repo, own); err != nil {
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

// trackedLinks refuses what git has of links, and of other repositories, at folders and below them.
func trackedLinks(ctx context.Context, repo *gitrepo.Repo, own []Own) error {
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
		return operr.New("see who committed it, and take it out with `git rm --cached`; a link of your own, which git does not know, may be there",
			"%q is committed, as %s, and builds write there", l.Path, what)
	}
	return nil
}

// harmless says of a link that git knows that nothing is written there: that it is a setting for pixi in its folder, or somebody's
// in a folder of artifacts under a name that is not ours, and leads to what is in the work tree.
func harmless(r *gitrepo.Repo, name string) bool {
	if _, inside := beneath.Leads(r.Top, at(r.Top, name)); !inside {
		return false
	}
	dir, base := path.Split(name)
	if path.Base(dir) == ".pixi" {
		_, err := os.Stat(at(r.Top, name)) // one that leads nowhere would be written to
		return (base == "config.toml" || base == ".gitignore") && err == nil
	}
	steps := strings.Split(strings.TrimPrefix(strings.TrimPrefix(name, r.Prefix), "/"), "/")
	return len(steps) > 1 && steps[0] != ".pixi" && !slices.Contains(steps, ".pixi") && !oursInOutput(steps[1])
}

// oursInOutput says of a name in a folder of artifacts that we write, or empty, what bears it.
func oursInOutput(name string) bool {
	return slices.Contains([]string{"rehearsal", "release", "images", "channels", ".gitignore"}, name) ||
		slices.Contains([]string{".conda", ".json", ".html", ".partial", ".txt"}, path.Ext(name)) || strings.HasPrefix(name, "verify")
}

// partInside refuses a part of a folder that is a link, or behind one, which leads out of the work tree. What a person has made of the
// folder counts as the work tree.
func partInside(top, folder, name, part string) error {
	leads, inside := beneath.Leads(folder, at(folder, part))
	if !inside {
		_, inside = beneath.Leads(top, at(folder, part))
	}
	if inside {
		return nil
	}
	return operr.New("remove the link; to keep such files on another disk, make a link of "+name+" itself",
		"%q is a link that leads out of the work tree, to %q, and builds write there and empty it", path.Join(name, part), leads)
}

// at is the file of a path with slashes, below a folder.
func at(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
