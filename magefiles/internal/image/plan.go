package image

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Plan describes the image that will be built for one downstream, and its tags. New makes it, and it is immutable afterwards. The same inputs give
// the same plan on any machine.
type Plan struct {
	Name       string   `json:"name"`       // name of the downstream
	Repository string   `json:"repository"` // registry, owner and name of the image, in lower case
	Dir        string   `json:"dir"`        // folder of the Dockerfile, relative to the workspace's root
	Version    string   `json:"version"`    // version of the downstream
	Revision   string   `json:"revision"`   // commit; with the suffix "-dirty" if the folder has uncommitted changes
	Created    string   `json:"created"`    // commit time, RFC 3339
	Platforms  []string `json:"platforms"`  // OCI platforms to build
	Partial    bool     `json:"partial"`    // platforms were selected: the image is pushed by digest, and merged later

	Labels     map[string]string `json:"labels"`
	Args       map[string]string `json:"args"` // build arguments
	Check      []string          `json:"check"`
	Tags       []Tag             `json:"tags"`
	SBOM       string            `json:"sbom"` // image of the SBOM generator; "" disables the SBOM
	Secrets    []string          `json:"secrets"`
	SSH        bool              `json:"ssh,omitempty"` // the build may use the SSH agent
	Cache      string            `json:"cache"`
	Rewrite    bool              `json:"rewrite_timestamp"`
	Warnings   []string          `json:"warnings"`
	Definition buildx.Bake       `json:"bake"`

	context string            // absolute path of Dir
	secrets map[string]string // paths of the secret files
	version version.Version
	have    []string // tags in the registry when the plan was made
	held    map[string]Held
	limit   time.Duration // time limit for the check on each platform
	named   bool          // tags were requested explicitly, so the registry's tags are irrelevant
	changed bool          // the folder has uncommitted changes
}

// Request contains the inputs for a plan.
type Request struct {
	Root       string // absolute path of the workspace's root
	Downstream *workspace.Downstream
	Registry   string // includes the owner; overrides the manifest. If both are "", the image is local to this machine
	Platforms  []string
	Revision   string    // commit
	Dirty      bool      // the folder has uncommitted changes
	Created    time.Time // commit time
	Source     string    // repository URL; "" if unknown
	Locked     bool      // a pixi.lock is next to the manifest
	Dockerfile []byte    // content of the Dockerfile

	PixiImage, BaseImage string            // build arguments; "" uses the Dockerfile's default
	SBOM                 string            // image of the SBOM generator; "" disables the SBOM
	NoSBOM               string            // reason for omitting the SBOM
	Secrets              map[string]string // secret files by id

	IsSet func(variable string) bool // reports whether a variable named in [tool.image] is set; nil means none is

	Have   []string        // tags in the repository
	Held   map[string]Held // images of the tags in Candidates, with the order of their commits relative to ours
	Kept   []string        // tags that the registry refused to move earlier; see ReadKept
	Tags   []string        // use exactly these tags instead of those from Ladder
	NoTags bool            // the registry's tags are unknown, so the plan has no tags
	Joined bool            // single-platform images are merged: nothing is built, so warnings about the build are omitted
	Notes  []string        // warnings from the caller
}

// Labels that describe what an image was built from (OCI image-spec, annotations.md), and labelPlan, which identifies its plan.
const (
	labelSource     = "org.opencontainers.image.source"
	labelRevision   = "org.opencontainers.image.revision"
	labelVersion    = "org.opencontainers.image.version"
	labelCreated    = "org.opencontainers.image.created"
	labelTitle      = "org.opencontainers.image.title"
	labelLicenses   = "org.opencontainers.image.licenses"
	labelAbout      = "org.opencontainers.image.description"
	labelBase       = "org.opencontainers.image.base.name"
	labelBaseDigest = "org.opencontainers.image.base.digest"
	labelPlan       = "io.github.foopack.plan"
)

// nowhere is the registry part of an image's name if no registry is known. Such an image cannot be pushed.
const nowhere = "localhost"

