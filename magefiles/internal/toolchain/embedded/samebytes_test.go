package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// buildFor is the variable that makes the test binary act as a user who builds a workspace.
const buildFor = "SAME_BYTES_BUILD_FOR"

// builds describes what the user builds.
type builds struct{ Root, Cache, Out string }

// TestMain runs the tests, or a build as another user.
func TestMain(m *testing.M) {
	asked := os.Getenv(buildFor)
	if asked == "" {
		os.Exit(argvtest.Main(m))
	}
	var b builds
	err := json.Unmarshal([]byte(asked), &b)
	if err == nil {
		err = b.build(context.Background())
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%+v\n", err)
		os.Exit(1)
	}
}

func (b builds) build(ctx context.Context) error {
	w, err := workspace.Load(b.Root)
	if err != nil {
		return err
	}
	tools := embedded.New(embedded.Config{
		Runner:    command.NewSystem(os.Environ(), nil),
		Environ:   os.Environ(),
		Cache:     b.Cache,
		Workspace: w,
		Log:       os.Stderr,
	})
	_, err = tools.Build(ctx, toolchain.Build{Workspace: w, Packages: w.Order(), Dir: b.Out, SourceDate: sourceDate})
	return err
}

// someone is a user with a separate home, cache and temporary folder.
type someone struct {
	home  string
	umask string
	user  []string // command prefix that runs a command as another user
	env   []string
	late  bool // whether this user writes files later and in a different order
}

// twoPeople returns two users who differ as much as possible on one machine. The second one's home has a blank in its name, and its path is too
// long for a shebang. The homes are kept, because the tools are installed there.
func twoPeople(t *testing.T) (first, second someone) {
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	base := filepath.Join(cache, "pixi-release-tests")
	first = someone{home: filepath.Join(base, "a"), umask: "022", env: []string{"TZ=UTC", "LC_ALL=C", "USER=a", "PYTHONHASHSEED=1"}}
	second = someone{
		home:  filepath.Join(base, "somebody else", strings.Repeat("a-long-way-from/", 8)+"home"),
		umask: "077",
		late:  true,
		env:   []string{"TZ=Asia/Kathmandu", "LC_ALL=de_DE.UTF-8", "LANG=tr_TR.UTF-8", "USER=b", "SOURCE_DATE_EPOCH=1700000000", "COLUMNS=40", "PYTHONHASHSEED=2"},
	}
	if os.Getuid() == 0 {
		_, err := command.LookPath("setpriv", os.Environ())
		require.False(t, err != nil && os.Getenv("CI") != "", "CI has setpriv: %v", err)
		if err == nil { // another user, who can read files installed by root
			second.user = []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"}
		}
	}
	return first, second
}

// build builds files as this user, in a folder below the cache or elsewhere, and returns the artifacts by name.
func (s someone) build(t *testing.T, inCache bool, files map[string]file) map[string]string {
	t.Helper()
	temporary, cache := t.TempDir(), filepath.Join(s.home, ".cache", "pixi-release")
	for p := temporary; len(p) > len(os.TempDir()); p = filepath.Dir(p) {
		require.NoError(t, os.Chmod(p, 0o777))
	}
	require.NoError(t, os.MkdirAll(cache, 0o777))
	root := filepath.Join(temporary, "w")
	if inCache {
		dir, err := os.MkdirTemp(cache, "sources-")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
		root = filepath.Join(dir, "w")
	}
	s.write(t, root, files)
	asked, err := json.Marshal(builds{root, cache, filepath.Join(temporary, "out")})
	require.NoError(t, err)
	temp := filepath.Join(temporary, "t"+strings.Repeat("m", 20*len(s.user)))
	require.NoError(t, os.Mkdir(temp, 0o777))
	require.NoError(t, os.Chmod(temp, 0o777))
	words := slices.Concat([]string{"-c", "umask " + s.umask + `; exec "$@"`, "sh"}, s.user, []string{os.Args[0]})
	env := command.Setenv(os.Environ(), slices.Concat(s.env, []string{"HOME=" + s.home, "TMPDIR=" + temp, buildFor + "=" + string(asked)})...)
	env = command.Unset(env, "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
	out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: "sh", Args: words, Env: env, Stderr: testWriter{t}})
	require.NoError(t, err, out)
	made, err := filepath.Glob(filepath.Join(temporary, "out", "*.conda"))
	require.NoError(t, err)
	artifacts := map[string]string{}
	for _, m := range made {
		artifacts[filepath.Base(m)] = m
	}
	return artifacts
}

// file is a source file.
type file struct {
	text       string
	executable bool
}

// write writes the sources as if the user had cloned them: modes follow the umask, and times and order vary by user.
func (s someone) write(t *testing.T, root string, files map[string]file) {
	t.Helper()
	names, mask := slices.Sorted(maps.Keys(files)), fs.FileMode(0o022)
	if s.late {
		slices.Reverse(names)
		mask = 0o077
	}
	uid := -1
	if s.user != nil {
		uid = 65534
	}
	for i, name := range names {
		path, mode := filepath.Join(root, name), fs.FileMode(0o666)
		if files[name].executable {
			mode = 0o777
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(files[name].text), 0o644))
		require.NoError(t, os.Chmod(path, mode&^mask))
		require.NoError(t, os.Lchown(path, uid, uid))
		if s.late {
			when := time.Now().Add(-time.Duration(i) * time.Hour)
			require.NoError(t, os.Chtimes(path, when, when))
		}
	}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return os.Lchown(path, uid, uid)
	}))
}

