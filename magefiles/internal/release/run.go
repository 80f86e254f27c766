package release

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Result is what was released.
type Result struct {
	Plan      *Plan               `json:"plan"`
	Commit    string              `json:"commit"`
	Channel   string              `json:"channel"`
	Packages  []publish.Published `json:"packages"`
	GitHub    string              `json:"github,omitempty"` // URL of the release there
	Already   bool                `json:"already,omitempty"`
	Journal   string              `json:"journal,omitempty"` // path
	Steps     []workflow.Record   `json:"steps,omitempty"`
	StepTimes []time.Time         `json:"step_times,omitempty"` // when each of them ended
}

// Run makes the release that Request asks for, or goes on with the one that is unfinished. The caller has the lock.
func (r *Release) Run(ctx context.Context) (Result, error) {
	past, err := Last(r.State)
	if err != nil {
		return Result{}, err
	}
	r.session = r.newSession()
	defer r.session.Close()
	released, err := r.choose(ctx, past)
	switch {
	case err != nil:
		return Result{}, err
	case released != nil:
		return *released, nil
	}
	if err := r.session.Run(ctx, r.Define(), r.Reporter, gitremote.Transient); err != nil {
		return Result{}, err
	}
	return r.result()
}

// choose decides what is to be done: go on with what the journal, or the world, says is unfinished, or begin. It returns a
// result where all is done already.
func (r *Release) choose(ctx context.Context, past *Past) (*Result, error) {
	if past != nil && past.End == "" {
		void, err := r.void(ctx, past)
		if err != nil {
			return nil, err
		}
		if void {
			if r.Request.To == "" {
				r.Request = past.Plan.Bump.Request
			}
			r.session.Replace(past.Past) // it is asked again, and may be refused once more
			return nil, nil
		}
		return nil, r.goOn(past)
	}
	present, released, err := r.present(ctx)
	switch {
	case err != nil:
		return nil, err
	case present == nil:
		return nil, r.mustAsk()
	case released && present.asked(r.Request):
		return &Result{Plan: present, Commit: present.Base, Channel: present.Channel, Already: true}, nil
	case released:
		return nil, r.mustAsk()
	case r.Request.To != "" && !present.asked(r.Request):
		return nil, other(present, r.Request.To)
	}
	r.plan = present
	if present.Unseen != nil {
		r.Say("%s is tagged on %s, and nobody sees here what the channel has of it: going on with it", present.Title, present.Remote)
	} else {
		r.Say("%s is tagged on %s, and not all of it is on the channel: going on with it", present.Title, present.Remote)
	}
	return nil, nil
}

// goOn takes the journal's plan, if that is what is asked for.
func (r *Release) goOn(past *Past) error {
	if err := past.Accepts(r.Request); err != nil {
		return err
	}
	r.take(past)
	r.Say("going on with %s, which was begun and has not ended; `mage status` says more", r.plan.Title)
	return r.session.Resume(past.Past)
}

// take makes the plan of a release that was begun the one to go by.
func (r *Release) take(past *Past) {
	r.plan, r.past = past.Plan, past
	if past.Path == "" {
		r.past = nil // it was worked out from tags
	}
}

// other refuses to begin a release beside one that is unfinished, or may be, as far as it can be seen from here.
func other(unfinished *Plan, asked string) error {
	if unfinished.Unseen != nil {
		return operr.NewStopped("where it is private, set what it is read with, such as PREFIX_API_KEY, and run it again; `mage release` without -to goes on with "+unfinished.Title,
			"%s is tagged on %s, and whether it is released cannot be told: %s is not there for anyone (%v); -to=%s asks for another one, and nothing was changed",
			unfinished.Title, unfinished.Remote, unfinished.Channel, unfinished.Unseen, asked)
	}
	return operr.NewStopped("`mage release` without -to goes on with it, `mage undo` takes it back or, once something was uploaded, gives it up", "the release of %s is unfinished, and -to=%s asks for another one; nothing was changed", unfinished.Title, asked)
}

func (r *Release) mustAsk() error {
	if r.Request.To != "" {
		return nil
	}
	return operr.NewUsage("say -to=patch, minor, major, auto, or a version such as -to=1.2.0", "no release is unfinished, and it is not said which version is to be released")
}

// void says that nothing came of a release that was begun: its plan is no obligation.
func (r *Release) void(ctx context.Context, past *Past) (bool, error) {
	r.take(past)
	defer func() { r.plan, r.past = nil, nil }()
	if r.onItsBranch(ctx) != nil {
		return false, nil // preflight says it
	}
	pending, err := r.Store.Pending(ctx, r.Repo)
	if err != nil || pending != nil {
		return false, err
	}
	if past.Did(StepCommit) {
		return false, nil
	}
	if past.Plan.Bump.Empty() { // there is no commit to be made: its tags are all that can come of it
		refs, err := gitremote.Read(ctx, r.Repo, past.Plan.Remote)
		if err != nil {
			return false, nil // preflight says it
		}
		return anyOf(refs.Tags, past.Plan.Tags) == "", nil
	}
	_, made, err := r.committed(ctx, nil)
	return err == nil && !made, err
}

func (r *Release) result() (Result, error) {
	past, err := kind(r.State).Read(r.session.Path())
	if err != nil {
		return Result{}, err
	}
	result := Result{
		Plan:      r.plan,
		Commit:    r.commit.Get().Hash,
		Channel:   r.published.Get().Channel,
		Packages:  r.published.Get().Items,
		Journal:   past.Path,
		Steps:     past.Records,
		StepTimes: past.Times,
	}
	if r.hub.Known() {
		result.GitHub = r.hub.Get().URL
	}
	return result, nil
}

// Look says where a release stands, step by step: what was recorded, and what the world says. Nothing is changed.
func (r *Release) Look(ctx context.Context, past *Past, each time.Duration) []workflow.Standing {
	r.take(past)
	return r.Define().Look(ctx, past.Records, each)
}

// Present is the release of the versions that the manifests have, where a clone has no journal of it; nil where its tags are
// not on the remote.
func (r *Release) Present(ctx context.Context) (*Past, error) {
	plan, released, err := r.present(ctx)
	if plan == nil || err != nil {
		return nil, err
	}
	past := &Past{Past: &session.Past[*Plan]{Plan: plan}}
	if released {
		past.End = Released
	}
	return past, nil
}
