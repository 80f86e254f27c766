package gitclone_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
)

const notHere = "is a submodule, and its files are not in this clone"

// `lacks` returns the missing files as "path: why".
func lacks(t *testing.T, repo *gitrepo.Repo, packed ...string) []string {
	t.Helper()
	found, err := lacking.Find(t.Context(), repo, packed, nil)
	require.NoError(t, err)
	return said(found)
}

func said(found []lacking.Lack) []string {
	out := []string{}
	for _, l := range found {
		out = append(out, l.Path+": "+l.Why)
	}
	return out
}

func cloneOf(t *testing.T, w *gitrepotest.Submodules) (string, *gitrepo.Repo) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	dir = filepath.Join(dir, "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), w.Repo, dir, w.Git(w.Dir, "rev-parse", "HEAD")))
	repo, err := gitrepo.Open(t.Context(), w.Run, dir)
	require.NoError(t, err)
	return dir, repo
}

// A clone has the submodules that its original has, even if their URLs are no longer valid.
func TestCloneHasSubmodules(t *testing.T) {
	t.Parallel()
	w := gitrepotest.NewSubmodules(t)
	for _, name := range []string{"lib", "inner", "docs"} {
		w.Without(filepath.Join(w.Base, name))
	}
	require.Empty(t, lacks(t, w.Repo, "pkg"))
	dir, repo := cloneOf(t, w)
	for _, file := range []string{"pkg/src/lib/file.py", "pkg/src/lib/deep/inner/file.py", "docs/file.py"} {
		require.FileExists(t, filepath.Join(dir, file))
	}
	require.Empty(t, lacks(t, repo, "."))
	require.Empty(t, w.Git(dir, "status", "--porcelain"))

	// A clone of the clone also has them.
	w.Repo, w.Dir = repo, dir
	again, repo := cloneOf(t, w)
	require.FileExists(t, filepath.Join(again, "pkg/src/lib/deep/inner/file.py"))
	require.Empty(t, lacks(t, repo, "."))
}

// Submodules are cloned at their recorded commits. Another commit, changes or a deletion in the work tree do not matter.
func TestCloneHasSubmodulesAsRecorded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		do     func(w *gitrepotest.Submodules)
		differ []string
	}{
		{
			name: "another commit",
			do: func(w *gitrepotest.Submodules) {
				gitrepotest.Write(t, w.Dir, "pkg/src/lib/new.py", "x")
				w.Git(w.Dir+"/pkg/src/lib", "add", "-A")
				w.Git(w.Dir+"/pkg/src/lib", "commit", "-q", "-m", "feat: not recorded")
			},
			differ: []string{"pkg/src/lib: is a submodule at a different commit than the one that this repository records"},
		},
		{"an older commit", func(w *gitrepotest.Submodules) { w.Git(w.Dir+"/pkg/src/lib", "checkout", "-q", "HEAD^") }, []string{"pkg/src/lib: is a submodule at a different commit than the one that this repository records"}},
		{"changes", func(w *gitrepotest.Submodules) { gitrepotest.Write(t, w.Dir, "pkg/src/lib/file.py", "changed") }, []string{"pkg/src/lib: is a submodule with uncommitted changes"}},
		{
			name: "new files that the configuration hides",
			do: func(w *gitrepotest.Submodules) {
				w.Git(w.Dir, "config", "submodule.pkg/src/lib.ignore", "all")
				gitrepotest.Write(t, w.Dir, "pkg/src/lib/new.py", "x")
			},
			differ: []string{"pkg/src/lib: is a submodule with uncommitted changes"},
		},
		{"put away", func(w *gitrepotest.Submodules) { w.Git(w.Dir, "submodule", "--quiet", "deinit", "--all") }, []string{"pkg/src/lib: " + notHere}},
		{
			name: "the nested submodule is not checked out",
			do: func(w *gitrepotest.Submodules) {
				w.Git(w.Dir+"/pkg/src/lib", "submodule", "--quiet", "deinit", "--all")
			},
			differ: []string{"pkg/src/lib/deep/inner: " + notHere},
		},
		{
			name: "a linked work tree",
			do: func(w *gitrepotest.Submodules) {
				linked := filepath.Join(w.Base, "linked")
				w.Git(w.Dir, "worktree", "add", "--quiet", "--detach", linked)
				var err error
				w.Repo, err = gitrepo.Open(t.Context(), w.Run, linked)
				require.NoError(t, err)
			},
			differ: []string{"pkg/src/lib: " + notHere},
		},
		{
			name: "a server that offers only branches",
			do: func(w *gitrepotest.Submodules) {
				w.Git(w.Dir, "config", "--add", "protocol.version", "0")
				w.Git(w.Dir+"/pkg/src/lib", "checkout", "-q", "HEAD^")
			},
			differ: []string{"pkg/src/lib: is a submodule at a different commit than the one that this repository records"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := gitrepotest.NewSubmodules(t)
			c.do(w)
			got := lacks(t, w.Repo, "pkg")
			require.Equal(t, c.differ, got[:1])
			for _, name := range []string{"lib", "inner", "docs"} {
				w.Without(filepath.Join(w.Base, name))
			}
			dir, repo := cloneOf(t, w)
			require.Empty(t, lacks(t, repo, "."))
			require.NoFileExists(t, filepath.Join(dir, "pkg/src/lib/new.py"))
			text, err := os.ReadFile(filepath.Join(dir, "pkg/src/lib/file.py"))
			require.NoError(t, err)
			require.Equal(t, "lib = 1\n", string(text))
			require.FileExists(t, filepath.Join(dir, "pkg/src/lib/deep/inner/file.py"))
		})
	}
}

