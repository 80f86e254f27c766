package e2e_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestHostilePullRequest treats a hostile pull request first as a maintainer and then as the CI would. No process that runs its code sees a
// credential, the published files are exactly what the tag's sources build to, and nothing in the whole file system changes except the clone and
// caches. No other test of this package may run at the same time, because it might write elsewhere.
func TestHostilePullRequest(t *testing.T) {
	victims := filepath.Join(t.TempDir(), "victims") // a home directory, and the targets of links
	home := map[string]string{
		".netrc": "machine x login y password canary-of-netrc\n", ".ssh/id_ed25519": "canary-of-a-key\n", ".docker/config.json": "{}\n", ".config/pip/pip.conf": "",
		".bashrc": "true\n", ".gitconfig": "[user]\n\tname = a tester\n", ".local/bin/x": "x\n", ".local/share/x": "x\n", "outside/file": "a file\n", "outside/folder/file": "a file\n",
	}
	caches, err := os.UserCacheDir()
	require.NoError(t, err)
	for name, text := range home {
		write(t, victims, name, text)
	}
	theirs := append(notOfTheRepository(t), "/mnt")
	var before map[string]string
	alone := os.Getenv("CI") != "" // on other machines, users write files during the test
	if alone {
		before = filesystem(t, "/", theirs...)
	}
	were := tree(t, victims)

	t.Run("attempts", func(t *testing.T) {
		for name, attempt := range hostileAttempts(filepath.Join(victims, "outside")) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newReleasing(t, releaseOptions{by: "here", real: true})
				r.env = command.Setenv(r.env, "HOME="+victims, "XDG_CACHE_HOME="+caches)
				attempt(r)
				git(t, r.dir, "add", "-A", "-f")
				git(t, r.dir, "commit", "-q", "-m", "feat: "+name)
				git(t, r.dir, "push", "-q", "origin", "main")
				for _, target := range [][]string{
					{"doctor"}, {"version:bump", "-to=patch", "-yes"}, {"build:all"}, {"test:all"}, {"docker:plan", "app"}, {"publish", "-yes"}, {"clean"},
				} {
					r.mage(target...)
					git(t, r.dir, "reset", "-q", "--hard")
					require.Equal(t, were, tree(t, victims), "%v", target)
				}
				for _, target := range [][]string{{"rehearse"}, {"release", "-to=patch", "-yes"}} {
					out, status := r.mage(target...)
					require.NotZero(t, status, out)
					require.NotContains(t, out, "panic")
					require.Equal(t, were, tree(t, victims), "%v", target)
				}
				for file := range r.onChannel() { // files of an earlier release
					require.Contains(t, file, "-0.1.6-")
				}
			})
		}
	})
	for _, by := range []string{"ci", "here"} {
		t.Run("published from "+by, func(t *testing.T) { hostileGoesThrough(t, by, victims, caches) })
	}
	require.Equal(t, were, tree(t, victims))
	if !alone {
		t.Log("the rest of the file system is compared in CI alone: set CI where nobody else works")
		return
	}
	require.Greater(t, len(before), 1000)
	require.Empty(t, changedPaths(before, filesystem(t, "/", theirs...)))
}

// tree returns a description of everything below a folder: the digest of each file and the target of each link. It leaves out the data of go, rustup
// and uv.
func tree(t testing.TB, dir string) []string {
	t.Helper()
	find := exec.Command("find", ".", "(", "-path", "./.config/go", "-o", "-path", "./.rustup", "-o", "-path", "./.local/share/uv", ")", "-prune", "-o", "-type", "f", "-exec", "sha256sum", "{}", "+", "-o", "-printf", `%p %y %l %m\n`)
	find.Dir = dir
	out, err := find.Output()
	require.NoError(t, err)
	return slices.Sorted(strings.Lines(string(out)))
}

