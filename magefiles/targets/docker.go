package targets

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Docker builds, proves and publishes multi-platform images of the downstreams, by docker buildx.
type Docker mg.Namespace

// Image builds and proves the image of one downstream, named by its name or folder; with -push it is published.
func (Docker) Image(ctx context.Context, name string,
	push *bool, // push what was built, and move its tags
	load *bool, // put what was built into this machine's docker engine
	platform *string, // these platforms alone, with commas between; with -push by digest, for docker:merge
	tag *string, // these tags, with commas between, in place of those of the version
	again *bool, // build also what this clone has built before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return BuildImage(ctx, name, ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// All builds the images of all downstreams side by side; with -push they are published.
func (Docker) All(ctx context.Context,
	push *bool, // push what was built, and move its tags
	load *bool, // put what was built into this machine's docker engine
	platform *string, // these platforms alone, with commas between; with -push by digest, for docker:merge
	tag *string, // these tags, with commas between, in place of those of the version
	again *bool, // build also what this clone has built before
	json *bool, // print one JSON array
	yes *bool, // do not ask
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return a.imagesOfAll(ctx, w, ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
	})
}

// Plan prints what would be built of a downstream, by its name or folder, which tags would move, and the definition for buildx.
func (Docker) Plan(ctx context.Context, name string,
	verify *bool, // build it again without a cache, and compare every platform with what the registry has
	platform *string, // these platforms alone, with commas between
	tag *string, // these tags, with commas between, in place of those of the version
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return a.planImage(ctx, w, name, isSet(verify), ImageFlags{Platform: platform, Tag: tag, JSON: json})
	})
}

// Merge joins digests that were pushed for single platforms into one image of a downstream, proves it, and moves its tags.
func (Docker) Merge(ctx context.Context, name string,
	digests *string, // with commas between; default: those in output/images
	tag *string, // these tags, with commas between, in place of those of the version
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return a.mergeImage(ctx, w, name, orZero(digests), ImageFlags{Tag: tag, JSON: json, Yes: yes})
	})
}

// ImageFlags are the flags of Docker.Image, for a magefile's own targets that name a downstream (see BuildImage).
type ImageFlags struct {
	Push, Load    *bool
	Platform, Tag *string
	Again         *bool
	JSON, Yes     *bool
}

func (f ImageFlags) asked() imagejob.Flags {
	return imagejob.Flags{
		Push:      isSet(f.Push),
		Load:      isSet(f.Load),
		Again:     isSet(f.Again),
		Platforms: list(f.Platform),
		Tags:      list(f.Tag),
	}
}

// images makes jobs, with what the environment says.
func (a *pipeline) images(ctx context.Context, w *workspace.Workspace) (*imagejob.Maker, error) {
	if err := a.checkOwn(ctx, w); err != nil {
		return nil, err
	}
	set, err := a.imageEnvironment(w)
	if err != nil {
		return nil, err
	}
	m := &imagejob.Maker{Runner: a.runner, Workspace: w, Output: workspace.OutputDir, State: folders.State, Lock: lockFile, Settings: set}
	if a.view.Verbose {
		m.Log = a.view.Err
	}
	return m, nil
}

func list(s *string) []string {
	return strings.FieldsFunc(orZero(s), func(r rune) bool { return r == ',' || r == ' ' })
}

// BuildImage is docker:image for a magefile's own targets. It is no target itself.
func BuildImage(ctx context.Context, name string, f ImageFlags) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		d, err := w.Downstream(name)
		if err != nil {
			return err
		}
		if isSet(f.JSON) {
			a.view.Out = a.view.Err
		}
		m, err := a.images(ctx, w)
		if err != nil {
			return err
		}
		j, err := m.Job(ctx, d, f.asked(), f.asked().Asks())
		if err != nil {
			return err
		}
		if err := a.agreeToPush(ctx, []*image.Job{j}, f); err != nil {
			return err
		}
		if err := j.Run(ctx, a.view.Step); err != nil {
			return err
		}
		if err := m.WriteDigest(j); err != nil {
			return err
		}
		if isSet(f.JSON) {
			a.view.Out = os.Stdout
			return a.view.JSON(j.Result)
		}
		a.sayImage(j)
		return nil
	})
}

