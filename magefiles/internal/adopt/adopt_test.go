package adopt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// `in` makes a folder with files.
func in(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return dir
}

// Files that an earlier run has written as planned are not written again, committed or not. A file that was edited since stops the run.
func TestWhatIsThereAlready(t *testing.T) {
	_, top, git := gitrepotest.Open(t)
	clone := filepath.Join(t.TempDir(), "clone")
	git("clone", "--quiet", top, clone)
	a := Adopter{Runner: command.NewSystem(os.Environ(), nil)}
	plan := func() (files, there []File, err error) {
		git("-C", clone, "reset", "--quiet", "--hard")
		c := &changes{
			top:    clone,
			folder: ".",
			why:    map[string]string{},
			was:    map[string][]byte{},
		}
		require.NoError(t, errors.Join(c.write("go.mod", "module acme\n", "pins"), c.write("go.sum", "", "digests"), c.write("sub/file", "more\n", "a change")))
		return c.files(t.Context(), a, top)
	}
	was, err := os.ReadFile(filepath.Join(top, "sub", "file"))
	require.NoError(t, err)
	all, there, err := plan()
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Empty(t, there)

	gitrepotest.Write(t, top, "go.mod", "module acme\n")
	gitrepotest.Write(t, top, "sub/file", "more\n")
	all, there, err = plan()
	require.NoError(t, err)
	require.Equal(t, []File{{Path: "go.sum", New: []byte{}, Why: "digests"}}, all)
	require.Equal(t, []File{{Path: "go.mod", New: []byte("module acme\n"), Why: "pins"}, {Path: "sub/file", Old: was, New: []byte("more\n"), Why: "a change"}}, there)
	var out bytes.Buffer
	(&Plan{Files: all, There: there, Found: &Found{Workspace: &workspace.Workspace{}}, Mage: "go tool mage"}).ShowNext(&view.View{Out: &out, Err: &out})
	require.Contains(t, out.String(), "  git add go.mod go.sum sub/file\n")

	gitrepotest.Write(t, top, "go.mod", "module mine\n")
	_, _, err = plan()
	require.EqualError(t, err, "init must write go.mod, but the content of this file is not committed")
}

// The settings to make by hand depend on the repository: a person's ci.yml has other checks, and publishing from here needs no trusted
// publisher.
func TestManualSettings(t *testing.T) {
	ours := func(state ciwrite.State, text string) []ciwrite.File {
		return []ciwrite.File{{Path: ".github/workflows/ci.yml", State: state, Old: text}}
	}
	const theirs = "on: push\njobs:\n  test: {runs-on: ubuntu-latest, steps: [{run: make}]}\n  b: {name: all lints, runs-on: ubuntu-latest, steps: [{run: make}]}\n"
	for _, c := range []struct {
		publish, mage string
		ours          []ciwrite.File
		want          []string
		not           string
	}{
		{settings.PublishCI, "go tool mage", nil, []string{"a trusted publisher", "the one check to require: ci\n"}, "alias"},
		{settings.PublishHere, "go tool mage", ours(ciwrite.Absent, ""), []string{"PREFIX_API_KEY", "the one check to require: ci\n"}, "trusted publisher"},
		{settings.PublishCI, "go -C magefiles tool mage -d ..", ours(ciwrite.Foreign, theirs), []string{"the jobs of ci.yml, which are test, all lints; or one job `ci`", "alias mage='go -C magefiles tool mage -d ..'"}, "the one check"},
		{settings.PublishHere, "go tool mage", ours(ciwrite.Changed, "on: push\njobs: {ci: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n"), []string{"the one check to require: ci\n"}, "trusted publisher"},
		{
			publish: settings.PublishCI,
			mage:    "go tool mage",
			ours:    ours(ciwrite.Foreign, "on: push\njobs: {ci: {strategy: {matrix: {os: [a, b]}}, runs-on: x, steps: [{run: make}]}, all: {uses: ./.github/workflows/all.yml}}\n"),
			want:    []string{"which are ci (one for each combination of its matrix), all (one for each job of the workflow that it calls); or one job"},
			not:     "the one check",
		},
		{settings.PublishCI, "go tool mage", ours(ciwrite.Foreign, "on: [\n"), []string{"the jobs of ci.yml, which cannot be read now"}, "the one check"},
	} {
		var out bytes.Buffer
		p := &Plan{
			Found: &Found{Workspace: &workspace.Workspace{Config: settings.Config{Publish: c.publish}}},
			Mage:  c.mage,
			Ours:  c.ours,
		}
		p.ShowNext(&view.View{Out: &out, Err: &out})
		for _, want := range c.want {
			require.Contains(t, out.String(), want)
		}
		require.NotContains(t, out.String(), c.not)
	}
}

