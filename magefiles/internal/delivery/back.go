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

// revert takes back what a delivery did: the environments, the last one first, and what is in this clone alone. A commit that is pushed and an
// image stay, and are named.
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
	commit, committed, err := s.committed(ctx, nil)
	switch {
	case err != nil:
		return err
	case committed && past.Began(stepCommit):
		return s.uncommit(ctx, commit.Hash)
	case committed: // somebody else's
		return nil
	}
	return s.restore(ctx, past)
}

// imageOf is the image that a delivery has found or made.
func imageOf(events []workflow.Event) (image survey.Image, known bool) {
	for _, rec := range events {
		if rec.Step == stepImage && len(rec.Result) > 0 && json.Unmarshal(rec.Result, &image) == nil {
			known = true
		}
	}
	return image, known
}

// environmentsBack brings those back that this delivery has deployed to, and of which some host has its image: a deployment may have been killed on
// its way through them.
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

// uncommit goes back to before the commit, where it is in this clone alone.
func (s *source) uncommit(ctx context.Context, commit string) error {
	_, pushed, err := s.pushed(ctx, commit)
	if err != nil {
		return err
	}
	if pushed {
		s.Say("the commit %s stays, since %s/%s has it: `git revert %s` takes it back", short(commit), s.p.Remote, s.p.Branch, short(commit))
		return nil
	}
	made, err := s.Repo.MadeOn(ctx, s.p.Base, commit, s.pinned())
	if err != nil {
		return err
	}
	if made == "" {
		s.Say("the commit %s stays: somebody has merged these pins", short(commit))
		return nil
	}
	head, err := s.Repo.Head(ctx)
	switch {
	case err != nil:
		return err
	case head.Branch != s.p.Branch:
		return s.otherBranch(head.Branch)
	case head.Commit != commit:
		return operr.NewStopped("`git revert "+short(commit)+"` takes it back, and then `mage deliver -undo` ends the delivery",
			"the commit %s has others on top of it", short(commit))
	}
	return s.Repo.Back(ctx, s.p.Base)
}

// restore brings the files back that the plan changed and nobody has committed. One that somebody has edited since is left alone.
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
		return operr.NewStopped("see `git diff`, and `git restore` what is to go", "these were edited since the pins were moved, and are left as they are: %s", operr.Some(edited))
	}
	if s.Locked != "" && past.Began(stepLock) {
		ours = append(ours, s.Locked)
	}
	if len(ours) == 0 {
		return nil
	}
	return s.Repo.Restore(ctx, ours)
}
