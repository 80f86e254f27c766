package sources_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// embeddedOf returns the embedded toolchain for a workspace, which builds packages from the given sources.
func (r *repository) embeddedOf(from *sources.Sources) *embedded.Toolchain {
	r.t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(r.t, err)
	return embedded.New(embedded.Config{
		Runner:    r.run,
		Environ:   os.Environ(),
		Cache:     filepath.Join(cache, "pixi-release"),
		Workspace: from.Workspace,
		Sources:   from,
		Log:       &bytes.Buffer{},
	})
}

// build builds the named packages, or all of them, and returns the packed modules by package.
func (r *repository) build(from *sources.Sources, names ...string) (map[string][]string, error) {
	r.t.Helper()
	packages := from.Workspace.Order()
	if len(names) > 0 {
		packages = slices.DeleteFunc(packages, func(p *workspace.Package) bool { return !slices.Contains(names, p.Name) })
	}
	built, err := r.embeddedOf(from).Build(r.t.Context(), toolchain.Build{
		Workspace:  from.Workspace,
		Packages:   packages,
		Dir:        r.t.TempDir(),
		SourceDate: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC),
		Sources:    from,
	})
	packed := map[string][]string{}
	for _, a := range built {
		archive, err := condapkg.Open(a.Path)
		require.NoError(r.t, err)
		files, err := archive.Files()
		require.NoError(r.t, err)
		require.NoError(r.t, archive.Close())
		packed[a.Package] = []string{}
		for _, f := range files {
			if name, ok := strings.CutPrefix(f, "site-packages/"); ok && !strings.Contains(name, ".dist-info/") {
				packed[a.Package] = append(packed[a.Package], name)
			}
		}
	}
	return packed, err
}

// contents returns the contents of all files below a folder, including .git, but not git's index, which even read-only commands may refresh.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		if d.Type().IsRegular() && !strings.HasSuffix(file, "/.git/index") {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			st, err := d.Info()
			require.NoError(t, err)
			all[file] = fmt.Sprint(st.Mode(), st.ModTime().UnixNano(), " ", string(data))
		}
		return nil
	}))
	return all
}

const setupPy = "from setuptools import setup\n"

// A deleted module is not packed from the leftovers of earlier builds, and builds leave nothing behind.
func TestDeletedModule(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	r.write("one/src/one/old.py", "")
	r.write("two/setup.cfg", "[build]\nbuild_base = _made\n")
	r.write("two/src/two/old.py", "")
	r.commit()
	for _, left := range []string{"one/build/lib/one/old.py", "one/build/lib/one/sub/__init__.py", "one/build/bdist.linux-x86_64/x", "one/one.egg-info/SOURCES.txt", "two/_made/lib/two/old.py", "two/_made/bdist.linux-x86_64/x"} {
		r.write(left, "")
	}
	r.git("rm", "-q", "one/src/one/old.py")
	require.NoError(t, os.Remove(filepath.Join(r.top, "two/src/two/old.py")))
	before := contents(t, r.top)
	want := map[string][]string{"one": {"one/__init__.py"}, "two": {"two/__init__.py"}}
	packed, err := r.build(r.sources().WorkTree())
	require.NoError(t, err)
	require.Equal(t, want, packed)
	require.Equal(t, before, contents(t, r.top))

	r.git("commit", "-q", "-a", "-m", "fix: remove")
	before = contents(t, r.top)
	packed, err = r.build(r.committed())
	require.NoError(t, err)
	require.Equal(t, want, packed)
	require.Equal(t, before, contents(t, r.top))
}

