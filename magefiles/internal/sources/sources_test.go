package sources_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// repository is a workspace with the packages one and two, in a folder of a repository, or at its top if the folder is "".
type repository struct {
	t       *testing.T
	top     string
	prefix  string
	run     command.Runner
	cache   string
	told    []string
	waiting time.Time // start of the last reported wait
	mu      sync.Mutex
}

const manifest = "[workspace]\nname = \"w\"\nchannels = [\"https://prefix.dev/c\"]\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n"

func newRepository(t *testing.T, prefix string) *repository {
	top, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	top = filepath.Join(top, "repo")
	r := &repository{
		t:      t,
		top:    top,
		prefix: prefix,
		cache:  t.TempDir(),
		run: command.NewSystem(command.Setenv(os.Environ(),
			"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid"), nil),
	}
	r.write("pixi.toml", manifest)
	for _, name := range []string{"one", "two"} {
		r.write(name+"/pixi.toml", fmt.Sprintf("[package]\nname = %q\nversion = \"1.0.0\"\n[package.build.backend]\nname = \"pixi-build-python\"\nversion = \"*\"\n", name))
		r.write(name+"/pyproject.toml", fmt.Sprintf("[project]\nname = %q\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n", name))
		r.write(name+"/src/"+name+"/__init__.py", "")
	}
	r.write(".gitignore", "gen.py\n/output/\n")
	require.NoError(t, os.MkdirAll(r.top, 0o755))
	r.git("init", "-q", "-b", "main")
	r.commit()
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	out, err := command.Output(r.t.Context(), r.run, command.Cmd{Name: "git", Args: args, Dir: r.top})
	require.NoError(r.t, err, "%v", args)
	return out
}

func (r *repository) commit() {
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "feat: files")
}

func (r *repository) root() string { return filepath.Join(r.top, r.prefix) }

func (r *repository) write(name, text string) {
	r.t.Helper()
	write(r.t, filepath.Join(r.root(), name), text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
}

func (r *repository) include(files ...string) {
	r.write("pixi.toml", manifest+fmt.Sprintf("[tool.release]\ninclude = [\"%s\"]\n", strings.Join(files, `", "`)))
}

func (r *repository) sources() sources.Sources {
	r.t.Helper()
	w, err := workspace.Load(r.root())
	require.NoError(r.t, err)
	return sources.Sources{
		Runner:    r.run,
		Workspace: w,
		Cache:     r.cache,
		Tell: func(format string, args ...any) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told = append(r.told, fmt.Sprintf(format, args...))
		},
		Waiting: func(p pause.Progress) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if p.Seen.Held && p.Since != r.waiting {
				r.waiting, r.told = p.Since, append(r.told, p.String())
			}
		},
	}
}

// committed returns the sources of HEAD.
func (r *repository) committed(tags ...gitrepo.Tag) *sources.Sources {
	r.t.Helper()
	return r.committedIn(r.prefix, tags...)
}

// committedIn returns the sources of HEAD, in a repository that was opened in a subfolder.
func (r *repository) committedIn(folder string, tags ...gitrepo.Tag) *sources.Sources {
	r.t.Helper()
	repo, err := gitrepo.Open(r.t.Context(), r.run, filepath.Join(r.top, folder))
	require.NoError(r.t, err)
	head, err := repo.Head(r.t.Context())
	require.NoError(r.t, err)
	return r.sources().Commit(repo, head.Commit, func(...*workspace.Package) []gitrepo.Tag { return tags })
}

// take calls Take for the named packages.
func take(t *testing.T, s *sources.Sources, names ...string) (string, func([]string, error) error, error) {
	t.Helper()
	var packages []*workspace.Package
	for _, name := range names {
		p, err := s.Workspace.Package(name)
		require.NoError(t, err)
		packages = append(packages, p)
	}
	return s.Take(t.Context(), packages...)
}

// `files` returns the files below a folder, except .git.
func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.Name() == ".git" && d.IsDir() {
			return filepath.SkipDir
		}
		if !d.IsDir() {
			name, err := filepath.Rel(dir, file)
			require.NoError(t, err)
			found = append(found, filepath.ToSlash(name))
		}
		return nil
	}))
	return found
}

