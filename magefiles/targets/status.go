package targets

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// answerWithin is how long status waits for each answer of the world, and, at a terminal, where that may ask for a passphrase or a password, how
// long a person has to type it. Whoever still types it when nobody waits any more gives it to the shell.
const answerWithin, typedWithin = 5 * time.Second, time.Minute

// releaseStatus is what status prints with -json.
type releaseStatus struct {
	Title   string              `json:"title"`
	Begun   string              `json:"begun,omitempty"` // RFC 3339; none where this clone has no journal of it
	Journal string              `json:"journal,omitempty"`
	End     session.End         `json:"end,omitempty"`    // "" where it has not ended
	Unseen  string              `json:"unseen,omitempty"` // why it cannot be told what the channel has of it, where there is no journal
	Steps   []workflow.Standing `json:"steps"`
}

func (a *app) status(ctx context.Context, asJSON bool) error {
	r, _, err := a.newRelease(ctx, false)
	if err != nil {
		return err
	}
	past, err := release.Last(r.State)
	if err == nil && past == nil {
		past, err = r.Present(ctx)
	}
	if err != nil {
		return err
	}
	s := releaseStatus{Steps: []workflow.Standing{}}
	if past != nil {
		s.Title, s.Journal, s.End = past.Plan.Title, past.Path, past.End
		if len(past.Times) > 0 {
			s.Begun = past.Times[0].Format(time.RFC3339)
		}
		if past.Plan.Unseen != nil {
			s.Unseen = past.Plan.Unseen.Error()
		}
		within := answerWithin
		if a.runner.Lends() {
			within = typedWithin
		}
		if past.Path != "" || past.End == "" { // else tags and channel say that all is done, and of most steps only a journal could
			s.Steps = r.Look(ctx, past, within)
		}
	}
	if asJSON {
		return a.view.JSON(s)
	}
	if past == nil {
		a.view.Line("no release was begun in this clone, and %s", a.withoutRelease(ctx, r))
		return nil
	}
	a.showStatus(s)
	return nil
}

// withoutRelease says what the remote has, where this clone knows of no release.
func (a *app) withoutRelease(ctx context.Context, r *release.Release) string {
	w, err := a.workspace()
	if err != nil {
		return "the versions that the manifests have cannot be told: " + err.Error()
	}
	refs, err := r.Repo.Remote(ctx, w.Config.Remote)
	if err != nil {
		return "whether the remote has a tag for the versions that the manifests have is not known: " + err.Error()
	}
	for _, tag := range bump.PresentTags(w) {
		if refs.Tags[tag.Name] != "" {
			if c, err := r.Channel(w); err == nil {
				h, err := publish.Look(ctx, c, w.Packages)
				if err == nil && h.Unseen != nil {
					return fmt.Sprintf("%s is tagged on the remote, and what the channel has of it cannot be told: %s is not there for anyone (%v). Where it is private, set what it is read with, such as PREFIX_API_KEY", tag.Name, c.URL(), h.Unseen)
				}
			}
			return tag.Name + " is tagged on the remote, and nothing of it is on the channel: the tag is older than the channel, or `mage release -to=VERSION` publishes it"
		}
	}
	return "the remote has no tag for the versions that the manifests have"
}

func (a *app) showStatus(s releaseStatus) {
	switch {
	case s.End != "" && s.Journal == "":
		a.view.Heading("%s: %s, by what its tags and the channel say; this clone has no journal of it", s.Title, s.End)
		return
	case s.End != "":
		a.view.Heading("%s: %s", s.Title, s.End)
	case s.Unseen != "":
		a.view.Heading("%s is tagged on the remote, and whether it is complete cannot be told: the channel is not there for anyone (%s). Where it is private, set what it is read with, such as PREFIX_API_KEY", s.Title, s.Unseen)
	case s.Begun == "":
		a.view.Heading("%s is tagged on the remote and not complete; this clone has no journal of it. `mage release` goes on with it", s.Title)
	default:
		a.view.Heading("%s is unfinished since %s. `mage release` goes on with it, `mage undo` takes it back or, once something was uploaded, gives it up", s.Title, s.Begun)
	}
	var rows [][]string
	for _, step := range s.Steps {
		rows = append(rows, []string{step.Step, oneLine(string(step.Recorded), step.Said), oneLine(string(step.World), step.Seen)})
	}
	a.view.Table([]string{"STEP", "JOURNAL", "WORLD"}, rows)
}

