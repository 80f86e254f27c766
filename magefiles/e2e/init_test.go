package e2e_test

import (
	"archive/zip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lint/linttest"
)

// moduleProxy is a file-based Go module proxy that serves this checkout and everything in the module cache.
type moduleProxy struct {
	env     []string
	version string // version of this checkout
	init    string // path of init, built at that version
}

// newModuleProxy publishes this checkout at a version that is derived from its contents. The version is removed from the module cache when the test
// ends.
func newModuleProxy(t *testing.T) moduleProxy {
	t.Helper()
	const module = "github.com/foopack/foopack"
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "go.mod", "go.sum", "LICENSE", "magefiles")
	cmd.Dir = repo
	out, err := cmd.Output()
	require.NoError(t, err)
	sum, contents := sha256.New(), map[string][]byte{}
	for _, name := range strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 }) {
		data, err := os.ReadFile(filepath.Join(repo, name))
		if os.IsNotExist(err) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		require.NoError(t, err)
		contents[name] = data
	}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		fmt.Fprintf(sum, "%s %d\n", name, len(contents[name]))
		sum.Write(contents[name])
	}
	p := moduleProxy{version: fmt.Sprintf("v0.9.1-0.20260102030405-%x", sum.Sum(nil)[:6])}
	dir := t.TempDir()
	at := filepath.Join(dir, filepath.FromSlash(module), "@v")
	require.NoError(t, os.MkdirAll(at, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(at, "list"), nil, 0o644))
	for _, name := range []string{filepath.Join(at, p.version+".info"), filepath.Join(at, "..", "@latest")} {
		require.NoError(t, os.WriteFile(name, []byte(`{"Version":"`+p.version+`","Time":"2026-01-02T03:04:05Z"}`), 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(at, p.version+".mod"), contents["go.mod"], 0o644))
	file, err := os.Create(filepath.Join(at, p.version+".zip"))
	require.NoError(t, err)
	z := zip.NewWriter(file)
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		w, err := z.Create(module + "@" + p.version + "/" + name)
		require.NoError(t, err)
		_, err = w.Write(contents[name])
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, file.Close())

	cache, err := goEnv("GOMODCACHE")
	require.NoError(t, err)
	theirs, err := goEnv("GOPROXY")
	require.NoError(t, err)
	t.Cleanup(func() {
		of := filepath.Join(cache, filepath.FromSlash(module)+"@"+p.version)
		_ = filepath.WalkDir(of, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				_ = os.Chmod(path, 0o755)
			}
			return nil
		})
		_ = os.RemoveAll(of)
		left, _ := filepath.Glob(filepath.Join(cache, "cache", "download", filepath.FromSlash(module), "@v", p.version+".*"))
		for _, file := range left {
			_ = os.Remove(file)
		}
	})
	p.env = command.Setenv(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(dir)+",file://"+filepath.ToSlash(filepath.Join(cache, "cache", "download"))+","+theirs,
		"GONOSUMDB=*", "GOSUMDB=off", "GOFLAGS=", "GOWORK=", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid")
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "install", module+"/magefiles/init@"+p.version)
	install.Dir, install.Env = t.TempDir(), command.Setenv(p.env, "GOBIN="+bin)
	text, err := install.CombinedOutput()
	require.NoError(t, err, "%s", text)
	p.init = filepath.Join(bin, "init")
	return p
}

