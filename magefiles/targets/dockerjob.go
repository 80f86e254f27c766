package targets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// defaultImageHost is where images go, to the owner of the repository on GitHub, unless something else is configured.
const defaultImageHost = "ghcr.io"

// defaultSBOM makes the SBOM where it can be pulled and no other generator is named.
const defaultSBOM = "docker.io/docker/buildkit-syft-scanner:stable-1"

// sbomWait is how long the usual generator of SBOMs is looked for.
const sbomWait = 5 * time.Second

// imageDir is where what belongs to one downstream's image is kept, below the workspace's root.
func imageDir(w *workspace.Workspace, downstream string) string {
	return filepath.Join(w.Root, outputDir, "images", filepath.FromSlash(downstream))
}

// asking says whether the registry decides about the tags of a plan.
type asking int

const (
	unasked asking = iota // nothing is pushed: no tag moves
	mayAsk                // a plan to be looked at: one that cannot be asked is a warning
	mustAsk               // a push: it has to be permitted, too
)

// newImageJob plans the image of a downstream, and prepares to build it.
func (a *app) newImageJob(ctx context.Context, w *workspace.Workspace, d *workspace.Downstream, f ImageFlags, set imageSettings, ask asking) (*image.Job, error) {
	config, err := pixiConfig(w, d, set)
	if err != nil {
		return nil, err
	}
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	if err != nil {
		return nil, err
	}
	if err := a.checkOwn(ctx, w); err != nil {
		return nil, err
	}
	if err := notCommitted(ctx, repo, d); err != nil {
		return nil, err
	}
	registry := &image.Registry{}
	r, err := a.imageRequest(ctx, w, d, repo, f, set, registry)
	if err != nil {
		return nil, err
	}
	dir := imageDir(w, d.Dir)
	if err := makeOutput(w, dir); err != nil {
		return nil, err
	}
	if r.Secrets, err = imageSecrets(config, set.authFile, dir); err != nil {
		return nil, err
	}
	history := commitOrder(repo)
	p, err := a.imagePlan(ctx, r, registry, history, ask)
	if err != nil {
		return nil, err
	}
	log := a.view.Err
	if !a.view.Verbose {
		log = nil
	}
	var lock []byte
	if r.Locked {
		lock, _ = beneath.ReadFile(repo.Top, filepath.Join(w.Root, d.Dir, lockFile))
	}
	j := &image.Job{
		Plan:     p,
		Records:  filepath.Join(repo.Common, stateName, imageRecords),
		Builder:  &image.Builder{Runner: a.runner, Name: set.builder, Log: log, Pass: d.Image.Secrets},
		Registry: registry,
		History:  history,
		Push:     isSet(f.Push),
		Load:     isSet(f.Load),
		Again:    isSet(f.Again),
		Dir:      dir,
		Host:     "linux/" + runtime.GOARCH,
		Packages: func(ctx context.Context, platforms []string) (string, error) {
			return packagesOf(ctx, d, config, set.authFile, platforms, lock)
		},
		Export: func(ctx context.Context, dir string) (string, error) {
			folder := path.Join(repo.Prefix, d.Dir)
			return filepath.Join(dir, filepath.FromSlash(folder)), repo.Export(ctx, p.Revision, folder, dir)
		},
	}
	j.Foresee()
	return j, nil
}

// imageRecords is the folder of the clone's records about images, in the one for what must be known of other runs.
const imageRecords = "images"

// notCommitted refuses what git has of the folder in which an image and its digests are kept: whoever commits such a file
// would say what is published.
func notCommitted(ctx context.Context, repo *gitrepo.Repo, d *workspace.Downstream) error {
	tracked, err := repo.Tracked(ctx, path.Join(outputDir, "images", d.Dir))
	if err != nil || len(tracked) == 0 {
		return err
	}
	return operr.New("`git rm --cached` it, and see who committed it", "%s is committed: there is only what a build writes", tracked[0])
}

// makeOutput makes a folder below the workspace's output, where nobody commits it.
func makeOutput(w *workspace.Workspace, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return atomicfile.Ignore(filepath.Join(w.Root, outputDir))
}

// readOr is the text of a file, nil where there is none.
func readOr(file string) []byte {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return text
}