// If a build fails because a file that it needs is git-ignored, the error says so for any builder's error message.
func TestMissingBecauseIgnored(t *testing.T) {
	t.Parallel()
	const hatchling, flit = "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n", "[build-system]\nrequires = [\"flit_core\"]\nbuild-backend = \"flit_core.buildapi\"\n"
	for _, c := range []struct {
		name    string
		project string // rest of pyproject.toml after name and version; "" means setuptools
		files   map[string]string
		ignored []string
		lacks   string // "" if the failure is unrelated to ignored files
	}{
		{name: "a file that setup.py reads", files: map[string]string{"setup.py": setupPy + "open('gen/data.json')\nsetup()\n"}, ignored: []string{"gen/data.json"}, lacks: "one/gen/data.json"},
		{name: "a file that setup.py reads by its full path", files: map[string]string{"setup.py": setupPy + "import os\nopen(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'src', 'one', 'table.json'))\nsetup()\n"}, ignored: []string{"src/one/table.json", "src/one/other.json"}, lacks: "one/src/one/table.json"},
		{name: "a module that setup.py imports", files: map[string]string{"setup.py": "import sys\nsys.path.insert(0, '.')\nimport tools_made.version\n" + setupPy + "setup()\n", "tools_made/__init__.py": ""}, ignored: []string{"tools_made/version.py"}, lacks: "one/tools_made/version.py"},
		{name: "a name that setup.py imports from a package", files: map[string]string{"setup.py": "import sys\nsys.path.insert(0, '.')\nfrom tools_made import version\n" + setupPy + "setup()\n", "tools_made/__init__.py": ""}, ignored: []string{"tools_made/version.py"}, lacks: "one/tools_made/version.py"},
		{name: "a package of setuptools", files: map[string]string{"setup.cfg": "[options]\npackages = gen\n"}, ignored: []string{"gen/__init__.py"}, lacks: "one/gen"},
		{name: "a version that setuptools reads", project: "SETUPTOOLS_ATTR", ignored: []string{"src/one/_version.py"}, lacks: "one/src/one/_version.py"},
		{name: "hatchling's forced include", project: hatchling + "[tool.hatch.build.targets.wheel]\npackages = [\"src/one\"]\n[tool.hatch.build.targets.wheel.force-include]\n\"made/x.json\" = \"one/x.json\"\n", ignored: []string{"made/x.json"}, lacks: "one/made/x.json"},
		{name: "hatchling's license file", project: "license = { file = \"LICENSE\" }\n" + hatchling + "[tool.hatch.build.targets.wheel]\npackages = [\"src/one\"]\n", ignored: []string{"LICENSE"}, lacks: "one/LICENSE"},
		{name: "hatchling's readme", project: "readme = \"README.gen.md\"\n" + hatchling + "[tool.hatch.build.targets.wheel]\npackages = [\"src/one\"]\n", ignored: []string{"README.gen.md"}, lacks: "one/README.gen.md"},
		{name: "flit's module", project: "description = \"x\"\n" + flit + "[tool.flit.module]\nname = \"gen\"\n", ignored: []string{"gen.py"}, lacks: "one/gen.py"},
		{name: "another file of the same name", files: map[string]string{"setup.py": setupPy + "open('lib/table.json')\nsetup()\n"}, ignored: []string{"src/one/table.json"}},
		{name: "another fault", files: map[string]string{"setup.py": setupPy + "raise RuntimeError('table.json and one/src/one/table.json are wrong')\n"}, ignored: []string{"src/one/table.json"}},
		{name: "a module of no package", files: map[string]string{"setup.py": "import nobodys_module\n"}, ignored: []string{"src/one/table.json", "module.py", "setup_helper.py"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "")
			switch project := c.project; project {
			case "":
			case "SETUPTOOLS_ATTR":
				r.write("one/pyproject.toml", "[project]\nname = \"one\"\ndynamic = [\"version\"]\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools.dynamic]\nversion = { attr = \"one._version.text\" }\n")
			default:
				r.write("one/pyproject.toml", "[project]\nname = \"one\"\nversion = \"1.0.0\"\n"+project)
			}
			for name, text := range c.files {
				r.write("one/"+name, text)
			}
			ignore := "output/\n"
			for _, name := range c.ignored {
				ignore += "/one/" + name + "\n"
				r.write("one/"+name, "")
			}
			r.write(".gitignore", ignore)
			r.commit()
			before := contents(t, r.top)
			_, err := r.build(r.sources().WorkTree(), "one")
			require.Error(t, err)
			said := fmt.Sprintf("%+v", err)
			require.Equal(t, before, contents(t, r.top))
			require.Contains(t, operr.DetailOf(err), "the build used a copy of the sources, which is kept until the next build: "+r.cache)
			if c.lacks == "" {
				require.NotContains(t, said, "git ignores it")
				return
			}
			require.ErrorContains(t, err, c.lacks+" is in the work tree, but git ignores this path, so the build does not see it", said)
			require.Contains(t, operr.NextOf(err), `include = ["`+c.lacks+`"]`)
			require.NotContains(t, said, filepath.Join(r.top, c.lacks), "the error has the path in the copy, which lacks the file")
		})
	}
}