// New makes a plan. An error means that the request is invalid.
func New(r Request) (*Plan, error) {
	d, config := r.Downstream, r.Downstream.Image
	if config == nil {
		return nil, operr.NewUsage("add a [tool.image] table to "+d.Manifest.Path, "%s has no image, because its manifest has no [tool.image]", d.Name())
	}
	if len(config.Check) == 0 {
		return nil, operr.New("add the task `check` to "+d.Manifest.Path+", or `check = [\"…\"]` to [tool.image], with a command that passes only if the application works, such as an import of its modules",
			"the image %s has no check that tests it before it is published", config.Name)
	}
	p := &Plan{
		Name:     d.Name(),
		Dir:      d.Dir,
		Version:  d.Manifest.Version,
		Revision: r.Revision,
		Created:  r.Created.UTC().Format(time.RFC3339),
		Check:    config.Check,
		SBOM:     r.SBOM,
		Cache:    config.Cache,
		Rewrite:  config.RewriteTimestamp,
		Warnings: []string{},
		context:  filepath.Join(r.Root, filepath.FromSlash(d.Dir)),
		have:     r.Have,
		held:     r.Held,
		limit:    config.CheckTimeout,
		secrets:  r.Secrets,
		Secrets:  slices.Sorted(maps.Keys(r.Secrets)),
	}
	var err error
	if p.Repository, err = registry.Repository(cmp.Or(r.Registry, config.Registry, nowhere), config.Name); err != nil {
		return nil, err
	}
	if p.Platforms, p.Partial, err = choosePlatforms(r.Platforms, config); err != nil {
		return nil, err
	}
	if p.changed = r.Dirty; p.changed {
		p.Revision += dirty
	}
	if p.Version == "" && d.Project != nil {
		p.Version = d.Project.Version.Text
	}
	if p.version, err = version.Parse(p.Version); err != nil {
		return nil, operr.New("write a version into "+d.Manifest.Path+", because the tags of the image need a version", "the version of %s: %w", d.Name(), err)
	}
	if err := p.name(r); err != nil {
		return nil, err
	}
	file := dockerfile.Parse(r.Dockerfile)
	p.describe(r, file)
	p.lend(config, r.IsSet)
	unmet, err := p.checkMounts(config, file)
	if err != nil {
		return nil, err
	}
	if err := p.refuseCredentials(r.Dockerfile); err != nil {
		return nil, err
	}
	if !r.Joined {
		p.Warnings = append(p.Warnings, unmet...)
		p.warn(r, file)
	}
	p.Warnings = append(p.Warnings, r.Notes...)
	p.foresee(r.Kept)
	p.Labels[labelPlan] = p.digest()
	p.Definition = p.define()
	return p, nil
}

// choosePlatforms returns the requested platforms, or all of the manifest's, in the manifest's order. If platforms were requested, the image is
// partial even if the manifest has only one platform: a workflow with one job per platform merges the results regardless of their number.
func choosePlatforms(asked []string, config *settings.Image) (chosen []string, partial bool, err error) {
	if len(asked) == 0 {
		return slices.Clone(config.Platforms), false, nil
	}
	for _, a := range asked {
		if !slices.Contains(config.Platforms, a) {
			return nil, false, operr.NewUsage("name one of these platforms, or add the platform to `platforms` of [tool.image]",
				"%s is not built for %s, only for %s", config.Name, a, strings.Join(config.Platforms, " and "))
		}
	}
	for _, c := range config.Platforms {
		if slices.Contains(asked, c) {
			chosen = append(chosen, c)
		}
	}
	return chosen, len(chosen) < len(config.Platforms) || len(config.Platforms) == 1, nil
}

// name chooses the tags. An image of only some platforms gets no tags unless they are requested, because a tag would hide the other platforms. An
// image with uncommitted changes gets none at all: it is not pushed, and the commit's tag belongs to another image.
func (p *Plan) name(r Request) error {
	for _, tag := range r.Tags {
		if err := registry.CheckTag(tag); err != nil {
			return err
		}
	}
	p.Tags, p.named = []Tag{}, len(r.Tags) > 0
	switch {
	case r.Dirty:
	case p.named:
		for _, tag := range r.Tags {
			p.Tags = append(p.Tags, Tag{Name: tag, Moves: true, Why: "was requested"})
		}
	case !p.Partial && !r.NoTags:
		p.Tags = Ladder(p.version, r.Revision, r.Have, r.Held)
	}
	return nil
}

// describe sets the labels and build arguments.
func (p *Plan) describe(r Request, file *dockerfile.File) {
	d := r.Downstream
	p.Args = map[string]string{"SOURCE_DATE_EPOCH": fmt.Sprint(r.Created.Unix()), "IMAGE_REVISION": p.Revision, cacheArg: cacheID(p.Repository, r.Source)}
	p.Labels = map[string]string{
		labelTitle: d.Image.Name, labelVersion: p.Version, labelRevision: p.Revision, labelCreated: p.Created,
	}
	set(p.Labels, labelSource, r.Source)
	if m := d.Project; m != nil {
		set(p.Labels, labelAbout, m.Description)
		set(p.Labels, labelLicenses, m.License)
	}
	set(p.Args, "PIXI_IMAGE", r.PixiImage)
	set(p.Args, "BASE_IMAGE", r.BaseImage)
	base, digest, _ := strings.Cut(file.Base(p.Args), "@")
	set(p.Labels, labelBase, base)
	set(p.Labels, labelBaseDigest, digest)
}

