package releasing

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// answerWithin is how long status waits for each answer of the world, and, at a terminal, where that may ask for a passphrase or a password, how
// long a person has to type it. Whoever still types it when nobody waits any more gives it to the shell.
const answerWithin, typedWithin = 5 * time.Second, time.Minute

// Status is where the last release stands: what its journal says, beside what the world says.
type Status struct {
	Title   string              `json:"title"`
	Begun   string              `json:"begun,omitempty"` // RFC 3339; none where this clone has no journal of it
	Journal string              `json:"journal,omitempty"`
	End     session.End         `json:"end,omitempty"`     // "" where it has not ended
	Unseen  string              `json:"unseen,omitempty"`  // why it cannot be told what the channel has of it, where there is no journal
	Running string              `json:"running,omitempty"` // the process that is at work on a release now, and since when; "" for none
	Steps   []workflow.Standing `json:"steps"`             // none of a release that was undone

	Landed []string `json:"landed,omitempty"` // tags that versions on the remote's branch are to get, where no release is unfinished

	Delivery *begun.Delivery `json:"delivery,omitempty"` // of a downstream to hosts, that is unfinished

	branch string           // that has what landed
	none   *release.Release // can be asked what the remote has, where no release is known; nil where one is
}

// Status looks where the last release stands. Nothing is changed.
func (r Releaser) Status(ctx context.Context) (s Status, err error) {
	one, _, err := r.open(ctx, false)
	if err != nil {
		return s, err
	}
	s.Steps = []workflow.Standing{}
	if s.Delivery, err = unfinishedDelivery(one); err != nil {
		return s, err
	}
	if s.Running, err = trace.Kind(filepath.Join(one.Repo.Common, folders.State)).Holder(); err != nil {
		return s, err
	}
	past, err := trace.Last(one.State)
	if err == nil && past == nil {
		present, perr := one.Trace().FindPresent(ctx, one.Request)
		past, err = present.Past(), perr
	}
	if err == nil && past != nil {
		r.look(ctx, one, past, &s)
		if s.End == trace.Released {
			s.Landed, s.branch = one.Landed(ctx)
		}
		return s, nil
	}
	s.none = one
	if err == nil {
		s.Landed, s.branch = one.Landed(ctx)
	}
	return s, err
}

// unfinishedDelivery is a downstream's way to its hosts that this clone has not ended; nil where there is none.
func unfinishedDelivery(one *release.Release) (*begun.Delivery, error) {
	return begun.Unfinished(filepath.Join(one.Repo.Common, folders.State))
}

// showDelivery names one, says how it goes on, and what can be taken back.
func (r Releaser) showDelivery(d *begun.Delivery) {
	if d == nil {
		return
	}
	for _, line := range d.Lines() {
		r.View.Text("%s", line)
	}
}

// look compares what is recorded of a release with the world.
func (r Releaser) look(ctx context.Context, one *release.Release, past *trace.Past, s *Status) {
	s.Title, s.Journal, s.End = past.Plan.Title, past.Path, past.End
	if len(past.Times) > 0 {
		s.Begun = past.Times[0].Format(time.RFC3339)
	}
	if past.Plan.Unseen != nil {
		s.Unseen = past.Plan.Unseen.Error()
	}
	within := answerWithin
	if r.Lends() {
		within = typedWithin
	}
	switch {
	case past.End == trace.Undone: // what its steps did is not there any more
	case past.Path != "" || past.End == "": // else tags and channel say that all is done, and of most steps only a journal could
		s.Steps = one.Look(ctx, past, within)
	}
}

// ShowStatus tells a person where the last release stands.
func (r Releaser) ShowStatus(ctx context.Context, s Status) {
	r.showDelivery(s.Delivery)
	if s.Running != "" && (s.none != nil || s.End != "") {
		r.View.Heading("a release is under way (%s), and is not agreed to yet", s.Running)
	}
	if len(s.Landed) > 0 && s.Running == "" {
		defer func() {
			r.View.Text("%s is on %s, and not tagged: `mage release` goes on with it", strings.Join(s.Landed, ", "), s.branch)
			r.View.Next("`mage release`")
		}()
	}
	switch {
	case s.none != nil && len(s.Landed) > 0:
		r.View.Text("no release was begun in this clone")
		return
	case s.none != nil:
		says, next := r.withoutRelease(ctx, s.none)
		r.View.Text("no release was begun in this clone, and %s", says)
		if next != "" && s.Running == "" {
			r.View.Next("%s", next)
		}
		return
	case s.End != "" && s.Journal == "":
		r.View.Heading("%s: %s, by what its tags and the channel say; this clone has no journal of it", s.Title, s.End)
		return
	case s.End == trace.Undone:
		r.View.Heading("%s: undone: nothing of it is left in this clone or on the remote", s.Title)
		return
	case s.End != "":
		r.View.Heading("%s: %s", s.Title, s.End)
	case s.Running != "":
		r.View.Heading("%s is under way (%s); nothing is to be done until that has ended", s.Title, s.Running)
	case s.Unseen != "":
		r.View.Heading("%s is tagged on the remote, and whether it is complete cannot be told: the channel is not there for anyone (%s). Where it is private, set what it is read with, such as PREFIX_API_KEY", s.Title, s.Unseen)
	case s.Begun == "":
		r.View.Heading("%s is tagged on the remote and not complete; this clone has no journal of it. `mage release` goes on with it", s.Title)
	default:
		r.View.Heading("%s is unfinished since %s. `mage release` goes on with it, `mage undo` takes it back or, once something was uploaded, gives it up", s.Title, s.Begun)
	}
	r.View.Standings(s.Steps, s.End == "" && s.Running != "")
	switch {
	case s.Running != "": // each would be refused
	case s.End == "" && s.Unseen == "":
		r.View.Next("`mage release`")
	case s.End == trace.Abandoned:
		r.View.Next("%s", r.patch())
	}
}

// withoutRelease says what the remote has, where this clone knows of no release, and what is next: a release, where one may be begun as always.
func (r Releaser) withoutRelease(ctx context.Context, one *release.Release) (says, next string) {
	w, err := workspace.Load(r.Dir)
	if err != nil {
		return "the versions that the manifests have cannot be told: " + err.Error(), operr.NextOf(err)
	}
	refs, err := gitremote.Read(ctx, one.Repo, w.Config.Remote)
	if err != nil {
		return "whether the remote has a tag for the versions that the manifests have is not known: " + err.Error(), operr.NextOf(err)
	}
	for _, tag := range bump.PresentTags(w) {
		if refs.Tags[tag.Name] != "" {
			if c, err := one.Channel(w); err == nil {
				h, err := publish.Look(ctx, c, w.Packages)
				if err == nil && h.Unseen != nil {
					return fmt.Sprintf("%s is tagged on the remote, and what the channel has of it cannot be told: %s is not there for anyone (%v). Where it is private, set what it is read with, such as PREFIX_API_KEY", tag.Name, c.URL(), h.Unseen), ""
				}
			}
			return tag.Name + " is tagged on the remote, and nothing of it is on the channel: the tag is older than the channel, or `mage release -to=VERSION` publishes it", ""
		}
	}
	return "the remote has no tag for the versions that the manifests have", "`mage rehearse`, then " + r.patch()
}