// An init that is writing needs its journal: no other init tells a person to remove that file.
func TestConcurrentInit(t *testing.T) {
	top, journal := t.TempDir(), filepath.Join(t.TempDir(), journalName)
	require.NoError(t, os.WriteFile(journal, nil, 0o644))
	held, err := filelock.Take(journal + ".lock")
	require.NoError(t, err)
	for _, err := range []error{
		Adopter{}.takeBack(top, journal, false),
		Adopter{}.takeBack(top, journal, true),
		write(top, journal, []File{{Path: "a", New: []byte("a")}}),
	} {
		require.ErrorContains(t, err, "another init is writing files in this repository")
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	}
	require.FileExists(t, journal)
	require.NoFileExists(t, filepath.Join(top, "a"))
	require.NoError(t, filelock.Release(held))
}

// Our module is a separate one if a person has a module or workspace of Go.
func TestPlaces(t *testing.T) {
	const ours = "module a\n\ngo 1.26.0\n\nrequire (\n\tgithub.com/foopack/foopack v0.1.0\n)\n"
	for name, c := range map[string]struct {
		files map[string]string
		root  string
		want  Place
	}{
		"none":                           {nil, ".", Place{Dir: "."}},
		"ours":                           {map[string]string{"go.mod": ours}, ".", Place{Dir: ".", There: true}},
		"theirs":                         {map[string]string{"go.mod": "module a\n"}, ".", Place{Dir: "magefiles"}},
		"theirs, and ours":               {map[string]string{"go.mod": "module a\n", "magefiles/go.mod": ours}, ".", Place{Dir: "magefiles", There: true}},
		"theirs, and one for a magefile": {map[string]string{"go.mod": "module a\n", "magefiles/go.mod": "module b\n"}, ".", Place{Dir: "magefiles", There: true}},
		"theirs further up":              {map[string]string{"go.mod": "module a\n", "py/pixi.toml": ""}, "py", Place{Dir: "magefiles"}},
		"a go.work":                      {map[string]string{"go.work": "go 1.26\n", "a/go.mod": "module a\n"}, ".", Place{Dir: "magefiles", Work: true}},
	} {
		top := in(t, c.files)
		got, err := placeOf(top, filepath.Join(top, c.root))
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	require.Equal(t, "go tool mage", Place{Dir: "."}.Mage())
	require.Equal(t, "go -C magefiles tool mage -d ..", Place{Dir: "magefiles"}.Mage())
}

// Our magefile, and a person's with our import, are formatted. The person's keeps every line.
func TestMagefiles(t *testing.T) {
	for _, src := range []string{text("Acme", false), text("Acme", true), text(capitalize("übung"), false)} {
		require.True(t, utf8.ValidString(src), "go refuses all else")
		formatted, err := format.Source([]byte(src))
		require.NoError(t, err)
		require.Equal(t, string(formatted), src)
	}
	for _, theirs := range []string{
		"//go:build mage\n\npackage main\n\nfunc A() {}\n",
		"//go:build mage\n\n// A is.\npackage main // b\n\nimport \"fmt\"\n\nfunc A() { fmt.Println() }\n",
		"//go:build mage\n\npackage main\n\nimport (\n\t\"fmt\"\n\t\"os\" // c\n)\n\nfunc A() { fmt.Println(os.Args) }\n",
	} {
		got, err := withImport("magefile.go", theirs, true)
		require.NoError(t, err)
		formatted, err := format.Source([]byte(got))
		require.NoError(t, err, got)
		require.Equal(t, string(formatted), got)
		require.Equal(t, theirs, strings.Replace(got, "\n\nimport (\n\t//mage:import\n\t_ \""+targets+"\"\n\t//mage:import\n\t_ \""+targets+"/deploy\"\n)", "", 1))
	}
}

// A person's magefile with a target of our name is refused before anything is written: Mage would refuse both targets.
func TestTargetWithOurName(t *testing.T) {
	var ours []string
	files, err := filepath.Glob(filepath.Join("..", "..", "targets", "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls { // the comment of a target has an example
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil && f.Name.IsExported() && strings.Contains(strings.Join(strings.Fields(f.Doc.Text()), " "), "For example: `mage") {
				ours = append(ours, strings.ToLower(f.Name.Name))
			}
		}
	}
	require.ElementsMatch(t, ours, targetNames)

	dir := in(t, map[string]string{"magefiles/mine.go": "//go:build mage\n\npackage main\n\nfunc Mine() {}\n\nfunc Clean() error { return nil }\n\nfunc release() {}\n"})
	c := &changes{top: dir, folder: ".", why: map[string]string{}, was: map[string][]byte{}}
	err = c.magefile(&Plan{clone: dir, folder: dir, Found: &Found{}}, &workspace.Workspace{Manifest: &manifest.Manifest{Name: "acme"}})
	require.EqualError(t, err, "magefiles has targets with the same names as targets of foopack, and Mage refuses two targets of the same name: Clean")
	require.Empty(t, c.why)
}

// The task for people who have only pixi is in the table where pixi reads it.
func TestPixiTask(t *testing.T) {
	require.Equal(t, fmt.Sprintf(pixiTask, "go tool mage"), pixiTaskIn("pixi.toml", "go tool mage"))
	in := pixiTaskIn("python/pyproject.toml", "go tool mage")
	require.Equal(t, 3, strings.Count(in, "[tool.pixi."))
	require.True(t, strings.HasPrefix(in, "[tool.pixi.feature.mage.dependencies]\n"), in)
	require.Contains(t, in, "features = [\"mage\"]")
}

// All files are written, or none: a file that has changed meanwhile, or a folder that is a link, stops the run before the first file.
func TestAllOrNothing(t *testing.T) {
	dir := in(t, map[string]string{"a": "one", "elsewhere/x": ""})
	journal := filepath.Join(t.TempDir(), "journal")
	files := []File{
		{Path: "new/b", New: []byte("b")},
		{Path: "a", Old: []byte("another"), New: []byte("two")},
	}
	require.True(t, errors.Is(write(dir, journal, files), atomicfile.ErrChanged))
	require.NoFileExists(t, filepath.Join(dir, "new", "b"))
	files[1].Old = []byte("one")
	require.NoError(t, write(dir, journal, files))
	require.FileExists(t, filepath.Join(dir, "new", "b"))

	require.NoError(t, os.Symlink("elsewhere", filepath.Join(dir, "link")))
	require.Error(t, write(dir, journal, []File{{Path: "c", New: []byte("c")}, {Path: "link/d", New: []byte("d")}}))
	require.NoFileExists(t, filepath.Join(dir, "c"))
	require.NoFileExists(t, filepath.Join(dir, "elsewhere", "d"))
}

// No child gets credentials that publish: the rehearsal compiles a magefile of the repository, and does not need them.
func TestChildrenGetNoPublishingCredentials(t *testing.T) {
	a := Adopter{Environ: []string{"PATH=/bin", "PREFIX_API_KEY=key", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=token", "GOPROXY=https://me:word@proxy.example.org", "MY_TEST_TOKEN=mine"}}
	require.Equal(t, []string{"PATH=/bin", "GOPROXY=https://me:word@proxy.example.org", "MY_TEST_TOKEN=mine", "GOWORK=off"}, a.environ("GOWORK=off"))
}

// A file that is committed as a link to a person's file is neither read nor written: the clone is written before anybody is asked, also
// with -dry.
func TestHostileLinksAreNotWritten(t *testing.T) {
	for _, name := range []string{"go.sum", ".gitignore", "sub/go.mod", "magefiles/magefile.go"} {
		outside := filepath.Join(t.TempDir(), "theirs")
		require.NoError(t, os.WriteFile(outside, []byte("theirs"), 0o644))
		for _, to := range []string{outside, outside + "-to-be"} {
			top := t.TempDir()
			file := filepath.Join(top, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.Symlink(to, file))
			c := &changes{
				top:    top,
				folder: ".",
				why:    map[string]string{},
				was:    map[string][]byte{},
			}
			require.ErrorContains(t, c.write(name, "", "why"), "is a link")
			_, err := c.read(name)
			require.ErrorContains(t, err, "is a link")
			require.NoFileExists(t, outside+"-to-be")
			text, err := os.ReadFile(outside)
			require.NoError(t, err)
			require.Equal(t, "theirs", string(text))
		}
	}
}

// Only a version that Go can resolve is written into a go.mod. Go refuses 2.0.0, and a build from a checkout has no version.
func TestVersions(t *testing.T) {
	for version, ok := range map[string]bool{
		"v0.1.0": true, "v1.9.9": true, "v0.1.1-0.20261129112903-138523f5b0fd": true, "v1.9.10-0.20261129112903-138523f5b0fd": true, "v0.2.0-rc.1": true,
		"v2.0.0": false, "v2.0.0+incompatible": false, "devel": false, "(devel)": false, "v0.1.1-0.20261129112903-138523f5b0fd+dirty": false, "": false,
	} {
		err := Adopter{Version: version, Dir: t.TempDir()}.Run(t.Context(), Request{})
		require.Equal(t, ok, !strings.Contains(err.Error(), "has no version"), version)
	}
}

// Above a workspace, the next step of init is `cd`: init takes no folder, and there is no mage yet.
func TestAboveAWorkspace(t *testing.T) {
	dir := t.TempDir()
	gitrepotest.Write(t, dir, "a b/pixi.toml", "[workspace]\nname = \"w\"\n")
	err := Adopter{Version: "v0.1.0", Dir: dir}.Run(t.Context(), Request{})
	require.ErrorContains(t, err, "below this folder are these workspaces: a b/pixi.toml")
	require.Equal(t, "`cd 'a b'`, and run init again", operr.NextOf(err))
}

// Tests and examples are known by their folder, and a repository's name becomes a channel's name.
func TestExamplesAreFound(t *testing.T) {
	require.Equal(t, "tests/**", exampleOf("tests/data/one"))
	require.Equal(t, "a/examples/**", exampleOf("a/examples/x"))
	require.Empty(t, exampleOf("packages/tested"))
	require.Equal(t, "acme-project", channelName("Acme Project"))
}

// A repository is not on a GitHub only if its address names another server, and a module is named by the address.
func TestAddresses(t *testing.T) {
	for address, c := range map[string]struct {
		github bool
		module string
	}{
		"":                                      {true, "acme"},
		"/srv/git/acme":                         {true, "acme"},
		"../acme.git":                           {true, "acme"},
		"https://github.com/some/acme.git":      {true, "github.com/some/acme"},
		"git@github.com:some/acme.git":          {true, "github.com/some/acme"},
		"git@work:some/acme.git":                {true, "acme"},
		"git@gitlab-work:some/acme.git":         {false, "acme"},
		"ssh://git@github.example.org/a/b/":     {true, "github.example.org/a/b"},
		"ssh://git@git.example.org:2222/a/b":    {false, "git.example.org/a/b"},
		"https://me:word@gitlab.com/a/b/c.git":  {false, "gitlab.com/a/b/c"},
		"git@gitlab.example.org:acme/acme.git":  {false, "gitlab.example.org/acme/acme"},
		"https://codeberg.org/acme/acme-python": {false, "codeberg.org/acme/acme-python"},
	} {
		p := &Plan{Found: &Found{Address: address}}
		w := &workspace.Workspace{Manifest: &manifest.Manifest{Name: "Acme"}}
		require.Equal(t, c.github, p.Found.GitHub(), address)
		require.Equal(t, c.module, moduleName(p, w, Place{Dir: "."}), address)
	}
}

// A remote is shown without its token.
func TestRemotesAreShownWithoutTokens(t *testing.T) {
	for address, want := range map[string]string{
		"https://ghp_token@github.com/some/acme.git": "https://github.com/some/acme.git",
		"https://me:word@gitlab.com/a/b/c.git":       "https://gitlab.com/a/b/c.git",
		"git@github.com:some/acme.git":               "git@github.com:some/acme.git",
		"ssh://git@git.example.org:2222/a/b":         "ssh://git@git.example.org:2222/a/b",
		"../acme.git":                                "../acme.git",
	} {
		require.Equal(t, want, withoutUser(address))
	}
}

// Init writes the go line of our own go.mod.
func TestGoLine(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "..", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(mod), "\ngo "+goLine+"\n")
	// Go refuses to run a program by its module and version if the go.mod has these lines.
	require.NotContains(t, string(mod), "\nreplace ")
	require.NotContains(t, string(mod), "\nexclude ")
}

// Init proposes the version of the last tag to a package without a version, as a rehearsal does.
func TestProposedVersionIsTheLastTags(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.Write(t, dir, "pixi.toml", "[workspace]\nname = \"acme\"\nchannels = []\nplatforms = [\"linux-64\"]\n")
	gitrepotest.Write(t, dir, "lib/pixi.toml", "[package]\nname = \"lib\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n")
	gitrepotest.Write(t, dir, "lib/pyproject.toml", "[project]\nname = \"lib\"\ndynamic = [\"version\"]\n")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	git("tag", "v1.4.2")
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	f, err := find(t.Context(), w, dir, repo, head, Request{})
	require.NoError(t, err)
	require.Contains(t, strings.Join(f.WontWork, "\n"), "add the line `version = \"1.4.2\"`")
}

// The output of the rehearsal is wrapped at the terminal's width. It contains no next step, and no path of the clone, because the clone is removed.
// The error of a failed rehearsal has the rehearsal's next step, and says how to remove the written files.
func TestRehearsalOutput(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "mage")
	require.NoError(t, os.WriteFile(script, []byte(`#!/bin/sh
echo '  ○ the credential: it comes from CI or your keyring; mage doctor looks for it'
echo 'Report: /a/clone/report.html'
echo '→ `+"`mage release`"+`'
[ "$1" = rehearse ] && exit
printf 'Error: a dependency is missing\n→ add the dependency, commit, and `+"`mage rehearse`"+` again\n' >&2
exit 1
`), 0o755))
	var out, errs strings.Builder
	a := Adopter{
		Runner:  command.NewSystem(os.Environ(), nil),
		Environ: os.Environ(),
		View: &view.View{
			Out:    &out,
			Err:    &errs,
			Breaks: true,
			Width:  func() int { return 40 },
		},
	}
	p := &Plan{
		Mage:   script,
		folder: dir,
		Files:  []File{{Path: "go.mod"}, {Path: "pixi.toml", Old: []byte("x")}},
	}
	require.NoError(t, a.mage(t.Context(), p, "rehearse"))
	require.Equal(t, "  ○ the credential: it comes from CI or\n    your keyring; mage doctor looks for\n    it\n", out.String())
	require.Empty(t, errs.String())

	err := notRehearsed(t.Context(), p, a.mage(t.Context(), p, "fail"))
	require.Equal(t, "Error: a dependency is missing\n", errs.String())
	require.Equal(t, "add the dependency, commit, and `"+script+" rehearse` again. The written files stay. To remove these files: `rm go.mod` and `git restore pixi.toml`", operr.NextOf(err))

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	err = notRehearsed(ctx, p, err)
	require.EqualError(t, err, "stopped")
	require.True(t, operr.HasWayOn(err))
}
