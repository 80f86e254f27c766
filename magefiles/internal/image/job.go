package image

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/steps"
)

// Job carries out one plan. Each step stores its results in fields for later steps.
type Job struct {
	Plan     *Plan
	Builder  *buildx.Builder
	Registry *registry.Registry
	Push     bool
	Load     bool   // load the image into the docker engine, for this machine's platform
	Host     string // this machine's platform, for Load
	Dir      string // existing folder for exclusive use by this job; holds the image if it is not pushed
	Again    bool   // build even if the registry already has an image of this plan
	Records  string // folder in the clone's git directory for records of its builds; "" disables records
	Fresh    bool   // build without the builder's cache

	// Export copies the committed files of the plan's folder to another folder, and returns the path of the build folder in the copy. Images of a
	// clean folder are built from the copy, so that they contain neither ignored files nor later changes.
	Export func(ctx context.Context, dir string) (folder string, err error)

	// History compares the commits of the registry's images with our commit. If it is nil, their order is unknown.
	History History

	// Packages returns an error unless the channels have all packages that the environment requests, for every platform.
	Packages func(ctx context.Context, platforms []string) (evidence string, err error)

	Result Result
	node   buildx.Node
	index  *registry.Index
	other  string // digest in the registry for the commit's tag, if this clone has no record of building it
}

// Result is the result of a job.
type Result struct {
	Name       string           `json:"name"`
	Repository string           `json:"repository"`
	Digest     string           `json:"digest"` // digest of the index
	Images     []registry.Image `json:"images"`
	Pushed     bool             `json:"pushed"`
	Reused     bool             `json:"reused"` // the image already existed, so nothing was built
	Kept       string           `json:"kept,omitempty"`
	Tags       []Tag            `json:"tags"`
	Checked    []string         `json:"checked"`     // platforms on which the check passed
	NotChecked []string         `json:"not_checked"` // platforms that the builder cannot run
	Cached     []string         `json:"cached"`      // Dockerfile steps that came from the cache
	Ran        []string         `json:"ran"`         // Dockerfile steps that ran
	Dirty      bool             `json:"-"`           // the folder has uncommitted changes
}

// newResult returns an empty result. Its lists are non-nil, so that they are [] in JSON.
func newResult(p *Plan) Result {
	return Result{
		Name:       p.Name,
		Repository: p.Repository,
		Images:     []registry.Image{},
		Tags:       []Tag{},
		Checked:    []string{},
		NotChecked: []string{},
		Cached:     []string{},
		Ran:        []string{},
		Dirty:      p.Dirty(),
	}
}

// Steps returns the steps of the job, in order. Each can be repeated.
func (j *Job) Steps() []steps.Step {
	j.Result = newResult(j.Plan)
	all := []steps.Step{{
		Name: "registry",
		Do:   j.lookUp,
	}, {
		Name: "builder",
		Do:   j.look,
	}, {
		Name: "packages",
		Do:   j.checkPackages,
	}, {
		Name: "build",
		Do:   j.build,
	}, {
		Name: "verify",
		Do:   j.verify,
	}, {
		Name: "smoke test",
		Do:   j.smoke,
	}}
	if j.Push {
		all = append(all, steps.Step{Name: "tag", Do: j.tag})
	}
	if j.Load {
		all = append(all, steps.Step{Name: "load", Do: j.load})
	}
	return all
}

// Check returns an error if the job cannot succeed, without contacting the registry or the builder.
func (j *Job) Check() error {
	if j.Load && !slices.Contains(j.Plan.Platforms, j.Host) {
		return operr.NewUsage("run this command without -load", "%s is not built for %s, the platform of this machine's engine", j.Plan.Name, j.Host)
	}
	if j.Push && j.Plan.Dirty() {
		return operr.New("commit or stash the changes first", "%s has changes that are not committed, but only committed files are published", j.Plan.Dir)
	}
	return nil
}

// Run runs all steps.
func (j *Job) Run(ctx context.Context, to steps.Reporter) error {
	if err := j.Check(); err != nil {
		return err
	}
	return j.run(ctx, to, j.Steps()...)
}

// lock locks the job's folder for exclusive use by this process.
func (j *Job) lock() (unlock func(), err error) {
	unlock, _, err = journal.Lock(filepath.Join(j.Dir, "lock"))
	if errors.Is(err, journal.ErrLocked) {
		return nil, operr.NewStopped("wait until the other build has ended", "another build of the image of %s is running, %w", j.Plan.Dir, err)
	}
	return unlock, err
}

// notNeeded is the evidence for a step that was skipped because the registry already has the image.
const notNeeded = "not needed"