// oneLine puts a word and what was said together, short enough for a table.
func oneLine(word, text string) string {
	first, _, _ := strings.Cut(text, "\n")
	if runes := []rune(first); len(runes) > 70 {
		first = string(runes[:69]) + "…"
	}
	switch {
	case word == "":
		return "–"
	case first == "":
		return word
	}
	return word + ": " + first
}

func (a *app) undo(ctx context.Context, yes bool) error {
	r, unlock, err := a.newRelease(ctx, true)
	if err != nil {
		return err
	}
	defer unlock()
	b, err := r.Undoing(ctx)
	if err != nil {
		return err
	}
	if err := a.confirmUndo(ctx, b, yes); err != nil {
		return err
	}
	way := b.Way
	if b, err = r.Undoing(ctx); err != nil { // again: a CI may have uploaded while a person was asked
		return err
	}
	if b.Way != way {
		return operr.NewStopped("undo again, and read what it says now", "%s is not where it was when you were asked; nothing was changed", b.Plan.Title)
	}
	said, err := r.Undo(ctx, b)
	for _, line := range said {
		a.view.Line("  %s", line)
	}
	if err != nil {
		return err
	}
	if b.Way != release.NoReturn {
		a.view.Heading("%s was taken back", b.Plan.Title)
		return nil
	}
	return a.prepareNext(ctx)
}

// confirmUndo says what will be done, and asks.
func (a *app) confirmUndo(ctx context.Context, b *release.Back, yes bool) error {
	title := b.Plan.Title
	switch b.Way {
	case release.Local:
		what := "commit and tag are taken back"
		if b.Plan.Bump.Empty() {
			what = "its tag is taken back; it has no commit of its own"
		}
		a.view.Line("%s is in this clone only: %s", title, what)
	case release.Remote:
		commit := "and its commit reverted on " + b.Plan.Branch
		switch {
		case b.Plan.Bump.Empty() && b.Recorded:
			commit = "and " + b.Plan.Branch + " stays as it is: the release has no commit of its own"
		case b.Plan.Bump.Empty():
			commit = "and " + b.Plan.Branch + " stays as it is: this clone did not make the release; if it has a commit, `git revert` takes that back"
		}
		a.view.Line("%s is on %s, and %s: its tag is removed there, %s", title, b.Plan.Remote, notUploaded(b), commit)
		a.view.Line("Whoever fetched the tag keeps it. Where CI publishes, make sure that no run is under way.")
	case release.NoReturn:
		a.view.Line("%s cannot be taken back: %s has", title, b.Plan.Channel)
		for _, p := range b.Uploaded {
			a.view.Line("  %s  sha256 %.12s…", p.URL, p.SHA256)
		}
		a.view.Line("Lock files may refer to these files already. `mage release` completes the release. To withdraw a package after all,")
		a.view.Line("delete it on the channel's page (%s), or, with the key on no command line:", b.Plan.Channel)
		a.view.Line("  %s", deleteCommand(b.DeleteURL()))
		a.view.Line("A deleted version must not be published again. The release can be given up in favor of the next patch.")
		return a.confirm(ctx, yes, "Give "+title+" up?")
	case release.Nothing:
		return nil
	}
	return a.confirm(ctx, yes, "Take "+title+" back?")
}

// notUploaded says how it is known that nothing of a release is on the channel.
func notUploaded(b *release.Back) string {
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
func (a *app) prepareNext(ctx context.Context) error {
	b, err := a.bumping(ctx, bumpFlags{})
	if err != nil {
		return err
	}
	p, err := bump.New(ctx, b.Workspace, withChangelog(bump.Request{To: "patch", Date: today()}, b.Workspace.Root), b.History())
	if err != nil {
		return operr.New("correct that, and release the next patch: `mage release -to=patch`", "the next patch cannot be planned: %w", err)
	}
	a.view.Plan(p, true)
	var tags []string
	for _, t := range p.Tags {
		tags = append(tags, t.Name)
	}
	a.view.Heading("This is the next patch, %s: `mage release -to=patch` releases it", strings.Join(tags, ", "))
	return nil
}
