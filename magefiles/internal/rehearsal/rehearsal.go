// Package rehearsal takes what is committed through a release in an embedded world: tests, build, upload, index,
// download, install, import. Nothing leaves the machine; what could not be rehearsed for real is named with its reason.
//
// The world is in this process: prefix.dev's HTTP on loopback over a folder. The packages, the tests and the toolchain
// are the real ones, in a clone of the commit.
package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config is what a rehearsal needs of its surroundings.
type Config struct {
	Runner   command.Runner
	Root     string // of the workspace that is rehearsed
	Dir      string // folder for everything that the rehearsal writes; emptied at the end, but for its environments
	Reporter Reporter

	// Toolchain makes the toolchain for the clone. Environments for its tasks are made below the folder environments,
	// which outlasts the rehearsal, so that the next one has only to bring them up to date.
	Toolchain func(ctx context.Context, w *workspace.Workspace, environments string) (toolchain.Toolchain, error)
}

// Reporter shows the steps to a person.
type Reporter interface {
	// Step runs f and shows its name, its time and the evidence that it returned.
	Step(name string, f func() (evidence string, err error)) error
}

// Report is what came of a rehearsal.
type Report struct {
	Workspace string    `json:"workspace"`
	Commit    string    `json:"commit"`
	Toolchain string    `json:"toolchain"`
	Packages  []Package `json:"packages"`
	Rehearsed []string  `json:"rehearsed"`
	Missing   []Missing `json:"not_rehearsed"`
}

// Package is one package as it came back from the channel.
type Package struct {
	Name    string   `json:"name"`
	Version string   `json:"version"` // that the installed package says it has
	File    string   `json:"file"`
	SHA256  string   `json:"sha256"`
	Imports []string `json:"imports"` // modules that were imported
}

// Missing is something that a release does and this rehearsal did not.
type Missing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// run is one rehearsal under way. Each step leaves what later ones need.
type run struct {
	Config
	report    Report
	head      gitrepo.Head
	workspace *workspace.Workspace // of the clone
	tools     toolchain.Toolchain
	artifacts []toolchain.Artifact // dependencies first
	world     *world
	publisher *publish.Publisher
	plan      publish.Plan
	verified  publish.Verified
}

// Run rehearses what is committed.
func Run(ctx context.Context, c Config) (Report, error) {
	r := &run{Config: c}
	unlock, err := lock(c.Dir)
	if err != nil {
		return r.report, err
	}
	defer unlock()
	if err := errors.Join(r.sweep(), os.Mkdir(filepath.Join(c.Dir, TemporaryDir), 0o755)); err != nil {
		return r.report, err
	}
	defer func() { _ = r.sweep() }() // what a killed run leaves, the next one sweeps
	defer func() { r.world.close() }()
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"clone the commit", r.clone},
		{"read the manifests", r.read},
		{"test", r.test},
		{"build", r.build},
		{"start the channel", r.start},
		{"upload", r.upload},
		{"read the index back", r.index},
		{"download and compare", r.download},
		{"install", r.install},
		{"import", r.imports},
	} {
		err := c.Reporter.Step(step.name, func() (string, error) { return step.do(ctx) })
		if cause := context.Cause(ctx); cause != nil {
			return r.report, cause
		}
		if err != nil {
			return r.report, err
		}
		r.report.Rehearsed = append(r.report.Rehearsed, step.name)
	}
	return r.report, nil
}

func (r *run) missing(what, why string) {
	r.report.Missing = append(r.report.Missing, Missing{what, why})
}

// clone copies the commit, so that neither edits nor ignored files of the work tree take part.
func (r *run) clone(ctx context.Context) (string, error) {
	repo, err := gitrepo.Open(ctx, r.Runner, r.Root)
	if err != nil {
		return "", err
	}
	if r.head, err = repo.Head(ctx); err != nil {
		return "", err
	}
	changes, err := repo.Changes(ctx)
	if err != nil {
		return "", err
	}
	if len(changes) > 0 {
		r.missing("what is not committed ("+some(changes)+")", "a rehearsal starts from the commit")
	}
	clone := filepath.Join(r.Dir, "clone")
	if err := repo.Clone(ctx, clone); err != nil {
		return "", err
	}
	r.Root = filepath.Join(clone, filepath.FromSlash(repo.Prefix))
	r.report.Commit = r.head.Commit
	return fmt.Sprintf("commit %s of %s", r.head.Short(), r.head.Time.Format(time.DateOnly)), nil
}

// some names the first of several paths.
func some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// read loads the clone's manifests and stops where they contradict each other, as a release would.
func (r *run) read(ctx context.Context) (string, error) {
	w, err := workspace.Load(r.Root)
	if err != nil {
		return "", err
	}
	if d := w.Disagreements(); len(d) > 0 {
		return "", operr.New("run `mage version:show`, which names them all", "%s: %s", d[0].Pos, d[0].Message)
	}
	r.workspace, r.report.Workspace = w, w.Manifest.Name
	if r.tools, err = r.Toolchain(ctx, w, filepath.Join(r.Dir, environmentsDir)); err != nil {
		return "", err
	}
	if r.report.Toolchain, err = r.tools.Describe(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d packages, %d downstreams; %s", len(w.Packages), len(w.Downstreams), r.report.Toolchain), nil
}

// test runs the packages' tests, as the release's check does.
func (r *run) test(ctx context.Context) (string, error) {
	tasks, err := toolchain.TestTasks(r.workspace)
	var said []string
	for _, task := range tasks {
		var out lastLine
		if err := r.tools.Run(ctx, toolchain.Task{Dir: r.Root, Name: task, Stdout: &out, Stderr: &out}); err != nil {
			return "", operr.New("run `mage test:all`, which shows everything", "%w", err).WithDetail(out.tail())
		}
		said = append(said, task+": "+out.last())
	}
	return strings.Join(said, ", "), err
}

// build builds every package once; these bytes are the ones that are published.
func (r *run) build(ctx context.Context) (string, error) {
	var err error
	r.artifacts, err = r.tools.Build(ctx, toolchain.Build{
		Workspace: r.workspace, Packages: r.workspace.Order(), Dir: filepath.Join(r.Root, "output"), SourceDate: r.head.Time,
	})
	if err != nil {
		return "", err
	}
	var size int64
	for _, a := range r.artifacts {
		size += a.Size
	}
	return fmt.Sprintf("%d artifacts, %d kB", len(r.artifacts), (size+999)/1000), nil
}
