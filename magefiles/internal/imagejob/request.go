package imagejob

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// defaultImageHost is the default image registry. The owner of the GitHub repository is appended.
const defaultImageHost = "ghcr.io"

// defaultSBOM is the default SBOM generator, which is used if it can be pulled.
const defaultSBOM = "docker.io/docker/buildkit-syft-scanner:stable-1"

// sbomWait is the timeout for finding defaultSBOM in its registry.
const sbomWait = 5 * time.Second

// makeRequest makes the request for a plan from git and the environment's settings.
func (m *Maker) makeRequest(ctx context.Context, d *workspace.Downstream, repo *gitrepo.Repo, f Flags, images *registry.Registry) (image.Request, error) {
	w := m.Workspace
	r := image.Request{
		Root:       w.Root,
		Downstream: d,
		Platforms:  f.Platforms,
		Tags:       f.Tags,
		Joined:     f.joined,
		IsSet:      m.IsSet,
		PixiImage:  m.PixiImage,
		BaseImage:  m.BaseImage,
		Locked:     isFile(filepath.Join(w.Root, d.Dir, m.Lock)),
	}
	var err error
	if r.Dockerfile, err = readDockerfile(repo, w, d); err != nil {
		return r, err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return r, err
	}
	changes, err := repo.Changes(ctx)
	if err != nil {
		return r, err
	}
	r.Revision, r.Created, r.Dirty = head.Commit, head.Time, isBelow(changes, repo.Prefix, d.Dir)
	if !r.Dirty {
		if err := refuseUncommitted(ctx, repo, d); err != nil {
			return r, err
		}
	}
	if r.Locked && !r.Dirty { // builds of a clean folder use only committed files
		unknown, err := repo.Untracked(ctx, []string{path.Join(repo.Prefix, d.Dir, m.Lock)})
		if err != nil {
			return r, err
		}
		r.Locked = len(unknown) == 0
	}
	if !m.Date.IsZero() {
		r.Created = m.Date
	}
	remote, err := gitremote.URL(ctx, repo, w.Config.Remote)
	switch {
	case err != nil && !errors.Is(err, gitremote.ErrNoRemote):
		return r, err
	case err != nil:
		remote = "" // the registry may be configured elsewhere; otherwise chooseRegistry fails
	}
	r.Source = image.Source(remote)
	if r.Registry, err = chooseRegistry(d, m.Registry, remote, f.Push); err != nil {
		return r, err
	}
	if m.StandIn {
		r.NoSBOM = "the builder is a stand-in"
		return r, nil
	}
	r.SBOM, r.NoSBOM, err = chooseGenerator(ctx, images, m.SBOM)
	return r, err
}

// isFile reports whether a path exists.
func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// isBelow reports whether one of the paths, relative to the top of the work tree, is inside a folder of the workspace.
func isBelow(paths []string, prefix, dir string) bool {
	full := path.Join(prefix, dir) + "/"
	return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, full) })
}

// chooseRegistry returns the registry, including the owner, from the environment, from the manifest, or from a git remote on GitHub. Other remotes
// have no default, because the same owner may not exist on ghcr.io, or may be someone else. It returns "" if no registry is known and nothing is
// pushed.
func chooseRegistry(d *workspace.Downstream, named, remote string, push bool) (string, error) {
	var configured, owner string
	if repository, host, ok := github.RepositoryOf(remote); ok && host == "github.com" {
		owner, _, _ = strings.Cut(repository, "/")
	}
	if d.Image != nil {
		configured = d.Image.Registry
	}
	switch {
	case named != "":
		return named, nil
	case configured != "":
		return configured, nil
	case owner != "":
		return defaultImageHost + "/" + owner, nil
	case !push:
		return "", nil
	}
	return "", operr.NewUsage("set IMAGE_REGISTRY=HOST/OWNER, or registry in [tool.image] of "+d.Manifest.Path,
		"cannot choose a registry for the image of %s: no registry is set, and no remote of the repository is on GitHub, so its owner cannot be used", d.Name())
}

// chooseGenerator returns the image of the SBOM generator. It returns "" and the reason if SBOMs are off or the default image cannot be pulled. If
// the environment names an image, a missing image is an error.
func chooseGenerator(ctx context.Context, images *registry.Registry, named string) (generator, none string, err error) {
	if named == "off" {
		return "", "BUILDKIT_SBOM_GENERATOR=off", nil
	}
	generator, asking := named, ctx
	if named == "" {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, sbomWait)
		defer cancel()
		generator = defaultSBOM
	}
	err = images.Has(asking, generator)
	switch {
	case err == nil:
		return generator, "", nil
	case named == "" && errors.Is(err, registry.ErrLogin):
		return "", err.Error(), nil
	case named == "":
		return "", defaultSBOM + " cannot be pulled; set BUILDKIT_SBOM_GENERATOR to a mirror of this image", nil
	}
	next := "copy this image to a mirror, and set BUILDKIT_SBOM_GENERATOR to the mirror"
	if !errors.Is(err, registry.ErrNotFound) {
		next = operr.NextOf(err) // a mirror does not help against a login, rate limit or network problem
	}
	return "", "", operr.New(next+"; or set BUILDKIT_SBOM_GENERATOR=off to build without an SBOM", "the image that makes the SBOM cannot be pulled: %w", err)
}

// makePlan makes a plan. If the plan's tags depend on the registry, it reads the registry's tags, and the clone's records of tags that the registry
// refused to move.
func makePlan(ctx context.Context, r image.Request, images *registry.Registry, history image.History, records string, ask asking) (*image.Plan, error) {
	unanswered, err := image.New(r) // finds invalid requests without contacting the registry, and yields the tags to read
	if err != nil {
		return nil, err
	}
	r.Kept = image.ReadKept(records, unanswered.Repository)
	switch asked := unanswered.Candidates(); {
	case ask == unasked || len(asked) == 0:
	case r.Registry == "": // no registry to read
		r.NoTags = true
	default:
		r.Have, r.Held, err = askRegistry(ctx, images, history, unanswered, ask)
		switch {
		case err != nil && ask == mayAsk && ctx.Err() == nil:
			r.NoTags, r.Notes = true, []string{"cannot tell which tags would move: " + err.Error()}
		case err != nil:
			return nil, err
		}
	}
	return image.New(r)
}

// askRegistry reads the tags of a plan's repository, and the images of the tags that may move.
func askRegistry(ctx context.Context, images *registry.Registry, history image.History, p *image.Plan, ask asking) (have []string, held map[string]image.Held, err error) {
	tags := images.Tags
	if ask == mustAsk {
		tags = images.TagsForPush
	}
	if have, err = tags(ctx, p.Repository); err != nil {
		return nil, nil, err
	}
	if held, err = image.ReadHeld(ctx, images, p.Repository, p.Candidates(), have); err != nil {
		return nil, nil, err
	}
	return have, held, history.Order(ctx, p.Revision, held)
}

// orderCommits returns a history that queries git.
func orderCommits(repo *gitrepo.Repo) image.History {
	orders := map[gitrepo.Relation]image.Order{
		gitrepo.Earlier: image.Behind, gitrepo.Equal: image.Same, gitrepo.Later: image.Ahead, gitrepo.Diverged: image.Apart,
	}
	return func(ctx context.Context, ours, theirs string) (image.Order, error) {
		is, err := repo.Relate(ctx, ours, theirs)
		return orders[is], err
	}
}
