package targets

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Publish builds what is missing, uploads it in dependency order, waits until every index shows it, and verifies it.
func Publish(ctx context.Context,
	force *bool, // replace files that have other bytes on the channel, which has to allow that
	yes *bool, // do not ask before uploading
	json *bool, // print the result as one JSON object
	wait *time.Duration, // how long the index may lag behind, such as 5m; default 10m
	from *string, // upload exactly what build:all has made in this folder: nothing is built, installed or imported
	digests *string, // what that build said it made: in a CI, the output of the job that built
	check *bool, // install and import what is in the folder of -from, and send nothing
	verify *bool, // see what is on the channel: visible, downloaded, compared, installed, imported; send nothing
) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		f := publishFlags{
			force:   isSet(force),
			yes:     isSet(yes),
			json:    isSet(json),
			wait:    orZero(wait),
			from:    orZero(from),
			digests: orZero(digests),
			check:   isSet(check),
			verify:  isSet(verify),
		}
		if err := f.fit(); err != nil {
			return err
		}
		if digests != nil && f.digests == "" { // else nothing would be compared
			return operr.NewUsage("see what hands them over: on GitHub, ${{ needs.build.outputs.digests }}, where `needs` names that job", "-digests is empty")
		}
		a.uploads = !f.check && !f.verify
		p, err := a.newPublishing(ctx, f)
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
	from, digests    string
	check, verify    bool
}

// fit refuses flags that ask for two things at once.
func (f publishFlags) fit() error {
	switch {
	case f.verify && (f.check || f.from != "" || f.force):
		return operr.NewUsage("say -verify alone, or with -digests", "-verify looks at what is on the channel, and at nothing else")
	case f.check && f.from == "":
		return operr.NewUsage("say which folder: -from=output", "-check installs and imports what is in a folder")
	case f.check && f.force:
		return operr.NewUsage("leave one of them out", "-check sends nothing, and -force is about what is sent")
	case f.digests != "" && f.from == "" && !f.verify:
		return operr.NewUsage("say where the files are: -from=DIR", "-digests names files of a folder")
	}
	return nil
}

// publishing is one run of publish: what a person, or a job of a CI, sees of a publish.Sequence.
type publishing struct {
	*app
	publishFlags
	*publish.Sequence
	repo   *gitrepo.Repo // nil outside of git
	server string        // of the channel
	given  publish.Digests
	passed []string // what lies in the folder of artifacts, and does not count
	result publishResult
}

// publishResult is what publish prints with -json.
type publishResult struct {
	Channel    string              `json:"channel"`
	Commit     string              `json:"commit,omitempty"`
	Credential string              `json:"credential,omitempty"` // where it came from; none where nothing was sent
	Packages   []publish.Published `json:"packages"`
	Visible    string              `json:"visible"`         // which forms of the index show all files
	Installed  string              `json:"installed"`       // how the environment was made
	Imports    map[string][]string `json:"imports"`         // modules that were imported, by package
	Tools      map[string]string   `json:"tools,omitempty"` // that built each package, as far as it is known
}

func (a *app) newPublishing(ctx context.Context, f publishFlags) (*publishing, error) {
	w, err := a.workspace()
	if err != nil {
		return nil, err
	}
	if err := a.versioned(ctx, w, w.Packages); err != nil {
		return nil, err
	}
	if d := w.Disagreements(); len(d) > 0 {
		return nil, operr.New("run `mage version:show`, which names them all", "%s: %s", d[0].Pos, d[0].Message)
	}
	if err := allNoarch(w); err != nil {
		return nil, err
	}
	if err := fitsTag(w, tagOfRun()); err != nil {
		return nil, err
	}
	if !f.check && !f.verify {
		a.channels.ToPublish()
	}
	c, err := a.channels.Of(w)
	if err != nil {
		return nil, err
	}
	if f.json {
		a.view.Out = a.view.Err
	}
	p := &publishing{
		app:          a,
		publishFlags: f,
		server:       c.Server(),
		Sequence: &publish.Sequence{
			Publisher: &publish.Publisher{
				Workspace: w,
				Channel:   c,
				Runner:    a.runner,
				Output:    filepath.Join(w.Root, workspace.OutputDir),
				Force:     f.force,
				Pycache:   pycache(),
				Progress:  a.view.Progress(),
				Wait:      publish.Wait{For: f.wait, Tell: a.stillWaiting()},
			},
			Trial: trial(c.Name()),
		},
	}
	p.result.Channel = c.URL()
	if err := p.equip(ctx); err != nil {
		return nil, err
	}
	if err := p.committed(ctx); err != nil {
		return nil, err
	}
	return p, p.handed()
}

