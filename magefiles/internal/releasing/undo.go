package releasing

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/undo"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Undo says what will be done about the unfinished release, asks, and does it.
func (r Releaser) Undo(ctx context.Context) error {
	one, unlock, err := r.open(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	d, err := unfinishedDelivery(one)
	if err != nil {
		return err
	}
	r.showDelivery(d)
	u := undo.Undo{Trace: one.Trace(), Tool: one.Tool}
	b, err := u.Find(ctx)
	if err != nil {
		return err
	}
	if err := b.Refuse(); err != nil {
		return err
	}
	if err := r.confirmUndo(ctx, b); err != nil {
		return err
	}
	agreed := b
	if b, err = u.Find(ctx); err != nil { // again: a CI may have uploaded while a person was asked
		return err
	}
	if !b.Same(agreed) {
		return operr.NewStopped("undo again, and read what it says now", "%s is not where it was when you were asked; nothing was changed", b.Plan.Title)
	}
	said, err := u.Take(ctx, b)
	for _, line := range said {
		r.View.Text("  %s", line)
	}
	if err != nil {
		return err
	}
	if b.Way != undo.NoReturn {
		r.View.Heading("%s was taken back", b.Plan.Title)
		if to := b.Plan.Bump.Request.To; to != "" {
			r.View.Next("correct what was wrong, then `%s`", again(b.Plan, r.publisher()))
		}
		return nil
	}
	return r.prepareNext(ctx)
}

// publisher is who publishes as the manifest says; "" where it cannot be read.
func (r Releaser) publisher() string {
	w, err := workspace.Load(r.Dir)
	if err != nil {
		return ""
	}
	return w.Config.Publish
}

// patch is how the next patch is released: by a pull request, where releases land by one.
func (r Releaser) patch() string {
	if w, err := workspace.Load(r.Dir); err == nil && w.Config.Land == settings.LandByPull {
		return "`mage release -pr -to=patch`"
	}
	return "`mage release -to=patch`"
}

// again is the command line that makes the release of a plan once more, where a manifest has publisher as the one who publishes.
func again(p *plan.Plan, publisher string) string {
	line := "mage release -to=" + p.Bump.Request.To
	if p.Publish != "" && publisher != "" && p.Publish != publisher {
		line += " -publish=" + p.Publish
	}
	return line
}

// confirmUndo says what will be done, and asks.
func (r Releaser) confirmUndo(ctx context.Context, b *undo.Back) error {
	title := b.Plan.Title
	switch b.Way {
	case undo.Local:
		r.View.Text("%s is in this clone only. To take it back:", title)
		r.showParts(b)
	case undo.Remote:
		commit := "and its commit reverted on " + b.Plan.Branch
		switch {
		case b.Plan.Bump.Empty() && b.Recorded:
			commit = "and " + b.Plan.Branch + " stays as it is: the release has no commit of its own"
		case b.Plan.Bump.Empty():
			commit = "and " + b.Plan.Branch + " stays as it is: this clone did not make the release; if it has a commit, `git revert` takes that back"
		}
		r.View.Text("%s is on %s, and %s: its tag is removed there, %s", title, b.Plan.Remote, notUploaded(b), commit)
		r.showParts(b)
		r.View.Text("Whoever fetched the tag keeps it. Where CI publishes, make sure that no run is under way.")
	case undo.NoReturn:
		r.View.Text("%s cannot be taken back: %s has", title, b.Plan.Channel)
		for _, p := range b.Uploaded {
			r.View.Text("  %s  sha256 %.12s", p.URL, p.SHA256)
		}
		r.View.Text("Lock files may refer to these files already. `mage release` completes the release. To withdraw a package after all, "+
			"delete it on the channel's page (%s), or, with the key on no command line:", b.Plan.Channel)
		r.View.Line("  %s", deleteCommand(b.DeleteURL()))
		r.View.Text("A deleted version must not be published again. The release can be given up in favor of the next patch.")
		return r.Confirm(ctx, "Give "+title+" up?")
	case undo.Nothing:
		return nil
	}
	return r.Confirm(ctx, "Take "+title+" back?")
}

// showParts says what goes in the clone, and what stays.
func (r Releaser) showParts(b *undo.Back) {
	for _, line := range b.Parts.Lines() {
		r.View.Text("  %s", line)
	}
}

// notUploaded says how it is known that nothing of a release is on the channel.
func notUploaded(b *undo.Back) string {
	switch {
	case b.Unseen != nil:
		return fmt.Sprintf("nothing of it was sent yet, as far as this clone and the CI know (what %s has, nobody sees here: %v)", b.Plan.Channel, b.Unseen)
	case b.Absent:
		return fmt.Sprintf("there is no channel %s, for anyone or for who has the credential that is set here (a private one is not there for who is not a member of it)", b.Plan.Channel)
	}
	return "nothing of it is on " + b.Plan.Channel
}

// deleteCommand withdraws a file. The key is written by the shell itself: the arguments of a program can be read by every user
// of a machine.
func deleteCommand(url string) string {
	return `printf 'Authorization: Bearer %s' "$PREFIX_API_KEY" | curl --fail --header @- --request DELETE '` + url + `'`
}

// prepareNext shows the patch that follows a release which was given up.
func (r Releaser) prepareNext(ctx context.Context) error {
	b, err := r.bumping(ctx)
	if err != nil {
		return err
	}
	req := bumping.WithChangelog(bump.Request{To: "patch", Date: r.Today}, b.Workspace.Root)
	p, err := bump.New(ctx, b.Workspace, req, b.History())
	if err != nil {
		return operr.New("correct that, and release the next patch: "+r.patch(), "the next patch cannot be planned: %w", err)
	}
	r.View.Plan(p, true)
	var tags []string
	for _, t := range p.Tags {
		tags = append(tags, t.Name)
	}
	r.View.Heading("This is the next patch, %s", strings.Join(tags, ", "))
	r.View.Next("%s", r.patch())
	return nil
}
