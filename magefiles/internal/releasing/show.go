package releasing

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// confirm shows the plan of a new release, and asks the user.
func (r Releaser) confirm(ctx context.Context, one *release.Release, p *plan.Plan) error {
	r.View.Plan(p.Bump, true)
	by := "CI publishes to " + p.Channel + ", and this command watches the run"
	if one.GitHub.Client == nil {
		by = "CI must publish to " + p.Channel + ", and this command waits for the packages (it cannot ask this CI about its runs)"
	}
	if one.By(p) == settings.PublishHere {
		by = "published from here to " + p.Channel
	}
	where := p.Remote + "/" + p.Branch
	if p.Landed {
		where = p.Remote + ", the tag alone, at " + p.Base[:min(12, len(p.Base))]
	}
	r.View.Unfold()
	r.View.Heading("\n%s: checked and built; then tagged and pushed to %s; %s; verified", p.Title, where, by)
	if len(p.Along) > 0 {
		var names []string
		for _, pkg := range p.Along {
			names = append(names, pkg.Name+" "+pkg.Version)
		}
		r.View.Text("also published, but not tagged, because the channel does not have these versions: %s", strings.Join(names, ", "))
	}
	if p.Unpushed > 0 {
		r.View.Text("%s that %s not on %s yet will be pushed, too", operr.Count(p.Unpushed, "commit"), map[bool]string{true: "is", false: "are"}[p.Unpushed == 1], p.Remote)
	}
	if !r.rehearsed(ctx) {
		r.View.Text("Until the first upload, `mage undo` can undo the whole release. An upload is final.")
	}
	return r.Confirm(ctx, r.question(p.Title))
}

// confirmRest shows what remains to be done for a continued release, and whether it can still be undone, and asks the user.
func (r Releaser) confirmRest(ctx context.Context, p *plan.Plan, left *release.Left) error {
	at := p.Title
	if left.Commit != "" {
		at = fmt.Sprintf("%s (commit %.12s)", p.Title, left.Commit)
	}
	r.View.Unfold()
	r.View.Heading("\nContinuing %s, which is unfinished", at)
	if len(left.Done) > 0 {
		r.View.Text("Done: %s", strings.Join(left.Done, ", "))
	}
	todo := slices.Clone(left.ToDo)
	if at := slices.Index(todo, trace.StepPublish); at >= 0 && left.OnTheWay && left.Unseen == nil {
		todo[at] = fmt.Sprintf("%s (%d of %s)", trace.StepPublish, left.Files-left.Uploaded, operr.Count(left.Files, "file"))
	}
	r.View.Text("To do: %s", strings.Join(todo, ", "))
	switch {
	case left.Unseen != nil:
		r.View.Text("It is not known whether %s has packages of this release: %v", p.Channel, left.Unseen)
	case left.Uploaded > 0:
		are := map[bool]string{true: "is", false: "are"}[left.Uploaded == 1]
		r.View.Text("%d of %s %s on %s: the release cannot be undone any more", left.Uploaded, operr.Count(left.Files, "file"), are, p.Channel)
	case r.rehearsed(ctx):
		r.View.Text("No package of this release is on %s", p.Channel)
	default:
		r.View.Text("No package of this release is on %s. Until the first upload, `mage undo` can undo the whole release. An upload is final.", p.Channel)
	}
	return r.Confirm(ctx, "Continue "+p.Title+"?")
}

// question returns the question whether to release. It first lists unchecked packages; if nothing is checked, the question says so.
func (r Releaser) question(title string) string {
	if w, err := workspace.Load(r.Dir); err == nil {
		r.sayNotChecked(w)
		if release.WarnUnchecked(w) != "" {
			return fmt.Sprintf("Release %s without checks?", title)
		}
	}
	return fmt.Sprintf("Release %s?", title)
}

// sayNotChecked lists the packages that no task checks.
func (r Releaser) sayNotChecked(w *workspace.Workspace) {
	if said := release.WarnNotChecked(w); said != "" {
		r.View.Text("%s", said)
	}
}

// Show shows what was released, and how to install it.
func (r Releaser) Show(ctx context.Context, result release.Result) {
	if result.Already {
		r.View.Heading("%s is released: %s has it; nothing was changed", result.Plan.Title, result.Channel)
		r.next()
		return
	}
	r.View.Heading("\n%s is released, at commit %.12s", result.Plan.Title, result.Commit)
	if result.Plan.Bump.Empty() {
		r.View.Text("no commit was made, because the manifests already had %s", result.Plan.Title)
	}
	var specs []string
	for _, p := range result.Packages {
		r.View.Text("  %s %s  %s  sha256 %.12s", p.Name, p.Version, p.URL, p.SHA256)
		specs = append(specs, fmt.Sprintf("%q", p.Name+"=="+p.Version))
	}
	if result.GitHub != "" {
		r.View.Text("  %s", result.GitHub)
	}
	private := false
	w, err := workspace.Load(r.Dir)
	if err == nil {
		if c, err := r.Channels.Of(w); err == nil {
			private, _ = c.Private(ctx) // cannot fail here, because the result is cached
		}
	}
	if err == nil {
		r.sayNotChecked(w)
	}
	if !r.rehearsed(ctx) {
		r.View.Line("%s", installCommand(result.Channel, specs, private))
	}
	r.next()
}

// rehearsed reports whether this is a rehearsal's clone, where advice about a real release is left out.
func (r Releaser) rehearsed(ctx context.Context) bool {
	repo, err := gitrepo.Open(ctx, r.Runner, r.Dir)
	return err == nil && publishing.IsRehearsal(repo)
}

// `next` shows the next step after a release is published.
func (r Releaser) next() {
	if w, err := workspace.Load(r.Dir); err == nil {
		r.View.Next("%s", nextstep.AfterRelease(w))
	}
}

// installCommand returns the command for installing the released packages.
func installCommand(channel string, specs []string, private bool) string {
	how := fmt.Sprintf("To install it: pixi workspace channel add %s && pixi add %s", channel, strings.Join(specs, " "))
	if u, err := url.Parse(channel); private && err == nil {
		how += fmt.Sprintf("\nThe channel is private: whoever installs from the channel must be a member, and must run `pixi auth login %s` once", operr.Word(u.Hostname()))
	}
	return how
}
