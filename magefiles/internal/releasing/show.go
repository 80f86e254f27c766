package releasing

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// confirm shows what is going to happen, and asks.
func (r Releaser) confirm(ctx context.Context, one *release.Release, p *plan.Plan) error {
	r.View.Plan(p.Bump, true)
	by := "CI publishes to " + p.Channel + ", and it is watched"
	if one.GitHub.Client == nil {
		by = "CI is to publish to " + p.Channel + ", which is waited for (this CI cannot be asked from here)"
	}
	if one.By(p) == settings.PublishHere {
		by = "published from here to " + p.Channel
	}
	where := p.Remote + "/" + p.Branch
	if p.Landed {
		where = p.Remote + ", the tag alone, at " + p.Base[:min(12, len(p.Base))]
	}
	r.View.Heading("\n%s: checked and built; then tagged and pushed to %s; %s; verified", p.Title, where, by)
	if len(p.Along) > 0 {
		var names []string
		for _, pkg := range p.Along {
			names = append(names, pkg.Name+" "+pkg.Version)
		}
		r.View.Text("published along, and not tagged, since the channel has no such version: %s", strings.Join(names, ", "))
	}
	if p.Unpushed > 0 {
		r.View.Text("%s that %s not on %s yet, and will be pushed along", operr.Count(p.Unpushed, "commit"), map[bool]string{true: "is", false: "are"}[p.Unpushed == 1], p.Remote)
	}
	r.View.Text("Until the first upload `mage undo` takes all of it back. An upload is final.")
	return r.Confirm(ctx, r.question(p.Title))
}

// confirmRest shows what is left to do of a release that is gone on with, and whether it can be taken back, and asks.
func (r Releaser) confirmRest(ctx context.Context, p *plan.Plan, left *release.Left) error {
	at := p.Title
	if left.Commit != "" {
		at = fmt.Sprintf("%s (commit %.12s)", p.Title, left.Commit)
	}
	r.View.Heading("\n%s is begun, and goes on", at)
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
		r.View.Text("Whether something of it is on %s cannot be told: %v", p.Channel, left.Unseen)
	case left.Uploaded > 0:
		are := map[bool]string{true: "is", false: "are"}[left.Uploaded == 1]
		r.View.Text("%d of %s %s on %s: it cannot be taken back any more", left.Uploaded, operr.Count(left.Files, "file"), are, p.Channel)
	default:
		r.View.Text("Nothing of it is on %s. Until the first upload `mage undo` takes all of it back. An upload is final.", p.Channel)
	}
	return r.Confirm(ctx, "Go on with "+p.Title+"?")
}

// question is whether it is to be released. What is not checked is said before, and where that is all of it, in the question.
func (r Releaser) question(title string) string {
	if w, err := workspace.Load(r.Dir); err == nil {
		r.sayNotChecked(w)
		if release.Unchecked(w) != "" {
			return fmt.Sprintf("Release %s, of which nothing is checked?", title)
		}
	}
	return fmt.Sprintf("Release %s?", title)
}

// sayNotChecked names the packages that no task checks.
func (r Releaser) sayNotChecked(w *workspace.Workspace) {
	if said := release.NotChecked(w); said != "" {
		r.View.Text("%s", said)
	}
}

// Show tells a person what was released, and how people install it.
func (r Releaser) Show(ctx context.Context, result release.Result) {
	if result.Already {
		r.View.Heading("%s is released: %s has it; nothing was changed", result.Plan.Title, result.Channel)
		return
	}
	r.View.Heading("\n%s is released, at commit %.12s", result.Plan.Title, result.Commit)
	if result.Plan.Bump.Empty() {
		r.View.Text("no commit was made: the manifests were at %s already", result.Plan.Title)
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
			private, _ = c.Private(ctx) // it was read before: this is known
		}
	}
	if err == nil {
		r.sayNotChecked(w)
	}
	r.View.Line("%s", toInstall(result.Channel, specs, private))
	if err == nil && len(w.Downstreams) > 0 {
		r.View.Next("`mage app:upgrade`")
	}
}

// toInstall is how people install what was released.
func toInstall(channel string, specs []string, private bool) string {
	how := fmt.Sprintf("To install it: pixi workspace channel add %s && pixi add %s", channel, strings.Join(specs, " "))
	if u, err := url.Parse(channel); private && err == nil {
		how += fmt.Sprintf("\nThe channel is private: who installs from it is a member of it, and runs `pixi auth login %s` once", operr.Word(u.Hostname()))
	}
	return how
}
