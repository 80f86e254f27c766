package touched_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/touched"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const never = "0000000000000000000000000000000000000000"

// world is a repository with a workspace in a subfolder. It has three packages: b requires a, and c has no requirements.
type world struct {
	t   *testing.T
	run command.Runner
	dir string
}

func newWorld(t *testing.T) *world {
	dir, run := gitrepotest.New(t)
	w := &world{t: t, run: run, dir: dir}
	w.git("checkout", "-q", "-B", "main")
	w.commit("all",
		"py/pixi.toml", "[workspace]\nname = \"mono\"\nchannels = []\nplatforms = [\"linux-64\"]\n[tasks]\ntest-a = \"x\"\nqa-a = { depends-on = [\"test-a\"] }\n_hidden-a = \"x\"\ntest-b = \"x\"\nall = \"x\"\n",
		"py/a/pixi.toml", "[package]\nname = \"a\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n",
		"py/b/pixi.toml", "[package]\nname = \"b\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n[package.run-dependencies]\na = \"==1.0\"\n",
		"py/c/pixi.toml", "[package]\nname = \"c\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n",
	)
	return w
}

func (w *world) git(args ...string) string {
	w.t.Helper()
	return gitrepotest.Git(w.t, w.run, w.dir, args...)
}

// commit writes files and commits them.
func (w *world) commit(message string, files ...string) string {
	w.t.Helper()
	for i := 0; i < len(files); i += 2 {
		gitrepotest.Write(w.t, w.dir, files[i], files[i+1])
	}
	w.git("add", "-A")
	w.git("commit", "-q", "-m", message)
	return w.git("rev-parse", "HEAD")
}

// event writes an event file in GitHub's format.
func (w *world) event(name string, payload any) touched.Event {
	w.t.Helper()
	text, err := json.Marshal(payload)
	require.NoError(w.t, err)
	file := filepath.Join(w.t.TempDir(), "event.json")
	require.NoError(w.t, os.WriteFile(file, text, 0o644))
	return touched.Event{Name: name, Path: file}
}

type object = map[string]any

// `asks` finds the affected packages in a clone. It returns their names on one line, and why all are included.
func (w *world) asks(dir string, r touched.Request) (packages, all string) {
	w.t.Helper()
	root := filepath.Join(dir, "py")
	var err error
	r.Repo, err = gitrepo.Open(w.t.Context(), w.run, root)
	require.NoError(w.t, err)
	space, err := workspace.Load(root)
	require.NoError(w.t, err)
	taken, err := r.Ask(w.t.Context(), space)
	require.NoError(w.t, err)
	return strings.Join(names(taken), " "), taken.All
}

// On a runner, the event determines the commit to compare with. If it does not, all packages are included, with the reason.
func TestBaseOfAnEvent(t *testing.T) {
	w := newWorld(t)
	base := w.git("rev-parse", "HEAD")
	first := w.commit("c", "py/c/x.c", "1")
	head := w.commit("a", "py/a/x.c", "1")
	w.git("checkout", "-q", "-b", "side", base)
	side := w.commit("c on its own", "py/c/y.c", "1")
	w.git("checkout", "-q", "main")
	push := func(before string) touched.Event {
		return w.event("push", object{"before": before, "after": head, "ref": "refs/heads/main", "forced": before == side})
	}
	for _, c := range []struct {
		name     string
		r        touched.Request
		want, to string
	}{
		{"a push to main", touched.Request{Event: push(first)}, "a b", ""},
		{"a push of two commits", touched.Request{Event: push(base)}, "a b c", ""},
		{"a push that says nothing new", touched.Request{Event: push(head)}, "", ""},
		{"the first push of a branch", touched.Request{Event: push(never)}, "a b c", "the branch is new, so there is no earlier commit to compare with"},
		{"a forced push", touched.Request{Event: push(side)}, "a b c", side + " is not an ancestor of the checked-out commit"},
		{"a forced push that left its commit nowhere", touched.Request{Event: push(strings.Repeat("ab", 20))}, "a b c", "abab is not in this clone: set `fetch-depth: 0` for actions/checkout"},
		{"a pull request", touched.Request{Event: w.event("pull_request", object{"pull_request": object{"base": object{"sha": first}}})}, "a b", ""},
		{"a merge queue", touched.Request{Event: w.event("merge_group", object{"merge_group": object{"base_sha": first, "head_sha": head}})}, "a b", ""},
		{"another event", touched.Request{Event: w.event("workflow_dispatch", object{"ref": "refs/heads/main"})}, "a b c", "the event workflow_dispatch names no commit to compare with"},
		{"an event that lacks it", touched.Request{Event: w.event("push", object{})}, "a b c", "the event push names no commit to compare with"},
		{"elsewhere", touched.Request{}, "a b c", "neither -since nor an event names a commit to compare with"},
		{"a commit that a person names", touched.Request{Since: "HEAD~1", Event: push(base)}, "a b", ""},
		{"a commit that a person names, and that is not there", touched.Request{Since: "v9"}, "a b c", "v9 is not in this clone"},
	} {
		packages, all := w.asks(w.dir, c.r)
		require.Equal(t, c.want, packages, c.name)
		require.Equal(t, c.to == "", all == "", c.name)
		require.Contains(t, all, c.to, c.name)
	}
	w.git("merge", "-q", "--no-ff", "-m", "merge", "side") // as a pull request from side would be checked out
	packages, all := w.asks(w.dir, touched.Request{Event: w.event("pull_request", object{"pull_request": object{"base": object{"sha": head}}})})
	require.Equal(t, "c", packages)
	require.Empty(t, all)

	repo, err := gitrepo.Open(t.Context(), w.run, w.dir)
	require.NoError(t, err)
	for _, path := range []string{"", filepath.Join(t.TempDir(), "none"), filepath.Join(w.dir, "py", "pixi.toml")} {
		_, err = touched.Request{Repo: repo, Event: touched.Event{Name: "push", Path: path}}.Ask(t.Context(), nil)
		require.ErrorContains(t, err, "reading the event push")
	}
}

