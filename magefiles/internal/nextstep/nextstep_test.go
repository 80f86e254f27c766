package nextstep_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// A step that needs a commit comes after the commands that commit. These come after the command that creates the repository.
func TestOfCommit(t *testing.T) {
	repo, _, git := gitrepotest.Open(t)
	says := func(dir string) string {
		return nextstep.OfCommit(t.Context(), command.NewSystem(os.Environ(), nil), dir, nextstep.Rehearse)
	}
	gitrepotest.Write(t, repo.Top, "a", "1")
	require.Equal(t, "`git add -A`, `git commit`, then `mage rehearse`", says(repo.Top))
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	require.Equal(t, "`mage rehearse`", says(repo.Top))
	require.Equal(t, "`git init`, commit the workspace, then `mage rehearse`", says(t.TempDir()))
}

// A step with missing prerequisites comes after the steps that provide them. Outside a git repository there is no `git diff` step.
func TestWholeSteps(t *testing.T) {
	repo, _, _ := gitrepotest.Open(t)
	plain := t.TempDir()
	const root = "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"
	whole := func(dir, step string) string {
		return nextstep.WithCommit(t.Context(), command.NewSystem(os.Environ(), nil), dir, step)
	}
	const tests, writes = "`mage test:all`", "`mage ci:write -diff`"
	require.Equal(t, "`git diff`, then `mage lint`", whole(repo.Top, "`git diff`, then `mage lint`"))
	require.Equal(t, "`mage lint`", whole(plain, "`git diff`, then `mage lint`"))
	require.Equal(t, tests, whole(plain, tests), "without a workspace, the step itself reports what is wrong")
	gitrepotest.Write(t, plain, "pixi.toml", root)
	require.Regexp(t, `.+, then `+writes+`$`, whole(plain, writes), "there is no package")
	gitrepotest.Write(t, plain, "a/pixi.toml", "[package]\nname = \"a\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n")
	require.Equal(t, "add to pixi.toml a task test-all that tests all packages, then "+tests, whole(plain, tests))
	const tool = "`go get -tool github.com/magefile/mage`, then "
	require.Equal(t, tool+writes, whole(plain, writes))
	gitrepotest.Write(t, plain, "go.mod", "module x\n\nrequire github.com/magefile/mage v1.15.0\n")
	require.Equal(t, tool+writes, whole(plain, writes), "Mage is a library of this module, and not a tool")
	gitrepotest.Write(t, plain, "pixi.toml", root+"[tasks]\ntest = \"x\"\n")
	gitrepotest.Write(t, plain, "magefiles/go.mod", "module x\n\ntool github.com/magefile/mage\n")
	require.Equal(t, tests, whole(plain, tests))
	require.Equal(t, writes, whole(plain, writes))
	require.Equal(t, "`mage version:show`", whole(plain, "`mage version:show`"))
}

// An image that is not pushed is pushed next. A pushed image is deployed to its first environment, or verified if there is none.
func TestBuilt(t *testing.T) {
	pushed := image.Result{Name: "my app", Pushed: true, Tags: []image.Tag{{Name: "1.0"}}}
	for want, c := range map[string]struct {
		first string
		made  []image.Result
	}{
		"`mage docker:image app -push`":                                  {"staging", []image.Result{{Name: "app"}}},
		"`git add -A`, `git commit`, then `mage docker:image app -push`": {"", []image.Result{{Name: "app", Dirty: true}}},
		"`mage docker:all -push`":                                        {"staging", []image.Result{{Name: "app"}, {Name: "b"}}},
		"`mage docker:merge app`, once every platform is pushed":         {"staging", []image.Result{{Name: "app", Pushed: true}}},
		"`mage deploy:to staging`":                                       {"`mage deploy:to staging`", []image.Result{pushed}},
		"`mage docker:plan 'my app' -verify`":                            {"", []image.Result{pushed}},
		"":                                                               {"staging", nil},
	} {
		require.Equal(t, want, nextstep.AfterBuild(nil, func(*workspace.Workspace, string) string { return c.first }, c.made...))
	}
}

// After its check, a downstream is built as an image if it has one. Otherwise it is run, or its packages are rehearsed.
func TestChecked(t *testing.T) {
	repo, _, git := gitrepotest.Open(t)
	gitrepotest.Write(t, repo.Top, "pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
	gitrepotest.Write(t, repo.Top, "a/pixi.toml", "[package]\nname = \"a\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n")
	var dirty bool
	site := func(more string) string {
		gitrepotest.Write(t, repo.Top, "site/pixi.toml", "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/w\"]\nplatforms = [\"linux-64\"]\n[dependencies]\na = \"==1\"\n[tasks]\ncheck = \"x\"\n"+more)
		git("add", "-A")
		git("commit", "-q", "-m", "one")
		if dirty {
			gitrepotest.Write(t, repo.Top, "site/more", more)
		}
		w, err := workspace.Load(repo.Top)
		require.NoError(t, err)
		return nextstep.AfterCheck(t.Context(), command.NewSystem(os.Environ(), nil), w, "")
	}
	require.Equal(t, "`mage rehearse`", site(""))
	require.Equal(t, "`mage app:run`", site("run = \"x\"\n"))
	require.Equal(t, "`mage docker:image site`", site("[tool.image]\ncheck = [\"x\"]\n"))
	dirty = true
	require.Equal(t, "`mage app:run`", site("run = \"y\"\n"), "it runs what the folder has")
	require.Equal(t, "`git add -A`, `git commit`, then `mage docker:image site`", site("[tool.image]\ncheck = [\"y\"]\n"))

	w, err := workspace.Load(repo.Top)
	require.NoError(t, err)
	require.Equal(t, "`mage test:all`", nextstep.AfterTest(w, "a"), "there is no task qa-a")
	gitrepotest.Write(t, repo.Top, "pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n[tasks]\nqa-a = \"x\"\n")
	w, err = workspace.Load(repo.Top)
	require.NoError(t, err)
	require.Equal(t, "`mage qa:package a`", nextstep.AfterTest(w, "a"))
}

// A version in the manifests that has no tag is released as it is, because a patch bump would skip it.
func TestUnreleased(t *testing.T) {
	root := t.TempDir()
	for name, text := range monorepotest.Files(2, "0.1.0") {
		gitrepotest.Write(t, root, name, text)
	}
	says := func(more string, tags ...string) string {
		gitrepotest.Write(t, root, "pixi.toml", monorepotest.Files(2, "0.1.0")["pixi.toml"]+"\n[tool.release]\n"+more)
		w, err := workspace.Load(root)
		require.NoError(t, err)
		all := map[string]string{}
		for _, tag := range tags {
			all[tag] = "x"
		}
		return nextstep.Unreleased(w, all)
	}
	require.Equal(t, "`mage rehearse -to=0.1.0`, then `mage release -to=0.1.0`", says(""))
	require.Equal(t, "`mage rehearse -to=0.1.0`, then `mage release -to=0.1.0`", says("", "v0.0.9"))
	require.Empty(t, says("", "v0.1.0"))
	require.Empty(t, says("", "0.1.0"), "another tool has released it")
	require.Empty(t, says(`land = "pull-request"`))
	require.Equal(t, "`mage rehearse -to=0.1.0 -only=mono-p0001`, then `mage release -to=0.1.0 -only=mono-p0001`", says(`versioning = "independent"`, "mono-core/v0.1.0"))
}
