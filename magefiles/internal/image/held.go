package image

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// ReadHeld reads the images that tags point to. It skips tags that are not in `have`, the list of the repository's tags.
func ReadHeld(ctx context.Context, r *registry.Registry, repository string, tags, have []string) (map[string]Held, error) {
	held := map[string]Held{}
	for _, tag := range tags {
		if !slices.Contains(have, tag) {
			continue
		}
		h, err := readHeld(ctx, r, repository, tag)
		if errors.Is(err, registry.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held[tag] = h
	}
	return held, nil
}

// readHeld reads the image that one tag points to.
func readHeld(ctx context.Context, r *registry.Registry, repository, tag string) (h Held, err error) {
	digest, labels, err := r.Labels(ctx, repository, tag)
	if err != nil {
		return h, err
	}
	h.Digest = digest
	if isOfPlan(repository, labels) {
		h.Version, h.Revision = labels[labelVersion], labels[labelRevision]
	}
	return h, nil
}

// isOfPlan reports whether these labels were written by a plan for this repository. An image that is based on one of ours inherits our labels, but
// has another name.
func isOfPlan(repository string, labels map[string]string) bool {
	title := labels[labelTitle]
	return labels[labelPlan] != "" && title != "" && strings.HasSuffix(repository, "/"+strings.ToLower(title))
}
