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

// run does steps in a folder that no other process uses meanwhile.
func (j *Job) run(ctx context.Context, to steps.Reporter, all ...steps.Step) error {
	unlock, err := j.lock()
	if err != nil {
		return err
	}
	defer unlock()
	err = steps.Run(ctx, to, all...)
	if cause := context.Cause(ctx); cause != nil {
		return cause // what a step that was stopped says is no error of its own
	}
	return err
}

// Merge joins what was pushed by digest for single platforms into the plan's image, and goes on as Run does after a build.
// Every part was checked where it was built.
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

// Reproduce builds the plan's image anew, without a cache, and compares the manifest of every platform with what the
// registry has of this commit. (The index is another one each time: its attestations say when it was built.)
func (j *Job) Reproduce(ctx context.Context, to steps.Reporter) error {
	if j.Plan.Dirty() {
		return operr.New("commit it, or put it away", "%s has changes that are not committed: they are in no image that was published", j.Plan.Dir)
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

// compare finds what is not the same in two builds of one plan.
func compare(there, here *registry.Index) (string, error) {
	digests := map[string]registry.Image{}
	for _, one := range here.Images {
		digests[one.Platform] = one
	}
	var same []string
	for _, one := range there.Images {
		anew, ok := digests[one.Platform]
		if !ok {
			continue // not built here: fewer platforms were asked for
		}
		if anew.Digest != one.Digest {
			return "", explainDifference(one, anew)
		}
		same = append(same, one.Platform+" "+one.Digest)
	}
	if len(same) == 0 {
		return "", operr.New("name a platform that was published", "there is nothing to compare: no platform was built that the registry has")
	}
	return strings.Join(same, ", "), nil
}

func explainDifference(there, here registry.Image) error {
	for n, layer := range there.Layers {
		if n >= len(here.Layers) || here.Layers[n] != layer {
			return operr.New("compare what was installed: without a pixi.lock it is as new as the channel has it, and a base image may have moved; the provenance of both names them",
				"the image for %s is not the same: its layer %d of %d is %s in the registry, and another one here", there.Platform, n+1, len(there.Layers), layer)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(here.Labels)) {
		if there.Labels[key] != here.Labels[key] && key != labelPlan {
			return operr.New("build from what it was built from: the same remote, images and settings",
				"the image for %s has the same layers, but its label %s is %q in the registry, and %q here", there.Platform, key, there.Labels[key], here.Labels[key])
		}
	}
	return operr.New("compare the settings (docker:plan) and the builder's version", "the image for %s has the same layers, but is configured in another way: %s in the registry, %s here", there.Platform, there.Digest, here.Digest)
}

// checkParts says which digests of parts make the image of a plan, and refuses what would leave a platform out, hold one
// twice, or mix revisions.
func (p *Plan) checkParts(parts []*registry.Index) error {
	whole := registry.Index{Digest: "the digests to be merged"}
	revision := ""
	for _, part := range parts {
		for _, one := range part.Images {
			if r := one.Labels[labelRevision]; revision == "" {
				revision = r
			} else if r != revision {
				return operr.New("build them all from one commit", "%s was built from %s, and another one from %s: nothing was merged", part.Digest, r, revision)
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
			return operr.New("build it for "+want+" too, and give its digest", "no digest is for %s: nothing was merged", want)
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
		return operr.New("give one digest for each platform", "two digests are for one platform: nothing was merged")
	}
	return nil
}
