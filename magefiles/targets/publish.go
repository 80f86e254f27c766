package targets

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Publish builds what is missing, uploads it in dependency order, waits until every index shows it, and verifies it.
func Publish(ctx context.Context,
	force *bool, // replace files that have other bytes on the channel, which has to allow that
	yes *bool, // do not ask before uploading
	json *bool, // print the result as one JSON object
	wait *time.Duration, // how long the index may lag behind, such as 5m; default 10m
) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		p, err := a.newPublishing(ctx, publishFlags{isSet(force), isSet(yes), isSet(json), orZero(wait)})
		if err != nil {
			return err
		}
		return p.run(ctx)
	})
}

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

type publishFlags struct {
	force, yes, json bool
	wait             time.Duration
}

// publishing is one run of publish. Each step leaves what later ones need.
type publishing struct {
	*app
	publishFlags
	publisher  *publish.Publisher
	client     *prefixdev.Client
	channel    *prefixdev.Channel
	credential prefixdev.Credential

	holdings  publish.Holdings
	artifacts publish.Artifacts
	missing   []*workspace.Package
	plan      publish.Plan
	verified  publish.Verified
	result    publishResult
}

// publishResult is what publish prints with -json.
type publishResult struct {
	Channel    string              `json:"channel"`
	Commit     string              `json:"commit,omitempty"`
	Credential string              `json:"credential,omitempty"` // where it came from; none where nothing was sent
	Packages   []publish.Published `json:"packages"`
	Visible    string              `json:"visible"`   // which forms of the index show all files
	Installed  string              `json:"installed"` // how the environment was made
	Imports    map[string][]string `json:"imports"`   // modules that were imported, by package
}

func (a *app) newPublishing(ctx context.Context, f publishFlags) (*publishing, error) {
	w, err := a.workspace()
	if err != nil {
		return nil, err
	}
	if d := w.Disagreements(); len(d) > 0 {
		return nil, operr.New("run `mage version:show`, which names them all", "%s: %s", d[0].Pos, d[0].Message)
	}
	client, c, err := ourChannel(w)
	if err != nil {
		return nil, err
	}
	tools, err := a.toolchain(ctx, w)
	if err != nil {
		return nil, err
	}
	date, err := a.sourceDate(ctx, w)
	if err != nil {
		return nil, err
	}
	if f.json {
		a.view.Out = a.view.Err
	}
	p := &publishing{app: a, publishFlags: f, client: client, channel: c, publisher: &publish.Publisher{
		Workspace: w, Channel: c, Tools: tools, Runner: a.runner, Date: date, Output: filepath.Join(w.Root, outputDir),
		Force: f.force, Pycache: pycache(), Progress: a.view.Progress(), Wait: publish.Wait{For: f.wait, Tell: a.stillWaiting()},
	}}
	p.result.Channel = c.URL()
	return p, p.sources(ctx)
}

// sources refuses what is not committed, and tells the publisher since when the sources are what they are. Outside git
// neither is known.
func (p *publishing) sources(ctx context.Context) error {
	w := p.publisher.Workspace
	repo, err := gitrepo.Open(ctx, p.runner, w.Root)
	if err != nil {
		return context.Cause(ctx)
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return err
	}
	p.result.Commit = head.Commit
	changes, err := repo.Changes(ctx)
	if err != nil {
		return err
	}
	for _, pkg := range w.Packages {
		dir := strings.TrimPrefix(repo.Prefix+"/"+pkg.Dir, "/")
		if i := slices.IndexFunc(changes, func(c string) bool { return pkg.Dir == "." || strings.HasPrefix(c, dir+"/") }); i >= 0 {
			return operr.New("commit it first, or put it away", "%s is not committed, and would be published", changes[i])
		}
	}
	p.publisher.Sources = func(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
		return repo.Touched(ctx, pkg.Dir)
	}
	return nil
}