// hostileAttempts returns the attempts that must be refused, by name. Each is tried separately. The victims are the file outside/file and the folder
// outside/folder.
func hostileAttempts(outside string) map[string]func(r *releasing) {
	link := func(name, leads string) func(r *releasing) {
		return func(r *releasing) {
			file := filepath.Join(r.dir, name)
			require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
			_ = os.Remove(file)
			require.NoError(r.t, os.Symlink(leads, file))
		}
	}
	edit := func(name, old, text string) func(r *releasing) {
		return func(r *releasing) {
			before := readFile(r.t, r.dir, name)
			require.Contains(r.t, before, old)
			write(r.t, r.dir, name, strings.Replace(before, old, text, 1))
		}
	}
	const core = "packages/core/"
	return map[string]func(r *releasing){
		"a rehearsal elsewhere":          link("output/rehearsal", filepath.Join(outside, "folder")),
		"an ignore file":                 link(".pixi/.gitignore", filepath.Join(outside, "file")),
		"environments in another folder": link(".pixi/embedded", filepath.Join(outside, "folder")),
		"a changelog":                    link("CHANGELOG.md", filepath.Join(outside, "file")),
		"a license":                      link(core+"LICENSE", "/proc/self/environ"),
		"modules":                        link(core+"src/mono_core/data", filepath.Join(outside, "folder")),
		"a project":                      link(core+"pyproject.toml", filepath.Join(outside, "file")),
		"an artifact": func(r *releasing) {
			write(r.t, r.dir, "output/mono-core-0.1.7-pyh0000000_0.conda", "not built here")
		},
		"a script in a parent folder": edit(core+"pyproject.toml", "[build-system]", "[project.scripts]\n\"../../../../outside/file\" = \"mono_core:main\"\n\n[build-system]"),
		"a name that leads up":        edit(core+"pixi.toml", `name = "mono-core"`, `name = "../../outside/file"`),
		"a branch":                    edit("pixi.toml", "[tool.release]\n", "[tool.release]\nbranch = [\"--upload-pack=touch "+outside+"/file\"]\n"),
		"a remote":                    edit("pixi.toml", "[tool.release]\n", "[tool.release]\nremote = \"--exec=touch "+outside+"/file\"\n"),
		"a channel":                   edit("pixi.toml", "[tool.release]\n", "[tool.release]\nchannel = \"../../outside\"\n"),
		"an included folder":          edit("pixi.toml", "[tool.release]\n", "[tool.release]\ninclude = [\""+outside+"\"]\n"),
	}
}

// hostileFiles returns files that a release accepts. They name a package index, and their code records what it sees in files below seen.
func hostileFiles(seen, index string) map[string]string {
	spy := func(what string) string { return spyOn(seen, what) }
	return map[string]string{
		"packages/core/src/mono_core/__init__.py": "__version__ = \"0.1.6\"\n" + spy("module"),
		"packages/core/tests/conftest.py":         spy("conftest"),
		"conftest.py":                             spy("conftest"),
		"sitecustomize.py":                        spy("site"),
		"packages/core/sitecustomize.py":          spy("site"),
		"packages/core/hatchling.py":              spy("shadow"), // shadows the backend's own module
		"packages/core/hooks.py":                  "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n" + spy("build") + "class H(BuildHookInterface):\n    pass\n",
		"spy.py":                                  spy("task"),
		"app/Dockerfile":                          "# syntax=127.0.0.1:1/x\x1b]0;title\x07\nARG X=$(touch spied)\nFROM 127.0.0.1:1/${X}:y\nRUN --mount=type=secret,id=key,target=/x cat /x\n",
		"uv.toml":                                 "[[index]]\nurl = \"" + index + "\"\n",
		"packages/core/uv.toml":                   "index-url = \"" + index + "\"\n",
		"packages/core/pip.conf":                  "[global]\nindex-url = " + index + "\n",
		"packages/core/.pypirc":                   "[distutils]\nindex-servers = x\n[x]\nrepository = " + index + "\n",
		".netrc":                                  "machine 127.0.0.1 login x password y\n",
		".npmrc":                                  "registry=" + index + "\n",
		".gitattributes":                          "* filter=spy diff=spy merge=spy\n*.py export-subst ident\n",
		".gitconfig":                              "[core]\n\tfsmonitor = touch spied\n",
		"docs/a\x1b[31m::warning::b.txt":          "a name\n",
	}
}

// spyOn returns Python code that records what its process sees: the environments of all processes of the same machine that it can read, and whether
// each of them can request an ID token.
func spyOn(seen, what string) string {
	return fmt.Sprintf(`import glob as _glob, os as _os, urllib.request as _request
def _spy():
    found, above = [dict(_os.environ)], []
    pid = _os.getppid()
    while pid > 1:
        above.append(pid)
        pid = int(open("/proc/%%d/stat" %% pid).read().rpartition(")")[2].split()[1])
    for file in _glob.glob("/proc/[0-9]*/environ"):
        try:
            env = dict(kv.split("=", 1) for kv in open(file, errors="replace").read().split("\0") if "=" in kv)
        except OSError:
            continue
        # A laptop and a job that the embedded CI runs beside it are two machines.
        if env.get("GITHUB_ACTIONS") == _os.environ.get("GITHUB_ACTIONS") or int(file.split("/")[2]) in above:
            found.append(env)
    said = []
    for env in found:
        if env.get("PREFIX_SERVER_URL") != _os.environ.get("PREFIX_SERVER_URL") or env.get("OF_THE_TEST"):
            continue
        said.append(repr(env))
        if "ACTIONS_ID_TOKEN_REQUEST_URL" in env:
            said.append("may ask for an ID token")
    with open(_os.path.join(%q, %q + "-" + str(_os.getpid())), "w") as file:
        file.write("\n".join(said) + "\n")
_spy()
`, seen, what)
}