// Each build sees a work tree that no other build has modified, and leaves the user's work tree unchanged. This holds for builds, for
// installations for tasks, and for combinations of both.
func TestBuildsDoNotSeeEachOther(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	r.write("pixi.toml", manifest+"[dependencies]\none = { path = \"one\" }\ntwo = { path = \"two\" }\n[pypi-dependencies]\nplain = { path = \"plain\" }\nthree = { path = \"three\" }\n[tasks]\nshow = \"python -c 'import one, two, three, plain; print(one.__version__, two.__version__, three.__version__, plain.__version__)'\"\n")
	for _, name := range []string{"one", "two", "three", "plain"} {
		r.write(name+"/src/"+name+"/__init__.py", "from ._version import __version__\n")
		r.write(name+"/src/"+name+"/_version.py", "__version__ = 'as committed'\n")
		r.write(name+"/pyproject.toml", fmt.Sprintf("[project]\nname = %q\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n", name))
		r.write(name+"/setup.py", setupPy+fmt.Sprintf(`import subprocess
changed = subprocess.run(["git", "status", "--porcelain", "--", ":(top)", ":(top,exclude)*/build", ":(top,exclude)*.egg-info"], capture_output=True, text=True, check=True).stdout.splitlines()
changed = [c for c in changed if %q not in c]
open("src/%s/_version.py", "w").write(f"__version__ = {'dirty: ' + ' '.join(changed) if changed else 'clean'!r}\n")
setup()
`, name+"/src", name))
	}
	r.write("three/pixi.toml", "[package]\nname = \"three\"\nversion = \"1.0.0\"\n[package.build.backend]\nname = \"pixi-build-python\"\nversion = \"*\"\n")
	r.commit()
	before := contents(t, r.top)
	for range 2 {
		packed, err := r.build(r.sources().WorkTree())
		require.NoError(t, err)
		require.Len(t, packed, 3)
		var out bytes.Buffer
		from := r.sources().WorkTree()
		require.NoError(t, r.embeddedOf(from).Run(t.Context(), toolchain.Task{Dir: r.top, Name: "show", Stdout: &out, Stderr: testWriter{t}}))
		require.Equal(t, "clean clean clean clean\n", out.String())
		require.NoError(t, os.RemoveAll(filepath.Join(r.top, ".pixi")))
	}
	require.Equal(t, before, contents(t, r.top))
}