// `same` builds the same files as both users, and compares the results.
func same(t *testing.T, inCache bool, files map[string]file) {
	t.Helper()
	a, b := twoPeople(t)
	first, second := a.build(t, inCache, files), b.build(t, inCache, files)
	require.NotEmpty(t, first)
	require.Equal(t, slices.Sorted(maps.Keys(first)), slices.Sorted(maps.Keys(second)))
	for _, name := range slices.Sorted(maps.Keys(first)) {
		if difference := condapkgtest.Difference(t, first[name], second[name]); difference != "" {
			t.Error(difference)
		}
	}
}

// TestSameBytesOfTheDemos builds the packages in this repository twice.
func TestSameBytesOfTheDemos(t *testing.T) {
	root, files := filepath.Join("..", "..", "..", ".."), map[string]file{}
	for _, top := range []string{"pixi.toml", "LICENSE", "packages"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.Contains(path, "__pycache__") {
				return err
			}
			text, err := os.ReadFile(path)
			rel, _ := filepath.Rel(root, path)
			files[rel] = file{text: string(text)}
			return err
		}))
	}
	same(t, false, files)
}

// TestSameBytesForTwoPeople builds packages that would reveal who built them, where, when and how.
func TestSameBytesForTwoPeople(t *testing.T) {
	files := map[string]file{"pixi.toml": {text: "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n"}}
	add := func(name, backend, project string, of map[string]file) {
		files[name+"/pixi.toml"] = file{text: "[package]\nname = \"" + name + "\"\nversion = \"1.0.0\"\n" + python}
		files[name+"/pyproject.toml"] = file{text: "[project]\nname = \"" + name + "\"\nversion = \"1.0.0\"\ndescription = \"x\"\n" + backend + project}
		for path, f := range of {
			files[name+"/"+path] = f
		}
	}
	const (
		setuptools = "[build-system]\nrequires = [\"setuptools>=70\"]\nbuild-backend = \"setuptools.build_meta\"\n"
		hatchling  = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n"
		flit       = "[build-system]\nrequires = [\"flit_core>=3.4\"]\nbuild-backend = \"flit_core.buildapi\"\n"
	)
	add("generated", setuptools, "[tool.setuptools.package-data]\ngenerated = [\"**/*.txt\", \"*.sh\"]\n", map[string]file{
		"setup.py":                          {text: generating},
		"src/generated/__init__.py":         {},
		"src/generated/data/with blank.txt": {text: "1"},
		"src/generated/data/ünï.txt":        {text: "2"},
		"src/generated/data/B.txt":          {text: "3"},
		"src/generated/data/a/.hidden.txt":  {text: "4"},
		"src/generated/run.sh":              {text: "#!/bin/sh\n", executable: true},
	})
	add("scripts", flit, "[project.scripts]\nsay = \"scripts:main\"\n[project.gui-scripts]\nwin = \"scripts:main\"\n", map[string]file{
		"scripts/__init__.py": {text: "\"\"\"x\"\"\"\ndef main(): pass\n"},
		"scripts/z.py":        {}, "scripts/A.py": {}, "scripts/_.py": {}, "scripts/data.json": {text: "{}"},
	})
	add("old", setuptools, "", map[string]file{
		"setup.py":            {text: "from setuptools import setup\nsetup(scripts=['bin/tool', 'bin/plain'], data_files=[('share/old', ['bin/plain'])])\n"},
		"bin/tool":            {text: "#!/usr/bin/env python\nprint(1)\n", executable: true},
		"bin/plain":           {text: "#!python\nprint(1)\n"},
		"src/old/__init__.py": {},
	})
	add("odd", hatchling, "[project.gui-scripts]\nodd = \"odd:main\"\n[tool.hatch.build.targets.wheel.shared-data]\n\"share\" = \"share/odd\"\n[tool.hatch.build.targets.wheel.shared-scripts]\n\"bin/odd-tool\" = \"odd-tool\"\n", map[string]file{
		"src/odd/__init__.py": {text: "def main(): pass\n"},
		"src/odd/data.bin":    {text: "\x00\x01\xff", executable: true},
		"src/odd/py.typed":    {},
		"share/10":            {text: "x"}, "share/9": {text: "y"}, "share/a=b,c": {text: "z"}, "share/Z/é": {text: "z"},
		"bin/odd-tool": {text: "#!/usr/bin/python3\nprint(1)\n", executable: true},
	})
	same(t, true, files)
}

// generating is a setup.py that records everything it can determine in a module. The module must depend only on the sources.
const generating = `
import locale, os, stat, sys, time, pathlib
from setuptools import setup
from setuptools.command.build_py import build_py

class Build(build_py):
    def run(self):
        super().run()
        target = pathlib.Path(self.build_lib, "generated", "_built.py")
        open(target, "w").write("")
        mode = stat.S_IMODE(os.stat(target).st_mode)
        when = time.localtime(int(os.environ["SOURCE_DATE_EPOCH"]))
        lines = [
            f"here = {os.getcwd()!r}", f"file = {os.path.abspath('setup.py')!r}", f"home = {os.path.expanduser('~')!r}", f"python = {sys.prefix!r}",
            f"when = {time.strftime('%Y-%m-%d %H:%M:%S %Z', when)!r}", f"mode = {mode:o}", f"locale = {locale.setlocale(locale.LC_ALL, '')!r}",
            f"order = {list(set('abcdefghijklmnopqrstuvwxyz'))!r}", f"user = {os.environ.get('USER')!r}", f"columns = {os.environ.get('COLUMNS')!r}",
        ]
        open(target, "w").write("\n".join(lines) + "\n")

setup(cmdclass={"build_py": Build})
`
