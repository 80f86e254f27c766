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

// Pushed is an image that a registry has.
type Pushed struct {
	Repository string
	Digest     string
	Revision   string // that its label has; "" where it has none
	Platforms  []string
}

// labelRevision is the label of an image that has the commit of its sources.
const labelRevision = "org.opencontainers.image.revision"

// Pushed asks the registry for an image of a downstream: by its digest, by a tag, or, where both are "", for the one of HEAD.
func (m *Maker) Pushed(ctx context.Context, d *workspace.Downstream, tag, digest string) (Pushed, error) {
	repo, repository, err := m.pushedTo(ctx, d)
	if err != nil {
		return Pushed{}, err
	}
	return askPushed(ctx, repo, d, repository, tag, digest)
}

// VerifyPushed refuses an image that is not one of ours, as a build of the downstream has left it.
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

// pushedTo is the repository of images that a downstream is pushed to, with the clone that it is asked in.
func (m *Maker) pushedTo(ctx context.Context, d *workspace.Downstream) (repo *gitrepo.Repo, repository string, err error) {
	if d.Image == nil {
		return nil, "", operr.NewUsage("add a [tool.image] table to "+d.Manifest.Path, "no image is made of %s", d.Name())
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
	ref, next := p.Repository+"@"+digest, "see which digests the registry has"
	if digest != "" {
		err = registry.CheckDigest(digest)
	} else {
		next = "see which tags the registry has"
		if tag == "" {
			head, err := repo.Head(ctx)
			if err != nil {
				return p, err
			}
			tag, next = image.RevisionTag(head.Commit), "push it first: `mage docker:image "+d.Name()+" -push`; or name another one with -tag or -digest"
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
