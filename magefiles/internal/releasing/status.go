package releasing

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/release/undo"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// answerWithin is the timeout for each request of status to a server. typedWithin is the timeout on a terminal, where the user may have to type a
// passphrase or password. It is longer, because anything typed after the timeout would go to the shell.
const answerWithin, typedWithin = 5 * time.Second, time.Minute

// Status describes the progress of the last release according to its journal, the remote and the channel.
type Status struct {
	Title   string              `json:"title"`
	Begun   string              `json:"begun,omitempty"` // RFC 3339; "" if this clone has no journal of the release
	Journal string              `json:"journal,omitempty"`
	End     session.End         `json:"end,omitempty"`     // "" if the release has not ended
	Unseen  string              `json:"unseen,omitempty"`  // why the channel's state, or what remains of an undone release, is unknown
	Running string              `json:"running,omitempty"` // the process that is running a release now, and since when; "" if there is none
	Steps   []workflow.Standing `json:"steps"`             // empty for an undone release

	Stays *undo.Stays `json:"stays,omitempty"` // what remains of an undone release in the history; nil if nothing does

	Landed []string `json:"landed,omitempty"` // tags that untagged versions on the remote's branch should get, if no release is unfinished

	Unsent []string `json:"unsent,omitempty"` // tags of locally bumped versions that the remote has no tag of; only set if Landed is empty

	Delivery *begun.Delivery `json:"delivery,omitempty"` // an unfinished delivery of a downstream to hosts

	unsent *release.Unsent  // source of Unsent; nil if that is empty
	branch string           // branch of Landed
	next   string           // next step after an undone release
	none   *release.Release // if no release is known, an empty release for reading the remote; otherwise nil
}

// Status returns the progress of the last release. It changes nothing.
func (r Releaser) Status(ctx context.Context) (s Status, err error) {
	one, _, err := r.open(ctx, false)
	if err != nil {
		return s, err
	}
	s.Steps = []workflow.Standing{}
	if s.Delivery, err = unfinishedDelivery(ctx, one); err != nil {
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
			s.lookAhead(ctx, one)
		}
		return s, nil
	}
	s.none = one
	if err == nil {
		s.lookAhead(ctx, one)
	}
	return s, err
}

// lookAhead finds versions that are ready to be released.
func (s *Status) lookAhead(ctx context.Context, one *release.Release) {
	if s.Landed, s.branch = one.Landed(ctx); len(s.Landed) > 0 {
		return
	}
	if s.unsent = one.FindUnsent(ctx); s.unsent != nil {
		s.Unsent = s.unsent.Tags
	}
}

// unfinishedDelivery returns this work tree's unfinished delivery of a downstream to hosts; nil if there is none.
func unfinishedDelivery(ctx context.Context, one *release.Release) (*begun.Delivery, error) {
	head, err := one.Repo.Head(ctx)
	if err != nil && !errors.Is(err, gitrepo.ErrNoCommit) {
		return nil, err
	}
	shared := filepath.Join(one.Repo.Common, folders.State)
	state, err := begun.StateOf(one.State, shared, head.Branch)
	if err != nil {
		return nil, err
	}
	return begun.Unfinished(state, shared)
}

// showDelivery shows an unfinished delivery, and how to continue or undo it.
func (r Releaser) showDelivery(d *begun.Delivery) {
	if d == nil {
		return
	}
	for _, line := range d.Lines() {
		r.View.Text("%s", line)
	}
}

// `answerLimit` returns the timeout for requests of status to a server.
func (r Releaser) answerLimit() time.Duration {
	if r.Lends() {
		return typedWithin
	}
	return answerWithin
}

// look fills in s for the release in `past`: its record in the journal, and what the checks of its steps find now.
func (r Releaser) look(ctx context.Context, one *release.Release, past *trace.Past, s *Status) {
	s.Title, s.Journal, s.End = past.Plan.Title, past.Path, past.End
	if len(past.Times) > 0 {
		s.Begun = past.Times[0].Format(time.RFC3339)
	}
	if past.Plan.Unseen != nil {
		s.Unseen = past.Plan.Unseen.Error()
	}
	within := r.answerLimit()
	switch {
	case past.End == trace.Undone: // the steps' results no longer exist
		var err error
		if s.Stays, err = undo.FindStays(ctx, one.Trace(), past, within); err != nil {
			s.Unseen = "cannot find out what remains of the release: " + err.Error() // without it, the next step is unknown too
			return
		}
		s.next = r.afterUndo(past.Plan, s.Stays)
	case past.Path != "" || past.End == "": // a complete release without a journal has no steps to show: most are recorded only in a journal
		s.Steps = one.Look(ctx, past, within)
	}
}

