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

// Job applies one plan. Its steps each leave what later ones need.
type Job struct {
	Plan     *Plan
	Builder  *buildx.Builder
	Registry *registry.Registry
	Push     bool
	Load     bool   // put the image into the docker engine, for the platform of this machine
	Host     string // platform of this machine, for Load
	Dir      string // folder of this job alone, which exists; what is not pushed is kept in it
	Again    bool   // build, even where the registry has an image of this plan
	Records  string // folder of what this clone has built, which git keeps for it; "" remembers nothing, and takes nothing
	Fresh    bool   // build without the builder's cache

	// Export writes what is committed of the plan's folder to another one, and says where a build finds it there. Where there
	// are no changes, an image is built from that: neither a file that git ignores nor what is changed meanwhile gets into it.
	Export func(ctx context.Context, dir string) (folder string, err error)

	// History says how commits of images in the registry stand to ours. nil knows none.
	History History

	// Packages reports whether everything that the environment asks for by name is on its channel, for every platform.
	Packages func(ctx context.Context, platforms []string) (evidence string, err error)

	Result Result
	node   buildx.Node
	index  *registry.Index
	other  string // digest that the registry had under the tag of the commit, of a build that this clone does not know
}

// Result is what came of a job.
type Result struct {
	Name       string           `json:"name"`
	Repository string           `json:"repository"`
	Digest     string           `json:"digest"` // of the index
	Images     []registry.Image `json:"images"`
	Pushed     bool             `json:"pushed"`
	Reused     bool             `json:"reused"` // it was there already: nothing was built
	Kept       string           `json:"kept,omitempty"`
	Tags       []Tag            `json:"tags"`
	Checked    []string         `json:"checked"`     // platforms on which the image ran its check
	NotChecked []string         `json:"not_checked"` // platforms that the builder cannot run
	Cached     []string         `json:"cached"`      // steps of the Dockerfile that were taken from the cache
	Ran        []string         `json:"ran"`         // steps that were run
}

// newResult is that of a job that has not done anything. Lists are never nil, for JSON's sake.
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
	}
}

// Steps are the job, in order. Each may be done again.
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

// Check refuses what cannot end well, before anyone is asked.
func (j *Job) Check() error {
	if j.Load && !slices.Contains(j.Plan.Platforms, j.Host) {
		return operr.NewUsage("leave -load out", "%s is not built for %s, which this machine's engine runs", j.Plan.Name, j.Host)
	}
	if j.Push && j.Plan.Dirty() {
		return operr.New("commit it first, or put it away", "%s has changes that are not committed: what is published is what is committed", j.Plan.Dir)
	}
	return nil
}

// Run does all steps.
func (j *Job) Run(ctx context.Context, to steps.Reporter) error {
	if err := j.Check(); err != nil {
		return err
	}
	return j.run(ctx, to, j.Steps()...)
}

// lock takes the job's folder for this process.
func (j *Job) lock() (unlock func(), err error) {
	unlock, _, err = journal.Lock(filepath.Join(j.Dir, "lock"))
	if errors.Is(err, journal.ErrLocked) {
		return nil, operr.NewStopped("wait until it has ended", "an image of %s is being built already, %w", j.Plan.Dir, err)
	}
	return unlock, err
}

// notNeeded is said of a step where the registry has the image.
const notNeeded = "not needed"

func (j *Job) look(ctx context.Context) (_ string, err error) {
	if j.Result.Reused && len(j.listUnchecked()) == 0 {
		return notNeeded, nil
	}
	j.node, err = j.Builder.Look(ctx)
	if j.Result.Reused && err != nil && ctx.Err() == nil { // the image is there; it is checked where that can be
		return notNeeded + ": " + err.Error(), nil
	}
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("%s (%s), which runs %s", j.node.Name, j.node.Driver, strings.Join(j.listRunnable(), " and "))
	if len(j.node.Bare) > 0 {
		said += "; without TLS, anyone who reaches " + strings.Join(j.node.Bare, ", ") + " builds there, and reads what builds are given: README says how to use ssh or mTLS"
	}
	return said, nil
}

// listRunnable are the plan's platforms that the builder can run.
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
		definition, without = definition.Modest(), "; the provenance leaves out build arguments: docker's proxies have a password"
	}
	built, err := j.Builder.Build(ctx, definition, j.Dir)
	if err != nil {
		return "", err
	}
	j.Result.Digest, j.Result.Pushed = built.Digest, j.Push
	j.Result.Cached, j.Result.Ran = append(j.Result.Cached, built.Cached...), append(j.Result.Ran, built.Ran...)
	return fmt.Sprintf("%s; %s, %d of them from the cache", built.Digest, operr.Count(len(built.Cached)+len(built.Ran), "step"), len(built.Cached)) + without, nil
}

// exportSources lets a definition build what is committed of the plan's folder, unless the plan is of changes. done removes where
// that is put.
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

// verify reads back what was made, where it was put.
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