// situations lists different layouts of a workspace and its repository.
var situations = []struct {
	name   string
	prefix string
	do     func(r *repository)
}{
	{"at the top of a repository", "", func(*repository) {}},
	{"in a folder of a repository", "some/where", func(*repository) {}},
	{
		name:   "before the first commit",
		prefix: "",
		do: func(r *repository) {
			require.NoError(r.t, os.RemoveAll(filepath.Join(r.top, ".git")))
			r.git("init", "-q")
		},
	},
	{
		name:   "before the first commit, in a folder",
		prefix: "deep",
		do: func(r *repository) {
			require.NoError(r.t, os.RemoveAll(filepath.Join(r.top, ".git")))
			r.git("init", "-q")
		},
	},
	{"outside of git", "", func(r *repository) { require.NoError(r.t, os.RemoveAll(filepath.Join(r.top, ".git"))) }},
}

// A build sees only committed, changed and new files, always under the same path. Leftovers of tools and earlier builds are not included, whether
// ignored or not, and a build's leftovers appear neither in the work tree nor in the next build.
func TestWorkTree(t *testing.T) {
	t.Parallel()
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, c.prefix)
			c.do(r)
			r.write("one/src/one/new module.py", "")
			require.NoError(t, os.Remove(filepath.Join(r.root(), "two/src/two/__init__.py")))
			want := files(t, r.top)
			r.write("one/src/one/gen.py", "ignored")
			for _, left := range []string{
				"output/one-1.0.0-0.conda", ".pixi/envs/default/x", "one/.pixi/build/x", "one/src/one/__pycache__/x.pyc", "one/src/one.egg-info/PKG-INFO", "one/one.egg-info/SOURCES.txt", "one/.eggs/x.egg",
				"one/build/lib/one/old.py", "one/build/lib.linux-x86_64-cpython-312/one/old.so", "one/build/bdist.linux-x86_64/x", "one/build/scripts-3.12/x", "one/build/temp.linux-x86_64/x.o",
				"one/_out/lib/one/old.py", "one/_out/bdist.linux-x86_64/wheel/x", "plain/setup.py", "plain/build/lib/plain/old.py",
			} {
				r.write(left, "left")
			}
			want = append(want, filepath.ToSlash(filepath.Join(r.prefix, "plain/setup.py")))
			for _, kept := range []string{"one/src/one/build/lib/new.py", "two/output/new.py", "build/lib.rs"} {
				r.write(kept, "new")
				want = append(want, filepath.ToSlash(filepath.Join(r.prefix, kept)))
			}
			before := files(t, r.top)
			slices.Sort(want)
			s := r.sources().WorkTree()
			root, done, err := take(t, s, "one")
			require.NoError(t, err)
			require.Equal(t, "repo", filepath.Base(strings.TrimSuffix(root, "/"+r.prefix)))
			clone := strings.TrimSuffix(strings.TrimSuffix(root, r.prefix), "/")
			got := files(t, clone)
			slices.Sort(got)
			require.Equal(t, want, got)
			write(t, filepath.Join(root, "one/build/lib/one/left.py"), "by the build")
			require.NoError(t, os.Chmod(filepath.Join(root, "one/build/lib"), 0o500))
			require.NoError(t, done(nil, nil))
			require.NoDirExists(t, root)
			require.Equal(t, before, files(t, r.top), "the work tree stays as it is")

			again, done, err := take(t, s, "one")
			require.NoError(t, err)
			require.Equal(t, root, again)
			require.NoFileExists(t, filepath.Join(again, "one/build/lib/one/left.py"))
			require.NoError(t, done(nil, nil))
		})
	}
}

// A commit is built exactly as committed, regardless of the work tree. Every build sees the same files, and the release's tags.
func TestCommit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ prefix, opened string }{{"", ""}, {"some/where", "some/where"}, {"some/where", ""}, {"some/where", "some"}, {"some/where", "some/where/one"}} {
		prefix := c.prefix
		t.Run(prefix+" opened in "+c.opened, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, prefix)
			want := files(t, r.top)
			r.git("tag", "v1.0.0rc1")
			r.write("one/src/one/__init__.py", "changed")
			r.write("one/src/one/gen.py", "ignored")
			r.write("one/src/one/new.py", "new")
			s := r.committedIn(c.opened, gitrepo.Tag{Name: "v1.0.0", Message: "v1.0.0\n"})
			for _, name := range []string{"one", "two", "one"} {
				root, done, err := take(t, s, name)
				require.NoError(t, err)
				require.FileExists(t, filepath.Join(root, "one/pyproject.toml"))
				clone := strings.TrimSuffix(strings.TrimSuffix(root, prefix), "/")
				require.Equal(t, want, files(t, clone))
				describe, err := command.Output(t.Context(), r.run, command.Cmd{Name: "git", Args: []string{"describe", "--dirty", "--tags", "--long", "--match", "v*"}, Dir: root})
				require.NoError(t, err)
				require.Regexp(t, `^v1\.0\.0-0-g[0-9a-f]+$`, describe)
				write(t, filepath.Join(root, "two/src/two/__init__.py"), "a version that the build writes")
				require.NoError(t, done(nil, nil))
			}
			require.Equal(t, "v1.0.0rc1", r.git("tag"), "the person's repository stays as it is")
		})
	}
}

