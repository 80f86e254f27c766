package image

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/steps"
)

// run locks the job's folder and runs the steps.
func (j *Job) run(ctx context.Context, to steps.Reporter, all ...steps.Step) error {
	unlock, err := j.lock()
	if err != nil {
		return err
	}
	defer unlock()
	err = steps.Run(ctx, to, all...)
	if cause := context.Cause(ctx); cause != nil {
		return cause // after a cancellation, the step's error only repeats the cause
	}
	return err
}

// Merge joins single-platform images, which were pushed by digest, into the plan's image, and then continues like Run after a build. It does not
// run the downstream's check, because the job that built each part has run it.
func (j *Job) Merge(ctx context.Context, digests []string, to steps.Reporter) error {
	if err := j.Check(); err != nil {
		return err
	}
	j.Result = newResult(j.Plan)
	return j.run(ctx, to, steps.Step{Name: "merge", Do: func(ctx context.Context) (string, error) { return j.merge(ctx, digests) }},
		steps.Step{
			Name: "verify",
			Do: func(ctx context.Context) (string, error) {
				said, err := j.verify(ctx)
				if err != nil {
					return "", err
				}
				return said, j.remember()
			},
		}, steps.Step{Name: "tag", Do: j.tag})
}

func (j *Job) merge(ctx context.Context, digests []string) (_ string, err error) {
	var parts []*registry.Index
	for n, d := range digests {
		digests[n] = registry.DigestOf(d)
		part, err := j.Registry.Read(ctx, j.Plan.Repository+"@"+digests[n])
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	if err := j.Plan.checkParts(parts); err != nil {
		return "", err
	}
	j.Push, j.Result.Pushed = true, true
	j.Result.Digest, err = j.Registry.Join(ctx, j.Plan.Repository, digests)
	return fmt.Sprintf("%s into %s", operr.Count(len(digests), "digest"), j.Result.Digest), err
}

// Reproduce builds the plan's image again without a cache, and compares each platform's manifest with the registry's image of this commit. (It does
// not compare the index, because the attestations contain the build time.)
func (j *Job) Reproduce(ctx context.Context, to steps.Reporter) error {
	if j.Plan.Dirty() {
		return operr.New("commit or stash the changes", "%s has changes that are not committed, so they are not in any published image", j.Plan.Dir)
	}
	j.Result, j.Push = newResult(j.Plan), false
	var there *registry.Index
	return j.run(ctx, to, steps.Step{Name: "builder", Do: j.look},
		steps.Step{
			Name: "registry",
			Do: func(ctx context.Context) (_ string, err error) {
				ref := j.Plan.Repository + ":" + RevisionTag(j.Plan.Revision)
				if there, err = j.Registry.Read(ctx, ref); err != nil {
					return "", operr.New("check out the commit that was published", "comparing with %s: %w", ref, err)
				}
				return there.Digest, nil
			},
		},
		steps.Step{
			Name: "build anew",
			Do: func(ctx context.Context) (string, error) {
				j.Fresh = true
				return j.build(ctx)
			},
		},
		steps.Step{
			Name: "compare",
			Do: func(context.Context) (string, error) {
				here, err := registry.ReadLayout(j.Result.Kept)
				if err != nil {
					return "", err
				}
				return compare(there, here)
			},
		})
}

// compare returns an error that names the first difference between two builds of one plan.
func compare(there, here *registry.Index) (string, error) {
	digests := map[string]registry.Image{}
	for _, one := range here.Images {
		digests[one.Platform] = one
	}
	var same []string
	for _, one := range there.Images {
		anew, ok := digests[one.Platform]
		if !ok {
			continue // this platform was not requested, so it was not built
		}
		if anew.Digest != one.Digest {
			return "", explainDifference(one, anew)
		}
		same = append(same, one.Platform+" "+one.Digest)
	}
	if len(same) == 0 {
		return "", operr.New("name a platform that was published", "nothing was compared: the registry has none of the platforms that were built")
	}
	return strings.Join(same, ", "), nil
}

func explainDifference(there, here registry.Image) error {
	for n, layer := range there.Layers {
		if n >= len(here.Layers) || here.Layers[n] != layer {
			return operr.New("compare the installed packages and the base images in the provenance of both images: without a pixi.lock, a build installs the newest packages, and the tag of a base image may have moved",
				"the images for %s differ: layer %d of %d is %s in the registry, but a different layer here", there.Platform, n+1, len(there.Layers), layer)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(here.Labels)) {
		if there.Labels[key] != here.Labels[key] && key != labelPlan {
			return operr.New("build with the same remote, base images and settings as the published image",
				"the images for %s have the same layers, but the label %s is %q in the registry, and %q here", there.Platform, key, there.Labels[key], here.Labels[key])
		}
	}
	return operr.New("build both images with the same settings (`mage docker:plan` shows them) and the same version of the builder", "the images for %s have the same layers, but different configurations: %s in the registry, %s here", there.Platform, there.Digest, here.Digest)
}

// checkParts returns an error if the parts lack a platform of the plan, have one twice, or come from different revisions.
func (p *Plan) checkParts(parts []*registry.Index) error {
	whole := registry.Index{Digest: "the digests to be merged"}
	revision := ""
	for _, part := range parts {
		for _, one := range part.Images {
			if r := one.Labels[labelRevision]; revision == "" {
				revision = r
			} else if r != revision {
				return operr.New("build the images of all platforms from one commit", "%s was built from the commit %s, but another image from the commit %s; nothing was merged", part.Digest, r, revision)
			}
			whole.Images = append(whole.Images, one)
		}
	}
	var have []string
	for _, one := range whole.Images {
		have = append(have, one.Platform)
	}
	for _, want := range p.Platforms {
		if !slices.Contains(have, want) {
			return operr.New("build the image for "+want+" too, and pass its digest", "none of the digests is for %s; nothing was merged", want)
		}
	}
	for _, one := range parts {
		w := p.expect()
		w.Platforms = nil
		for _, i := range one.Images {
			w.Platforms = append(w.Platforms, i.Platform)
		}
		if err := proof.Verify(one, "", w); err != nil {
			return err
		}
	}
	slices.Sort(have)
	if len(slices.Compact(have)) != len(whole.Images) {
		return operr.New("pass one digest for each platform", "two digests are for the same platform; nothing was merged")
	}
	return nil
}
