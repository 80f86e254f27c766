package survey

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Runs reports whether all hosts run an image, healthy, with no deployment under way and nothing left of one, and whether some have it, in whatever
// state. That a host cannot be asked is an error, and not a no.
func (f *Fleet) Runs(ctx context.Context, image Image) (all, some bool, err error) {
	all = true
	for _, h := range f.Look(ctx, 0) {
		if h.Err != nil {
			return false, some, operr.New(operr.NextOf(h.Err), "%s: %w", h.Name, h.Err)
		}
		running := h.Running != nil && h.Running.Image == image.Ref()
		begun := h.Kept.Candidate != nil && h.Kept.Candidate.Image == image.Ref()
		all = all && running && h.Running.Healthy && h.Kept.Candidate == nil && len(h.left()) == 0
		some = some || running || begun
	}
	return all, some, nil
}

// Served returns the image that all hosts run, healthy. An environment that comes after this one gets exactly that. It is an error where the
// hosts do not run one image, where a deployment has not ended, or where one is not as it was left.
func (f *Fleet) Served(ctx context.Context) (Image, error) {
	next := "`mage deploy:status -env=" + f.Environment.Name + "` says more; bring it to one image that is well, or say why it is not waited for by -force=REASON"
	refuse := func(format string, args ...any) (Image, error) {
		return Image{}, operr.New(next, "nothing can be taken over from "+f.Environment.Name+": "+format, args...)
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
			return refuse("%s runs %s, and %s was deployed to it", h.Name, h.Running.Image, current.Image)
		case !h.Running.Healthy:
			return refuse("%s is not healthy: %s", h.Name, h.Running.Says)
		case served != nil && served.Image != current.Image:
			return refuse("%s runs %s, and %s runs %s", first, served.Describe(), h.Name, current.Describe())
		}
		if drift := h.drift(); len(drift) > 0 {
			return refuse("%s is not as it was left: %s", h.Name, drift[0])
		}
		served, first = current, h.Name
	}
	repository, digest, _ := strings.Cut(served.Image, "@")
	return Image{Repository: repository, Digest: digest, Revision: served.Revision}, nil
}