// refuseCredentials returns an error if the Dockerfile or a build argument contains a credential, because provenance publishes both.
func (p *Plan) refuseCredentials(dockerfile []byte) error {
	const next = "pass this secret to a step with RUN --mount=type=secret; if others may have read the secret, replace it"
	if is := proof.FindCredential(string(dockerfile)); is != "" {
		return operr.New(next, "the Dockerfile of %s has %s, which the provenance of the image would publish", p.Dir, is)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		if is := proof.FindCredential(p.Args[name]); is != "" {
			return operr.New(next, "the build argument %s of %s has %s, which the provenance of the image would publish", name, p.Dir, is)
		}
	}
	return nil
}

// cacheArg is the build argument that is part of every cache mount's id. All mounts with the same id on a builder share a cache, so without it one
// project could install files that another project left in the cache.
const cacheArg = "CACHE_ID"

// cacheID returns the project-specific part of cache mount ids: the repository URL (or the image's owner if the URL is unknown) and the image name.
// It excludes the registry, which differs in every rehearsal.
func cacheID(repository, source string) string {
	_, name, _ := strings.Cut(repository, "/")
	if source == "" {
		return name
	}
	_, address, _ := strings.Cut(source, "://")
	return address + "/" + name[strings.LastIndexByte(name, '/')+1:]
}

func set(m map[string]string, key, value string) {
	if value != "" {
		m[key] = value
	}
}

func (p *Plan) warn(r Request, file *dockerfile.File) {
	if cmp.Or(r.Registry, r.Downstream.Image.Registry) == "" {
		p.Warnings = append(p.Warnings, "no registry is set, so the plan cannot show which tags would move: set IMAGE_REGISTRY=HOST/OWNER, or `registry` in [tool.image]")
	}
	if p.named && len(p.Platforms) < len(r.Downstream.Image.Platforms) {
		p.Warnings = append(p.Warnings, "the tags will have only "+strings.Join(p.Platforms, " and "))
	}
	if !r.Locked {
		p.Warnings = append(p.Warnings, "git has no pixi.lock of "+r.Downstream.Dir+", so the build installs the newest versions of packages that the manifest does not pin; `mage lock` writes a lock file")
	}
	if r.Dirty {
		p.Warnings = append(p.Warnings, r.Downstream.Dir+" has changes that are not committed, so the image cannot be pushed")
	}
	for _, c := range file.Caches() {
		if !strings.Contains(c.ID, "${"+cacheArg+"}") && !strings.Contains(c.ID, "$"+cacheArg) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("the cache %s of %s/Dockerfile, line %d, is shared by all projects on the builder: write `id=%s-${%s}`, and `ARG %s` before this line",
				c.ID, r.Downstream.Dir, c.Line, strings.Trim(path.Base(c.ID), "."), cacheArg, cacheArg))
		}
	}
	if r.SBOM == "" {
		p.Warnings = append(p.Warnings, "no SBOM is made: "+r.NoSBOM)
	}
}

// expect returns the properties that an image of this plan must have.
func (p *Plan) expect() proof.Wanted {
	w := proof.Wanted{
		Repository: p.Repository,
		Platforms:  p.Platforms,
		Settings:   proof.Label{Name: labelPlan, Value: p.Labels[labelPlan]},
		SBOM:       p.SBOM != "",
	}
	for _, name := range []string{labelRevision, labelVersion, labelCreated, labelTitle, labelSource, labelBase, labelBaseDigest} {
		w.Labels = append(w.Labels, proof.Label{Name: name, Value: p.Labels[name]})
	}
	return w
}

// dirty is the suffix of a revision with uncommitted changes.
const dirty = "-dirty"

// Dirty reports whether the folder has uncommitted changes.
func (p *Plan) Dirty() bool { return p.changed }

// Moving returns the tags that should move to the image.
func (p *Plan) Moving() (names []string) {
	for _, t := range p.Tags {
		if t.Moves {
			names = append(names, t.Name)
		}
	}
	return names
}
