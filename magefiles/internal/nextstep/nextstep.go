// Package nextstep chooses the next step that a target prints at the end if it succeeded. It never suggests a step that would be refused, or that has
// nothing to do. Next steps that only one package needs are defined in that package.
package nextstep

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Rehearse is the next step after a build, or after successful tests.
const Rehearse = "`mage rehearse`"

// commit is the prefix of a step that uses only committed files. It contains -A so that untracked files are committed too.
const commit = "`git add -A`, `git commit`, then "

// OfCommit returns a step that uses only committed files. It is preceded by the commands to commit if there are uncommitted changes, or to create the
// repository if there is none.
func OfCommit(ctx context.Context, r command.Runner, dir, step string) string {
	repo, err := gitrepo.Open(ctx, r, dir)
	if errors.Is(err, gitrepo.ErrOutside) {
		return "`git init`, commit the workspace, then " + step
	}
	if err != nil {
		return step // the step itself will report the error
	}
	changes, err := repo.Changes(ctx)
	if errors.Is(err, gitrepo.ErrNoCommit) || err == nil && len(changes) > 0 {
		return commit + step
	}
	return step
}

// WithCommit returns a step together with its prerequisites. For example, a rehearsal uses only committed files, and tests need tasks. `git diff` is
// omitted outside a git repository. Steps that other packages return already include their prerequisites.
func WithCommit(ctx context.Context, r command.Runner, dir, step string) string {
	if after, isDiff := strings.CutPrefix(step, "`git diff`, then "); isDiff {
		if _, err := gitrepo.Open(ctx, r, dir); errors.Is(err, gitrepo.ErrOutside) {
			return after
		}
		return step
	}
	if step == Rehearse {
		return OfCommit(ctx, r, dir, step)
	}
	if before := before(dir, step); before != "" {
		return before + ", then " + step
	}
	return step
}

// before returns the prerequisites of a step that are missing in the workspace. It returns "" if nothing is missing, or if the step itself reports
// that.
func before(dir, step string) string {
	w, err := workspace.Load(dir)
	if err != nil {
		return ""
	}
	switch step {
	case "`mage test:all`", "`mage check`":
		_, err = toolchain.TestTasks(w)
	case "`mage ci:write -diff`":
		if err = w.NoPackages(); err == nil && !hasMage(w.Root) {
			return "`go get -tool github.com/magefile/mage`"
		}
	}
	return operr.NextOf(err)
}

// hasMage reports whether a go.mod in the workspace makes Mage a tool, which workflow files call.
func hasMage(root string) bool {
	for _, file := range []string{gomodule.File, "magefiles/" + gomodule.File} {
		if text, err := beneath.Read(filepath.Join(root, filepath.FromSlash(file))); err == nil && gomodule.HasMage(text) {
			return true
		}
	}
	return false
}

// AfterRelease returns the next step after a release, when the packages are on the channel.
func AfterRelease(w *workspace.Workspace) string {
	if len(w.Downstreams) > 0 {
		return "`mage app:upgrade`"
	}
	return "`mage channel:show`"
}

// Unreleased returns the steps to release a version that is in the manifests but has no tag, not even one in another tool's format. A patch bump
// would skip this version. It returns "" if there is none, or if releases land by pull requests. tags maps tag names to commits.
func Unreleased(w *workspace.Workspace, tags map[string]string) string {
	if w.Config.Land == settings.LandByPull || len(w.Disagreements()) > 0 {
		return ""
	}
	read := bump.ReadTags(w)
	for _, pkg := range w.Order() {
		at, err := version.Parse(pkg.Version.Text)
		if err != nil || slices.ContainsFunc(slices.Collect(maps.Keys(tags)), func(tag string) bool {
			v, ok := read(pkg.Name, tag)
			return ok && v.Compare(at) == 0
		}) {
			continue
		}
		req := bump.Request{To: pkg.Version.Text}
		if w.Config.Versioning == settings.Independent {
			req.Only = pkg.Name
		}
		return "`mage rehearse " + req.Flags() + "`, then `mage release " + req.Flags() + "`"
	}
	return ""
}

// AfterCheck returns the next step after a successful check of a downstream: the one named `only`, or the only one that has the task.
func AfterCheck(ctx context.Context, r command.Runner, w *workspace.Workspace, only string) string {
	d, err := toolchain.DownstreamWith(w, "check", only)
	switch {
	case err != nil: // the downstream is unknown
		return Rehearse
	case d.Image != nil:
		return OfCommit(ctx, r, w.Root, "`mage docker:image "+operr.Word(d.Name())+"`")
	case toolchain.FindTask(d.Manifest, "run") == "":
		return Rehearse
	case only != "":
		return "`mage app:run -only=" + operr.Word(only) + "`"
	}
	return "`mage app:run`" // this target serves the folder's files, whether committed or not
}

// AfterTest returns the next step after the tests of one package. It is the package's qa task if there is one, and all tests otherwise.
func AfterTest(w *workspace.Workspace, name string) string {
	if p, err := w.Package(name); err == nil {
		if _, err := toolchain.PackageTask(w, "qa", p); err == nil {
			return "`mage qa:package " + operr.Word(name) + "`"
		}
	}
	return "`mage test:all`"
}

// AfterBuild returns the next step after building the images of one downstream, or of all. first returns the step that deploys a downstream's image
// to its first environment, or "" if there is none.
func AfterBuild(w *workspace.Workspace, first func(w *workspace.Workspace, downstream string) string, made ...image.Result) string {
	if len(made) == 0 {
		return ""
	}
	one, before := made[0], ""
	if slices.ContainsFunc(made, func(r image.Result) bool { return r.Dirty }) {
		before = commit // a push omits uncommitted files
	}
	switch {
	case !one.Pushed && len(made) > 1:
		return before + "`mage docker:all -push`"
	case !one.Pushed:
		return before + "`mage docker:image " + operr.Word(one.Name) + " -push`"
	case len(one.Tags) == 0:
		return "`mage docker:merge " + operr.Word(one.Name) + "`, once every platform is pushed"
	}
	for _, r := range made {
		if step := first(w, r.Name); step != "" {
			return step
		}
	}
	return "`mage docker:plan " + operr.Word(one.Name) + " -verify`"
}