func (j *Job) look(ctx context.Context) (_ string, err error) {
	if j.Result.Reused && len(j.listUnchecked()) == 0 {
		return notNeeded, nil
	}
	j.node, err = j.Builder.Look(ctx)
	if j.Result.Reused && err != nil && ctx.Err() == nil { // an existing image needs no builder, except for its checks
		return notNeeded + ": " + err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s (%s), which runs %s", j.node.Name, j.node.Driver, strings.Join(j.listRunnable(), " and "))
	if len(j.node.Bare) > 0 {
		said += "; without TLS, anyone who can reach " + strings.Join(j.node.Bare, ", ") + " can run builds and read their inputs: foopack's magefiles/docs/images.md says how to use ssh or mTLS"
	}
	return said, nil
}

// listRunnable returns the platforms of the plan that the builder can run.
func (j *Job) listRunnable() (can []string) {
	for _, p := range j.Plan.Platforms {
		if slices.Contains(j.node.Platforms, p) {
			can = append(can, p)
		}
	}
	return can
}

func (j *Job) checkPackages(ctx context.Context) (string, error) {
	if j.Result.Reused {
		return notNeeded, nil
	}
	return j.Packages(ctx, j.Plan.Platforms)
}

func (j *Job) build(ctx context.Context) (string, error) {
	if j.Result.Reused {
		return notNeeded, nil
	}
	definition := j.Plan.push()
	if !j.Push {
		j.Result.Kept = j.layoutDir()
		if err := errors.Join(j.forget(), os.RemoveAll(j.Result.Kept)); err != nil {
			return "", err
		}
		definition = j.Plan.keep(j.Result.Kept)
	}
	definition, done, err := j.exportSources(ctx, definition)
	if err != nil {
		return "", err
	}
	defer done()
	if j.Fresh {
		definition = definition.WithoutCache()
	}
	guarded, err := proof.HasSecretProxies(config.Dir())
	if err != nil {
		return "", err
	}
	without := ""
	if guarded {
		definition, without = definition.Modest(), "; the provenance omits the build arguments, because docker's proxy settings have a password"
	}
	built, err := j.Builder.Build(ctx, definition, j.Dir)
	if err != nil {
		return "", err
	}
	j.Result.Digest, j.Result.Pushed = built.Digest, j.Push
	j.Result.Cached, j.Result.Ran = append(j.Result.Cached, built.Cached...), append(j.Result.Ran, built.Ran...)
	return fmt.Sprintf("%s; %s, %d of them from the cache", built.Digest, operr.Count(len(built.Cached)+len(built.Ran), "step"), len(built.Cached)) + without, nil
}

// exportSources makes a definition build only the committed files of the plan's folder, unless the plan includes uncommitted changes. `done` removes
// the exported folder.
func (j *Job) exportSources(ctx context.Context, b buildx.Bake) (_ buildx.Bake, done func(), err error) {
	if j.Plan.Dirty() {
		return b, func() {}, nil
	}
	dir := filepath.Join(j.Dir, "sources")
	if err := os.RemoveAll(dir); err != nil {
		return b, nil, err
	}
	folder, err := j.Export(ctx, dir)
	if err != nil {
		return b, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b.From(folder), func() { _ = os.RemoveAll(dir) }, nil
}

// verify reads the image back from the registry or folder, and compares it with the plan.
func (j *Job) verify(ctx context.Context) (_ string, err error) {
	switch {
	case j.Result.Reused:
	case j.Push:
		err = j.Registry.Await(ctx, func() (err error) {
			j.index, err = j.Registry.Read(ctx, j.Plan.Repository+"@"+j.Result.Digest)
			return err
		})
	default:
		j.index, err = registry.ReadLayout(j.Result.Kept)
	}
	if err != nil {
		return "", err
	}
	if err := proof.Verify(j.index, j.Result.Digest, j.Plan.expect()); err != nil {
		return "", err
	}
	if !j.Result.Reused {
		if err := proof.FindCredentials(j.index, j.Plan.Name, j.Push, j.Builder.Secrets()); err != nil {
			return "", err
		}
	}
	j.Result.Images = j.index.Images
	var said []string
	for _, one := range j.index.Images {
		said = append(said, one.Platform+" "+columns.Size(one.Size))
	}
	return strings.Join(said, ", ") + ", with labels and attestations" + j.compareWithOther(ctx), nil
}

func (j *Job) load(ctx context.Context) (string, error) {
	names := []string{j.Plan.Repository + ":" + RevisionTag(j.Plan.Revision), j.Plan.Repository + ":" + j.Plan.Version}
	definition, done, err := j.exportSources(ctx, j.Plan.load(j.Host, names))
	if err != nil {
		return "", err
	}
	defer done()
	_, err = j.Builder.Build(ctx, definition, j.Dir)
	return "docker run " + operr.Word(names[1]), err
}
