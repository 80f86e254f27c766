package targets

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// lockFile stands beside a manifest that was locked.
const lockFile = "pixi.lock"

// examine looks for everything that some target needs.
func (a *app) examine(ctx context.Context) []view.Finding {
	program := func(what, use, get string, required bool, name string, args ...string) view.Finding {
		out, err := command.Output(ctx, a.runner, command.Cmd{Name: name, Args: args})
		if err != nil {
			out = ""
		}
		found, _, _ := strings.Cut(out, "\n")
		return view.Finding{What: what, Found: found, For: use, Get: get, Required: required}
	}
	python, uses, err := a.examinePythons(ctx)
	buildx := program("docker buildx", "images", "docs.docker.com/build, or Debian's docker-cli and docker-buildx; a builder may be on another machine", false, "docker", "buildx", "version")
	findings := []view.Finding{
		program("git", "every target that asks what is committed", "apt-get install git", true, "git", "--version"),
		program("go", "`go tool mage`, and the Go tests", "go.dev/doc/install", false, "go", "version"),
		program("pixi", "building and testing exactly as the channel's users do, and for `mage lock`; without it the embedded toolchain does the work",
			"pixi.sh, or let it be fetched and checked: PIPELINE_TOOLCHAIN=pixi (version "+pixi.Version+")", false, "pixi", "--version"),
	}
	found := view.Finding{
		What:     "Python",
		For:      "the tools of the embedded toolchain, which works where pixi is not",
		Get:      "apt-get install python3 python3-venv",
		Required: findings[2].Found == "",
	}
	if err == nil {
		found.Found = python.Version + " at " + python.Path
	} else {
		found.For += " (" + err.Error() + ")"
	}
	findings = append(append(append(findings, found), pythonFindings(uses, found.Required)...), buildx)
	findings = append(findings, a.examineRepository(ctx)...)
	findings = append(findings, a.examineNames(program)...)
	findings = append(findings, a.examineLocks()...)
	findings = append(findings, a.examinePins(ctx)...)
	findings = append(findings, a.examineBrowser()...)
	return append(append(findings, a.examineChannel(ctx)...), examineReadable(readable())...)
}

// examineReadable names what tasks, tests and builds could read of a person's, though it is not in their environment.
func examineReadable(names []string) []view.Finding {
	if len(names) == 0 {
		return nil
	}
	return []view.Finding{{
		What:    "tasks and builds could read",
		Found:   strings.Join(names, ", "),
		Careful: true,
		Get:     "nothing has to be done; where you do not trust what they run, run it on a machine without them",
	}}
}

// examineRepository says what git has against the repository that we were started in, where it refuses one.
func (a *app) examineRepository(ctx context.Context) []view.Finding {
	_, err := gitrepo.Open(ctx, a.runner, a.dir)
	var told *operr.Error
	if err == nil || errors.Is(err, gitrepo.ErrOutside) || !errors.As(err, &told) {
		return nil
	}
	return []view.Finding{{What: "repository", For: "every target that asks what is committed (" + err.Error() + ")", Get: told.Next, Required: true}}
}

// browsers are the names of a Chromium on PATH.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// examineBrowser looks for the browser that tests of a downstream drive, where one of them asks for Playwright, which
// brings none along.
func (a *app) examineBrowser() []view.Finding {
	w, err := a.workspace()
	if err != nil {
		return nil
	}
	for _, d := range w.Downstreams {
		if !asksFor(d.Manifest, "playwright") && !asksFor(d.Manifest, "playwright-python") {
			continue
		}
		f := view.Finding{What: "Chromium", For: "the tests of " + d.Name() + " that look at its page; without it they are named as not run", Get: "apt-get install chromium fonts-dejavu-core"}
		for _, name := range browsers {
			if path, err := command.LookPath(name, a.runner.Environ()); err == nil {
				f.Found = path
				break
			}
		}
		return []view.Finding{f}
	}
	return nil
}

// asksFor reports whether a table of a manifest asks for a package.
func asksFor(m *workspace.Manifest, name string) bool {
	for _, f := range m.Features {
		for _, t := range f.Targets {
			if slices.ContainsFunc(t.Dependencies, func(d workspace.Dependency) bool { return d.Name == name }) {
				return true
			}
		}
	}
	return false
}

// examineLocks looks for the lock file of each manifest with a [workspace] table.
func (a *app) examineLocks() []view.Finding {
	w, err := a.workspace()
	if err != nil {
		return []view.Finding{{What: "a pixi workspace", For: "everything (" + err.Error() + ")", Get: "start mage in the monorepo", Required: true}}
	}
	findings := []view.Finding{{What: "workspace", Found: w.Manifest.Name + " with " + operr.Count(len(w.Packages), "package")}}
	for _, m := range manifests(w) {
		lock := filepath.Join(filepath.FromSlash(m.Dir), lockFile)
		f := view.Finding{
			What: lock,
			For:  "environments that are the same everywhere (CI, images)",
			Get:  "run `mage lock` once where conda-forge can be reached, and commit the file",
		}
		if exists(w, lock) {
			f.Found = "there"
		}
		findings = append(findings, f)
	}
	return findings
}

// manifests are those with a [workspace] table: the root's and the downstreams'.
func manifests(w *workspace.Workspace) []*workspace.Manifest {
	all := []*workspace.Manifest{w.Manifest}
	for _, d := range w.Downstreams {
		all = append(all, d.Manifest)
	}
	return all
}

// lock locks every manifest. Only pixi can: a lock file is what its solver chose.
func (a *app) lock(ctx context.Context, w *workspace.Workspace) error {
	tools, err := a.toolchain(ctx, w)
	if err != nil {
		return err
	}
	p, ok := tools.(*pixi.Pixi)
	if !ok {
		return operr.New("install pixi, or let it be fetched and checked: PIPELINE_TOOLCHAIN=pixi",
			"a lock file is what pixi's solver chose, and the %s toolchain has no solver", tools.Name())
	}
	for _, m := range manifests(w) {
		err := a.job(ctx, "lock of "+m.Path, "see above", func(g *group) error {
			return p.Lock(ctx, filepath.Join(w.Root, filepath.FromSlash(m.Dir)), false, g)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// examinePins says where images are named by tags alone. What keeps that from being known is said elsewhere.
func (a *app) examinePins(ctx context.Context) []view.Finding {
	w, err := a.workspace()
	if err != nil {
		return nil
	}
	tracked, err := gitrepo.TrackedFiles(ctx, a.runner, w.Root)
	if err != nil {
		return nil
	}
	namings, err := imagepin.Unpinned(w.Root, tracked)
	if err != nil || len(namings) == 0 {
		return nil
	}
	var files []string
	count := 0
	for _, n := range namings {
		files = append(files, n.File)
		count += len(n.Places) + len(n.Open)
	}
	return []view.Finding{{
		What: "the digest of " + operr.Count(count, "image"),
		For:  "builds and jobs that are the same tomorrow: " + strings.Join(files, ", "),
		Get:  "run `mage lock -images` where the registries can be reached, and commit the files",
	}}
}