// equip finds the toolchain, and the time that artifacts bear. What uploads only runs nothing but this program.
func (p *publishing) equip(ctx context.Context) (err error) {
	w := p.Workspace
	if p.Date, err = p.sourceDate(ctx, w); err != nil || p.uploadsOnly() {
		return err
	}
	if p.Tools, err = p.toolchain(ctx, w); err == nil {
		err = p.Tools.Ready(ctx)
	}
	if err == nil {
		err = toolchain.Foresee(p.Tools, w.Packages) // it is installed in the end, when it is out
	}
	return err
}

// uploadsOnly says that files are sent which another run has built, and another one will verify.
func (p *publishing) uploadsOnly() bool { return p.from != "" && !p.check }

// allNoarch refuses packages that would be built for this platform alone, all of them by name.
func allNoarch(w *workspace.Workspace) error {
	var found []*operr.Error
	for _, n := range w.NotNoarch() {
		found = append(found, n.Err())
	}
	return operr.Join(found, "see to each; nothing was built or sent", "%d packages cannot be published", len(found))
}

// committed refuses what is not committed, and tells the publisher what packages are built from, and since when their sources are
// what they are, of those that are released. Outside git neither is known.
func (p *publishing) committed(ctx context.Context) error {
	w := p.Workspace
	cache, err := p.cache()
	if err != nil {
		return err
	}
	from := p.app.sources(w, cache)
	of, err := p.originOf(ctx, w)
	if err != nil {
		return err
	}
	if of == nil {
		p.From = from.WorkTree()
		return nil
	}
	if err := sources.AllThere(ctx, of.repo, w); err != nil { // it says more of an edit than that there is one
		return err
	}
	if of.edited != "" {
		return operr.New("commit it first, or put it away", "%s is not committed, and would be published", of.edited)
	}
	if err := publish.NothingPlanted(ctx, of.repo); err != nil {
		return err
	}
	if err := notRehearsed(of.repo, p.server); err != nil {
		return err
	}
	repo := of.repo
	p.repo, p.result.Commit, p.Origin, p.Builds = repo, of.Commit, of.Origin, of.builds
	tags, err := tagsOfRun(ctx, repo, of.Commit)
	if err != nil {
		return err
	}
	p.From = from.Commit(repo, of.Commit, sources.TagsSeen(w, time.Time{}))
	if p.verify && p.digests != "" {
		return nil // they say what is right, whatever its time
	}
	p.Sources = func(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
		if !releasedBy(w, tags, pkg) {
			return time.Time{}, nil
		}
		at, known, err := repo.Touched(ctx, pkg.Sources()...)
		if err == nil && !known {
			p.view.Once("this clone is shallow: whether the sources have changed since a version was published is not known; `git fetch --unshallow` (in CI fetch-depth: 0, GIT_DEPTH: 0) brings what says it")
		}
		return at, err
	}
	if p.from != "" {
		p.Keeps = func(pkg *workspace.Package) bool { return !p.given.Reproducible || !releasedBy(w, tags, pkg) }
	}
	return nil
}

