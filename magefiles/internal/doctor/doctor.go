// Package doctor looks at a machine, and at the workspace that a run was started in: what is installed, what is missing, what it is
// for, and how to get it. What it found are values; package view shows them.
package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Doctor is what is looked at, and by what.
type Doctor struct {
	Runner  command.Runner
	Environ []string
	Dir     string // where the run was started

	Workspace   *workspace.Workspace // nil where there is none, and NoWorkspace says why
	NoWorkspace error

	Pythons   Pythons // nil where interpreters cannot be looked for, and NoPythons says why
	NoPythons error

	Hub      Hub                                 // nil where there is none, or no token to ask it by
	Channel  func(ctx context.Context) []Finding // looks at the workspace's channel
	Readable []string                            // credentials that code of the repository could read here
}

// Pythons finds interpreters. *embedded.Toolchain does.
type Pythons interface {
	// Python returns the one that the toolchain's own tools run on.
	Python(ctx context.Context) (pythons.Interpreter, error)

	// Uses says which one each environment and each package gets.
	Uses(ctx context.Context) ([]embedded.Use, error)
}

// Report is all that Examine finds, with what to do first where nothing is missing.
func (d Doctor) Report(ctx context.Context) Report {
	r := Report{Findings: d.Examine(ctx)}
	if Missing(r.Findings) == nil {
		r.Next = d.First(ctx)
	}
	return r
}

// Examine looks for everything that some target needs.
func (d Doctor) Examine(ctx context.Context) []Finding {
	findings := []Finding{
		d.program(ctx, Finding{What: "git", For: "every target that asks what is committed", Get: "apt-get install git", Required: true}, "git", "--version"),
		d.program(ctx, Finding{What: "go", For: "`go tool mage`, and the Go tests", Get: "go.dev/doc/install"}, "go", "version"),
		d.program(ctx, Finding{
			What: "pixi",
			For:  "building and testing exactly as the channel's users do, and for `mage lock`; without it the embedded toolchain does the work",
			Get:  "pixi.sh, or let it be fetched and checked: PIPELINE_TOOLCHAIN=pixi (version " + pixi.Version + ")",
		}, "pixi", "--version"),
	}
	withoutPixi := findings[2].Found == ""
	findings = append(findings, d.pythons(ctx, withoutPixi)...)
	findings = append(findings, d.program(ctx, Finding{
		What: "docker buildx",
		For:  "images",
		Get:  "docs.docker.com/build, or Debian's docker-cli and docker-buildx; a builder may be on another machine",
	}, "docker", "buildx", "version"))
	findings = append(findings, d.repository(ctx)...)
	if d.Workspace == nil {
		findings = append(findings, Finding{What: "a pixi workspace", For: "everything (" + d.NoWorkspace.Error() + ")", Get: operr.NextOf(d.NoWorkspace), Required: true})
	} else {
		findings = append(findings, d.names(ctx)...)
		findings = append(findings, d.locks()...)
		findings = append(findings, d.pins(ctx)...)
		findings = append(findings, d.browser()...)
		findings = append(findings, d.byHand(ctx)...)
	}
	return append(append(findings, d.Channel(ctx)...), d.readable()...)
}

// program looks for a program: f with the first line that it says of itself.
func (d Doctor) program(ctx context.Context, f Finding, name string, args ...string) Finding {
	out, err := command.Output(ctx, d.Runner, command.Cmd{Name: name, Args: args})
	if err == nil {
		f.Found, _, _ = strings.Cut(out, "\n")
	}
	return f
}

// readable names what tasks, tests and builds could read of a person's, though it is not in their environment.
func (d Doctor) readable() []Finding {
	if len(d.Readable) == 0 {
		return nil
	}
	return []Finding{{
		What:    "tasks and builds could read",
		Found:   strings.Join(d.Readable, ", "),
		Careful: true,
		Get:     "nothing has to be done; where you do not trust what they run, run it on a machine without them",
	}}
}

