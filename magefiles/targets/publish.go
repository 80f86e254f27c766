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
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
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
	repo       *gitrepo.Repo // nil outside of git
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
	client, c, err := ourChannel(w)
	if err != nil {
		return nil, err
	}
	tools, err := a.toolchain(ctx, w)
	if err == nil {
		err = tools.Ready(ctx)
	}
	if err != nil {
		return nil, err
	}
	if err := toolchain.Foresee(tools, w.Packages); err != nil { // it is installed in the end, when it is out
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
	return p, p.committed(ctx)
}

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
	w := p.publisher.Workspace
	cache, err := p.cache()
	if err != nil {
		return err
	}
	from := p.app.sources(w, cache)
	repo, err := gitrepo.Open(ctx, p.runner, w.Root)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, gitrepo.ErrOutside):
		p.publisher.From = from.WorkTree()
		return nil
	case err != nil:
		return err
	}
	head, err := repo.Head(ctx)
	if err != nil {
		return err
	}
	p.repo, p.result.Commit = repo, head.Commit
	if err := allThere(ctx, repo, w); err != nil { // it says more of an edit than that there is one
		return err
	}
	changes, err := repo.Changes(ctx)
	if err != nil {
		return err
	}
	hidden, err := repo.Hidden(ctx)
	if err != nil {
		return err
	}
	unknown, err := repo.Untracked(ctx, manifestsIn(w, repo.Prefix))
	if err != nil {
		return err
	}
	for _, changed := range slices.Concat(changes, hidden, unknown) {
		file, inside := strings.CutPrefix("/"+changed, strings.TrimSuffix("/"+repo.Prefix, "/")+"/")
		if inside && belongs(w, file) {
			return operr.New("commit it first, or put it away", "%s is not committed, and would be published", changed)
		}
	}
	tags, err := tagsOfRun(ctx, repo, head.Commit)
	if err != nil {
		return err
	}
	p.publisher.From = from.Commit(repo, head.Commit, release.TagsSeen(w, time.Time{}))
	p.publisher.Sources = func(ctx context.Context, pkg *workspace.Package) (time.Time, error) {
		if !releasedBy(w, tags, pkg) {
			return time.Time{}, nil
		}
		return repo.Touched(ctx, pkg.Sources()...)
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
	if err := atomicfile.Ignore(dir); err != nil {
		return "", err
	}
	if fixed := filepath.Join(dir, "verify"); os.Mkdir(fixed, 0o755) == nil {
		return fixed, nil // byte code that is kept elsewhere is found by the path that it is of
	}
	return os.MkdirTemp(dir, "verify-")
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
