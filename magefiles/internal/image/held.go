package image

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// ReadHeld says what tags of a repository stand for; those that are not there are left out.
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

// readHeld reads what one tag stands for.
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

// isOfPlan reports whether labels are those of a plan for this repository. An image that is built on one of ours in another way has its
// labels, of another name.
func isOfPlan(repository string, labels map[string]string) bool {
	title := labels[labelTitle]
	return labels[labelPlan] != "" && title != "" && strings.HasSuffix(repository, "/"+strings.ToLower(title))
}
