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

// Plan says what will be built of one downstream, and what it will be called. It is a value, made once by New: the same
// inputs give the same plan, on any machine, and nobody changes one.
type Plan struct {
	Name       string   `json:"name"`       // the downstream's
	Repository string   `json:"repository"` // registry, owner and name of the image, in lower case
	Dir        string   `json:"dir"`        // of the Dockerfile, relative to the workspace's root
	Version    string   `json:"version"`    // the downstream's own
	Revision   string   `json:"revision"`   // commit; with "-dirty" where the folder has changes that are not committed
	Created    string   `json:"created"`    // time of the commit, RFC 3339
	Platforms  []string `json:"platforms"`  // that are built now, of OCI
	Partial    bool     `json:"partial"`    // fewer than the manifest names, or its only one by name: the image is pushed by digest, to be merged

	Labels     map[string]string `json:"labels"`
	Args       map[string]string `json:"args"` // build arguments
	Check      []string          `json:"check"`
	Tags       []Tag             `json:"tags"`
	SBOM       string            `json:"sbom"` // the generator; "" where none is made
	Secrets    []string          `json:"secrets"`
	SSH        bool              `json:"ssh,omitempty"` // the SSH agent is lent to the build
	Cache      string            `json:"cache"`
	Rewrite    bool              `json:"rewrite_timestamp"`
	Warnings   []string          `json:"warnings"`
	Definition buildx.Bake       `json:"bake"`

	context string            // absolute path of Dir
	secrets map[string]string // paths of the secrets' files
	version version.Version
	have    []string // the tags that the registry had when the plan was made
	held    map[string]Held
	limit   time.Duration // of the check, on each platform
	named   bool          // the tags were asked for by name: the registry does not decide about them
	changed bool          // the folder has changes that are not committed
}

// Request is what a plan is made of.
type Request struct {
	Root       string // of the workspace, absolute
	Downstream *workspace.Downstream
	Registry   string // with the owner; it wins over the manifest's. Where both are "", the image is for this machine alone
	Platforms  []string
	Revision   string    // commit
	Dirty      bool      // the folder has changes that are not committed
	Created    time.Time // of the commit
	Source     string    // URL of the repository; "" where it is not known
	Locked     bool      // the build finds a pixi.lock beside the manifest
	Dockerfile []byte    // its text

	PixiImage, BaseImage string            // build arguments; "" leaves the Dockerfile's
	SBOM                 string            // image that makes it; "" for none
	NoSBOM               string            // why there is none
	Secrets              map[string]string // files by id

	IsSet func(variable string) bool // says of variables that [tool.image] names whether they are set; nil knows none

	Have   []string        // the repository's tags
	Held   map[string]Held // what those of Candidates stand for, and how their commits stand to ours
	Kept   []string        // tags that the registry did not let go at an earlier push; see ReadKept
	Tags   []string        // these tags, whatever else there is, in place of the ladder
	NoTags bool            // nobody says what the registry has, so that no tag is claimed
	Joined bool            // images of single platforms are joined: nothing is built, and nothing is warned of about a build
	Notes  []string        // warnings of whoever asks
}

// The labels that say what an image was made of (OCI image-spec, annotations.md), and the one by which an image of a plan is
// known again.
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

// nowhere stands for the registry in the name of an image that cannot be pushed, since none is known.
const nowhere = "localhost"

