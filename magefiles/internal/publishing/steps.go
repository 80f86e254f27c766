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

// The functions below are the steps, in order. Each returns the text for its line.

func (p *Publication) look(ctx context.Context) (_ string, err error) {
	ready := p.Artifacts // with -from, the artifacts in that folder
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

// `has` describes the packages that the channel has.
func (p *Publication) has() string {
	switch {
	case p.Unseen():
		return p.Channel.URL() + " does not exist or is empty for anyone without a credential: the channel may be private, or this is its first release"
	case !p.Holdings.Exists:
		return p.Channel.URL() + " does not exist yet or is empty: this is its first release"
	}
	have := 0
	for _, pkg := range p.Workspace.Packages {
		if len(p.Holdings.Of(pkg.Name, pkg.Version.Text)) > 0 && pkg.Version.Text != "" {
			have++
		}
	}
	return fmt.Sprintf("%s has %d of %s at their versions", p.Channel.URL(), have, operr.Count(len(p.Workspace.Packages), "package"))
}

// `findFinished` checks that the channel has a finished release, for -verify.
func (p *Publication) findFinished(ctx context.Context) (string, error) {
	if err := p.FindPublished(ctx); err != nil {
		return "", err
	}
	if err := p.compareGiven(); err != nil {
		return "", err
	}
	return p.has(), nil
}

func (p *Publication) allow(ctx context.Context) (_ string, err error) {
	if !p.Needed() && !p.Private(ctx) {
		return "not needed: the channel has everything", nil
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
	if err := p.refuseChangedSince(ctx); err != nil {
		return "", err
	}
	if err := p.checkBranch(ctx); err != nil {
		return "", err
	}
	return p.Done(), p.nameTools(ctx)
}

// refuseChangedSince returns an error if the sources of a package to upload have changed since the tag of its version.
func (p *Publication) refuseChangedSince(ctx context.Context) error {
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
		differs, err := p.repo.Differs(ctx, at, p.result.Commit, sourcesOf(p.repo, w, pkg)...)
		if err != nil {
			return err
		}
		if differs {
			return operr.New("raise the version; or publish the tagged commit from a worktree: `git worktree add --detach ../"+operr.Word(path.Base(tag))+" "+operr.Word(tag)+"`",
				"the tag %s is at the commit %.12s, but the package %s was changed after this commit, so the published package would differ from the tagged package; nothing was sent", tag, at, pkg.Name)
		}
	}
	return nil
}

// nameTools records the tools that built each artifact.
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

// sayTools shows the tools that built the artifacts. Artifacts that were built by the same tools share a line.
func (p *Publication) sayTools() {
	by := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(p.result.Tools)) {
		by[p.result.Tools[name]] = append(by[p.result.Tools[name]], name)
	}
	for _, tools := range slices.Sorted(maps.Keys(by)) {
		p.view.Line("built by %s: %s", tools, strings.Join(by[tools], ", "))
	}
}

// agree shows the delivery, and asks for confirmation if there is something to upload.
func (p *Publication) agree(ctx context.Context) error {
	var rows [][]string
	for _, i := range p.Delivery.Items {
		rows = append(rows, []string{i.Package, i.Record.Version, i.Record.FileName(), columns.Digest(i.Record.SHA256), p.does(i)})
	}
	p.view.Table([]string{"PACKAGE", "VERSION", "FILE", "SHA256", "TO DO"}, rows)
	uploads := len(p.Delivery.Uploads())
	if uploads == 0 {
		return nil
	}
	if err := p.refuseGivenUp(ctx); err != nil {
		return err
	}
	p.view.Line("An upload is final.")
	err := p.config.Confirm(ctx, fmt.Sprintf("Upload %s to %s?", operr.Count(uploads, "artifact"), p.Channel.URL()))
	return operr.NotAgreed(err, "not uploaded", "nothing was sent", "") // the packages that were built here are kept
}

// refuseGivenUp shows a message if this release was given up by an undo. If confirmation is skipped, it returns an error instead of completing the
// release.
func (p *Publication) refuseGivenUp(ctx context.Context) error {
	if p.config.GivenUp == nil {
		return nil
	}
	title, err := p.config.GivenUp(ctx)
	if err != nil || title == "" {
		return err
	}
	if p.config.Yes {
		return operr.NewStopped("run `mage status`, which shows the command that releases the next version; or run `mage publish` without -yes, to complete "+title+" after all",
			"%s was abandoned by `mage undo`, but this command would upload the remaining packages; nothing was sent", title)
	}
	p.view.Line("%s was abandoned by `mage undo`. This command uploads the remaining packages after all.", title)
	return nil
}

// does describes what the upload will do with a package.
func (p *Publication) does(i publish.Item) string {
	if _, built := p.Artifacts[i.Package]; built && i.State == publish.Kept {
		return "nothing: the channel has this version (its bytes are not compared with those that were built)"
	}
	return doing[i.State]
}

// doing describes what the upload does in each state.
var doing = map[publish.State]string{
	publish.Upload:  "upload",
	publish.There:   "nothing: the channel has these bytes",
	publish.Kept:    "nothing: the channel has this version (not built here, so its bytes are not compared)",
	publish.Replace: "REPLACE the different bytes on the channel",
}

// try installs and imports the packages before they are uploaded.
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
	return describeImports(v) + " from " + v.How(), nil
}

func (p *Publication) upload(ctx context.Context) (string, error) { return p.Send(ctx) }

func (p *Publication) visible(ctx context.Context) (_ string, err error) {
	p.result.Visible, err = p.WaitUntilShown(ctx, p.Delivery.Records())
	return p.result.Visible, err
}

func (p *Publication) download(ctx context.Context) (string, error) {
	if err := p.Download(ctx, p.Delivery, &p.Verified); err != nil {
		return "", err
	}
	said := operr.Count(len(p.Verified.Files), "artifact") + ", each with its sha256"
	unproven, err := p.unproven()
	if len(unproven) > 0 {
		said += fmt.Sprintf("; NOT PROVEN: only the channel's own index confirms %s, because there is neither a build record here nor -digests", operr.Abbreviate(unproven))
	}
	return said, err
}

// unproven returns the files that were already on the channel and that are confirmed by neither a build record nor the digests. Such a download can
// be compared only with the channel's own index, which proves nothing.
func (p *Publication) unproven() (files []string, err error) {
	for _, i := range p.Delivery.Items {
		if i.State != publish.Kept || p.flags.Verify && p.flags.Digests != "" { // already compared by compareGiven
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
	return describeImports(p.Verified), err
}

// describeImports describes how many packages were imported.
func describeImports(v publish.Verified) string {
	said := operr.Count(v.Imported(), "package")
	if rest := len(v.Imports) - v.Imported(); rest > 0 {
		said += fmt.Sprintf("; %s without Python modules installed", operr.Count(rest, "package"))
	}
	return said
}