// run runs a command line in a folder.
func (p moduleProxy) run(t *testing.T, dir string, argv ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, p.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// shape is a repository with the layout of a typical public one.
type shape struct {
	files  map[string]string
	remote string            // URL of origin
	args   []string          // arguments of init
	mage   string            // how mage is run after init
	writes []string          // everything that git status lists afterwards
	shows  []string          // texts in init's output
	has    map[string]string // text that a file contains afterwards
}

const (
	noRemote  = ""
	onGitHub  = "https://github.com/acme/acme.git"
	rootTable = "[workspace]\nname = \"acme\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n"
	aTask     = "[tasks]\ntest-all = \"python -V\"\n"
)

// member adds a package to the files.
func (s shape) member(dir, name, version string, more ...string) shape {
	module := strings.ReplaceAll(name, "-", "_")
	s.files[dir+"/pixi.toml"] = "[package]\nname = \"" + name + "\"\nversion = \"" + version + "\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.host-dependencies]\nhatchling = \"*\"\n" + strings.Join(more, "\n")
	s.files[dir+"/pyproject.toml"] = "[project]\nname = \"" + name + "\"\nversion = \"" + version + "\"\nrequires-python = \">=3.10\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n"
	s.files[dir+"/src/"+module+"/__init__.py"] = ""
	return s
}

// `with` adds files, given as alternating names and texts.
func (s shape) with(files ...string) shape {
	for i := 0; i < len(files); i += 2 {
		s.files[files[i]] = files[i+1]
	}
	return s
}

var (
	ownModule  = []string{".gitignore", "go.mod", "go.sum", "magefiles/magefile.go"}
	besideGo   = []string{".gitignore", "magefiles/go.mod", "magefiles/go.sum", "magefiles/magefile.go"}
	workflows  = []string{".github/workflows/ci.yml", ".github/workflows/release.yml"}
	goProject  = "module github.com/acme/acme\n\ngo 1.21\n\nrequire golang.org/x/sync v0.1.0\n"
	taskedRoot = rootTable + aTask
)

func startsAt(root string) shape {
	return shape{files: map[string]string{"pixi.toml": root}, remote: onGitHub}
}

// shapes returns repositories with the layouts of public monorepos, Go projects and small workspaces.
func shapes() map[string]shape {
	all := map[string]shape{}
	add := func(name string, s shape, mage string, shows []string, writes ...[]string) {
		s.mage, s.shows, s.writes = mage, shows, slices.Concat(writes...)
		all[name] = s
	}
	const plain, beside = "go tool mage", "go -C magefiles tool mage -d .."
	s := startsAt(taskedRoot).member("packages/core", "acme", "0.1.0")
	s.has = map[string]string{".github/workflows/ci.yml": "    branches: [main]\n"}
	add("one package and no release", s, plain, []string{"acme 0.1.0", "tags        none"}, ownModule, workflows)
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0")
	s.remote = noRemote
	add("without a remote", s, plain, []string{"remote      none"}, ownModule, workflows)
	add("two packages of one version", startsAt(taskedRoot).member("a", "acme-a", "1.2.0").member("b", "acme-b", "1.2.0", "[package.run-dependencies]\nacme-a = \"==1.2.0\"\n"), plain, []string{"acme-b 1.2.0"}, ownModule, workflows)
	s = startsAt(taskedRoot).member("a", "acme-a", "1.2.0").member("b", "acme-b", "0.3.0")
	s.has = map[string]string{"pixi.toml": "\n[tool.release]\nversioning = \"independent\""}
	add("packages of different versions", s, plain, []string{"+versioning"}, ownModule, workflows, []string{"pixi.toml"})
	s = startsAt(strings.Replace(taskedRoot, "name = \"acme\"\n", "", 1)).member("packages/core", "acme", "0.1.0")
	s.has = map[string]string{"pixi.toml": "channel = \"acme\" # on prefix.dev"}
	add("a workspace without a name", s, plain, []string{"channel     acme"}, ownModule, workflows, []string{"pixi.toml"})
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0").with("tests/data/one/pixi.toml", strings.Replace(rootTable, "\"conda-forge\"", "\"https://prefix.dev/acme\", \"conda-forge\"", 1)+"[dependencies]\nacme = \"==0.1.0\"\n")
	s.has = map[string]string{"pixi.toml": "ignore = [\"tests/**\"]"}
	add("fixtures that look like downstreams", s, plain, []string{"tests/data/one"}, ownModule, workflows, []string{"pixi.toml"})
	add("a compiled member and a template", startsAt(taskedRoot+"hello = { cmd = \"echo {{ name }}\", args = [\"name\"] }\n").member("packages/core", "acme", "0.1.0").
		with("native/pixi.toml", "[package]\nname = \"native\"\nversion = \"0.1.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n"), plain,
		[]string{"native cannot be published: it is built for one platform", "the task hello has a template or arguments"}, ownModule, workflows)
	add("workflow files of their own", startsAt(taskedRoot).member("packages/core", "acme", "0.1.0").with(".github/workflows/ci.yml", "on: push\njobs: {}\n", ".gitignore", ".pixi\n/output/\n"), plain,
		[]string{"Left as it is: another file has this name", "-jobs: {}"}, ownModule[1:], workflows[1:])
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0").with(".github/workflows/release.yml",
		"on: {push: {tags: ['v*']}}\njobs: {pypi: {runs-on: ubuntu-24.04, steps: [{uses: pypa/gh-action-pypi-publish@release/v1}]}}\n")
	s.has = map[string]string{"pixi.toml": "publish = \"here\" # release.yml is another tool's"}
	add("a release.yml that publishes to PyPI", s, plain, []string{"release.yml does not call `mage publish`"}, ownModule, workflows[:1], []string{"pixi.toml"})
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0")
	s.remote = "git@gitlab.example.org:acme/acme.git"
	s.has = map[string]string{"go.mod": "module gitlab.example.org/acme/acme\n"}
	add("on GitLab", s, plain, []string{"gitlab.example.org"}, ownModule)
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0")
	s.args = []string{"-pixi"}
	s.has = map[string]string{"pixi.toml": "[feature.mage.tasks]\nmage = \"go tool mage\"\n"}
	add("for people without Go", s, plain, []string{"+go = \">=1.26\""}, ownModule, workflows, []string{"pixi.toml"})
	lib := func() shape {
		return startsAt(taskedRoot).member("packages/core", "acme", "0.1.0").with("go.mod", goProject, "go.sum", "", "lib/lib.go", "package lib\n")
	}
	add("a Go project with an older go line and a dependency at an older version", lib(), beside, nil, besideGo, workflows)
	add("a Go project with vendor", lib().with("vendor/modules.txt", "# golang.org/x/sync v0.1.0\n## explicit\n"), beside, nil, besideGo, workflows)
	add("a Go project with a go.work", lib().with("go.work", "go 1.21\n\nuse .\n"), beside, nil, besideGo, []string{"magefiles/go.work"}, workflows)
	s = startsAt(taskedRoot).member("packages/core", "acme", "0.1.0").with("magefiles/mine.go", "//go:build mage\n\npackage main\n\nimport \"fmt\"\n\n// Mine is theirs.\nfunc Mine() { fmt.Println(\"mine\") }\n")
	s.has = map[string]string{"magefiles/mine.go": "func Mine()"}
	add("a magefile of their own", s, plain, nil, []string{".gitignore", "go.mod", "go.sum", "magefiles/mine.go"}, workflows)
	return all
}