// A clone of depth 1 does not contain the commit to compare with.
func TestAtDepthOne(t *testing.T) {
	w := newWorld(t)
	before := w.git("rev-parse", "HEAD")
	w.commit("a", "py/a/x.c", "1")
	shallow := filepath.Join(t.TempDir(), "shallow")
	w.git("clone", "-q", "--depth=1", "file://"+w.dir, shallow)
	event := w.event("push", object{"before": before})
	packages, all := w.asks(shallow, touched.Request{Event: event})
	require.Equal(t, "a b c", packages)
	require.Equal(t, before+" is not in this clone: set `fetch-depth: 0` for actions/checkout", all)
	gitrepotest.Git(t, w.run, shallow, "fetch", "-q", "--unshallow")
	packages, all = w.asks(shallow, touched.Request{Event: event})
	require.Equal(t, "a b", packages)
	require.Empty(t, all)
}

// If the workspace is in a subfolder, the pipeline's files may be outside it.
func TestFilesAboveTheWorkspace(t *testing.T) {
	for file, want := range map[string]string{
		".github/workflows/ci.yml": "a b c",
		"go.mod":                   "a b c",
		"py/magefiles/x.go":        "a b c",
		"js/x.ts":                  "",
		"go/go.mod":                "",
		"pytest.ini":               "", // tools in the workspace do not look there
		"py/pytest.ini":            "a b c",
		"py/README.md":             "",
		"py/pixi.lock":             "a b c", // file was added
		"py/b/pixi.lock":           "b",
	} {
		w := newWorld(t)
		w.commit(file, file, "1")
		packages, _ := w.asks(w.dir, touched.Request{Since: "HEAD~1"})
		require.Equal(t, want, packages, file)
	}
}