// imageRequest asks git and the environment.
func (a *app) imageRequest(ctx context.Context, w *workspace.Workspace, d *workspace.Downstream, repo *gitrepo.Repo, f ImageFlags, set imageSettings, registry *image.Registry) (image.Request, error) {
	r := image.Request{
		Root:       w.Root,
		Downstream: d,
		Platforms:  list(f.Platform),
		Tags:       list(f.Tag),
		IsSet:      set.isSet,
		PixiImage:  set.pixiImage,
		BaseImage:  set.baseImage,
		Locked:     exists(w, filepath.Join(d.Dir, lockFile)),
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
	r.Revision, r.Created, r.Dirty = head.Commit, head.Time, below(changes, repo.Prefix, d.Dir)
	if !r.Dirty {
		if err := committedDockerfile(ctx, repo, d); err != nil {
			return r, err
		}
	}
	if r.Locked && !r.Dirty { // what is built is what is committed
		unknown, err := repo.Untracked(ctx, []string{path.Join(repo.Prefix, d.Dir, lockFile)})
		if err != nil {
			return r, err
		}
		r.Locked = len(unknown) == 0
	}
	if t, err := epoch(); err != nil {
		return r, err
	} else if !t.IsZero() {
		r.Created = t
	}
	remote, err := repo.URL(ctx, w.Config.Remote)
	switch {
	case err != nil && !errors.Is(err, gitrepo.ErrNoRemote):
		return r, err
	case err != nil:
		remote = "" // images may go elsewhere; where they are pushed to it, imageRegistry asks for a name
	}
	r.Source = image.Source(remote)
	if r.Registry, err = imageRegistry(d, set.registry, remote, isSet(f.Push)); err != nil {
		return r, err
	}
	r.SBOM, r.NoSBOM, err = sbomGenerator(ctx, registry, set.sbom)
	return r, err
}

// below says whether one of the paths, relative to the top of the work tree, is in a folder of the workspace.
func below(paths []string, prefix, dir string) bool {
	full := path.Join(prefix, dir) + "/"
	return slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, full) })
}

// imageRegistry is the registry, with the owner, that the environment names, or the manifest, or git by a remote on GitHub:
// a group elsewhere is nobody's name at ghcr.io, or someone else's. It is "" where none is known and nothing is pushed.
func imageRegistry(d *workspace.Downstream, named, remote string, push bool) (string, error) {
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

// sbomGenerator is the image that makes the SBOM; none, with the reason, where it is switched off or the usual one cannot
// be had. One that was asked for has to be there.
func sbomGenerator(ctx context.Context, registry *image.Registry, named string) (generator, none string, err error) {
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
	err = registry.Has(asking, generator)
	switch {
	case err == nil:
		return generator, "", nil
	case named == "" && errors.Is(err, image.ErrLogin):
		return "", err.Error(), nil
	case named == "":
		return "", defaultSBOM + " cannot be pulled; set BUILDKIT_SBOM_GENERATOR to a mirror of it", nil
	}
	next := "mirror it and correct BUILDKIT_SBOM_GENERATOR"
	if !errors.Is(err, image.ErrNotFound) {
		next = operr.NextOf(err) // a login, a limit or a network is not cured by a mirror
	}
	return "", "", operr.New(next+"; BUILDKIT_SBOM_GENERATOR=off makes none", "the image that makes the SBOM cannot be had: %w", err)
}

// imagePlan asks the registry what it has, where that matters, and plans.
func (a *app) imagePlan(ctx context.Context, r image.Request, registry *image.Registry, history image.History, ask asking) (*image.Plan, error) {
	p, err := image.New(r)
	if err != nil || ask == unasked || p.Partial || len(r.Tags) > 0 {
		return p, err
	}
	if r.Registry == "" { // there is nobody to ask
		p.Tags = []image.Tag{}
		return p, nil
	}
	tags := registry.Tags
	if ask == mustAsk {
		tags = registry.TagsForPush
	}
	if r.Have, err = tags(ctx, p.Repository); err == nil {
		r.Held, err = registry.Held(ctx, p.Repository, p.Candidates(), r.Have)
	}
	if err == nil {
		err = history.Order(ctx, r.Revision, r.Held)
	}
	switch {
	case err == nil:
		return image.New(r)
	case ask == mayAsk && ctx.Err() == nil:
		p.Tags, p.Warnings = []image.Tag{}, append(p.Warnings, "which tags would move is not known: "+err.Error())
		return p, nil
	}
	return nil, err
}

// commitOrder is what git knows of the order of commits.
func commitOrder(repo *gitrepo.Repo) image.History {
	orders := map[gitrepo.Relation]image.Order{
		gitrepo.Earlier: image.Behind, gitrepo.Equal: image.Same, gitrepo.Later: image.Ahead, gitrepo.Diverged: image.Apart,
	}
	return func(ctx context.Context, ours, theirs string) (image.Order, error) {
		is, err := repo.Relate(ctx, ours, theirs)
		return orders[is], err
	}
}

// pixiConfig is the configuration of pixi for image builds: PIXI_CONFIG's, in which another server of our channel, if
// PREFIX_SERVER_URL names one, mirrors it wherever the manifest names the public one.
func pixiConfig(w *workspace.Workspace, d *workspace.Downstream, set imageSettings) (*image.Config, error) {
	var text []byte
	file := set.pixiConfig
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, operr.New("correct PIXI_CONFIG, or leave it unset", "reading the pixi configuration: %w", err)
		}
	}
	c, err := image.ParseConfig(file, text)
	if err != nil || set.server == "" {
		return c, err
	}
	env, err := d.Manifest.Resolve(workspace.DefaultEnvironment, "")
	if err != nil {
		return nil, err
	}
	for _, from := range env.Channels {
		u, err := url.Parse(from)
		if err == nil && prefixdev.Public(u.Host) && path.Base(u.Path) == channelName(w) {
			c.Mirror(from, strings.TrimSuffix(set.server, "/")+"/"+channelName(w))
		}
	}
	return c, nil
}