// atATerminal runs init at a terminal, where it asks about the given number of files. It is nil on systems without a terminal for tests.
var atATerminal func(t *testing.T, p moduleProxy, dir string, files int)

// TestInit runs init in repositories of all shapes. Afterwards git status lists exactly the files that init showed, and no other file has changed.
func TestInit(t *testing.T) {
	t.Parallel()
	p := newModuleProxy(t)
	wrote := initFiles{}
	for name, s := range shapes() {
		t.Run(name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "acme")
			for file, text := range s.files {
				write(t, at, file, text)
			}
			for _, argv := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first"}} {
				git(t, at, argv...)
			}
			if s.remote != noRemote {
				git(t, at, "remote", "add", "origin", s.remote)
				git(t, at, "update-ref", "refs/remotes/origin/main", "HEAD")
				git(t, at, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
				git(t, at, "switch", "-q", "-c", "adopt-foopack") // a branch for which the workflow checks nothing after a merge
			}
			args := append([]string{p.init, "-norehearse"}, s.args...)
			shown, err := p.run(t, at, append(args, "-dry")...)
			require.NoError(t, err, shown)
			require.Contains(t, shown, "Nothing was written: this was -dry.")
			require.Empty(t, git(t, at, "status", "--porcelain"), "-dry wrote something")
			require.Empty(t, mustGlob(t, filepath.Join(at, "magefiles", "go.*")))
			for _, want := range s.shows {
				require.Contains(t, shown, want)
			}

			out, err := p.run(t, at, append(args, "-yes")...)
			require.NoError(t, err, out)
			var listed []string
			for line := range strings.Lines(git(t, at, "status", "--porcelain", "--untracked-files=all")) {
				listed = append(listed, strings.TrimSpace(line[3:]))
			}
			require.ElementsMatch(t, s.writes, listed)
			for _, file := range listed {
				require.Contains(t, shown, " "+file+": ", "-dry did not show it")
				if text, before := s.files[file]; before && !strings.HasPrefix(file, "magefiles/") {
					require.True(t, strings.HasPrefix(readFile(t, at, file), strings.TrimRight(text, "\n")), file)
				}
			}
			for file, text := range s.has {
				require.Contains(t, readFile(t, at, file), text)
			}
			require.Contains(t, out, "  "+s.mage+" rehearse\n")
			wrote.vet(t, p, at, s)

			out, err = p.run(t, at, append(append([]string{}, args...), "-yes")...) // not committed yet
			require.NoError(t, err, out)
			require.Contains(t, out, "Already written, but not yet committed")
			require.Contains(t, out, "Nothing is missing, and nothing was changed.")
			require.Contains(t, out, "  git add ")
			for _, file := range s.writes {
				require.Contains(t, out, " "+file+": ")
			}
			git(t, at, "add", "-A")
			git(t, at, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "build: foopack")
			out, err = p.run(t, at, append(append([]string{}, args...), "-yes")...)
			require.NoError(t, err, out)
			require.Contains(t, out, "Nothing is missing, and nothing was changed.")
			require.Empty(t, git(t, at, "status", "--porcelain"))
			if slices.Contains(s.writes, "magefiles/magefile.go") { // init restores only the removed file
				git(t, at, "rm", "-q", "magefiles/magefile.go")
				git(t, at, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "build: without it")
				out, err = p.run(t, at, append(append([]string{}, args...), "-yes")...)
				require.NoError(t, err, out)
				require.Equal(t, "?? magefiles/magefile.go", strings.TrimSpace(git(t, at, "status", "--porcelain", "--untracked-files=all")))
			}
		})
	}
	t.Run("at a terminal", func(t *testing.T) {
		if atATerminal == nil {
			t.Skip("tests know the terminal of Linux alone")
		}
		at, s := t.TempDir(), shapes()["one package and no release"]
		for file, text := range s.files {
			write(t, at, file, text)
		}
		git(t, at, "init", "-q", "-b", "main")
		git(t, at, "add", "-A")
		git(t, at, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first")
		atATerminal(t, p, at, len(s.writes))
	})
	t.Run("what is written passes the linters", func(t *testing.T) { wrote.lint(t) })
	t.Run("a package in a submodule", func(t *testing.T) {
		core, at := filepath.Join(t.TempDir(), "core"), filepath.Join(t.TempDir(), "acme")
		for file, text := range (shape{files: map[string]string{}}).member(".", "acme", "0.1.0").files {
			write(t, core, file, text)
		}
		write(t, at, "pixi.toml", taskedRoot)
		for _, dir := range []string{core, at} {
			git(t, dir, "init", "-q", "-b", "main")
			if dir == at {
				git(t, at, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", core, "packages/core")
			}
			git(t, dir, "add", "-A")
			git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first")
		}
		shown, err := p.run(t, at, p.init, "-norehearse", "-yes")
		require.NoError(t, err, shown)
		require.Contains(t, shown, "acme 0.1.0, in packages/core")
		require.Contains(t, readFile(t, at, ".github/workflows/release.yml"), "submodules: recursive")
		require.NotContains(t, git(t, at, "status", "--porcelain"), "packages/core")
	})
	t.Run("from a clone to a rehearsal", func(t *testing.T) {
		for _, name := range []string{"one package and no release", "a Go project with a go.work"} {
			s := shapes()[name]
			from, at := t.TempDir(), filepath.Join(t.TempDir(), "acme")
			for file, text := range s.files {
				write(t, from, file, text)
			}
			for _, argv := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first"}} {
				git(t, from, argv...)
			}
			git(t, filepath.Dir(at), "clone", "-q", from, at)
			out, err := p.run(t, at, "go", "run", "github.com/foopack/foopack/magefiles/init@"+p.version, "-yes")
			require.NoError(t, err, out)
			require.Contains(t, out, "acme v0.1.1 was rehearsed: 1 package published")
			_, next, _ := strings.Cut(out, "The clone and its report are deleted after the rehearsal")
			require.Equal(t, 1, strings.Count(next, "\n→ "), "the only next step is that of init: "+out)
			require.NotContains(t, out, "Report: ", "the report is removed with the clone")
			require.Contains(t, out, "a trusted publisher")
			var listed []string
			for line := range strings.Lines(git(t, at, "status", "--porcelain", "--untracked-files=all")) {
				listed = append(listed, strings.TrimSpace(line[3:]))
			}
			require.ElementsMatch(t, s.writes, listed)
			out, err = p.run(t, at, append(strings.Fields(s.mage), "version:show")...)
			require.NoError(t, err, out)
			require.Contains(t, out, "acme")
			out, err = p.run(t, at, append(strings.Fields(s.mage), "version:shwo")...)
			require.Error(t, err)
			require.Contains(t, out, "version:show", "a wrong word is ours to explain, also through Mage's own program: "+out)
			for _, theirs := range []string{"go.mod", "go.sum", "go.work"} {
				if text, there := s.files[theirs]; there {
					require.Equal(t, text, readFile(t, at, theirs))
				}
			}
		}
	})
}

