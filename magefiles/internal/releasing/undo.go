package releasing

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/release/undo"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Undo shows how the unfinished release will be undone, asks the user, and does it.
func (r Releaser) Undo(ctx context.Context) error {
	one, unlock, err := r.open(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	d, err := unfinishedDelivery(ctx, one)
	if err != nil {
		return err
	}
	r.showDelivery(d)
	u := undo.Undo{Trace: one.Trace(), Tool: one.Tool}
	b, err := u.Find(ctx)
	if err != nil {
		return r.explainReleased(b, err)
	}
	if err := b.Refuse(); err != nil {
		return err
	}
	if err := r.confirmUndo(ctx, b); err != nil {
		return err
	}
	agreed := b
	if b, err = u.Find(ctx); err != nil { // find again: a CI may have uploaded files while the user was asked
		return err
	}
	if !b.Same(agreed) {
		return operr.NewStopped("run `mage undo` again, and read the new question", "the state of %s changed while you were asked; nothing was changed", b.Plan.Title)
	}
	said, err := u.Take(ctx, b)
	for _, line := range said {
		r.View.Text("  %s", line)
	}
	if err != nil {
		return err
	}
	if b.Way != undo.NoReturn {
		r.View.Heading("%s was undone", b.Plan.Title)
		r.sayNext(ctx, one)
		return nil
	}
	return r.prepareNext(ctx)
}

// explainReleased extends the error for a complete release: it says that uploads are final, how to withdraw a package, and how to release a
// correction. It returns other errors unchanged.
func (r Releaser) explainReleased(b *undo.Back, err error) error {
	if b == nil || !b.Through {
		return err
	}
	withdraw := "To withdraw a package, delete its file on the channel's page (" + b.Plan.Channel + ")"
	if len(b.Uploaded) > 0 {
		withdraw += ", or run this command, which keeps the key out of the command line:\n" + deleteCommand(b.DeleteURL())
	}
	withdraw += "\nLock files may refer to the file already. A deleted version must not be published again."
	return operr.New("release a corrected version with "+r.patch(), "%w; %s is released, and an upload cannot be undone", err, b.Plan.Title).WithDetail(withdraw)
}

// GivenUp returns the title of the last release of this work tree if an undo has given it up and the manifests still have one of its versions;
// otherwise "".
func (r Releaser) GivenUp(ctx context.Context) (string, error) {
	repo, err := gitrepo.Open(ctx, r.Runner, r.Dir)
	if errors.Is(err, gitrepo.ErrOutside) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	past, err := trace.Last(filepath.Join(repo.Dir, folders.State))
	if past == nil || err != nil || past.End != trace.Abandoned {
		return "", err
	}
	w, err := workspace.Load(r.Dir)
	if err != nil || !slices.ContainsFunc(bump.PresentTags(w), func(tag bump.Tag) bool { return slices.Contains(past.Plan.Tags, tag.Name) }) {
		return "", err
	}
	return past.Plan.Title, nil
}

// publisher returns the manifest's publisher, or "" if the manifest cannot be read.
func (r Releaser) publisher() string {
	w, err := workspace.Load(r.Dir)
	if err != nil {
		return ""
	}
	return w.Config.Publish
}

// patch returns the command for releasing the next patch, by pull request if releases land by pull requests.
func (r Releaser) patch() string {
	if w, err := workspace.Load(r.Dir); err == nil && w.Config.Land == settings.LandByPull {
		return "`mage release -pr -to=patch`"
	}
	return "`mage release -to=patch`"
}

// `releaseCommand` returns the command for a release with the publisher of plan p. It passes -publish only if that differs from publisher, which is
// the manifest's.
func releaseCommand(p *plan.Plan, req bump.Request, publisher string) string {
	line := "mage release"
	if req.To != "" {
		line += " " + req.Flags()
	}
	if p.Publish != "" && publisher != "" && p.Publish != publisher {
		line += " -publish=" + p.Publish
	}
	return "`" + line + "`"
}

// sayNext shows the next step after an undo, which status also shows later. It names status if the user interrupts it, and shows nothing if the step
// cannot be determined.
func (r Releaser) sayNext(ctx context.Context, one *release.Release) {
	past, err := trace.Last(one.State)
	if err != nil || past == nil {
		return
	}
	stays, err := undo.FindStays(ctx, one.Trace(), past, r.answerLimit())
	if ctx.Err() != nil {
		r.View.Next("`mage status` says what is next")
	}
	if err != nil {
		return
	}
	next := r.afterUndo(past.Plan, stays)
	if stays.Next() == "" {
		next = "fix the problem, then " + next
	}
	r.View.Next("%s", next)
}

// afterUndo returns the next step after an undo: pushing the revert, releasing again, or releasing the versions that remain on the branch.
func (r Releaser) afterUndo(p *plan.Plan, stays *undo.Stays) string {
	to := p.Bump.Request.To
	switch {
	case stays.Next() != "":
		return stays.Next()
	case stays != nil && stays.Versions && len(p.Tags) == 1:
		req := bump.Request{To: bump.VersionOf(p.Tags[0])}
		if name, _, of := strings.Cut(p.Tags[0], "/v"); of {
			req.Only = name
		}
		return releaseCommand(p, req, r.publisher()) + " releases it after all"
	case stays != nil && stays.Versions:
		return releaseCommand(p, bump.Request{}, r.publisher()) + " releases them after all"
	case to != "":
		return releaseCommand(p, p.Bump.Request, r.publisher())
	}
	return r.patch()
}

// confirmUndo shows what an undo will do, and asks the user.
func (r Releaser) confirmUndo(ctx context.Context, b *undo.Back) error {
	title := b.Plan.Title
	switch b.Way {
	case undo.Local:
		r.View.Text("%s is only in this clone. To undo the release:", title)
		r.showParts(b)
	case undo.Remote:
		commit := "and its commit is reverted on " + b.Plan.Branch
		switch {
		case b.Plan.Bump.Empty() && b.Recorded:
			commit = "and " + b.Plan.Branch + " stays as it is: the release has no commit of its own"
		case b.Plan.Bump.Empty():
			commit = "and " + b.Plan.Branch + " stays as it is: this clone did not make the release; if the release has a commit, revert the commit with `git revert`"
		}
		r.View.Text("%s is on %s, and %s: its tag is removed from the remote, %s", title, b.Plan.Remote, notUploaded(b), commit)
		r.showParts(b)
		r.View.Text("Clones that have fetched the tag keep the tag. If CI publishes, make sure that no run is in progress.")
	case undo.NoReturn:
		r.View.Text("%s cannot be undone: %s has", title, b.Plan.Channel)
		for _, p := range b.Uploaded {
			r.View.Text("  %s  sha256 %.12s", p.URL, p.SHA256)
		}
		r.View.Text("Lock files may refer to these files already. `mage release` completes the release. To withdraw a package after all, "+
			"delete it on the channel's page (%s), or run this command, which keeps the key out of the command line:", b.Plan.Channel)
		r.View.Line("  %s", deleteCommand(b.DeleteURL()))
		r.View.Text("A deleted version must not be published again. You can abandon the release, and release the next patch instead.")
		return r.Confirm(ctx, "Abandon "+title+"?")
	case undo.Nothing:
		return nil
	}
	return r.Confirm(ctx, "Undo "+title+"?")
}

// showParts shows what an undo removes from the clone and what it keeps.
func (r Releaser) showParts(b *undo.Back) {
	for _, line := range b.Parts.Lines() {
		r.View.Text("  %s", line)
	}
}

// notUploaded explains why no file of a release is, or seems to be, on the channel.
func notUploaded(b *undo.Back) string {
	switch {
	case b.Unseen != nil:
		return fmt.Sprintf("none of its packages was uploaded, according to this clone and the CI (the packages on %s are not visible from here: %v)", b.Plan.Channel, b.Unseen)
	case b.Absent:
		return fmt.Sprintf("the channel %s does not exist, or is private and not visible with the credential that is set here", b.Plan.Channel)
	}
	return "none of its packages is on " + b.Plan.Channel
}

// deleteCommand returns a command line that deletes a file from the channel. It passes the key with the shell's built-in printf, because any user of
// the machine can read the arguments of processes.
func deleteCommand(url string) string {
	return `printf 'Authorization: Bearer %s' "$PREFIX_API_KEY" | curl --fail --header @- --request DELETE '` + url + `'`
}

// prepareNext shows the plan of the patch release that follows an abandoned release.
func (r Releaser) prepareNext(ctx context.Context) error {
	b, err := r.bumping(ctx)
	if err != nil {
		return err
	}
	req := bumping.WithChangelog(bump.Request{To: "patch", Date: r.Today}, b.Workspace.Root)
	p, err := bump.New(ctx, b.Workspace, req, b.History())
	if err != nil {
		return operr.New("fix this problem, and release the next patch: "+r.patch(), "the next patch cannot be planned: %w", err)
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
