package imagejob

import (
	"cmp"
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Pushed describes an image in the registry.
type Pushed struct {
	Repository string
	Digest     string
	Revision   string // from the image's label; "" if there is none
	Platforms  []string
}

// labelRevision is the label with the commit that an image was built from.
const labelRevision = "org.opencontainers.image.revision"

// Pushed finds a downstream's image in the registry by digest or by tag. If both are "", it uses the tag for HEAD's commit.
func (m *Maker) Pushed(ctx context.Context, d *workspace.Downstream, tag, digest string) (Pushed, error) {
	repo, repository, err := m.pushedTo(ctx, d)
	if err != nil {
		return Pushed{}, err
	}
	return askPushed(ctx, repo, d, repository, tag, digest)
}

// VerifyPushed returns an error unless the image was made by our build of the downstream.
func (m *Maker) VerifyPushed(ctx context.Context, d *workspace.Downstream, digest string) error {
	repo, repository, err := m.pushedTo(ctx, d)
	if err != nil {
		return err
	}
	remote, err := gitremote.URL(ctx, repo, m.Workspace.Config.Remote)
	if err != nil && !errors.Is(err, gitremote.ErrNoRemote) {
		return err
	}
	index, err := (&registry.Registry{}).Read(ctx, repository+"@"+digest)
	if err != nil {
		return err
	}
	return image.VerifyPushed(index, repository, d.Image.Name, image.Source(remote))
}

// pushedTo returns the repository for a downstream's images, and the workspace's clone.
func (m *Maker) pushedTo(ctx context.Context, d *workspace.Downstream) (repo *gitrepo.Repo, repository string, err error) {
	if d.Image == nil {
		return nil, "", operr.NewUsage("add a [tool.image] table to "+d.Manifest.Path, "%s has no image, because its manifest has no [tool.image]", d.Name())
	}
	if repo, err = gitrepo.Open(ctx, m.Runner, m.Workspace.Root); err != nil {
		return nil, "", err
	}
	remote, err := gitremote.URL(ctx, repo, m.Workspace.Config.Remote)
	if err != nil && !errors.Is(err, gitremote.ErrNoRemote) {
		return nil, "", err
	}
	where, err := chooseRegistry(d, m.Registry, remote, true)
	if err != nil {
		return nil, "", err
	}
	repository, err = registry.Repository(where, d.Image.Name)
	return repo, repository, err
}

func askPushed(ctx context.Context, repo *gitrepo.Repo, d *workspace.Downstream, repository, tag, digest string) (p Pushed, err error) {
	p.Repository = repository
	ref, next := p.Repository+"@"+digest, "pass a digest that the registry has"
	if digest != "" {
		err = registry.CheckDigest(digest)
	} else {
		next = "pass a tag that the registry has"
		if tag == "" {
			head, err := repo.Head(ctx)
			if err != nil {
				return p, err
			}
			tag, next = image.RevisionTag(head.Commit), "push the image first: `mage docker:image "+d.Name()+" -push`; or name another image with -tag or -digest"
		}
		ref = p.Repository + ":" + tag
	}
	if err != nil {
		return p, err
	}
	index, err := (&registry.Registry{}).Read(ctx, ref)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return p, &operr.Error{Summary: "the registry has no " + ref, Next: next, Err: err}
	case err != nil:
		return p, err
	}
	p.Digest = index.Digest
	for _, one := range index.Images {
		p.Platforms, p.Revision = append(p.Platforms, one.Platform), cmp.Or(p.Revision, one.Labels[labelRevision])
	}
	return p, nil
}
