package release

import (
	"cmp"
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Result describes what was released.
type Result struct {
	Plan      *plan.Plan          `json:"plan"`
	Commit    string              `json:"commit"`
	Channel   string              `json:"channel"`
	Packages  []publish.Published `json:"packages"`
	GitHub    string              `json:"github,omitempty"` // URL of the GitHub release
	Already   bool                `json:"already,omitempty"`
	Journal   string              `json:"journal,omitempty"` // file path
	Steps     []workflow.Event    `json:"steps,omitempty"`
	StepTimes []time.Time         `json:"step_times,omitempty"` // the end time of each step in Steps
}

// Run makes the requested release, or continues the unfinished one. The caller must hold the lock.
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
		s.Replace(c.past.Past) // the user is asked again, and may decline again
	case goesOn:
		before = before.Of(c.past)
		r.Say("continuing %s, which is unfinished; `mage status` shows more", before.Plan.Title)
		if err := s.Resume(c.past.Past); err != nil {
			return Result{}, err
		}
	case lands:
		before = before.For(c.plan)
		r.Say("%s is on %s, but is not tagged: continuing the release at the commit %.12s", c.plan.Title, c.plan.Branch, c.plan.Base)
	case takesUp:
		before = before.For(c.plan)
		r.sayTakenUp(c.plan)
	case begins:
	}
	r.doubtful = r.Publish == "" && (c.way == lands || c.way == takesUp)
	if before.Plan != nil { // the toolchain and preflight also need the publisher if a flag of the earlier run chose it
		r.Publish = before.By()
		before.Publish = r.Publish
	}
	d, out := r.Define(before, s)
	if err := s.Run(ctx, d, r.Reporter, gitremote.Transient); err != nil {
		return Result{}, err
	}
	return r.result(out, s.Path())
}

// choice describes which release a run makes, and why.
type choice struct {
	way  way
	past *trace.Past // set for replaces and goesOn
	plan *plan.Plan  // set for isThrough, lands and takesUp
}

// way is the reason for choosing a release.
type way string

const (
	begins    way = "begins"     // a new release
	replaces  way = "replaces"   // a new release; the previous one left no trace
	goesOn    way = "goes on"    // the release that is unfinished according to the journal
	lands     way = "lands"      // a new release of versions that a pull request merged into the branch
	takesUp   way = "takes up"   // a release without a journal that is unfinished according to tags and channel
	isThrough way = "is through" // the release is already complete
)

// choose decides whether to continue a release that is unfinished according to the journal or the remote, or to begin a new one.
func (r *Release) choose(ctx context.Context) (choice, error) {
	past, err := trace.FindUnfinished(r.State)
	if err != nil {
		return choice{}, err
	}
	if past != nil {
		void, err := r.Trace().Of(past).Void(ctx)
		if err != nil {
			return choice{}, err
		}
		if void && !past.Plan.Landed { // a landed plan is computed from the branch, so a new one would be identical
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
		if u := r.FindUnsent(ctx); u != nil {
			return choice{}, operr.NewUsage(u.Next(), "no release is unfinished; %s", u)
		}
		return choice{}, operr.NewUsage("pass -to=patch, minor, major, auto, or a version such as -to=1.2.0", "no release is unfinished, and no version to release was given")
	}
	return choice{way: begins}, cmp.Or(r.Request.CheckTo(), r.refuseUsage(ctx))
}

// refuseUsage rejects, before the first step, requests with a malformed version or with a name that does not exist, such as an unknown package.
// Preflight finds all other problems.
func (r *Release) refuseUsage(ctx context.Context) error {
	req := r.Request
	if req.ReadsCommits() { // preflight reads the commits
		if req.To = "patch"; req.Only == "" {
			return nil
		}
	}
	w, err := workspace.Load(r.Root)
	if err != nil {
		//lint:ignore nilerr preflight reports this error
		return nil
	}
	if _, err := bump.New(ctx, w, req, r.History); operr.ExitStatus(err) == operr.Usage {
		return err
	}
	return nil
}

// sayTakenUp reports that the run continues a release without a journal in this clone.
func (r *Release) sayTakenUp(p *plan.Plan) {
	if p.Unseen != nil {
		r.Say("%s is tagged on %s, but its packages on the channel are not visible from here: continuing the release", p.Title, p.Remote)
		return
	}
	r.Say("%s is tagged on %s, but not all its packages are on the channel: continuing the release", p.Title, p.Remote)
}

// result combines the results of this run with those in the journal.
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

// Look returns the state of each step: its record in the journal, and what its check finds now. It changes nothing.
func (r *Release) Look(ctx context.Context, past *trace.Past, each time.Duration) []workflow.Standing {
	quiet := *r
	quiet.Say = func(string, ...any) {} // preflight's notes matter only when releasing
	d, _ := quiet.Define(r.Trace().Of(past), trace.Kind(r.State).New())
	return d.Look(ctx, past.Events, each)
}
