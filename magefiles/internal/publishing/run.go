package publishing

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Result is what came of a publication, as `publish -json` prints it.
type Result struct {
	Channel    string              `json:"channel"`
	Commit     string              `json:"commit,omitempty"`
	Credential string              `json:"credential,omitempty"` // where it came from; none where nothing was sent
	Packages   []publish.Published `json:"packages"`
	Visible    string              `json:"visible"`         // which forms of the index show all files
	Installed  string              `json:"installed"`       // how the environment was made
	Imports    map[string][]string `json:"imports"`         // modules that were imported, by package
	Tools      map[string]string   `json:"tools,omitempty"` // that built each package, as far as it is known
}

// steps are what the flags ask for.
func (p *Publication) steps() []steps.Step {
	take := steps.Step{Name: "take what was built", Do: p.take}
	look := steps.Step{Name: "look at the channel", Do: p.look}
	allow := steps.Step{Name: "find a credential", Do: p.allow}
	plan := steps.Step{Name: "plan", Do: p.makePlan}
	try := steps.Step{Name: "import what was built", Do: p.try} // before anybody else can
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
		return append([]steps.Step{{Name: "look at the channel", Do: p.there}, visible}, verify...)
	}
	return append([]steps.Step{look, allow, {Name: "build", Do: p.build}, plan, try, upload, visible}, verify...)
}

// Run does what is to be done, one line a step, and writes down what came of it.
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
	sent := p.sent()
	return errors.Join(sent.WriteFile(filepath.Join(p.Output, publish.SentJSON)), p.config.CI.HandOn(sent))
}

// scratchDir is a folder for one run, where nobody commits it.
func scratchDir(w *workspace.Workspace) (string, error) {
	dir := filepath.Join(w.Root, workspace.OutputDir)
	if err := atomicfile.MakeIgnored(dir); err != nil {
		return "", err
	}
	if fixed := filepath.Join(dir, "verify"); os.Mkdir(fixed, 0o755) == nil {
		return fixed, nil // byte code that is kept elsewhere is found by the path that it is of
	}
	return os.MkdirTemp(dir, "verify-")
}

// Result is what a program is told: a Result, or, where nothing was sent, the publish.Digests of what was tried out.
func (p *Publication) Result() any {
	if p.flags.Check {
		return p.given
	}
	return p.result
}

// Show tells a person what came of it.
func (p *Publication) Show() {
	if p.flags.Check {
		p.view.Heading("\nNothing was sent. These can be installed and imported:")
		for _, f := range p.given.Files {
			p.view.Line("  %s  sha256 %s", f.File, columns.Digest(f.SHA256))
		}
		return
	}
	p.view.Heading("\n%s has:", p.Channel.URL())
	for _, r := range p.result.Packages {
		p.view.Line("  %s %s  %s  sha256 %s", r.Name, r.Version, r.File, columns.Digest(r.SHA256))
		p.view.Made(r.File+" on "+p.Channel.URL(), "sha256 "+r.SHA256)
	}
	p.sayTools()
}

// keep writes down what publish -json prints. A CI keeps that file with its run, so that a release that waits for it can
// compare digests.
func (p *Publication) keep() error {
	data, err := json.MarshalIndent(p.result, "", "  ")
	if err != nil {
		return err
	}
	return provenance.WriteMade(filepath.Join(p.Output, publish.RecordingFile), append(data, '\n'))
}