// A job gets a matrix that GitHub accepts, with the tasks of each package. A matrix that is too large is rejected with a next step.
func TestTheMatrixOfAJob(t *testing.T) {
	w := newWorld(t)
	root := filepath.Join(w.dir, "py")
	space, err := workspace.Load(root)
	require.NoError(t, err)
	w.commit("a", "py/a/x.c", "1")
	repo, err := gitrepo.Open(t.Context(), w.run, root)
	require.NoError(t, err)
	set := map[string]string{}
	work, err := touched.Request{Repo: repo, Since: "HEAD~1"}.Work(t.Context(), space, func(name, value string) error {
		set[name] = value
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{
		"any":    "true",
		"matrix": `{"package":["a","b"],"include":[{"package":"a","folder":"a","tasks":["qa-a","test-a"]},{"package":"b","folder":"b","tasks":["test-b"]}]}`,
	}, set)
	require.True(t, work.Any)
	_, err = touched.Request{Repo: repo, Since: "HEAD"}.Work(t.Context(), space, func(name, value string) error {
		set[name] = value
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"any": "false", "matrix": `{"package":[],"include":[]}`}, set)
	many := touched.Work{}
	for range 257 {
		many.Matrix.Package = append(many.Matrix.Package, "a")
	}
	require.ErrorContains(t, many.HandOn(nil), "GitHub makes at most 256 jobs from a matrix, but the matrix has 257 packages")
}

// The last job passes if all others passed or were skipped.
func TestResultsOfJobs(t *testing.T) {
	for needs, want := range map[string]string{
		`{"plan": {"result": "success", "outputs": {"any": "false"}}, "qa": {"result": "skipped", "outputs": {}}}`: "",
		`{"plan": {"result": "success"}, "qa": {"result": "failure"}, "check": {"result": "cancelled"}}`:           "not all jobs have passed: check (cancelled), qa (failure)",
		`{"plan": {"result": ""}}`: "not all jobs have passed: plan ()",
		`{}`:                       "-needs has no job results",
		``:                         "-needs has no job results",
	} {
		if err := touched.Judge(needs); want != "" {
			require.EqualError(t, err, want, needs)
		} else {
			require.NoError(t, err, needs)
		}
	}
}

// Some keys of the root manifest affect only certain packages. All other keys affect all packages.
func TestTheRootManifest(t *testing.T) {
	const before = `[workspace]
name = "mono"
version = "1.0"
channels = []
platforms = ["linux-64"]
[workspace.dependencies]
numpy = ">=1"
[feature.test.dependencies]
pytest = "*"
a-b = { path = "a-b" }
[feature.test.target.linux-64.tasks]
test-b = "x"
test-a-b = "x"
[environments]
test = ["test"]
[tool.release]
publish = "here"
`
	files := map[string]string{
		"b/pixi.toml":   "[package]\nname = \"b\"\nversion.workspace = true\nbuild.backend.name = \"pixi-build-cmake\"\n",
		"a-b/pixi.toml": "[package]\nname = \"a-b\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n[package.host-dependencies]\nnumpy = { workspace = true }\n",
		"c/pixi.toml":   "[package]\nname = \"c\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n",
	}
	for _, c := range []struct{ old, new, want, all string }{
		{`"linux-64"]`, `"linux-64"] # the same`, "", ""},
		{`test-b = "x"`, `test-b = "y"`, "b", ""},
		{`test-a-b = "x"`, `test-a-b = "y"`, "a-b", ""},
		{`test-a-b = "x"`, `lint-a-b = "y"`, "a-b", ""},
		{`test-b = "x"`, `test-all = "y"`, "a-b b c", "pixi.toml differs in feature.test.target.linux-64.tasks.test-all"},
		{`version = "1.0"`, `version = "1.1"`, "b", ""},
		{`numpy = ">=1"`, `numpy = ">=2"`, "a-b", ""},
		{`numpy = ">=1"`, "numpy = \">=1\"\nscipy = \"*\"", "", ""},
		{`pytest = "*"`, `pytest = ">=8"`, "a-b b c", "pixi.toml differs in feature.test.dependencies.pytest"},
		{`a-b = { path = "a-b" }`, ``, "a-b", ""},
		{`test = ["test"]`, `dev = ["test"]`, "a-b b c", "pixi.toml differs in environments.dev"},
		{`publish = "here"`, `publish = "ci"`, "a-b b c", "pixi.toml differs in tool.release.publish"},
		{`channels = []`, `channels = ["conda-forge"]`, "a-b b c", "pixi.toml differs in workspace.channels"},
	} {
		after := strings.Replace(before, c.old, c.new, 1)
		files["pixi.toml"] = after
		got := touched.Find(load(t, files), touched.Change{Files: []string{"pixi.toml"}, Manifest: [2][]byte{[]byte(before), []byte(after)}})
		require.Equal(t, c.want, strings.Join(names(got), " "), c.new)
		require.Equal(t, c.all, got.All, c.new)
	}
}

// After a change to one package, the next step is a task that the package has.
func TestNextStepHasATask(t *testing.T) {
	for tasks, want := range map[string]string{
		"":                           "`mage test:all`",
		"test-all = 'x'":             "`mage test:all`",
		"qa-lib = 'x'":               "`mage qa:package lib`",
		"qa-lib = 'x'\ntest-lib='x'": "`mage test:package lib`",
	} {
		w := load(t, map[string]string{
			"pixi.toml":     "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n[tasks]\n" + tasks + "\n",
			"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n",
		})
		require.Equal(t, want, touched.NewWork(w, touched.Taken{Packages: w.Packages}).Next(), tasks)
	}
}
