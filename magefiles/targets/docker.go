package targets

import (
	"context"
	"fmt"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Docker builds, proves and publishes multi-platform images of the downstreams, by docker buildx.
type Docker mg.Namespace

// Image builds the image of a downstream. It is named by its name or folder, and proved; with -push it is published. For example: `mage docker:image
// myapp`, `mage docker:image myapp -push`.
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

// All builds the images of all of them. The downstreams' images are built side by side; with -push they are published. For example: `mage
// docker:all`, `mage docker:all -push`.
func (Docker) All(ctx context.Context,
	push *bool, // push what was built, and move its tags
	load *bool, // put what was built into this machine's docker engine
	platform *string, // these platforms alone, with commas between; with -push by digest, for docker:merge
	tag *string, // these tags, with commas between, in place of those of the version
	again *bool, // build also what this clone has built before
	json *bool, // print one JSON array
	yes *bool, // do not ask
) error {
	f := ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes}
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		m, err := a.images(ctx, w)
		if err != nil {
			return err
		}
		var all imagejob.All
		err = answer(a, isSet(json), func() (_ []image.Result, err error) {
			all, err = m.RunAll(ctx, f.asked(), a.face(f))
			return all.Made, err
		}, a.view.Images)
		if err != nil {
			return err
		}
		return a.sayFailures(all.Failed)
	})
}

// Plan says what would be built and tagged. A downstream is named by its name or folder; -json has the definition for buildx. For example: `mage
// docker:plan myapp`, `mage docker:plan myapp -json`.
func (Docker) Plan(ctx context.Context, name string,
	verify *bool, // build it again without a cache, and compare every platform with what the registry has
	platform *string, // these platforms alone, with commas between
	tag *string, // these tags, with commas between, in place of those of the version
	json *bool, // print one JSON object
) error {
	f := ImageFlags{Platform: platform, Tag: tag, JSON: json}
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(json), func() (*image.Plan, error) {
			return m.Plan(ctx, d, isSet(verify), f.asked(), a.face(f))
		}, func(p *image.Plan) {
			a.view.ImagePlan(p, true)
			a.view.Next("`mage docker:image %s` builds it; `mage docker:plan %[1]s -json` has labels, arguments and the definition for buildx", p.Name)
		})
	})
}

// Merge joins images of single platforms. The digests that were pushed become one image of a downstream, which is proved, and its tags move. For
// example: `mage docker:merge myapp -digests=sha256:A,sha256:B`, `mage docker:merge myapp -digests=sha256:A,sha256:B -yes`.
func (Docker) Merge(ctx context.Context, name string,
	digests *string, // with commas between; default: those in output/images
	tag *string, // these tags, with commas between, in place of those of the version
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	f := ImageFlags{Tag: tag, JSON: json, Yes: yes}
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(json), func() (image.Result, error) {
			return m.Merge(ctx, d, list(digests), f.asked(), a.face(f))
		}, a.view.Image)
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
	m := &imagejob.Maker{Runner: localbuilder.Of(a.runner, set.StandIn), Workspace: w, Output: workspace.OutputDir, State: folders.State, Lock: lockFile, Settings: set}
	if a.view.Verbose {
		m.Log = a.view.Log()
	}
	return m, nil
}

func list(s *string) []string {
	return strings.FieldsFunc(orZero(s), func(r rune) bool { return r == ',' || r == ' ' })
}

// inImage is inWorkspace for one downstream, with what makes its image.
func inImage(ctx context.Context, name string, f func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		d, err := w.Downstream(name)
		if err != nil {
			return err
		}
		m, err := a.images(ctx, w)
		if err != nil {
			return err
		}
		return f(ctx, a, m, d)
	})
}

// BuildImage is docker:image for a magefile's own targets. It is no target itself.
func BuildImage(ctx context.Context, name string, f ImageFlags) error {
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(f.JSON), func() (image.Result, error) { return m.Run(ctx, d, f.asked(), a.face(f)) }, a.view.Image)
	})
}

// face shows what is done about images, and asks unless the flags say yes.
func (a *pipeline) face(f ImageFlags) imagejob.Face {
	return imagejob.Face{
		Steps: a.view,
		Group: func(ctx context.Context, name string, f func(to steps.Reporter) error) error {
			return a.job(ctx, name, "", func(g *group) error { return f(g) })
		},
		Show:  a.view.ImagePlan,
		Agree: func(ctx context.Context, question string) error { return a.confirm(ctx, isSet(f.Yes), question) },
	}
}

// sayFailures tells of all failures but the last, which is returned.
func (a *pipeline) sayFailures(failed []error) error {
	if len(failed) == 0 {
		return nil
	}
	last := len(failed) - 1
	for _, err := range failed[:last] {
		fmt.Fprintf(a.view.Err, "Error: %+v\n", err)
	}
	return failed[last]
}