// ShowStatus displays the progress of the last release.
func (r Releaser) ShowStatus(ctx context.Context, s Status) {
	r.showDelivery(s.Delivery)
	if s.Running != "" && (s.none != nil || s.End != "") {
		r.View.Heading("a release is running (%s)", s.Running)
	}
	if len(s.Landed) > 0 && s.Running == "" {
		defer func() {
			r.View.Text("%s is on %s, but not tagged: `mage release` continues this release", strings.Join(s.Landed, ", "), s.branch)
			r.View.Next("`mage release`")
		}()
	}
	if s.unsent != nil && s.Running == "" {
		defer func() {
			r.View.Text("%s", s.unsent)
			r.View.Next("%s", s.unsent.Next())
		}()
	}
	switch {
	case s.none != nil && (len(s.Landed) > 0 || s.unsent != nil):
		r.View.Text("no release was begun in this clone")
		return
	case s.none != nil:
		says, next := r.describeRemote(ctx, s.none)
		r.View.Text("no release was begun in this clone, and %s", says)
		if next != "" && s.Running == "" {
			r.View.Next("%s", next)
		}
		return
	case s.End != "" && s.Journal == "":
		r.View.Heading("%s: %s, according to its tags and the channel; this clone has no journal of the release", s.Title, s.End)
		return
	case s.End == trace.Undone:
		says := s.Stays.String()
		if s.Unseen != "" {
			says = s.Unseen
		}
		r.View.Heading("%s: undone: %s", s.Title, says)
		if s.next != "" && s.Running == "" {
			r.View.Next("%s", s.next)
		}
		return
	case s.End != "":
		r.View.Heading("%s: %s", s.Title, s.End)
	case s.Running != "":
		r.View.Heading("the release of %s is running (%s); wait until this run has ended", s.Title, s.Running)
	case s.Unseen != "":
		r.View.Heading("%s is tagged on the remote, but it is not known whether the release is complete: the channel is not visible without a credential (%s). If the channel is private, set a credential that can read the channel, such as PREFIX_API_KEY", s.Title, s.Unseen)
	case s.Begun == "":
		r.View.Heading("%s is tagged on the remote but not complete; this clone has no journal of the release. `mage release` continues the release", s.Title)
	default:
		r.View.Heading("%s is unfinished since %s. `mage release` continues the release; `mage undo` undoes the release, or abandons the release if something was uploaded", s.Title, s.Begun)
	}
	r.View.Standings(s.Steps, s.End == "" && s.Running != "")
	switch {
	case s.Running != "": // any next step would be refused
	case s.End == "" && s.Unseen == "":
		r.View.Next("`mage release`")
	case s.End == trace.Abandoned:
		r.View.Next("%s", r.patch())
	}
}

// describeRemote describes the remote's state if this clone knows of no release. next is a release, if one may be begun.
func (r Releaser) describeRemote(ctx context.Context, one *release.Release) (says, next string) {
	w, err := workspace.Load(r.Dir)
	if err != nil {
		return "cannot read the versions in the manifests: " + err.Error(), operr.NextOf(err)
	}
	refs, err := gitremote.Read(ctx, one.Repo, w.Config.Remote)
	if err != nil {
		return "it is not known whether the remote has a tag for the versions in the manifests: " + err.Error(), operr.NextOf(err)
	}
	for _, tag := range bump.PresentTags(w) {
		if refs.Tags[tag.Name] != "" {
			if c, err := one.Channel(w); err == nil {
				h, err := publish.Look(ctx, c, w.Packages)
				if err == nil && h.Unseen != nil {
					return fmt.Sprintf("%s is tagged on the remote, but it is not known which of its packages are published: %s is not visible without a credential (%v). If the channel is private, set a credential that can read the channel, such as PREFIX_API_KEY", tag.Name, c.URL(), h.Unseen), ""
				}
			}
			return tag.Name + " is tagged on the remote, but none of its packages is on the channel. If the tag is not older than the channel, publish the packages with `mage release -to=VERSION`", ""
		}
	}
	const none = "the remote has no tag for the versions in the manifests"
	return none, cmp.Or(nextstep.Unreleased(w, refs.Tags), "`mage rehearse`, then "+r.patch())
}