// New makes a plan. Errors are about the request, and come before anything is built.
func New(r Request) (*Plan, error) {
	d, config := r.Downstream, r.Downstream.Image
	if config == nil {
		return nil, operr.NewUsage("add a [tool.image] table to "+d.Manifest.Path, "no image is made of %s", d.Name())
	}
	if len(config.Check) == 0 {
		return nil, operr.New("add the task check to "+d.Manifest.Path+", or `check = [\"…\"]` to [tool.image]: a command that fails where the environment is empty",
			"nothing proves the image %s before it is published", config.Name)
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
		return nil, operr.New("give "+d.Manifest.Path+" one: it names the image", "the version of %s: %w", d.Name(), err)
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

// choosePlatforms are those asked for, or all of the manifest's, in its order. The only one of a manifest is partial too where it is asked for: what a job for
// each platform pushes is merged, however many there are.
func choosePlatforms(asked []string, config *settings.Image) (chosen []string, partial bool, err error) {
	if len(asked) == 0 {
		return slices.Clone(config.Platforms), false, nil
	}
	for _, a := range asked {
		if !slices.Contains(config.Platforms, a) {
			return nil, false, operr.NewUsage("name some of these, or add it to platforms of [tool.image]",
				"%s is not made for %s; it is made for %s", config.Name, a, strings.Join(config.Platforms, " and "))
		}
	}
	for _, c := range config.Platforms {
		if slices.Contains(asked, c) {
			chosen = append(chosen, c)
		}
	}
	return chosen, len(chosen) < len(config.Platforms) || len(config.Platforms) == 1, nil
}

// name decides about the tags. An image of some of the platforms has none, unless they are named: a tag would hide the other platforms. One
// of changes that are not committed has none at all: it is not pushed, and the tag of the commit is that of another image.
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
			p.Tags = append(p.Tags, Tag{Name: tag, Moves: true, Why: "was asked for"})
		}
	case !p.Partial && !r.NoTags:
		p.Tags = Ladder(p.version, r.Revision, r.Have, r.Held)
	}
	return nil
}

// describe sets labels and build arguments.
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

// refuseCredentials refuses a credential in what the provenance of an image repeats: the Dockerfile and the build arguments.
func (p *Plan) refuseCredentials(dockerfile []byte) error {
	const next = "a step gets it by RUN --mount=type=secret; change it, where others may have read it"
	if is := proof.FindCredential(string(dockerfile)); is != "" {
		return operr.New(next, "the Dockerfile of %s has %s, and the provenance of the image publishes it", p.Dir, is)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Args)) {
		if is := proof.FindCredential(p.Args[name]); is != "" {
			return operr.New(next, "the build argument %s of %s has %s, and the provenance of the image publishes it", name, p.Dir, is)
		}
	}
	return nil
}

// cacheArg is the build argument that is part of the id of every cache mount: a builder keeps one cache for all that name the
// same id, and what one project leaves there the next one installs.
const cacheArg = "CACHE_ID"

// cacheID is the project's: the address of its repository, or, where that is not known, the owner of the image, and the
// image's name. The registry has no part in it, which is another one in each rehearsal.
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
		p.Warnings = append(p.Warnings, "no registry is known, and none is asked: set IMAGE_REGISTRY=HOST/OWNER, or registry in [tool.image], to see which tags would move")
	}
	if p.named && len(p.Platforms) < len(r.Downstream.Image.Platforms) {
		p.Warnings = append(p.Warnings, "the tags will have "+strings.Join(p.Platforms, " and ")+" alone")
	}
	if !r.Locked {
		p.Warnings = append(p.Warnings, "git has no pixi.lock of "+r.Downstream.Dir+": what it does not pin is as new as the channel has it; `mage lock` makes one")
	}
	if r.Dirty {
		p.Warnings = append(p.Warnings, r.Downstream.Dir+" has changes that are not committed: the image is not for anyone else")
	}
	for _, c := range file.Caches() {
		if !strings.Contains(c.ID, "${"+cacheArg+"}") && !strings.Contains(c.ID, "$"+cacheArg) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("the cache %s of %s/Dockerfile, line %d, is shared with every project on the builder: write id=%s-${%s}, and ARG %s before it",
				c.ID, r.Downstream.Dir, c.Line, strings.Trim(path.Base(c.ID), "."), cacheArg, cacheArg))
		}
	}
	if r.SBOM == "" {
		p.Warnings = append(p.Warnings, "no SBOM is made: "+r.NoSBOM)
	}
}

// expect says what an image of the plan has to be.
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

// dirty ends the revision of a folder that has changes which are not committed.
const dirty = "-dirty"

// Dirty reports whether the folder has changes that are not committed.
func (p *Plan) Dirty() bool { return p.changed }

// Moving are the names of the tags that the image is to get.
func (p *Plan) Moving() (names []string) {
	for _, t := range p.Tags {
		if t.Moves {
			names = append(names, t.Name)
		}
	}
	return names
}