// repository says what git has against the repository that the run was started in, where it refuses one.
func (d Doctor) repository(ctx context.Context) []Finding {
	_, err := gitrepo.Open(ctx, d.Runner, d.Dir)
	var told *operr.Error
	if err == nil || !errors.As(err, &told) {
		return nil
	}
	return []Finding{{
		What:     "repository",
		For:      "every target that asks what is committed (" + err.Error() + ")",
		Get:      told.Next,
		Required: !errors.Is(err, gitrepo.ErrOutside), // tests and builds work without one
	}}
}

// browsers are the names of a Chromium on PATH.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// browser looks for the browser that tests of a downstream drive, where one of them asks for Playwright, which
// brings none along.
func (d Doctor) browser() []Finding {
	for _, of := range d.Workspace.Downstreams {
		if !asksFor(of.Manifest, "playwright") && !asksFor(of.Manifest, "playwright-python") {
			continue
		}
		f := Finding{What: "Chromium", For: "the tests of " + of.Name() + " that look at its page; without it they are named as not run", Get: "apt-get install chromium fonts-dejavu-core"}
		for _, name := range browsers {
			if path, err := command.LookPath(name, d.Environ); err == nil {
				f.Found = path
				break
			}
		}
		return []Finding{f}
	}
	return nil
}

// asksFor reports whether a table of a manifest asks for a package.
func asksFor(m *manifest.Manifest, name string) bool {
	for _, f := range m.Features {
		for _, t := range f.Targets {
			if slices.ContainsFunc(t.Dependencies, func(d manifest.Dependency) bool { return d.Name == name }) {
				return true
			}
		}
	}
	return false
}

// locks looks for the lock file of each manifest with a [workspace] table.
func (d Doctor) locks() []Finding {
	w := d.Workspace
	findings := []Finding{{What: "workspace", Found: w.Manifest.Name + " with " + operr.Count(len(w.Packages), "package")}}
	if err := w.NoPackages(); err != nil {
		findings = []Finding{{What: "a package in the workspace", For: "every target (" + err.Error() + ")", Get: operr.NextOf(err)}}
	}
	for _, u := range w.Uncounted {
		findings = append(findings, Finding{What: "members", Found: u.String()})
	}
	var there, missing []string // whose manifests have one, and whose have not
	for _, m := range w.Manifests() {
		of := m.Dir
		if m == w.Manifest {
			of = "the workspace"
		}
		if _, err := os.Stat(filepath.Join(w.Root, filepath.FromSlash(m.Dir), workspace.LockFile)); err == nil {
			there = append(there, of)
		} else {
			missing = append(missing, of)
		}
	}
	if len(there) > 0 {
		findings = append(findings, Finding{
			What:  workspace.LockFile + " of " + strings.Join(there, ", "),
			Found: "there",
		})
	}
	if len(missing) > 0 {
		findings = append(findings, Finding{
			What: workspace.LockFile + " of " + strings.Join(missing, ", "),
			For:  "environments that are the same everywhere (CI, images)",
			Get:  "run `mage lock` once where conda-forge can be reached, and commit the files",
		})
	}
	return findings
}

// pins says where images are named by tags alone. What keeps that from being known is said elsewhere.
func (d Doctor) pins(ctx context.Context) []Finding {
	tracked, err := gitrepo.TrackedFiles(ctx, d.Runner, d.Workspace.Root)
	if err != nil {
		return nil
	}
	namings, err := imagepin.Unpinned(d.Workspace.Root, tracked)
	if err != nil || len(namings) == 0 {
		return nil
	}
	var files []string
	count := 0
	for _, n := range namings {
		files = append(files, n.File)
		count += len(n.Places) + len(n.Open)
	}
	return []Finding{{
		What: "the digest of " + operr.Count(count, "image"),
		For:  "builds and jobs that are the same tomorrow: " + strings.Join(files, ", "),
		Get:  "run `mage lock -images` where the registries can be reached, and commit the files",
	}}
}
