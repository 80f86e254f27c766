package imagejob

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Face shows progress to the user, and asks for confirmation.
type Face struct {
	Steps steps.Reporter // reporter for a single image

	// Group shows the steps of one of several images that are built concurrently.
	Group func(ctx context.Context, name string, f func(to steps.Reporter) error) error

	// Show displays a plan before it is carried out. moves is true if its tags will move. A nil Show displays nothing.
	Show func(p *image.Plan, moves bool)

	// Agree asks for confirmation before something leaves this machine. A nil Agree confirms everything.
	Agree func(ctx context.Context, question string) error
}

func (f Face) show(p *image.Plan, moves bool) {
	if f.Show != nil {
		f.Show(p, moves)
	}
}

func (f Face) agree(ctx context.Context, question string) error {
	if f.Agree == nil {
		return nil
	}
	return f.Agree(ctx, question)
}

// Run builds and verifies a downstream's image, and publishes it if f.Push is set.
func (m *Maker) Run(ctx context.Context, d *workspace.Downstream, f Flags, face Face) (image.Result, error) {
	j, err := m.job(ctx, d, f, f.asks())
	if err != nil {
		return image.Result{}, err
	}
	if err := face.begin(ctx, f, j); err != nil {
		return image.Result{}, err
	}
	if err := j.Run(ctx, face.Steps); err != nil {
		return image.Result{}, err
	}
	return j.Result, m.writeDigest(j)
}

// All contains the results for several downstreams.
type All struct {
	Made   []image.Result
	Failed []error // errors of the failed images, without duplicates, because they often share a cause
}

// Err returns the last failure, after calling tell for each of the others.
func (a All) Err(tell func(error)) error {
	if len(a.Failed) == 0 {
		return nil
	}
	last := len(a.Failed) - 1
	for _, err := range a.Failed[:last] {
		tell(err)
	}
	return a.Failed[last]
}

// RunAll runs the jobs for all downstreams with an image concurrently. It returns an error only if a job cannot start.
func (m *Maker) RunAll(ctx context.Context, f Flags, face Face) (All, error) {
	jobs, err := m.jobs(ctx, f)
	if err != nil {
		return All{}, err
	}
	if err := face.begin(ctx, f, jobs...); err != nil {
		return All{}, err
	}
	errs := make([]error, len(jobs))
	var wait sync.WaitGroup
	for n, j := range jobs {
		wait.Go(func() {
			errs[n] = face.Group(ctx, "image "+j.Plan.Name, func(to steps.Reporter) error { return j.Run(ctx, to) })
			if errs[n] == nil {
				errs[n] = m.writeDigest(j)
			}
		})
	}
	wait.Wait()
	all := All{Made: []image.Result{}}
	for n, j := range jobs {
		switch err := errs[n]; {
		case err == nil:
			all.Made = append(all.Made, j.Result)
		case !slices.ContainsFunc(all.Failed, func(known error) bool { return known.Error() == err.Error() }):
			all.Failed = append(all.Failed, err)
		}
	}
	return all, nil
}

// jobs returns the jobs for all downstreams with an image. Two images with the same name are an error, because they would overwrite each other.
func (m *Maker) jobs(ctx context.Context, f Flags) (jobs []*image.Job, err error) {
	for _, d := range m.Workspace.Downstreams {
		if d.Image == nil {
			continue
		}
		j, err := m.job(ctx, d, f, f.asks())
		if err != nil {
			return nil, err
		}
		for _, other := range jobs {
			if other.Plan.Repository == j.Plan.Repository {
				return nil, operr.New("write another name into [tool.image] of one manifest", "the images of %s and %s have the same name %s", other.Plan.Name, j.Plan.Name, j.Plan.Repository)
			}
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil, operr.New("add a [tool.image] table to the manifest of a downstream", "%s has no downstream with an image", m.Workspace.Manifest.Name)
	}
	return jobs, nil
}

// begin shows the plans, returns an error for jobs that cannot succeed, and asks for confirmation if something will leave the machine.
func (f Face) begin(ctx context.Context, asked Flags, jobs ...*image.Job) error {
	var names []string
	for _, j := range jobs {
		f.show(j.Plan, asked.Push)
		if err := j.Check(); err != nil {
			return err
		}
		names = append(names, j.Plan.Repository)
	}
	if !asked.Push {
		return nil
	}
	return f.agree(ctx, "Build and push "+strings.Join(names, ", ")+"?")
}

// Merge joins single-platform images, given by digest, into a downstream's image, verifies it, and moves its tags. Without digests, it uses those
// in the image folder. It sets the result's digest as a CI output, so that later jobs can deploy exactly this image.
func (m *Maker) Merge(ctx context.Context, d *workspace.Downstream, given []string, f Flags, face Face) (image.Result, error) {
	digests, err := m.digests(d, given)
	if err != nil {
		return image.Result{}, err
	}
	f.Push, f.joined = true, true
	j, err := m.job(ctx, d, f, mustAsk)
	if err != nil {
		return image.Result{}, err
	}
	if err := j.Check(); err != nil {
		return image.Result{}, err
	}
	face.show(j.Plan, true)
	if err := face.agree(ctx, "Merge "+operr.Count(len(digests), "digest")+" into "+j.Plan.Repository+"?"); err != nil {
		return image.Result{}, err
	}
	if err := j.Merge(ctx, digests, face.Steps); err != nil {
		return image.Result{}, err
	}
	if m.HandOn == nil {
		return j.Result, nil
	}
	return j.Result, m.HandOn("digest", j.Result.Digest)
}

// Plan returns the plan for a downstream's image, including the tags that would move. If verify is set, it also rebuilds the image without a cache,
// and compares it with the image in the registry.
func (m *Maker) Plan(ctx context.Context, d *workspace.Downstream, verify bool, f Flags, face Face) (*image.Plan, error) {
	j, err := m.job(ctx, d, f, mayAsk)
	if err != nil {
		return nil, err
	}
	if verify {
		if err := j.Reproduce(ctx, face.Steps); err != nil {
			return nil, err
		}
	}
	return j.Plan, nil
}
