package imagejob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// readByBuilds are the files of a downstream's folder by which a build is done, and which it reads there and nowhere else.
var readByBuilds = []string{"Dockerfile", ".dockerignore", "Dockerfile.dockerignore"}

// readDockerfile reads a downstream's Dockerfile, once a build will find it too.
func readDockerfile(repo *gitrepo.Repo, w *workspace.Workspace, d *workspace.Downstream) ([]byte, error) {
	for _, name := range readByBuilds {
		if err := refuseLinkOut(filepath.Join(w.Root, filepath.FromSlash(d.Dir)), name, path.Join(d.Dir, name)); err != nil {
			return nil, err
		}
	}
	text, err := beneath.ReadFile(repo.Top, filepath.Join(w.Root, d.Dir, "Dockerfile"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, operr.New("write one beside "+d.Manifest.Path+"; README says what it gets", "%s has no Dockerfile", d.Dir)
	}
	return text, err
}

// refuseLinkOut refuses a file that is a link to what is not in the folder: a build gets the folder alone, and the links in it as they
// are. An absolute link leads nowhere there, wherever it leads here.
func refuseLinkOut(dir, file, name string) error {
	at := filepath.Join(dir, file)
	to, _ := os.Readlink(at)
	if to == "" {
		return nil // a file, or nothing
	}
	if _, below := beneath.Leads(dir, at); below && !filepath.IsAbs(to) {
		return nil
	}
	return operr.New("put the file itself there; what several Dockerfiles have in common can be an image that they are built on",
		"%s is a link to %s: a build gets the folder %s alone, and does not find it", name, to, path.Dir(name))
}

// refuseUncommitted refuses one that git does not know, where what is committed is built.
func refuseUncommitted(ctx context.Context, repo *gitrepo.Repo, d *workspace.Downstream) error {
	file := path.Join(repo.Prefix, d.Dir, "Dockerfile")
	unknown, err := repo.Untracked(ctx, []string{file})
	if err != nil || len(unknown) == 0 {
		return err
	}
	link, err := repo.Submodule(ctx, file)
	if err != nil {
		return err
	}
	if link != "" {
		return operr.New("put that folder into this repository, with its manifest and its Dockerfile; it may have the submodule as a folder in it, whose files the build gets",
			"%s is in the submodule %s: an image is of a commit of this repository, and its manifest and Dockerfile have to be in that", d.Dir, link)
	}
	return operr.New("commit it, with `git add -f` where git ignores it", "git does not have %s/Dockerfile, and what is committed is what is built", d.Dir)
}