// Ignored files are copied if [tool.release] lists them. If one is missing, the error names it.
func TestInclude(t *testing.T) {
	t.Parallel()
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRepository(t, c.prefix)
			c.do(r)
			r.write(".gitignore", "gen.py\n/output/\n/one/data/\n")
			r.include("one/src/one/gen.py", "one/data", "two/gen.py")
			r.write("one/src/one/gen.py", "1")
			r.write("one/data/deep/x", "1")
			r.write("one/data/.pixi/x", "1")
			root, done, err := take(t, r.sources().WorkTree(), "one")
			require.NoError(t, err, "what another package needs does not matter")
			require.FileExists(t, filepath.Join(root, "one/src/one/gen.py"))
			require.FileExists(t, filepath.Join(root, "one/data/deep/x"))
			require.NoFileExists(t, filepath.Join(root, "one/data/.pixi/x"))
			require.NoError(t, done(nil, nil))
			for _, names := range [][]string{{"two"}, {"one", "two"}} {
				_, _, err = take(t, r.sources().WorkTree(), names...)
				require.ErrorContains(t, err, "two cannot be built: [tool.release] include names two/gen.py, which does not exist")
				require.Equal(t, "run the command that creates this file, or remove the file from the list", operr.NextOf(err))
			}
		})
	}
}

// A package of a commit is rejected if it lacks a file in [tool.release] include, unless the build has generated it. The error names the file.
func TestIncludedFilesOfACommit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		include string
		makes   map[string]string // files that the build generates in its sources
		packed  []string
		refused bool
	}{
		{name: "a file that nothing makes", include: "one/src/one/gen.py", packed: []string{"site-packages/one/__init__.py"}, refused: true},
		{name: "a file that is committed", include: "one/src/one/__init__.py"},
		{name: "a file that the build writes beside the sources", include: "one/src/one/gen.py", makes: map[string]string{"one/src/one/gen.py": "1"}},
		{name: "a file that the build packs", include: "one/src/one/gen.py", packed: []string{"site-packages/one/gen.py"}},
		{name: "a module of its own that the build packs", include: "one/gen.py", packed: []string{"site-packages/gen.py"}},
		{name: "a file of the same name elsewhere", include: "one/src/one/gen.py", packed: []string{"site-packages/one/sub/gen.py", "share/gen.py"}, refused: true},
		{name: "a folder that nothing makes", include: "one/src/one/made", refused: true},
		{name: "a folder in which something is committed", include: "one/src/one/kept", packed: []string{"site-packages/one/kept/__init__.py"}, refused: true},
		{name: "a folder that the build fills", include: "one/src/one/kept", makes: map[string]string{"one/src/one/kept/gen.py": "1"}},
		{name: "a folder of which the build packs more", include: "one/src/one/kept", packed: []string{"site-packages/one/kept/__init__.py", "site-packages/one/kept/gen.py"}},
		{name: "a file of another package", include: "two/src/two/gen.py"},
		{name: "a file of no package", include: "gen/LICENSES", refused: true},
	} {
		for _, prefix := range []string{"", "some/where"} {
			t.Run(c.name+" "+prefix, func(t *testing.T) {
				t.Parallel()
				r := newRepository(t, prefix)
				r.write("one/src/one/kept/__init__.py", "")
				r.include(c.include)
				r.commit()
				root, done, err := take(t, r.committed(), "one")
				require.NoError(t, err)
				for name, text := range c.makes {
					write(t, filepath.Join(root, name), text)
				}
				p := condapkgtest.Package{Name: "one", Version: "1.0.0", Files: map[string]string{}}
				for _, name := range c.packed {
					p.Files[name] = "x"
				}
				err = done([]string{p.Write(t, t.TempDir())}, nil)
				if !c.refused {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, "one is built without "+c.include+": [tool.release] include names this file, but it is not committed, and the build does not create it")
				require.Contains(t, operr.NextOf(err), "commit this file, or let the build backend or a hook of the backend create it")
			})
		}
	}
}