// imagesOfAll runs the jobs of all downstreams with an image side by side.
func (a *pipeline) imagesOfAll(ctx context.Context, w *workspace.Workspace, f ImageFlags) error {
	if isSet(f.JSON) {
		a.view.Out = a.view.Err
	}
	m, err := a.images(ctx, w)
	if err != nil {
		return err
	}
	var jobs []*image.Job
	for _, d := range w.Downstreams {
		if d.Image == nil {
			continue
		}
		j, err := m.Job(ctx, d, f.asked(), f.asked().Asks())
		if err != nil {
			return err
		}
		for _, other := range jobs {
			if other.Plan.Repository == j.Plan.Repository {
				return operr.New("give one of them another name in [tool.image]", "the images of %s and %s are both called %s", other.Plan.Name, j.Plan.Name, j.Plan.Repository)
			}
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return operr.New("add a [tool.image] table to one", "%s has no downstream of which an image is made", w.Manifest.Name)
	}
	if err := a.agreeToPush(ctx, jobs, f); err != nil {
		return err
	}
	errs := make([]error, len(jobs))
	var wait sync.WaitGroup
	for n, j := range jobs {
		wait.Go(func() {
			if errs[n] = a.imageInGroup(ctx, j); errs[n] == nil {
				errs[n] = m.WriteDigest(j)
			}
		})
	}
	wait.Wait()
	return a.sayImages(jobs, errs, isSet(f.JSON))
}

// sayImages tells of every job, also where others failed. The last failure is returned.
func (a *pipeline) sayImages(jobs []*image.Job, errs []error, asJSON bool) (failed error) {
	results := []image.Result{}
	for n, j := range jobs {
		switch {
		case errs[n] == nil && !asJSON:
			a.sayImage(j)
		case errs[n] == nil:
			results = append(results, j.Result)
		default:
			if failed != nil && failed.Error() != errs[n].Error() { // what is missing for one is missing for all
				fmt.Fprintf(a.view.Err, "Error: %+v\n", failed)
			}
			failed = errs[n]
		}
	}
	if asJSON {
		a.view.Out = os.Stdout
		if err := a.view.JSON(results); err != nil {
			return err
		}
	}
	return failed
}

// imageInGroup runs a job with its lines collected.
func (a *pipeline) imageInGroup(ctx context.Context, j *image.Job) error {
	return a.job(ctx, "image "+j.Plan.Name, "", func(g *group) error {
		return j.Run(ctx, g.Step)
	})
}

// agreeToPush shows the plans, refuses what cannot end well, and asks where something leaves the machine.
func (a *pipeline) agreeToPush(ctx context.Context, jobs []*image.Job, f ImageFlags) error {
	for _, j := range jobs {
		a.showPlan(j.Plan, isSet(f.Push))
		if err := j.Check(); err != nil {
			return err
		}
	}
	if !isSet(f.Push) {
		return nil
	}
	var names []string
	for _, j := range jobs {
		names = append(names, j.Plan.Repository)
	}
	return a.confirm(ctx, isSet(f.Yes), "Build and push "+strings.Join(names, ", ")+"?")
}

func (a *pipeline) showPlan(p *image.Plan, tags bool) {
	a.view.Heading("%s %s of %s, for %s", p.Repository, p.Version, p.Revision[:min(12, len(p.Revision))], strings.Join(p.Platforms, " and "))
	var rows [][]string
	for _, t := range p.Tags {
		rows = append(rows, []string{"  " + t.Name, t.Why})
	}
	if tags && len(rows) > 0 {
		a.view.Table([]string{"  TAG", ""}, rows)
	}
	for _, warning := range p.Warnings {
		a.view.Line("  ○ %s", warning)
	}
}

func (a *pipeline) sayImage(j *image.Job) {
	r := j.Result
	where := r.Repository + "@" + r.Digest
	if !r.Pushed {
		where = r.Kept + " (" + r.Digest + "); nothing was pushed"
	}
	a.view.Heading("\n%s: %s", r.Name, where)
	for _, one := range r.Images {
		a.view.Line("  %s  %s  %d MB", one.Platform, one.Digest, one.Size/1e6)
	}
}

func (a *pipeline) mergeImage(ctx context.Context, w *workspace.Workspace, name, digests string, f ImageFlags) error {
	d, err := w.Downstream(name)
	if err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = a.view.Err
	}
	m, err := a.images(ctx, w)
	if err != nil {
		return err
	}
	given, err := m.Digests(d, list(&digests))
	if err != nil {
		return err
	}
	yes := true
	f.Push = &yes
	j, err := m.Job(ctx, d, f.asked(), imagejob.MustAsk)
	if err != nil {
		return err
	}
	if err := j.Check(); err != nil {
		return err
	}
	j.Plan.Warnings = nil // of a build, and nothing is built
	j.Foresee()
	a.showPlan(j.Plan, true)
	if err := a.confirm(ctx, isSet(f.Yes), "Merge "+operr.Count(len(given), "digest")+" into "+j.Plan.Repository+"?"); err != nil {
		return err
	}
	if err := j.Merge(ctx, given, a.view.Step); err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = os.Stdout
		return a.view.JSON(j.Result)
	}
	a.sayImage(j)
	return nil
}

func (a *pipeline) planImage(ctx context.Context, w *workspace.Workspace, name string, verify bool, f ImageFlags) error {
	d, err := w.Downstream(name)
	if err != nil {
		return err
	}
	if isSet(f.JSON) {
		a.view.Out = a.view.Err
	}
	m, err := a.images(ctx, w)
	if err != nil {
		return err
	}
	j, err := m.Job(ctx, d, f.asked(), imagejob.MayAsk)
	if err != nil {
		return err
	}
	if verify {
		if err := j.Reproduce(ctx, a.view.Step); err != nil {
			return err
		}
	}
	if isSet(f.JSON) {
		a.view.Out = os.Stdout
		return a.view.JSON(j.Plan)
	}
	a.showPlan(j.Plan, true)
	text, err := json.MarshalIndent(j.Plan.Definition, "", "  ")
	if err != nil {
		return err
	}
	a.view.Line("%s", text)
	return nil
}
