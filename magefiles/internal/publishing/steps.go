package publishing

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// The steps of publishing, in their order. Each returns what it saw.

func (p *Publication) look(ctx context.Context) (_ string, err error) {
	ready := p.Artifacts // of the folder that was named
	if p.flags.From == "" {
		if ready, p.passed, err = p.Ready(ctx); err != nil {
			return "", err
		}
	}
	for _, why := range p.passed {
		p.view.Say("  ▸ %s", why)
	}
	if err := p.Sequence.Look(ctx, ready); err != nil {
		return "", err
	}
	return p.has(), nil
}

// has says what the channel has.
func (p *Publication) has() string {
	switch {
	case p.Unseen():
		return p.Channel.URL() + " is not there, or empty, for anyone without a credential: it may be private, or this is its first release"
	case !p.Holdings.Exists:
		return p.Channel.URL() + " is not there yet, or empty: this is its first release"
	}
	have := 0
	for _, pkg := range p.Workspace.Packages {
		if len(p.Holdings.Of(pkg.Name, pkg.Version.Text)) > 0 && pkg.Version.Text != "" {
			have++
		}
	}
	return fmt.Sprintf("%s has %d of %s at their versions", p.Channel.URL(), have, operr.Count(len(p.Workspace.Packages), "package"))
}

// there looks at a release that is out.
func (p *Publication) there(ctx context.Context) (string, error) {
	if err := p.There(ctx); err != nil {
		return "", err
	}
	if err := p.asGiven(); err != nil {
		return "", err
	}
	return p.has(), nil
}

func (p *Publication) allow(ctx context.Context) (_ string, err error) {
	if !p.Needed() && !p.Private(ctx) {
		return "not needed: everything is there", nil
	}
	access, err := p.Channel.Authorize(ctx)
	if err != nil {
		return "", err
	}
	p.result.Credential = access.Source
	said := access.String()
	if p.Private(ctx) {
		said += "; the channel is private"
	}
	return said, nil
}

func (p *Publication) build(ctx context.Context) (string, error) {
	if err := p.Build(ctx, p.Missing, p.Artifacts); err != nil {
		return "", err
	}
	if len(p.Missing) == 0 {
		return "nothing is missing", nil
	}
	var names []string
	for _, pkg := range p.Missing {
		names = append(names, pkg.Name)
	}
	return strings.Join(names, ", "), nil
}

func (p *Publication) makePlan(ctx context.Context) (_ string, err error) {
	if err := p.Decide(ctx); err != nil {
		return "", err
	}
	if err := p.asTagged(ctx); err != nil {
		return "", err
	}
	if err := p.onBranch(ctx); err != nil {
		return "", err
	}
	return p.Done(), p.nameTools(ctx)
}

// asTagged refuses to send what a tag of its version has not: the sources were changed since.
func (p *Publication) asTagged(ctx context.Context) error {
	if p.repo == nil {
		return nil
	}
	w := p.Workspace
	tags, err := p.repo.Tags(ctx)
	if err != nil {
		return err
	}
	for _, i := range p.Delivery.Uploads() {
		pkg, err := w.Package(i.Package)
		if err != nil {
			return err
		}
		tag := bump.TagOf(w, pkg).Name
		at := tags[tag]
		if at == "" || at == p.result.Commit {
			continue
		}
		differs, err := p.repo.Differs(ctx, at, p.result.Commit, madeOf(p.repo, w, pkg)...)
		if err != nil {
			return err
		}
		if differs {
			return operr.New("raise the version; or publish what is tagged, from `git worktree add --detach ../"+operr.Word(path.Base(tag))+" "+operr.Word(tag)+"`",
				"the tag %s is at %.12s, and %s was changed since: what would be published is not what is tagged, and nothing was sent", tag, at, pkg.Name)
		}
	}
	return nil
}

// nameTools takes down what built each artifact.
func (p *Publication) nameTools(ctx context.Context) error {
	p.result.Tools = map[string]string{}
	for _, f := range p.given.Files {
		p.result.Tools[f.Package] = f.Tools
	}
	if p.Tools == nil {
		return nil
	}
	for name := range p.Artifacts {
		pkg, err := p.Workspace.Package(name)
		if err != nil {
			return err
		}
		if p.result.Tools[name], err = p.Tools.BuiltWith(ctx, pkg); err != nil {
			return err
		}
	}
	return nil
}