// manifestsIn are the manifests of packages, relative to the top of the work tree: where a repository further up ignores all
// of a workspace, nothing of it is changed, and nothing of it is committed.
func manifestsIn(w *workspace.Workspace, prefix string) (paths []string) {
	for _, pkg := range w.Packages {
		paths = append(paths, path.Join(prefix, pkg.Manifest))
	}
	return paths
}

// belongs says whether a file is of what packages are made of: their folders, and the manifest that they inherit from. A
// submodule is one file to git: it may be a package, or hold some.
func belongs(w *workspace.Workspace, file string) bool {
	return file == w.Manifest.Path || slices.ContainsFunc(w.Packages, func(pkg *workspace.Package) bool {
		return slices.ContainsFunc(pkg.Sources(), func(dir string) bool {
			return dir == "." || file == dir || strings.HasPrefix(file, dir+"/") || strings.HasPrefix(dir, file+"/")
		})
	})
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

// part is one step, with its name.
type part struct {
	name string
	do   func(context.Context) (string, error)
}

// parts are the steps that the flags ask for.
func (p *publishing) parts() []part {
	take := part{name: "take what was built", do: p.take}
	look, allow, plan := part{
		name: "look at the channel",
		do:   p.look,
	}, part{
		name: "find a credential",
		do:   p.allow,
	}, part{
		name: "plan",
		do:   p.makePlan,
	}
	try := part{name: "import what was built", do: p.try} // before anybody else can
	upload, visible := part{name: "upload", do: p.upload}, part{name: "read the index back", do: p.visible}
	verify := []part{{name: "download and compare", do: p.download}, {name: "install", do: p.install}, {name: "import", do: p.imports}}
	switch {
	case p.check:
		return []part{take, try}
	case p.from != "":
		return []part{take, look, allow, plan, upload, visible}
	case p.verify:
		return append([]part{{name: "look at the channel", do: p.there}, visible}, verify...)
	}
	return append([]part{look, allow, {name: "build", do: p.build}, plan, try, upload, visible}, verify...)
}

// run does what is to be done, one line a step.
func (p *publishing) run(ctx context.Context) error {
	scratch, err := scratchDir(p.Workspace)
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	p.Scratch = scratch
	for _, s := range p.parts() {
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
	if p.check {
		return p.reportCheck()
	}
	return p.report()
}

// scratchDir is a folder for one run, where nobody commits it.
func scratchDir(w *workspace.Workspace) (string, error) {
	dir := filepath.Join(w.Root, workspace.OutputDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := atomicfile.Ignore(dir); err != nil {
		return "", err
	}
	if fixed := filepath.Join(dir, "verify"); os.Mkdir(fixed, 0o755) == nil {
		return fixed, nil // byte code that is kept elsewhere is found by the path that it is of
	}
	return os.MkdirTemp(dir, "verify-")
}

// report says what is where now, and what built it.
func (p *publishing) report() error {
	p.result.Packages = p.Published(p.Plan)
	if err := p.keep(); err != nil {
		return err
	}
	if p.from != "" {
		sent := p.sent()
		if err := errors.Join(sent.WriteFile(filepath.Join(p.Output, publish.SentJSON)), handOn(sent)); err != nil {
			return err
		}
	}
	if p.json {
		p.view.Out = os.Stdout
		return p.view.JSON(p.result)
	}
	p.view.Heading("\n%s has:", p.Channel.URL())
	for _, r := range p.result.Packages {
		p.view.Line("  %s %s  %s  sha256 %s", r.Name, r.Version, r.File, r.SHA256)
	}
	p.sayTools()
	return nil
}

// reportCheck says what was tried out.
func (p *publishing) reportCheck() error {
	if p.json {
		p.view.Out = os.Stdout
		return p.view.JSON(p.given)
	}
	p.view.Heading("\nNothing was sent. These can be installed and imported:")
	for _, f := range p.given.Files {
		p.view.Line("  %s  sha256 %s", f.File, f.SHA256)
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
	return atomicfile.WriteFile(filepath.Join(p.Output, publish.RecordingFile), append(data, '\n'), 0o644)
}
