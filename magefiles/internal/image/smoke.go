package image

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// smoke runs the image's check on every platform that the builder can run, except those on which this clone has already seen it pass.
func (j *Job) smoke(ctx context.Context) (string, error) {
	before := slices.Clone(j.Result.Checked)
	proved, err := j.newProver().Prove(ctx, j.index.Images)
	if err != nil {
		return "", err
	}
	now := proved.Now
	j.Result.NotChecked = append(j.Result.NotChecked, proved.Not...)
	if j.Push && !j.Result.Reused && len(now) == 0 {
		return "", operr.New("use a builder that can run one of the platforms, or install qemu's binfmt for this builder; foopack's magefiles/docs/images.md says how. No tag was moved",
			"the image of %s was not checked, because the builder %s cannot run any of its platforms: %s", j.Plan.Name, j.node.Name, strings.Join(j.Plan.Platforms, ", "))
	}
	if len(now) > 0 {
		j.Result.Checked = append(before, now...)
		if err := j.remember(); err != nil {
			return "", err
		}
	}
	var said []string
	if len(before) > 0 {
		said = append(said, "not run again on "+strings.Join(before, " and ")+", because the check passed when the image was built")
	}
	if len(now) > 0 {
		said = append(said, "ran "+strings.Join(j.Plan.Check, " ")+" on "+strings.Join(now, " and "))
	}
	if len(said) == 0 {
		said = append(said, "not run")
	}
	if n := j.Result.NotChecked; len(n) > 0 {
		said = append(said, "not on "+strings.Join(n, " and ")+", which this builder cannot run")
	}
	return strings.Join(said, "; "), nil
}

// listUnchecked returns the platforms on which the image has not yet passed its check.
func (j *Job) listUnchecked() []string {
	return slices.DeleteFunc(slices.Clone(j.Plan.Platforms), func(p string) bool { return slices.Contains(j.Result.Checked, p) })
}

// newProver returns a prover for the image that the job has built or found.
func (j *Job) newProver() *proof.Prover {
	p := &proof.Prover{
		Builder:    j.Builder,
		Name:       j.Plan.Name,
		Repository: j.Plan.Repository,
		Digest:     j.Result.Digest,
		Kept:       j.Result.Kept,
		Dir:        j.Dir,
		Check:      j.Plan.Check,
		Limit:      j.Plan.limit,
		Runs:       j.node.Platforms,
		Passed:     j.Result.Checked,
		Examined:   j.Result.Reused,
	}
	if j.Result.Pushed {
		p.Kept = ""
	}
	return p
}