// A second build in the same folder waits for the first and then continues, unless the user cancels it. A message is printed once if another
// process uses the folder, but not if this process does, because the user can see both jobs.
func TestOneBuildPerFolder(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	s := r.sources().WorkTree()
	_, done, err := take(t, s, "one")
	require.NoError(t, err)
	_, other, err := take(t, s, "two")
	require.NoError(t, err, "another package is another place")
	require.NoError(t, other(nil, nil))
	require.Empty(t, r.told)

	one, err := s.Workspace.Package("one")
	require.NoError(t, err)
	ctx, stop := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by a person")
	time.AfterFunc(400*time.Millisecond, func() { stop(stopped) })
	_, _, err = s.Take(ctx, one)
	require.ErrorIs(t, err, stopped)
	require.Empty(t, r.told)

	ended := make(chan error)
	go func() {
		_, done, err := s.Take(t.Context(), one)
		if err == nil {
			err = done(nil, nil)
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		t.Fatal("it did not wait", err)
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, done(nil, nil))
	require.NoError(t, <-ended)
	require.Empty(t, r.told)

	locks, err := filepath.Glob(filepath.Join(r.cache, "*", "one", "lock"))
	require.NoError(t, err)
	require.Len(t, locks, 1)
	unlock, _, err := journal.Lock(locks[0]) // simulates another process
	require.NoError(t, err)
	ctx, stop = context.WithCancelCause(t.Context())
	time.AfterFunc(400*time.Millisecond, func() { stop(stopped) })
	_, _, err = s.Take(ctx, one)
	require.ErrorIs(t, err, stopped)
	require.Len(t, r.told, 1)
	require.Regexp(t, fmt.Sprintf(`^waiting for another build in .*/one since [0-9:]+: locked by process %d since `, os.Getpid()), r.told[0])
	unlock()
	_, done, err = s.Take(t.Context(), one)
	require.NoError(t, err, "the canceled build has released the folder")
	require.NoError(t, done(nil, nil))
}

// After a build is killed, the next one can use its folder, and sees no files of the killed build.
func TestFolderOfAKilledBuild(t *testing.T) {
	if root := os.Getenv("HOLD_A_PLACE"); root != "" { // this child process is the build that is killed
		r := &repository{t: t, top: root, cache: os.Getenv("HOLD_A_PLACE_IN"), run: command.NewSystem(os.Environ(), nil)}
		at, _, err := take(t, r.sources().WorkTree(), "one")
		require.NoError(t, err)
		write(t, filepath.Join(at, "one/build/lib/one/left.py"), "")
		write(t, filepath.Join(r.cache, "held"), "")
		time.Sleep(time.Minute)
		return
	}
	t.Parallel()
	r := newRepository(t, "")
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, kill := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- command.NewSystem(command.Setenv(os.Environ(), "HOLD_A_PLACE="+r.top, "HOLD_A_PLACE_IN="+r.cache), nil).Run(ctx, command.Cmd{Name: self, Args: []string{"-test.run", "^TestFolderOfAKilledBuild$"}})
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(filepath.Join(r.cache, "held")); return err == nil }, time.Minute, 10*time.Millisecond)
	time.AfterFunc(300*time.Millisecond, kill)
	root, done, err := take(t, r.sources().WorkTree(), "one")
	require.NoError(t, err)
	require.Error(t, <-ended)
	require.Len(t, r.told, 1)
	require.Contains(t, r.told[0], "waiting for another build in ")
	require.NoFileExists(t, filepath.Join(root, "one/build/lib/one/left.py"))
	require.NoError(t, done(nil, nil))
}

// Parallel builds of different packages and of the same package all see the same files every time.
func TestManyBuilds(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	s := r.sources().WorkTree()
	want := files(t, r.top)
	var group sync.WaitGroup
	for _, name := range []string{"one", "two", "one", "two", "one"} {
		p, err := s.Workspace.Package(name)
		require.NoError(t, err)
		group.Go(func() {
			for range 3 {
				root, done, err := s.Take(t.Context(), p)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, want, files(t, root))
				assert.NoError(t, os.WriteFile(filepath.Join(root, name, "left"), nil, 0o644))
				assert.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte("changed"), 0o644))
				assert.NoError(t, done(nil, nil))
			}
		})
	}
	group.Wait()
	require.Equal(t, want, files(t, r.top))
}

// An unwritable cache is reported as such.
func TestNoPlace(t *testing.T) {
	t.Parallel()
	r := newRepository(t, "")
	s := r.sources()
	s.Cache = filepath.Join(r.top, "pixi.toml")
	_, _, err := take(t, s.WorkTree(), "one")
	require.ErrorContains(t, err, "a build cannot copy its sources to the folder")
	require.Contains(t, operr.NextOf(err), "set XDG_CACHE_HOME")
}
