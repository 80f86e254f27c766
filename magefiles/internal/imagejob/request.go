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

// defaultImageHost is where images go, to the owner of the repository on GitHub, unless something else is configured.
const defaultImageHost = "ghcr.io"

// defaultSBOM makes the SBOM where it can be pulled and no other generator is named.
const defaultSBOM = "docker.io/docker/buildkit-syft-scanner:stable-1"

// sbomWait is how long the usual generator of SBOMs is looked for.
const sbomWait = 5 * time.Second

// makeRequest asks git, and takes what the environment says.
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
	if r.Locked && !r.Dirty { // what is built is what is committed
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
		remote = "" // images may go elsewhere; where they are pushed to it, registryOf asks for a name
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

// isFile reports whether there is a file, or something else, at a path.
func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// isBelow reports whether one of the paths, relative to the top of the work tree, is in a folder of the workspace.
func isBelow(paths []string, prefix, dir string) bool {
	full := path.Join(prefix, dir) + "/"
	return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, full) })
}

// chooseRegistry is the registry, with the owner, that the environment names, or the manifest, or git by a remote on GitHub:
// a group elsewhere is nobody's name at ghcr.io, or someone else's. It is "" where none is known and nothing is pushed.
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
		"it is not known where to push the image of %s: the repository has no remote on GitHub whose owner could be taken", d.Name())
}

// chooseGenerator is the image that makes the SBOM; none, with the reason, where it is switched off or the usual one cannot
// be had. One that was asked for has to be there.
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
		return "", defaultSBOM + " cannot be pulled; set BUILDKIT_SBOM_GENERATOR to a mirror of it", nil
	}
	next := "mirror it and correct BUILDKIT_SBOM_GENERATOR"
	if !errors.Is(err, registry.ErrNotFound) {
		next = operr.NextOf(err) // a login, a limit or a network is not cured by a mirror
	}
	return "", "", operr.New(next+"; BUILDKIT_SBOM_GENERATOR=off makes none", "the image that makes the SBOM cannot be had: %w", err)
}

// makePlan asks the registry what it has, where that decides about tags, and the clone's records which tags it does not let go, and plans.
func makePlan(ctx context.Context, r image.Request, images *registry.Registry, history image.History, records string, ask asking) (*image.Plan, error) {
	unanswered, err := image.New(r) // what is wrong with the request shows before anybody is asked, and this plan says what to ask
	if err != nil {
		return nil, err
	}
	r.Kept = image.ReadKept(records, unanswered.Repository)
	switch asked := unanswered.Candidates(); {
	case ask == unasked || len(asked) == 0:
	case r.Registry == "": // there is nobody to ask
		r.NoTags = true
	default:
		r.Have, r.Held, err = askRegistry(ctx, images, history, unanswered, ask)
		switch {
		case err != nil && ask == mayAsk && ctx.Err() == nil:
			r.NoTags, r.Notes = true, []string{"which tags would move is not known: " + err.Error()}
		case err != nil:
			return nil, err
		}
	}
	return image.New(r)
}

// askRegistry reads the tags of a plan's repository, and what those stand for that it may take away.
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

// orderCommits asks git what it knows of the order of commits.
func orderCommits(repo *gitrepo.Repo) image.History {
	orders := map[gitrepo.Relation]image.Order{
		gitrepo.Earlier: image.Behind, gitrepo.Equal: image.Same, gitrepo.Later: image.Ahead, gitrepo.Diverged: image.Apart,
	}
	return func(ctx context.Context, ours, theirs string) (image.Order, error) {
		is, err := repo.Relate(ctx, ours, theirs)
		return orders[is], err
	}
}
