package publishing

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Result is the result of a publication, as `publish -json` prints it.
type Result struct {
	Channel    string              `json:"channel"`
	Commit     string              `json:"commit,omitempty"`
	Credential string              `json:"credential,omitempty"` // source of the credential; "" if none was needed
	Packages   []publish.Published `json:"packages"`
	Visible    string              `json:"visible"`         // forms of the index that list all files
	Installed  string              `json:"installed"`       // how the environment was created
	Imports    map[string][]string `json:"imports"`         // imported modules by package
	Tools      map[string]string   `json:"tools,omitempty"` // tools that built each package, if known
}

// steps returns the steps that the flags select.
func (p *Publication) steps() []steps.Step {
	take := steps.Step{Name: "take what was built", Do: p.take}
	look := steps.Step{Name: "look at the channel", Do: p.look}
	allow := steps.Step{Name: "find a credential", Do: p.allow}
	plan := steps.Step{Name: "plan", Do: p.makePlan}
	try := steps.Step{Name: "import what was built", Do: p.try} // before the upload, after which anyone can import the packages
	upload := steps.Step{Name: "upload", Ask: p.agree, Do: p.upload}
	visible := steps.Step{Name: "read the index back", Do: p.visible}
	verify := []steps.Step{
		{Name: "download and compare", Do: p.download},
		{Name: "install", Do: p.install},
		{Name: "import", Do: p.imports},
	}
	switch {
	case p.flags.Check:
		return []steps.Step{take, try}
	case p.flags.From != "":
		return []steps.Step{take, look, allow, plan, upload, visible}
	case p.flags.Verify:
		return append([]steps.Step{{Name: "look at the channel", Do: p.findFinished}, visible}, verify...)
	}
	return append([]steps.Step{look, allow, {Name: "build", Do: p.build}, plan, try, upload, visible}, verify...)
}

// Run runs the steps, shows one line for each, and writes the result to files.
func (p *Publication) Run(ctx context.Context) error {
	scratch, err := scratchDir(p.Workspace)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	p.Scratch = scratch
	if err := steps.Run(ctx, p.view, p.steps()...); err != nil || p.flags.Check {
		return err
	}
	p.result.Packages = p.Published(p.Delivery)
	if err := p.keep(); err != nil || p.flags.From == "" {
		return err
	}
	sent := p.publishedDigests()
	return errors.Join(sent.WriteFile(filepath.Join(p.Output, publish.SentJSON)), p.config.CI.HandOn(sent))
}

// scratchDir creates a folder for this run that git ignores.
func scratchDir(w *workspace.Workspace) (string, error) {
	dir := filepath.Join(w.Root, workspace.OutputDir)
	if err := atomicfile.MakeIgnored(dir); err != nil {
		return "", err
	}
	if fixed := filepath.Join(dir, "verify"); os.Mkdir(fixed, 0o755) == nil {
		return fixed, nil // a fixed path, because Python caches byte code by the source path
	}
	return os.MkdirTemp(dir, "verify-")
}

// Result returns the result for -json: a Result, or, with -check, the publish.Digests of the packages that were checked.
func (p *Publication) Result() any {
	if p.flags.Check {
		return p.given
	}
	return p.result
}

// Show shows the result to the user.
func (p *Publication) Show() {
	if p.flags.Check {
		p.view.Heading("\nNothing was sent. These packages can be installed and imported:")
		for _, f := range p.given.Files {
			p.view.Line("  %s  sha256 %s", f.File, columns.Digest(f.SHA256))
		}
		return
	}
	p.view.Heading("\n%s has:", p.Channel.URL())
	for _, r := range p.result.Packages {
		p.view.Line("  %s %s  %s  sha256 %s", r.Name, r.Version, r.File, columns.Digest(r.SHA256))
		p.view.AddMade(r.File+" on "+p.Channel.URL(), "sha256 "+r.SHA256)
	}
	p.sayTools()
}

// Next returns the user's next step.
func (p *Publication) Next() string {
	switch {
	case p.flags.Check && p.flags.Digests != "":
		return "`mage publish -from=" + operr.Word(p.flags.From) + "`, with the same -digests"
	case p.flags.Check:
		return "`mage publish -from=" + operr.Word(p.flags.From) + "`"
	case p.flags.From != "":
		return "`mage publish -verify`"
	}
	return nextstep.AfterRelease(p.Workspace)
}

// keep writes the result to a file, as publish -json prints it. CI stores this file with the run, so that a release that waits for the run can
// compare digests.
func (p *Publication) keep() error {
	data, err := json.MarshalIndent(p.result, "", "  ")
	if err != nil {
		return err
	}
	return provenance.WriteMade(filepath.Join(p.Output, publish.RecordingFile), append(data, '\n'))
}