// hostileGoesThrough handles a pull request as a maintainer would, and releases it. The pull request contains every hostile thing that no rule
// refuses.
func hostileGoesThrough(t *testing.T, by, home, caches string) {
	seen := t.TempDir()
	var asked sync.Map
	index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(strings.Trim(r.URL.Path, "/"), true)
		http.NotFound(w, r)
	}))
	defer index.Close()
	r := newReleasing(t, releaseOptions{by: by, real: true})
	for name, text := range hostileFiles(seen, index.URL) {
		write(t, r.dir, name, text)
	}
	write(t, r.dir, "packages/core/pyproject.toml", readFile(t, r.dir, "packages/core/pyproject.toml")+"[tool.hatch.build.hooks.custom]\npath = \"hooks.py\"\n")
	manifest := strings.Replace(readFile(t, r.dir, "pixi.toml"), `qa = "`, "spied = \"python3 spy.py\"\ntest-core = \"python3 spy.py\"\nqa = \"python3 spy.py && ", 1)
	write(t, r.dir, "pixi.toml", manifest+"\n[activation.env]\nPREFIX_API_KEY = \"pfx_of_the_manifest\"\nUV_INDEX_URL = \""+index.URL+"\"\n")
	for _, name := range []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "post-merge"} {
		hook(t, filepath.Join(r.dir, ".hooks"), name, "python3 \"$(git rev-parse --show-toplevel)/spy.py\"")
	}
	git(t, r.dir, "config", "core.hooksPath", ".hooks") // husky and similar tools set this path
	const subject = "feat: a \x1b]0;title\x07\x1b[31m ::error::x ##[error]y <script>z</script> [w](javascript:1)"
	r.pushAll(subject)
	for name, value := range canaries {
		r.env = command.Setenv(r.env, name+"="+value)
	}
	r.env = command.Setenv(r.env, "HOME="+home, "XDG_CACHE_HOME="+caches, "GITHUB_STEP_SUMMARY="+filepath.Join(t.TempDir(), "summary"))
	// Files in output/ that someone else built are not used.
	write(t, r.dir, "output/mono-core-0.1.7-pyh0000000_0.conda", "not built here")
	write(t, r.dir, "output/publish.json", "{}")

	for _, target := range [][]string{{"test:package", "mono-core"}, {"rehearse"}, {"build:all"}, {"docker:plan", "app"}, {"release", "-to=patch", "-yes"}} {
		out, status := r.mage(target...)
		require.True(t, status == 0 || target[0] == "docker:plan", out) // docker:plan queries a registry that does not exist
		require.NotContains(t, out, "\x1b]0;")
		require.NotContains(t, out, "\x1b[31m ::")
		for line := range strings.Lines(out) {
			require.False(t, strings.HasPrefix(line, "::error::") || strings.HasPrefix(line, "::warning::b"), line)
		}
	}
	asked.Range(func(project, _ any) bool {
		require.Equal(t, "numpy", project, "the index of a branch is asked for what its packages require, and for no tool of ours")
		return true
	})
	require.NotContains(t, readFile(t, r.dir, "CHANGELOG.md"), "<script>")
	hostileSawNothing(t, r, seen)

	// Building the tag again produces the same bytes.
	published := r.onChannel()
	require.Len(t, published, 3)
	r.dir = r.newClone()
	git(t, r.dir, "checkout", "-q", "v0.1.7")
	r.ok("build:all")
	built := map[string]string{}
	for line := range strings.Lines(readFile(t, r.dir, "output/digests.txt")) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		built[file] = sum
	}
	require.Equal(t, built, published)
}

// hostileSawNothing checks that each kind of code has run and that none of it has seen a credential.
func hostileSawNothing(t *testing.T, r *releasing, seen string) {
	t.Helper()
	secrets := r.world.Secrets()
	for name, value := range canaries {
		if !strings.HasPrefix(value, "/") && !command.Fetches(name) { // a file path is not a secret
			secrets = append(secrets, value)
		}
	}
	kinds, above := map[string]int{}, 0
	files, err := os.ReadDir(seen)
	require.NoError(t, err)
	for _, f := range files {
		kind, _, _ := strings.Cut(f.Name(), "-")
		kinds[kind]++
		text := readFile(t, seen, f.Name())
		if strings.Contains(text, command.HandedOver) {
			above++
		}
		own, _, _ := strings.Cut(text, "\n")
		require.NotContains(t, own, canaries["UV_INDEX_OURS_PASSWORD"], f.Name())
		for _, secret := range secrets { // a uv on the same machine may have this password, which it needs for fetching
			require.NotContains(t, text, secret, f.Name())
		}
		require.NotContains(t, text, "may ask for an ID token", f.Name())
	}
	require.NotZero(t, above, "the environment with which our own process was started is readable")
	for _, kind := range []string{"module", "build", "task"} {
		require.Contains(t, slices.Collect(maps.Keys(kinds)), kind)
	}
}
