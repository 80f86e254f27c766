package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// revert undoes a delivery: first the environments, in reverse order, then the changes that exist only in this clone. A pushed commit and an image
// remain, and revert prints their names.
func (d *Delivery) revert(ctx context.Context, past *session.Past[*Plan]) error {
	if image, made := imageOf(past.Events); made {
		if err := d.environmentsBack(ctx, past, image); err != nil {
			return err
		}
		d.Say("the image %s stays in the registry", image.Ref())
	}
	s := &source{Delivery: d, p: past.Plan}
	if past.Plan.Pins.Empty() || !past.Began(stepPins) {
		return nil
	}
	commit, committed, err := s.findCommit(ctx, nil)
	switch {
	case err != nil:
		return err
	case committed && past.Began(stepCommit):
		return s.uncommit(ctx, commit.Hash)
	case committed: // someone else has committed the same changes
		return nil
	}
	if err := s.checkBranch(ctx); err != nil {
		return err
	}
	return s.restore(ctx, past)
}

// imageOf returns the image that a delivery has found or built.
func imageOf(events []workflow.Event) (image survey.Image, known bool) {
	for _, rec := range events {
		if rec.Step == stepImage && len(rec.Result) > 0 && json.Unmarshal(rec.Result, &image) == nil {
			known = true
		}
	}
	return image, known
}

// environmentsBack rolls back each environment that this delivery started to deploy to, if at least one host has the image. Not all hosts may have
// it, because the deployment may have been killed.
func (d *Delivery) environmentsBack(ctx context.Context, past *session.Past[*Plan], image survey.Image) error {
	var errs []error
	for _, name := range slices.Backward(past.Plan.Environments) {
		if !past.Began(deployStep(name)) {
			continue
		}
		stage := d.stage(name)
		_, some, err := stage.Runs(ctx, image)
		if err == nil && some {
			err = stage.Back(ctx)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// uncommit removes the delivery's commit from the branch if it exists only in this clone.
func (s *source) uncommit(ctx context.Context, commit string) error {
	_, pushed, err := s.checkPushed(ctx, commit)
	if err != nil {
		return err
	}
	if pushed {
		s.Say("the commit %s is not removed, because %s/%s has this commit; to revert the commit, run `git revert %s`", short(commit), s.p.Remote, s.p.Branch, short(commit))
		return nil
	}
	made, err := s.Repo.MadeOn(ctx, s.p.Base, commit, s.pinFiles())
	if err != nil {
		return err
	}
	if made == "" {
		s.Say("the commit %s is not removed, because someone else has merged the same pins", short(commit))
		return nil
	}
	head, err := s.Repo.Head(ctx)
	switch {
	case err != nil:
		return err
	case head.Branch != s.p.Branch:
		return s.otherBranch(head.Branch)
	case head.Commit != commit:
		return operr.NewStopped("run `git revert "+short(commit)+"` to revert the commit, and then `mage deliver -undo` to end the delivery",
			"the commit %s is not the last commit of the branch any more", short(commit))
	}
	return s.Repo.ResetTo(ctx, s.p.Base)
}

// restore restores the files that the plan changed, unless they have been committed. It returns an error if a file has been edited since.
func (s *source) restore(ctx context.Context, past *session.Past[*Plan]) error {
	var ours, edited []string
	for _, f := range s.p.Pins.Files {
		name := s.Store.PathOf(f.Path)
		data, err := os.ReadFile(filepath.Join(s.Store.Top, filepath.FromSlash(name)))
		switch digest := edits.Digest(data); {
		case err != nil:
			return err
		case digest == f.After:
			ours = append(ours, name)
		case digest != f.Before:
			edited = append(edited, name)
		}
	}
	if len(edited) > 0 {
		return operr.NewStopped("look at `git diff`, undo your edits with `git restore FILE`, and then run `mage deliver -undo`", "cannot restore files that were edited after the delivery moved the pins: %s", operr.Abbreviate(edited))
	}
	if s.Locked != "" && past.Began(stepLock) {
		ours = append(ours, s.Locked)
	}
	if len(ours) == 0 {
		return nil
	}
	return s.Repo.Restore(ctx, ours)
}
