package survey

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Runs reports whether all hosts run an image and are healthy, without an unfinished deployment or leftovers of one, and whether some hosts have it
// in any state. It returns an error if a host cannot be queried.
func (f *Fleet) Runs(ctx context.Context, image Image) (all, some bool, err error) {
	all = true
	for _, h := range f.Look(ctx, 0) {
		if h.Err != nil {
			return false, some, operr.New(operr.NextOf(h.Err), "%s: %w", h.Name, h.Err)
		}
		running := h.Running != nil && h.Running.Image == image.Ref()
		begun := h.Kept.Candidate != nil && h.Kept.Candidate.Image == image.Ref()
		all = all && running && h.Running.Healthy && h.Kept.Candidate == nil && len(h.describeLeftovers()) == 0
		some = some || running || begun
	}
	return all, some, nil
}

// FindServed returns the image that all hosts run and are healthy with. A following environment gets exactly this image. It returns an error if the
// hosts run different images, a deployment is unfinished, or a host has changed since its deployment.
func (f *Fleet) FindServed(ctx context.Context) (Image, error) {
	next := "run `mage deploy:status -env=" + f.Environment.Name + "`, and bring all hosts that it shows to the same healthy image; or pass -force=REASON to deploy anyway"
	refuse := func(format string, args ...any) (Image, error) {
		return Image{}, operr.New(next, "no image can be taken over from "+f.Environment.Name+": "+format, args...)
	}
	var served *Version
	first := ""
	for _, h := range f.Look(ctx, 0) {
		current := h.Kept.Current
		switch {
		case h.Err != nil:
			return refuse("%s: %w", h.Name, h.Err)
		case h.Kept.Candidate != nil:
			return refuse("a deployment to %s has not ended", h.Name)
		case h.Running == nil || current == nil:
			return refuse("%s runs nothing", h.Name)
		case h.Running.Image != current.Image:
			return refuse("%s runs %s, but %s was deployed to this host", h.Name, h.Running.Image, current.Image)
		case !h.Running.Healthy:
			return refuse("%s is not healthy: %s", h.Name, h.Running.Says)
		case served != nil && served.Image != current.Image:
			return refuse("%s runs %s, and %s runs %s", first, served.Describe(), h.Name, current.Describe())
		}
		if drift := h.drift(); len(drift) > 0 {
			return refuse("%s was changed since its last deployment: %s", h.Name, drift[0])
		}
		served, first = current, h.Name
	}
	repository, digest, _ := strings.Cut(served.Image, "@")
	return Image{Repository: repository, Digest: digest, Revision: served.Revision}, nil
}
