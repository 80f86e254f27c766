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

// readByBuilds are the files in a downstream's folder that control a build.
var readByBuilds = []string{"Dockerfile", ".dockerignore", "Dockerfile.dockerignore"}

// readDockerfile reads a downstream's Dockerfile. It returns an error if a build would not find the file.
func readDockerfile(repo *gitrepo.Repo, w *workspace.Workspace, d *workspace.Downstream) ([]byte, error) {
	for _, name := range readByBuilds {
		if err := refuseLinkOut(filepath.Join(w.Root, filepath.FromSlash(d.Dir)), name, path.Join(d.Dir, name)); err != nil {
			return nil, err
		}
	}
	text, err := beneath.ReadFile(repo.Top, filepath.Join(w.Root, d.Dir, "Dockerfile"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, operr.New("write a Dockerfile next to "+d.Manifest.Path+"; foopack's magefiles/docs/images.md says which build arguments and secrets the build passes", "%s has no Dockerfile", d.Dir)
	}
	return text, err
}

// refuseLinkOut returns an error if a file is a symbolic link that leads out of the folder. A build gets only the folder, with links unchanged, so
// an absolute link does not resolve in the build even if it does here.
func refuseLinkOut(dir, file, name string) error {
	at := filepath.Join(dir, file)
	to, _ := os.Readlink(at)
	if to == "" {
		return nil // a regular file, or it does not exist
	}
	if _, below := beneath.Leads(dir, at); below && !filepath.IsAbs(to) {
		return nil
	}
	return operr.New("replace the link by the file itself; Dockerfiles with common steps can share a base image",
		"%s is a link to %s, which the build cannot read, because the build gets only the folder %s", name, to, path.Dir(name))
}

// refuseUncommitted returns an error if the Dockerfile is not committed, because builds use only committed files.
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
		return operr.New("move the manifest and the Dockerfile into a folder of this repository; the submodule can be a subfolder of that folder, and then the build gets its files",
			"%s is in the submodule %s, but the manifest and the Dockerfile of an image must be in a commit of this repository", d.Dir, link)
	}
	return operr.New("commit the Dockerfile, with `git add -f` if git ignores the file", "%s/Dockerfile is not committed, but an image is built only from committed files", d.Dir)
}