// initFile is a file that init wrote, and the mage command to use with it, which depends on where our module is.
type initFile struct{ name, mage, text string }

// initFiles is a set of these files, without duplicates.
type initFiles map[initFile]bool

// vet adds the files that a run has written, and runs go vet once on each distinct magefile.
func (w initFiles) vet(t *testing.T, p moduleProxy, at string, s shape) {
	t.Helper()
	for _, file := range s.writes {
		f := initFile{name: filepath.Base(file), mage: s.mage, text: readFile(t, at, file)}
		if w[f] {
			continue
		}
		w[f] = true
		if strings.HasSuffix(f.name, ".go") {
			out, err := p.run(t, at, "go", "-C", "magefiles", "vet", "-tags=mage", ".")
			require.NoError(t, err, "%s of %s: %s", file, at, out)
		}
	}
}

// lint runs gofumpt, zizmor and actionlint on the collected files.
func (w initFiles) lint(t *testing.T) {
	at, i := t.TempDir(), 0
	for f := range w {
		i++
		switch filepath.Ext(f.name) {
		case ".go":
			write(t, at, fmt.Sprintf("go/%d.go", i), f.text)
		case ".yml":
			write(t, at, fmt.Sprintf(".github/workflows/%d-%s", i, f.name), f.text)
		}
	}
	require.Len(t, mustGlob(t, filepath.Join(at, "go", "*")), 3, "ours in a module of its own or not, and one of theirs with the import")
	require.Greater(t, len(mustGlob(t, filepath.Join(at, ".github", "workflows", "*"))), 3)
	gofumpt := exec.CommandContext(t.Context(), "go", "tool", "-modfile=magefiles/lint.mod", "gofumpt", "-l", "-d", filepath.Join(at, "go"))
	gofumpt.Dir = repo
	out, err := gofumpt.Output()
	require.NoError(t, err)
	require.Empty(t, string(out))
	linttest.Workflows(t, at)
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return found
}