// stillWaiting says at most every ten seconds what the index does not show yet.
func (a *app) stillWaiting() func(missing string, since, most time.Duration) {
	said := time.Duration(0)
	return func(missing string, since, most time.Duration) {
		if since < said {
			said = 0
		}
		if since-said >= 10*time.Second {
			said = since
			a.view.Say("  ▸ waiting for the index (%v of %v): %s", since.Round(time.Second), most, missing)
		}
	}
}

// run does what is to be done, one line a step.
func (p *publishing) run(ctx context.Context) error {
	w := p.publisher.Workspace
	scratch, err := scratchDir(w)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	p.publisher.Scratch = scratch
	for _, s := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"look at the channel", p.look},
		{"find a credential", p.authorize},
		{"build", p.build},
		{"plan", p.makePlan},
		{"upload", p.upload},
		{"read the index back", p.visible},
		{"download and compare", p.download},
		{"install", p.install},
		{"import", p.imports},
	} {
		if s.name == "upload" {
			if err := p.agree(ctx); err != nil {
				return err
			}
		}
		err := p.view.Step(s.name, func() (string, error) { return s.do(ctx) })
		if err != nil {
			return err
		}
	}
	return p.report()
}

// scratchDir is a folder for one run, where nobody commits it.
func scratchDir(w *workspace.Workspace) (string, error) {
	dir := filepath.Join(w.Root, outputDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return "", err
	}
	if fixed := filepath.Join(dir, "verify"); os.Mkdir(fixed, 0o755) == nil {
		return fixed, nil // byte code that is kept elsewhere is found by the path that it is of
	}
	return os.MkdirTemp(dir, "verify-")
}

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
	return fmt.Sprintf("%s has %d of %s at their versions", p.channel.URL(), have, view.Count(len(p.publisher.Workspace.Packages), "package")), nil
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
	uploads := len(p.plan.Uploads())
	return fmt.Sprintf("%s to upload, %d there", view.Count(uploads, "artifact"), len(p.plan.Items)-uploads), nil
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
	return p.confirm(ctx, p.yes, fmt.Sprintf("Upload %s to %s?", view.Count(uploads, "artifact"), p.channel.URL()))
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
	if p.credential.Minted && len(p.missing) > 0 || p.credential.Token == "" {
		fresh, err := credential(ctx, p.client) // the one before may have ended while packages were built
		if err != nil {
			return "", err
		}
		p.credential, p.result.Credential = fresh, fresh.Source
		if err := p.connect(); err != nil {
			return "", err
		}
	}
	return p.publisher.Upload(ctx, p.channel, p.plan)
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
	return view.Count(len(p.verified.Files), "artifact") + ", each with its sha256", err
}

func (p *publishing) install(ctx context.Context) (string, error) {
	err := p.publisher.Install(ctx, p.plan, &p.verified)
	p.result.Installed = p.verified.How()
	return p.result.Installed, err
}

func (p *publishing) imports(ctx context.Context) (string, error) {
	err := p.publisher.Import(ctx, p.plan, &p.verified)
	p.result.Imports = p.verified.Imports
	return view.Count(len(p.verified.Imports), "package"), err
}

// report says what is where now.
func (p *publishing) report() error {
	p.result.Packages = p.publisher.Published(p.plan)
	if err := p.keep(); err != nil {
		return err
	}
	if p.json {
		p.view.Out = os.Stdout
		return p.view.JSON(p.result)
	}
	p.view.Heading("\n%s has:", p.channel.URL())
	for _, r := range p.result.Packages {
		p.view.Line("  %s %s  %s  sha256 %s", r.Name, r.Version, r.File, r.SHA256)
	}
	return nil
}

// keep writes down what publish -json prints. A CI keeps that file with its run, so that a release that waits for it can
// compare digests.
func (p *publishing) keep() error {
	data, err := json.MarshalIndent(p.result, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(p.publisher.Output, release.RecordingFile), append(data, '\n'), 0o644)
}
