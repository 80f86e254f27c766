// Package doctor checks the machine and the current workspace: what is installed, what is missing, why it is needed, and how to get it. It returns
// its findings as values, which package view shows.
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

// Doctor holds everything that the checks need.
type Doctor struct {
	Runner  command.Runner
	Environ []string
	Dir     string // the folder that the run was started in

	Workspace   *workspace.Workspace // nil if there is none: NoWorkspace is the reason
	NoWorkspace error

	Pythons   Pythons // nil if interpreters cannot be searched: NoPythons is the reason
	NoPythons error

	Hub      Hub                                 // nil if the remote is not on GitHub, or there is no token for it
	Channel  func(ctx context.Context) []Finding // checks the workspace's channel
	Readable []string                            // credentials on this machine that code of the repository could read
}

// Pythons finds interpreters. *embedded.Toolchain is one.
type Pythons interface {
	// Python returns the interpreter that the toolchain's own tools run on.
	Python(ctx context.Context) (pythons.Interpreter, error)

	// Uses returns the interpreter that each environment and each package gets.
	Uses(ctx context.Context) ([]embedded.Use, error)
}

// Report returns everything that Examine finds, and the next thing to do if nothing is missing.
func (d Doctor) Report(ctx context.Context) Report {
	r := Report{Findings: d.Examine(ctx)}
	if Missing(r.Findings) == nil {
		r.Next = d.First(ctx)
	}
	return r
}

// Examine checks everything that any target needs.
func (d Doctor) Examine(ctx context.Context) []Finding {
	findings := []Finding{
		d.program(ctx, Finding{What: "git", For: "every target that reads commits", Get: "apt-get install git", Required: true}, "git", "--version"),
		d.program(ctx, Finding{What: "go", For: "`go tool mage`, and the Go tests", Get: "go.dev/doc/install"}, "go", "version"),
		d.program(ctx, Finding{
			What: "pixi",
			For:  "building and testing exactly as the channel's users do, and for `mage lock`; without pixi, the embedded toolchain builds and tests",
			Get:  "install pixi from pixi.sh, or set PIPELINE_TOOLCHAIN=pixi to let mage fetch and check pixi (version " + pixi.Version + ")",
		}, "pixi", "--version"),
	}
	withoutPixi := findings[2].Found == ""
	if at, err := command.LookPath("pixi", d.Environ); err == nil && !withoutPixi {
		findings[2].Found += " (" + at + ")"
	}
	findings = append(findings, d.pythons(ctx, withoutPixi)...)
	findings = append(findings, d.program(ctx, Finding{
		What: "docker buildx",
		For:  "images",
		Get:  "follow docs.docker.com/build, or install Debian's docker-cli and docker-buildx; the builder may be on another machine",
	}, "docker", "buildx", "version"))
	findings = append(findings, d.repository(ctx)...)
	if d.Workspace == nil {
		findings = append(findings, Finding{What: "a pixi workspace", For: "everything (" + d.NoWorkspace.Error() + ")", Get: operr.NextOf(d.NoWorkspace), Required: true})
	} else {
		findings = append(findings, d.names(ctx)...)
		findings = append(findings, d.locks()...)
		findings = append(findings, d.pins(ctx)...)
		findings = append(findings, d.browser()...)
		findings = append(findings, d.checkManualSettings(ctx)...)
	}
	return append(append(findings, d.Channel(ctx)...), d.readable()...)
}

// program runs a program, and adds the first line of its output to the finding `f`.
func (d Doctor) program(ctx context.Context, f Finding, name string, args ...string) Finding {
	out, err := command.Output(ctx, d.Runner, command.Cmd{Name: name, Args: args})
	if err == nil {
		f.Found, _, _ = strings.Cut(out, "\n")
	}
	return f
}

// readable lists the user's credentials that tasks, tests and builds could read although they are not in their environment.
func (d Doctor) readable() []Finding {
	if len(d.Readable) == 0 {
		return nil
	}
	return []Finding{{
		What:    "tasks and builds could read",
		Found:   strings.Join(d.Readable, ", "),
		Careful: true,
		Get:     "do nothing if you trust the code that they run; otherwise run the code on a machine without these credentials",
	}}
}

// repository reports why git refuses the current repository. It reports nothing if git accepts it.
func (d Doctor) repository(ctx context.Context) []Finding {
	_, err := gitrepo.Open(ctx, d.Runner, d.Dir)
	var told *operr.Error
	if err == nil || !errors.As(err, &told) {
		return nil
	}
	return []Finding{{
		What:     "repository",
		For:      "every target that reads commits (" + err.Error() + ")",
		Get:      told.Next,
		Required: !errors.Is(err, gitrepo.ErrOutside), // tests and builds work without a repository
	}}
}

// browsers lists names under which Chromium may be on PATH.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// browser looks for a browser if a downstream depends on Playwright, which does not include one.
func (d Doctor) browser() []Finding {
	for _, of := range d.Workspace.Downstreams {
		if !asksFor(of.Manifest, "playwright") && !asksFor(of.Manifest, "playwright-python") {
			continue
		}
		f := Finding{What: "Chromium", For: "the tests of " + of.Name() + " that open its page in a browser; without Chromium, these tests are reported as not run", Get: "apt-get install chromium fonts-dejavu-core"}
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

// asksFor reports whether any table of a manifest requires a package.
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
	var there, missing []string // folders of manifests with a lock file, and folders of manifests without one
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
			Get:  "run `mage lock` once on a machine that can reach conda-forge, and commit the files",
		})
	}
	return findings
}

// pins reports the files that refer to images without a digest. It ignores errors, which other findings and targets report.
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
		For:  "builds and jobs that use the same images tomorrow: " + strings.Join(files, ", "),
		Get:  "run `mage lock -images` on a machine that can reach the registries, and commit the files",
	}}
}