// imageSecrets are the files that build steps may read. The configuration is written to the image's folder, under a name of
// its own: another process with another one may be building there.
func imageSecrets(c *image.Config, authFile, dir string) (map[string]string, error) {
	secrets := map[string]string{}
	text, err := c.Text()
	if err != nil {
		return nil, err
	}
	if len(text) > 0 {
		file := filepath.Join(dir, fmt.Sprintf("config-%.12x.toml", sha256.Sum256(text)))
		if err := atomicfile.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
		secrets["PIXI_CONFIG"] = file
	}
	if file := authFile; file != "" {
		if _, err := os.Stat(file); err != nil {
			return nil, operr.New("correct RATTLER_AUTH_FILE, or leave it unset", "reading the credentials for image builds: %w", err)
		}
		if secrets["RATTLER_AUTH_FILE"], err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// packagesOf asks the channels of a downstream's environment, where their mirrors are, with the credentials that the build
// gets.
func packagesOf(ctx context.Context, d *workspace.Downstream, config *image.Config, authFile string, platforms []string, lock []byte) (string, error) {
	open := func(ctx context.Context, name string) (image.Channel, error) {
		return channelToRead(ctx, config.Resolve(channelURL(name)), authFile)
	}
	return image.Packages(ctx, d, open, platforms, lock)
}

// channelAlias is where pixi looks for a channel that is no more than a name.
const channelAlias = "https://conda.anaconda.org/"

// channelURL is the address of a channel as a manifest writes it. A path stays one (rattler_conda_types, NamedChannelOrUrl).
func channelURL(name string) string {
	isPath := slices.ContainsFunc([]string{"./", "..", "~", "/", `\\`, "file:"}, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	if strings.Contains(name, "://") || isPath {
		return name
	}
	return channelAlias + name
}

// channelToRead is the channel at an address. One that is private is read with what a file of credentials has for its server.
// Errors: *image.UnreadError where there is no http or https address, and where the server wants a login of a kind that pixi
// can send and we cannot.
func channelToRead(ctx context.Context, address, authFile string) (*prefixdev.Channel, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil {
		return nil, operr.New("correct it", "the channel %s: %w", address, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		return nil, &image.UnreadError{Address: u.String()}
	}
	name := path.Base(u.Path)
	u.Path = strings.TrimSuffix(path.Dir(u.Path), "/")
	client, err := prefixdev.New(prefixdev.Options{Server: u.String()})
	if err != nil {
		return nil, err
	}
	client, login, err := withLogin(ctx, client, authFile)
	otherKind := errors.Is(err, prefixdev.ErrKind)
	if err != nil && !otherKind {
		return nil, err
	}
	c, err := client.Channel(name)
	if err != nil {
		return nil, err
	}
	c.Also(repodata.TarBz2)
	c.OfOthers()
	if otherKind {
		err = openToAll(ctx, c)
	} else {
		_, err = c.Private(ctx)
	}
	switch {
	case err == nil:
		return c, nil
	case !refused(err):
		return nil, operr.New("try again", "asking %s whether it is private: %w", c.URL(), err)
	case otherKind:
		return nil, &image.UnreadError{Address: c.URL()}
	}
	return nil, operr.New("log in again with `pixi auth login`, into the file that RATTLER_AUTH_FILE names", "%s does not take the login that it wants, %s: %w", c.URL(), login, err)
}

// withLogin is a client with what a file of credentials has for its server, and where in it that stands; the client as it
// was where there is nothing, and beside an error.
func withLogin(ctx context.Context, client *prefixdev.Client, authFile string) (_ *prefixdev.Client, login string, err error) {
	if authFile == "" {
		return client, "", nil
	}
	sources := prefixdev.Sources{Files: []string{authFile}}
	login, err = sources.Describe(client)
	if err != nil || login == "" {
		return client, "", err
	}
	found, err := sources.Credential(ctx, client)
	if err != nil {
		return client, "", err
	}
	with, err := client.With(found.Token)
	if err != nil {
		return client, "", err
	}
	return with, login, nil
}

// openToAll asks for a file that every channel has, without a login. A private channel of prefix.dev is not found then.
func openToAll(ctx context.Context, c *prefixdev.Channel) error {
	f, err := c.Open(ctx, "noarch", repodata.JSON)
	if err != nil {
		return err
	}
	return f.Close()
}

// refused says whether a server does not let us read, or does not let us know that there is something.
func refused(err error) bool {
	return errors.Is(err, channel.ErrUnauthorized) || errors.Is(err, channel.ErrForbidden) || errors.Is(err, channel.ErrNotFound)
}
