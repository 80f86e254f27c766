package targets

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// The steps of publishing, in their order. Each returns what it saw.

func (p *publishing) look(ctx context.Context) (_ string, err error) {
	if p.holdings, err = publish.Look(ctx, p.channel, p.publisher.Workspace.Packages); err != nil {
		return "", err
	}
	if p.artifacts, err = p.publisher.Ready(ctx); err != nil {
		return "", err
	}
	p.missing = p.publisher.Missing(p.holdings, p.artifacts)
	if !p.holdings.Exists {
		return p.channel.URL() + " is not there yet, or empty: this is its first release", nil
	}
	have := 0
	for _, pkg := range p.publisher.Workspace.Packages {
		if len(p.holdings.Of(pkg.Name, pkg.Version.Text)) > 0 && pkg.Version.Text != "" {
			have++
		}
	}
	return fmt.Sprintf("%s has %d of %s at their versions", p.channel.URL(), have, operr.Count(len(p.publisher.Workspace.Packages), "package")), nil
}

// needed says whether something may have to be sent.
func (p *publishing) needed() bool {
	if len(p.missing) > 0 {
		return true
	}
	for name, a := range p.artifacts {
		same := slices.ContainsFunc(p.holdings.Records[name], func(r condapkg.Record) bool { return r.SHA256 == a.SHA256 })
		if !same {
			return true
		}
	}
	return false
}

func (p *publishing) authorize(ctx context.Context) (_ string, err error) {
	if !p.needed() {
		return "not needed: everything is there", nil
	}
	if p.credential, err = credential(ctx, p.client); err != nil {
		return "", err
	}
	p.result.Credential = p.credential.Source
	said := p.credential.Source
	if p.credential.Account != "" {
		said += ", of " + p.credential.Account
	}
	if err := p.connect(); err != nil {
		return "", err
	}
	if p.holdings.Exists {
		return said, nil
	}
	private, err := p.channel.Private(ctx)
	if err != nil || !private {
		return said, err
	}
	_, err = p.look(ctx) // again, now that it can be seen
	return said + "; the channel is private", err
}

// connect takes the channel with the credential in place of the one without. It is read as before, unless it is private.
func (p *publishing) connect() error {
	client, err := p.client.With(p.credential.Token)
	if err != nil {
		return err
	}
	if p.channel, err = client.Channel(p.channel.Name()); err != nil {
		return err
	}
	p.publisher.Channel = p.channel
	return nil
}

func (p *publishing) build(ctx context.Context) (string, error) {
	if err := p.publisher.Build(ctx, p.missing, p.artifacts); err != nil {
		return "", err
	}
	if len(p.missing) == 0 {
		return "nothing is missing", nil
	}
	var names []string
	for _, pkg := range p.missing {
		names = append(names, pkg.Name)
	}
	return strings.Join(names, ", "), nil
}

func (p *publishing) makePlan(ctx context.Context) (_ string, err error) {
	if p.plan, err = p.publisher.Plan(ctx, p.holdings, p.artifacts); err != nil {
		return "", err
	}
	if err := p.asTagged(ctx); err != nil {
		return "", err
	}
	uploads := len(p.plan.Uploads())
	return fmt.Sprintf("%s to upload, %d there", operr.Count(uploads, "artifact"), len(p.plan.Items)-uploads), nil
}

// asTagged refuses to send what a tag of its version has not: the sources were changed since.
func (p *publishing) asTagged(ctx context.Context) error {
	if p.repo == nil {
		return nil
	}
	w := p.publisher.Workspace
	tags, err := p.repo.Tags(ctx)
	if err != nil {
		return err
	}
	for _, i := range p.plan.Uploads() {
		pkg, err := w.Package(i.Package)
		if err != nil {
			return err
		}
		tag := bump.TagOf(w, pkg).Name
		at := tags[tag]
		if at == "" || at == p.result.Commit {
			continue
		}
		differs, err := p.repo.Differs(ctx, at, p.result.Commit, pkg.Sources()...)
		if err != nil {
			return err
		}
		if differs {
			return operr.New("raise the version; or publish what is tagged, from `git worktree add --detach ../"+path.Base(tag)+" "+tag+"`",
				"the tag %s is at %.12s, and %s was changed since: what would be published is not what is tagged, and nothing was sent", tag, at, pkg.Name)
		}
	}
	return nil
}

// agree shows the plan, and asks where it changes something.
func (p *publishing) agree(ctx context.Context) error {
	var rows [][]string
	for _, i := range p.plan.Items {
		rows = append(rows, []string{i.Package, i.Record.Version, i.Record.FileName(), i.Record.SHA256[:12] + "…", doing[i.State]})
	}
	p.view.Table([]string{"PACKAGE", "VERSION", "FILE", "SHA256", "TO DO"}, rows)
	uploads := len(p.plan.Uploads())
	if uploads == 0 {
		return nil
	}
	return p.confirm(ctx, p.yes, fmt.Sprintf("Upload %s to %s?", operr.Count(uploads, "artifact"), p.channel.URL()))
}

// doing says what the states of a plan mean.
var doing = map[publish.State]string{
	publish.Upload:  "upload",
	publish.There:   "nothing: the channel has these bytes",
	publish.Kept:    "nothing: the channel has this version (not built here, so its bytes are not compared)",
	publish.Replace: "REPLACE other bytes that the channel has",
}

func (p *publishing) upload(ctx context.Context) (string, error) {
	if len(p.plan.Uploads()) == 0 {
		return "nothing to send", nil
	}
	p.publisher.Renew = p.renew
	return p.publisher.Upload(ctx, p.channel, p.plan)
}

// renew gets another credential in place of one that lasts for minutes, and may have ended while packages were built, a
// person was asked, or the index was waited for.
func (p *publishing) renew(ctx context.Context) (channel.Channel, error) {
	if p.credential.Minted || p.credential.Token == "" {
		fresh, err := credential(ctx, p.client)
		if err != nil {
			return nil, err
		}
		p.credential, p.result.Credential = fresh, fresh.Source
		if err := p.connect(); err != nil {
			return nil, err
		}
	}
	return p.channel, nil
}

func (p *publishing) visible(ctx context.Context) (_ string, err error) {
	p.result.Visible, err = publish.Visible(ctx, p.channel, p.plan.Records(), p.publisher.Wait)
	if err != nil {
		return "", err
	}
	if private, err := p.channel.Private(ctx); err == nil && private {
		p.result.Visible += "; read with the token, since the channel is private"
	}
	return p.result.Visible, nil
}

func (p *publishing) download(ctx context.Context) (string, error) {
	err := p.publisher.Download(ctx, p.plan, &p.verified)
	return operr.Count(len(p.verified.Files), "artifact") + ", each with its sha256", err
}

func (p *publishing) install(ctx context.Context) (string, error) {
	err := p.publisher.Install(ctx, p.plan, &p.verified)
	p.result.Installed = p.verified.How()
	return p.result.Installed, err
}

func (p *publishing) imports(ctx context.Context) (string, error) {
	err := p.publisher.Import(ctx, p.plan, &p.verified)
	p.result.Imports = p.verified.Imports
	imported := p.verified.Imported()
	said := operr.Count(imported, "package")
	if rest := len(p.verified.Imports) - imported; rest > 0 {
		said += fmt.Sprintf("; %s without Python modules installed", operr.Count(rest, "package"))
	}
	return said, err
}