// A version derived from git does not change even if the build writes it to a committed file. uv queries the backend twice, and fails if the
// answers differ. The user's changes are visible both times.
func TestVersionFileThatIsCommitted(t *testing.T) {
	t.Parallel()
	const clean, dirty = `1\.0\.0`, `1\.0\.1\.dev0\+g\w+\.d\d+`
	for _, c := range []struct {
		name string
		do   func(r *repository)
		want string // pattern for the version
	}{
		{"nothing is changed", func(*repository) {}, clean},
		{"a new file", func(r *repository) { r.write("one/src/one/new.py", "") }, clean},
		{"a change", func(r *repository) { r.write("one/src/one/__init__.py", "A = 1\n") }, dirty},
		{"a change of the version file", func(r *repository) { r.write("one/src/one/_version.py", "mine\n") }, dirty},
		{"a module that was deleted", func(r *repository) { require.NoError(r.t, os.Remove(filepath.Join(r.top, "two/src/two/__init__.py"))) }, dirty},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "")
			r.write("one/src/one/_version.py", "as committed\n")
			r.write("one/pyproject.toml", "[project]\nname = \"one\"\ndynamic = [\"version\"]\n[build-system]\nrequires = [\"setuptools\", \"setuptools-scm\"]\nbuild-backend = \"setuptools.build_meta\"\n[tool.setuptools_scm]\nroot = \"..\"\nversion_file = \"src/one/_version.py\"\n")
			r.commit()
			r.git("tag", "v1.0.0")
			c.do(r)
			for range 2 { // the second build reuses the first one's copy
				from := r.sources().WorkTree()
				built, err := r.embeddedOf(from).Build(t.Context(), toolchain.Build{
					Workspace:  from.Workspace,
					Packages:   from.Workspace.Order()[:1],
					Dir:        t.TempDir(),
					SourceDate: time.Unix(1e9, 0),
					Sources:    from,
					AnyWheel:   true,
				})
				require.NoError(t, err, "%s", operr.DetailOf(err))
				require.Len(t, built, 1)
				archive, err := condapkg.Open(built[0].Path)
				require.NoError(t, err)
				said, err := archive.Files()
				require.NoError(t, err)
				require.NoError(t, archive.Close())
				require.Regexp(t, `(?m)^site-packages/one-`+c.want+`\.dist-info/METADATA$`, strings.Join(said, "\n"))
			}
		})
	}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// Sources may be outside the package's folder because of a backend setting or a symlink. The build sees them as they are in the work tree or the
// commit.
func TestSourcesElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(r *repository)
	}{
		{
			name: "setuptools' package-dir",
			do: func(r *repository) {
				r.write("one/setup.cfg", "[options]\npackages = one\npackage_dir =\n    one = ../shared/one\n")
			},
		},
		{
			name: "hatchling's forced include",
			do: func(r *repository) {
				r.write("one/pyproject.toml", "[project]\nname = \"one\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n[tool.hatch.build.targets.wheel.force-include]\n\"../shared/one\" = \"one\"\n")
			},
		},
		{
			name: "a link to a folder",
			do: func(r *repository) {
				require.NoError(t, os.Symlink("../../shared/one", filepath.Join(r.root(), "one/src/one")))
			},
		},
		{
			name: "a link to src",
			do: func(r *repository) {
				require.NoError(t, os.Remove(filepath.Join(r.root(), "one/src")))
				require.NoError(t, os.Symlink("../shared", filepath.Join(r.root(), "one/src")))
			},
		},
		{
			name: "a link with a full path",
			do: func(r *repository) {
				require.NoError(t, os.Symlink(filepath.Join(r.root(), "shared/one"), filepath.Join(r.root(), "one/src/one")))
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, "")
			require.NoError(t, os.RemoveAll(filepath.Join(r.top, "one/src/one")))
			r.write("shared/one/__init__.py", "")
			r.write("shared/one/old.py", "")
			c.do(r)
			full := c.name == "a link with a full path"
			if !full { // a new link in the work tree affects only this machine, but a committed one would affect every machine
				r.commit()
			}
			require.NoError(t, os.Remove(filepath.Join(r.top, "shared/one/old.py")))
			r.write("shared/one/new.py", "")
			r.write("shared/one/gen.py", "ignored")
			before := contents(t, r.top)
			packed, err := r.build(r.sources().WorkTree(), "one")
			require.NoError(t, err)
			require.Equal(t, []string{"one/__init__.py", "one/new.py"}, packed["one"])
			if !full {
				packed, err = r.build(r.committed(), "one")
				require.NoError(t, err)
				require.Equal(t, []string{"one/__init__.py", "one/old.py"}, packed["one"])
			}
			require.Equal(t, before, contents(t, r.top))
		})
	}
}
