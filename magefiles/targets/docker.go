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
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Docker builds, proves and publishes multi-platform images of the downstreams, by docker buildx.
type Docker mg.Namespace

// Image builds the image of a downstream. NAME is the downstream's name or folder. The image is proved and, with -push, published. For example: `mage
// docker:image myapp`, `mage docker:image myapp -push`. Exit statuses: mage help docker:image.
func (Docker) Image(ctx context.Context, name string,
	push *bool, // push the built images, and move their tags
	load *bool, // load the built images into this machine's docker engine
	platform *string, // only these platforms, separated by commas; with this flag, -push pushes by digest, for docker:merge
	tag *string, // these tags, separated by commas, instead of the tags of the version
	again *bool, // build again even if this clone has built the image before
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	return BuildImage(ctx, name, ImageFlags{Push: push, Load: load, Platform: platform, Tag: tag, Again: again, JSON: json, Yes: yes})
}

// All builds all downstreams' images. They are built in parallel and, with -push, published. For example: `mage docker:all`, `mage docker:all -push`.
// Exit statuses: mage help docker:all.
func (Docker) All(ctx context.Context,
	push *bool, // push the built images, and move their tags
	load *bool, // load the built images into this machine's docker engine
	platform *string, // only these platforms, separated by commas; with this flag, -push pushes by digest, for docker:merge
	tag *string, // these tags, separated by commas, instead of the tags of the version
	again *bool, // build again even if this clone has built the image before
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
		if err == nil {
			err = all.Err(func(err error) { fmt.Fprintf(a.view.Err, "Error: %+v\n", err) })
		}
		if err == nil && !isSet(json) {
			a.next(ctx, nextstep.AfterBuild(w, firstEnvironment, all.Made...))
		}
		return err
	})
}

// Plan says what would be built and tagged. NAME is the downstream's name or folder. -json includes the definition for buildx. For example: `mage
// docker:plan myapp`, `mage docker:plan myapp -json`. Exit statuses: mage help docker:plan.
func (Docker) Plan(ctx context.Context, name string,
	verify *bool, // build the image again without a cache, and compare every platform with the image in the registry
	platform *string, // only these platforms, separated by commas
	tag *string, // these tags, separated by commas, instead of the tags of the version
	json *bool, // print one JSON object
) error {
	f := ImageFlags{Platform: platform, Tag: tag, JSON: json}
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(json), func() (*image.Plan, error) {
			return m.Plan(ctx, d, isSet(verify), f.asked(), a.face(f))
		}, func(p *image.Plan) {
			a.view.ImagePlan(p, true)
			a.view.Next("`mage docker:image %s` builds the image; `mage docker:plan %[1]s -json` has labels, arguments and the definition for buildx", p.Name)
		})
	})
}

// Merge joins images of single platforms. A downstream's pushed digests become one image, which is proved, and its tags move. For example: `mage
// docker:merge myapp -digests=sha256:A,sha256:B`, `mage docker:merge myapp -digests=sha256:A,sha256:B -yes`. Exit statuses: mage help docker:merge.
func (Docker) Merge(ctx context.Context, name string,
	digests *string, // digests of the images, separated by commas; default: those in output/images
	tag *string, // these tags, separated by commas, instead of the tags of the version
	json *bool, // print one JSON object
	yes *bool, // do not ask
) error {
	f := ImageFlags{Tag: tag, JSON: json, Yes: yes}
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(json), func() (image.Result, error) {
			return m.Merge(ctx, d, list(digests), f.asked(), a.face(f))
		}, a.shown(ctx, m.Workspace))
	})
}

// ImageFlags holds the flags of Docker.Image, for a magefile's own targets that name a downstream (see BuildImage).
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

// images returns a maker of images, with settings from the environment.
func (a *pipeline) images(ctx context.Context, w *workspace.Workspace) (*imagejob.Maker, error) {
	if err := folders.Check(ctx, a.runner, w); err != nil {
		return nil, err
	}
	set, err := a.imageEnvironment(w)
	if err != nil {
		return nil, err
	}
	m := &imagejob.Maker{Runner: localbuilder.Of(a.runner, set.StandIn), Workspace: w, Output: workspace.OutputDir, State: folders.State, Lock: workspace.LockFile, Settings: set}
	if a.view.Verbose {
		m.Log = a.view.Log()
	}
	return m, nil
}

func list(s *string) []string {
	return strings.FieldsFunc(orZero(s), func(r rune) bool { return r == ',' || r == ' ' })
}

// inImage works as inWorkspace, for one downstream. It also passes the maker of the downstream's image to the body.
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

// shown returns a function that shows an image that was made, and the next step.
func (a *pipeline) shown(ctx context.Context, w *workspace.Workspace) func(image.Result) {
	return func(r image.Result) {
		a.view.Image(r)
		a.next(ctx, nextstep.AfterBuild(w, firstEnvironment, r))
	}
}

// BuildImage does the same as docker:image, for targets of a magefile. Mage does not take it for a target.
func BuildImage(ctx context.Context, name string, f ImageFlags) error {
	return inImage(ctx, name, func(ctx context.Context, a *pipeline, m *imagejob.Maker, d *workspace.Downstream) error {
		return answer(a, isSet(f.JSON), func() (image.Result, error) { return m.Run(ctx, d, f.asked(), a.face(f)) }, a.shown(ctx, m.Workspace))
	})
}

// face shows the progress of image jobs, and asks, unless the flags answer yes.
func (a *pipeline) face(f ImageFlags) imagejob.Face {
	return imagejob.Face{
		Steps: a.view,
		Group: func(ctx context.Context, name string, f func(to steps.Reporter) error) error {
			return a.job(ctx, name, "", func(g *view.Group) error { return f(g) })
		},
		Show:  a.view.ImagePlan,
		Agree: func(ctx context.Context, question string) error { return a.confirm(ctx, isSet(f.Yes), question) },
	}
}
