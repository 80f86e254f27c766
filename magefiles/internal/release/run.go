package release

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Result is what was released.
type Result struct {
	Plan      *plan.Plan          `json:"plan"`
	Commit    string              `json:"commit"`
	Channel   string              `json:"channel"`
	Packages  []publish.Published `json:"packages"`
	GitHub    string              `json:"github,omitempty"` // URL of the release there
	Already   bool                `json:"already,omitempty"`
	Journal   string              `json:"journal,omitempty"` // path
	Steps     []workflow.Event    `json:"steps,omitempty"`
	StepTimes []time.Time         `json:"step_times,omitempty"` // when each of them ended
}

// Run makes the release that Request asks for, or goes on with the one that is unfinished. The caller has the lock.
func (r *Release) Run(ctx context.Context) (Result, error) {
	k := trace.Kind(r.State)
	k.Tool = r.Tool
	s := k.New()
	defer s.Close()
	c, err := r.choose(ctx)
	if err != nil {
		return Result{}, err
	}
	before := r.Trace()
	switch c.way {
	case isThrough:
		return Result{
			Plan:    c.plan,
			Commit:  c.plan.Base,
			Channel: c.plan.Channel,
			Already: true,
		}, nil
	case replaces:
		if r.Request.To == "" {
			r.Request = c.past.Plan.Bump.Request
		}
		s.Replace(c.past.Past) // it is asked again, and may be refused once more
	case goesOn:
		before = before.Of(c.past)
		r.Say("going on with %s, which was begun and has not ended; `mage status` says more", before.Plan.Title)
		if err := s.Resume(c.past.Past); err != nil {
			return Result{}, err
		}
	case lands:
		before = before.For(c.plan)
		r.Say("%s is on %s, and not tagged: going on with it at %.12s", c.plan.Title, c.plan.Branch, c.plan.Base)
	case takesUp:
		before = before.For(c.plan)
		r.sayTakenUp(c.plan)
	case begins:
	}
	if before.Plan != nil { // the toolchain and preflight have to know it too, where it was said by a flag of the run before
		r.Publish = before.By()
		before.Publish = r.Publish
	}
	d, out := r.Define(before, s)
	if err := s.Run(ctx, d, r.Reporter, gitremote.Transient); err != nil {
		return Result{}, err
	}
	return r.result(out, s.Path())
}

// choice is which release a run makes.
type choice struct {
	way  way
	past *trace.Past // of replaces and goesOn
	plan *plan.Plan  // of isThrough, lands and takesUp
}

// way is how a run comes to its release.
type way string

const (
	begins    way = "begins"     // a new one
	replaces  way = "replaces"   // a new one, in place of one that was begun, and of which nothing came
	goesOn    way = "goes on"    // with what the journal says is unfinished
	lands     way = "lands"      // a new one, of versions that a pull request has brought to the branch
	takesUp   way = "takes up"   // what tags and channel say is unfinished: there is no journal of it
	isThrough way = "is through" // it is released: there is nothing to do
)

// choose decides what is to be done: go on with what the journal, or the world, says is unfinished, or begin.
func (r *Release) choose(ctx context.Context) (choice, error) {
	past, err := trace.Unfinished(r.State)
	if err != nil {
		return choice{}, err
	}
	if past != nil {
		void, err := r.Trace().Of(past).Void(ctx)
		if err != nil {
			return choice{}, err
		}
		if void && !past.Plan.Landed { // that one is worked out from what is there: it is the same again
			return choice{way: replaces, past: past}, nil
		}
		return choice{way: goesOn, past: past}, past.Accepts(r.Request)
	}
	present, err := r.Trace().FindPresent(ctx, r.Request)
	if err != nil {
		return choice{}, err
	}
	switch present.Stage {
	case trace.Complete:
		if present.Plan.Answers(r.Request) {
			return choice{way: isThrough, plan: present.Plan}, nil
		}
	case trace.Begun:
		if r.Request.To != "" && !present.Plan.Answers(r.Request) {
			return choice{}, present.Plan.RefuseOther(r.Request.To)
		}
		return choice{way: takesUp, plan: present.Plan}, nil
	case trace.Unclear, trace.Untagged:
	}
	landed, err := r.findLanded(ctx)
	if landed != nil || err != nil {
		return choice{way: lands, plan: landed}, err
	}
	if r.Request.To == "" {
		return choice{}, operr.NewUsage("say -to=patch, minor, major, auto, or a version such as -to=1.2.0", "no release is unfinished, and it is not said which version is to be released")
	}
	return choice{way: begins}, r.Request.CheckTo()
}

// sayTakenUp says that a release is gone on with of which this clone has no journal.
func (r *Release) sayTakenUp(p *plan.Plan) {
	if p.Unseen != nil {
		r.Say("%s is tagged on %s, and nobody sees here what the channel has of it: going on with it", p.Title, p.Remote)
		return
	}
	r.Say("%s is tagged on %s, and not all of it is on the channel: going on with it", p.Title, p.Remote)
}

// result is what came of a release, with what its journal has.
func (r *Release) result(out Outcome, journal string) (Result, error) {
	past, err := trace.Kind(r.State).Read(journal)
	if err != nil {
		return Result{}, err
	}
	result := Result{
		Plan:      out.Plan.Get(),
		Commit:    out.Commit.Get().Hash,
		Channel:   out.Sent.Get().Channel,
		Packages:  out.Sent.Get().Items,
		Journal:   past.Path,
		Steps:     past.Events,
		StepTimes: past.Times,
	}
	if out.Hub.Known() {
		result.GitHub = out.Hub.Get().URL
	}
	return result, nil
}

// Look says where a release stands, step by step: what was recorded, and what the world says. Nothing is changed.
func (r *Release) Look(ctx context.Context, past *trace.Past, each time.Duration) []workflow.Standing {
	d, _ := r.Define(r.Trace().Of(past), trace.Kind(r.State).New())
	return d.Look(ctx, past.Events, each)
}