// A needed submodule that this machine lacks is fetched from its URL. If that fails, the error names the submodule and the reason.
func TestComplete(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) (*gitrepotest.Submodules, *gitrepo.Repo, string) {
		w := gitrepotest.NewSubmodules(t)
		other := filepath.Join(w.Base, "other")
		w.Git(w.Base, "clone", "-q", w.Dir, other)
		var err error
		w.Repo, err = gitrepo.Open(t.Context(), w.Run, other)
		require.NoError(t, err)
		w.Dir = other
		dir, repo := cloneOf(t, w)
		require.Equal(t, []string{"docs: " + notHere, "pkg/src/lib: " + notHere}, lacks(t, repo, "."))
		return w, repo, dir
	}
	t.Run("a file is no address", func(t *testing.T) {
		t.Parallel()
		w, repo, _ := fresh(t)
		found, err := gitclone.Complete(t.Context(), w.Repo, repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"pkg/src/lib: " + notHere}, said(found))
		require.Contains(t, found[0].Detail, "transport 'file' not allowed")
		require.Contains(t, found[0].Next, "git submodule update --init --recursive pkg/src/lib")
	})
	t.Run("one that is allowed", func(t *testing.T) {
		t.Parallel()
		w, repo, dir := fresh(t)
		w.Git(w.Dir, "config", "protocol.file.allow", "always")
		w.Git(dir, "config", "protocol.file.allow", "always")
		allowed := command.NewSystem(command.Setenv(w.Run.(*command.System).Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.file.allow", "GIT_CONFIG_VALUE_0=always"), nil)
		var err error
		w.Repo, err = gitrepo.Open(t.Context(), allowed, w.Dir)
		require.NoError(t, err)
		found, err := gitclone.Complete(t.Context(), w.Repo, repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		require.FileExists(t, filepath.Join(dir, "pkg/src/lib/deep/inner/file.py"))
		require.NoFileExists(t, filepath.Join(dir, "docs/file.py"), "no package needs the submodule")
		require.Empty(t, lacks(t, repo, "pkg/src/lib/deep"), "a source folder in a submodule")
	})
	t.Run("it is gone", func(t *testing.T) {
		t.Parallel()
		w, repo, dir := fresh(t)
		w.Without(filepath.Join(w.Base, "lib"))
		found, err := gitclone.Complete(t.Context(), w.Repo, repo, nil, []string{"pkg/src/lib/sub"})
		require.NoError(t, err)
		require.Equal(t, []string{"pkg/src/lib: " + notHere}, said(found))
		require.NotEmpty(t, found[0].Detail)
		entries, err := os.ReadDir(filepath.Join(dir, "pkg/src/lib"))
		require.NoError(t, err)
		require.Empty(t, entries, "the submodule stays an empty folder")
	})
	t.Run("no address", func(t *testing.T) {
		t.Parallel()
		w, repo, _ := fresh(t)
		require.NoError(t, os.Remove(filepath.Join(repo.Top, ".gitmodules")))
		found, err := gitclone.Complete(t.Context(), w.Repo, repo, []string{"pkg"}, nil)
		require.NoError(t, err)
		require.Contains(t, found[0].Detail, ".gitmodules has no address for it")
	})
}

// Unobtainable finds, before a release starts, the submodules that its clone could not get. A submodule on this machine is obtainable, whatever its
// URL.
func TestUnobtainable(t *testing.T) {
	t.Parallel()
	w := gitrepotest.NewSubmodules(t)
	ask := func() []string {
		found, err := lacking.Find(t.Context(), w.Repo, []string{"pkg"}, []string{"docs"})
		require.NoError(t, err)
		out := []string{}
		for _, l := range gitclone.Unobtainable(t.Context(), w.Repo, found) {
			require.NotEmpty(t, l.Detail)
			out = append(out, l.Path)
		}
		return out
	}
	for _, name := range []string{"lib", "docs"} {
		w.Without(filepath.Join(w.Base, name))
	}
	require.Empty(t, ask(), "the submodules are checked out")
	w.Git(w.Dir, "submodule", "--quiet", "deinit", "--all")
	require.Empty(t, ask(), "git keeps the repositories of the submodules")
	w.Without(filepath.Join(w.Repo.Dir, "modules", "a theme"))
	require.Equal(t, []string{"docs"}, ask())
	w.Without(filepath.Join(w.Repo.Dir, "modules"))
	w.Without(filepath.Join(w.Dir, ".gitmodules"))
	require.Equal(t, []string{"docs", "pkg/src/lib"}, ask())
}

// A relative submodule URL is resolved against the URL of its repository.
func TestRelativeAddress(t *testing.T) {
	for _, c := range [][3]string{
		{"https://host/org/repo.git", "../lib.git", "https://host/org/lib.git"},
		{"https://host/org/repo.git/", "../../other/lib", "https://host/other/lib"},
		{"git@host:org/repo.git", "../lib.git", "git@host:org/lib.git"},
		{"git@host:repo.git", "../lib.git", "git@host:lib.git"},
		{"/srv/repo", "./lib", "/srv/repo/lib"},
		{"/srv/repo", "https://host/lib", "https://host/lib"},
		{"", "../lib", ""},
	} {
		require.Equal(t, c[2], gitclone.RelativeTo(c[0], c[1]), c)
	}
}

// Checking out submodules does not run hooks.
func TestSubmodulesRunNoHooks(t *testing.T) {
	t.Parallel()
	w := gitrepotest.NewSubmodules(t)
	hooks, ran := filepath.Join(w.Base, "hooks"), filepath.Join(w.Base, "ran")
	for _, name := range []string{"post-checkout", "reference-transaction"} {
		gitrepotest.Write(t, hooks, name, "#!/bin/sh\ncase $(pwd) in */pkg/*) echo $0 >> "+ran+";; esac\n")
		require.NoError(t, os.Chmod(filepath.Join(hooks, name), 0o755))
	}
	hooked := command.NewSystem(command.Setenv(w.Run.(*command.System).Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.hooksPath", "GIT_CONFIG_VALUE_0="+hooks), nil)
	var err error
	w.Repo, err = gitrepo.Open(t.Context(), hooked, w.Dir)
	require.NoError(t, err)
	dir, _ := cloneOf(t, w)
	require.FileExists(t, filepath.Join(dir, "pkg/src/lib/file.py"))
	require.NoFileExists(t, ran)
}

// A filter that is configured only in this clone also works in its clones. A failing filter is an error with git's output, before the clone is used.
func TestCloneHasFilters(t *testing.T) {
	t.Parallel()
	repo, dir, git := gitrepotest.Open(t)
	git("config", "filter.shout.smudge", "tr a-z A-Z")
	git("config", "filter.shout.clean", "tr A-Z a-z")
	git("config", "filter.git-crypt.smudge", "git-crypt smudge")
	git("config", "filter.git-crypt.required", "true")
	gitrepotest.Write(t, dir, ".gitattributes", "*.up filter=shout\n*.sub export-subst\n*.no export-ignore\n")
	gitrepotest.Write(t, dir, "pkg/x.up", "abc\n")
	gitrepotest.Write(t, dir, "pkg/x.sub", "$Format:%H$\n")
	gitrepotest.Write(t, dir, "pkg/x.no", "kept\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: filters")
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, git("rev-parse", "HEAD")))
	require.Equal(t, "ABC\n", gitrepotest.Files(t, filepath.Join(clone, "pkg"))["x.up"])
	require.Equal(t, "$Format:%H$\n", gitrepotest.Files(t, filepath.Join(clone, "pkg"))["x.sub"])
	require.Contains(t, gitrepotest.Files(t, filepath.Join(clone, "pkg")), "x.no")
	require.Empty(t, command1(t, clone, "status", "--porcelain"))
	require.Empty(t, command1(t, clone, "config", "--get-regexp", "git-crypt", "."))

	git("config", "filter.shout.smudge", "no-such-program-here")
	git("config", "filter.shout.required", "true")
	err := gitclone.Borrow(t.Context(), repo, filepath.Join(t.TempDir(), "clone"), git("rev-parse", "HEAD"))
	require.Error(t, err)
}

// command1 returns git's output, whatever its exit status.
func command1(t *testing.T, dir string, args ...string) string {
	out, _ := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: "git", Args: args, Dir: dir})
	return out
}
