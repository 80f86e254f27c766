package image

import (
	"context"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// smoke runs the image's check on every platform that the builder can run, and on which this clone has not seen it pass.
func (j *Job) smoke(ctx context.Context) (string, error) {
	before := slices.Clone(j.Result.Checked)
	proved, err := j.newProver().Prove(ctx, j.index.Images)
	if err != nil {
		return "", err
	}
	now := proved.Now
	j.Result.NotChecked = append(j.Result.NotChecked, proved.Not...)
	if j.Push && !j.Result.Reused && len(now) == 0 {
		return "", operr.New("use a builder that runs one of the platforms, or give this one qemu's binfmt; README says how. No tag was moved",
			"nothing proves the image of %s: the builder %s runs none of its platforms: %s", j.Plan.Name, j.node.Name, strings.Join(j.Plan.Platforms, ", "))
	}
	if len(now) > 0 {
		j.Result.Checked = append(before, now...)
		if err := j.remember(); err != nil {
			return "", err
		}
	}
	var said []string
	if len(before) > 0 {
		said = append(said, "not again on "+strings.Join(before, " and ")+": it passed when it was built")
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

// listUnchecked are the platforms on which the image has not passed its check yet.
func (j *Job) listUnchecked() []string {
	return slices.DeleteFunc(slices.Clone(j.Plan.Platforms), func(p string) bool { return slices.Contains(j.Result.Checked, p) })
}

// newProver is what proves what the job has made, or has found made.
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