// sayTools says what built the artifacts, once for those that have it in common.
func (p *Publication) sayTools() {
	by := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(p.result.Tools)) {
		by[p.result.Tools[name]] = append(by[p.result.Tools[name]], name)
	}
	for _, tools := range slices.Sorted(maps.Keys(by)) {
		p.view.Line("built by %s: %s", tools, strings.Join(by[tools], ", "))
	}
}

// agree shows the delivery, and asks where it changes something.
func (p *Publication) agree(ctx context.Context) error {
	var rows [][]string
	for _, i := range p.Delivery.Items {
		rows = append(rows, []string{i.Package, i.Record.Version, i.Record.FileName(), columns.Digest(i.Record.SHA256), doing[i.State]})
	}
	p.view.Table([]string{"PACKAGE", "VERSION", "FILE", "SHA256", "TO DO"}, rows)
	uploads := len(p.Delivery.Uploads())
	if uploads == 0 {
		return nil
	}
	return p.config.Confirm(ctx, fmt.Sprintf("Upload %s to %s?", operr.Count(uploads, "artifact"), p.Channel.URL()))
}

// doing says what the states of a delivery mean.
var doing = map[publish.State]string{
	publish.Upload:  "upload",
	publish.There:   "nothing: the channel has these bytes",
	publish.Kept:    "nothing: the channel has this version (not built here, so its bytes are not compared)",
	publish.Replace: "REPLACE other bytes that the channel has",
}

// try installs and imports what is about to be sent.
func (p *Publication) try(ctx context.Context) (_ string, err error) {
	if p.flags.Check {
		if p.Delivery, err = p.PrepareFirst(p.Artifacts); err != nil {
			return "", err
		}
	}
	if len(p.Delivery.Uploads()) == 0 {
		return "nothing to send", nil
	}
	v, err := p.Try(ctx)
	if err != nil {
		return "", operr.New("", "%w; nothing was sent", err)
	}
	return imported(v) + " from " + v.How(), nil
}

func (p *Publication) upload(ctx context.Context) (string, error) { return p.Send(ctx) }

func (p *Publication) visible(ctx context.Context) (_ string, err error) {
	p.result.Visible, err = p.Shown(ctx, p.Delivery.Records())
	return p.result.Visible, err
}

func (p *Publication) download(ctx context.Context) (string, error) {
	if err := p.Download(ctx, p.Delivery, &p.Verified); err != nil {
		return "", err
	}
	said := operr.Count(len(p.Verified.Files), "artifact") + ", each with its sha256"
	unproven, err := p.unproven()
	if len(unproven) > 0 {
		said += fmt.Sprintf("; NOT PROVEN: %s is what the channel's own index says, and neither a build here nor -digests says what was built", operr.Some(unproven))
	}
	return said, err
}

// unproven are the files that were there before, of which nothing is known here but what the channel says: compared with its index, a file
// is compared with itself.
func (p *Publication) unproven() (files []string, err error) {
	for _, i := range p.Delivery.Items {
		if i.State != publish.Kept || p.flags.Verify && p.flags.Digests != "" { // those were compared by asGiven
			continue
		}
		r, known, err := p.Builds.Of(i.Record.SHA256)
		if err != nil {
			return nil, err
		}
		if !known || r.Package != i.Package {
			files = append(files, i.Record.FileName())
		}
	}
	return files, nil
}

func (p *Publication) install(ctx context.Context) (string, error) {
	err := p.Install(ctx, p.Delivery, &p.Verified)
	p.result.Installed = p.Verified.How()
	return p.result.Installed, err
}

func (p *Publication) imports(ctx context.Context) (string, error) {
	err := p.Import(ctx, p.Delivery, &p.Verified)
	p.result.Imports = p.Verified.Imports
	return imported(p.Verified), err
}

// imported says of how many packages something was imported.
func imported(v publish.Verified) string {
	said := operr.Count(v.Imported(), "package")
	if rest := len(v.Imports) - v.Imported(); rest > 0 {
		said += fmt.Sprintf("; %s without Python modules installed", operr.Count(rest, "package"))
	}
	return said
}
