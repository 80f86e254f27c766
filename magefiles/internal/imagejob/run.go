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

// Face is how a person sees what is done, and agrees to it.
type Face struct {
	Steps steps.Reporter // of one image

	// Group shows the steps of one of several images that are built side by side.
	Group func(ctx context.Context, name string, f func(to steps.Reporter) error) error

	// Show shows a plan before anything is done; moves says that its tags move. Nil shows nothing.
	Show func(p *image.Plan, moves bool)

	// Agree asks before something leaves this machine. Nil asks nobody.
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

// Run builds and proves the image of a downstream, and publishes it where that is asked for.
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

// All is what came of the images of several downstreams.
type All struct {
	Made   []image.Result
	Failed []error // of the others, each once: what is missing for one is missing for all
}

// RunAll runs the jobs of all downstreams with an image, side by side. Its error is of what was found before one of them was begun.
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

// jobs are those of all downstreams with an image. Two of one name would overwrite each other.
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
				return nil, operr.New("give one of them another name in [tool.image]", "the images of %s and %s are both called %s", other.Plan.Name, j.Plan.Name, j.Plan.Repository)
			}
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil, operr.New("add a [tool.image] table to one", "%s has no downstream of which an image is made", m.Workspace.Manifest.Name)
	}
	return jobs, nil
}

// begin shows the plans, refuses what cannot end well, and asks where something leaves the machine.
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

// Merge joins digests that were pushed for single platforms, or those in the folder of images where none is given, into the image of a
// downstream, proves it, and moves its tags. Its digest is handed on to jobs of a CI that come later: by it the image is deployed.
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

// Plan says what would be built of a downstream, and which tags would move. Where verify says so, it is built again without a cache, and
// compared with what the registry has.
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
