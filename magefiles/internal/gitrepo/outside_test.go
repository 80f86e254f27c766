package gitrepo_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
)

// ErrOutside is returned only if neither the folder nor a parent contains a repository, whatever git prints.
func TestOutside(t *testing.T) {
	_, run := gitrepotest.New(t)
	dir := t.TempDir()
	for name, r := range map[string]command.Runner{
		"plain":          run,
		"without git":    gitrepotest.With(run, "PATH="+t.TempDir()),
		"another locale": gitrepotest.With(run, "LC_ALL=C.UTF-8", "LANGUAGE=de"),
		"a git variable": gitrepotest.With(run, "GIT_DIR="+filepath.Join(dir, "elsewhere")),
	} {
		_, err := gitrepo.Open(t.Context(), r, dir)
		require.ErrorIs(t, err, gitrepo.ErrOutside, name)
		require.Regexp(t, `is not in a git repository\n→ run .git init.`, fmt.Sprintf("%+v", err), name)
	}
	for name, text := range map[string]string{"HEAD": "a file of somebody's", "objects": "", "refs": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	_, err := gitrepo.Open(t.Context(), run, dir)
	require.ErrorIs(t, err, gitrepo.ErrOutside, "only files have those names")
}

// A repository that git refuses, or cannot use, is not reported as missing. Each error contains git's message and a next step.
func TestRefusedByGit(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string, run command.Runner) (string, command.Runner)
		says   []string
	}{
		"a repository of another user": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				if os.Geteuid() != 0 {
					t.Skip("only root can give files away")
				}
				require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
					if err != nil {
						return err
					}
					return os.Lchown(path, 65534, 65534)
				}))
				return filepath.Join(dir, "sub"), run
			},
			says: []string{"dubious ownership", "→ if you trust the user who owns the repository, run `git config --global --add safe.directory /"},
		},
		"a repository of another user, according to git": {
			damage: func(_ *testing.T, dir string, run command.Runner) (string, command.Runner) {
				return dir, gitrepotest.With(run, "GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
			},
			says: []string{"dubious ownership", "git config --global --add safe.directory"},
		},
		"a format that this git does not know": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				gitrepotest.Git(t, run, dir, "config", "core.repositoryFormatVersion", "1")
				gitrepotest.Git(t, run, dir, "config", "extensions.neverHeardOf", "reftable")
				return dir, run
			},
			says: []string{"neverheardof", "→ read git's message above"},
		},
		"a configuration that is broken": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				gitrepotest.Write(t, dir, ".git/config", "[core\n")
				return dir, run
			},
			says: []string{"bad config line 1"},
		},
		"a work tree whose repository is gone": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				linked := filepath.Join(t.TempDir(), "linked")
				gitrepotest.Git(t, run, dir, "worktree", "add", "-q", linked)
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "worktrees")))
				return linked, run
			},
			says: []string{"not a git repository: ", "/.git/worktrees/linked"},
		},
		"a .git file with other text": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git")))
				gitrepotest.Write(t, dir, ".git", "version https://git-lfs.github.com/spec/v1\n")
				return dir, run
			},
			says: []string{"invalid gitfile format"},
		},
		"an empty .git": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git")))
				require.NoError(t, os.Mkdir(filepath.Join(dir, ".git"), 0o755))
				return filepath.Join(dir, "sub"), run
			},
			says: []string{"git refuses the repository of", "not a git repository"},
		},
		"an empty .git below another repository": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				require.NoError(t, os.Mkdir(filepath.Join(dir, "sub", ".git"), 0o755))
				return filepath.Join(dir, "sub"), run
			},
			says: []string{"git does not accept the repository of", "/sub, and uses the repository of"},
		},
		"a work tree elsewhere": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				gitrepotest.Git(t, run, dir, "config", "core.worktree", t.TempDir())
				return filepath.Join(dir, "sub"), run
			},
			says: []string{"has its files in /", "→ `git config --unset core.worktree`"},
		},
		"inside of .git": {
			damage: func(_ *testing.T, dir string, run command.Runner) (string, command.Runner) {
				return filepath.Join(dir, ".git", "objects"), run
			},
			says: []string{"must be run in a work tree", "→ run this command in a work tree"},
		},
		"a bare repository": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				bare := filepath.Join(t.TempDir(), "bare.git")
				gitrepotest.Git(t, run, dir, "clone", "-q", "--bare", dir, bare)
				return bare, gitrepotest.With(run, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.bareRepository", "GIT_CONFIG_VALUE_0=explicit")
			},
			says: []string{"is in the git folder", "→ run this command in a work tree"},
		},
		"a ceiling below the repository": {
			damage: func(_ *testing.T, dir string, run command.Runner) (string, command.Runner) {
				return filepath.Join(dir, "sub"), gitrepotest.With(run, "GIT_CEILING_DIRECTORIES="+dir)
			},
			says: []string{"→ unset GIT_CEILING_DIRECTORIES="},
		},
		"no git at all": {
			damage: func(t *testing.T, dir string, run command.Runner) (string, command.Runner) {
				return dir, gitrepotest.With(run, "PATH="+t.TempDir())
			},
			says: []string{"is in a git repository, but there is no git on PATH", "→ install git"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, run := gitrepotest.New(t)
			dir, run = c.damage(t, dir, run)
			_, err := gitrepo.Open(t.Context(), run, dir)
			require.Error(t, err)
			require.NotErrorIs(t, err, gitrepo.ErrOutside)
			for _, says := range c.says {
				require.Contains(t, fmt.Sprintf("%+v", err), says)
			}
		})
	}
}

// A branch that exists but cannot be read is not reported as a branch without a commit.
func TestNoCommitAndBrokenOnes(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		none   bool
		says   string
	}{
		"an orphan branch":              {func(t *testing.T, dir string) { gitrepotest.Write(t, dir, ".git/HEAD", "ref: refs/heads/new\n") }, true, "has no commit yet"},
		"a branch with invalid content": {func(t *testing.T, dir string) { gitrepotest.Write(t, dir, ".git/refs/heads/main", "noise\n") }, false, "HEAD"},
		"a missing commit": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "objects")))
				require.NoError(t, os.Mkdir(filepath.Join(dir, ".git", "objects"), 0o755))
			},
			none: false,
			says: "bad object",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, run := gitrepotest.New(t)
			repo, err := gitrepo.Open(t.Context(), run, dir)
			require.NoError(t, err)
			c.damage(t, dir)
			_, err = repo.Head(t.Context())
			require.Equal(t, c.none, err != nil && errors.Is(err, gitrepo.ErrNoCommit), "%+v", err)
			require.Contains(t, fmt.Sprintf("%+v", err), c.says)
		})
	}
}

// Every git failure contains git's own message, and is not mistaken for a negative answer.
func TestGitsWords(t *testing.T) {
	dir, run := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	gitrepotest.Write(t, dir, ".git/config", "[core\n")
	ctx, none := t.Context(), "1111111111111111111111111111111111111111"
	for name, ask := range map[string]func() error{
		"Head":        func() error { _, err := repo.Head(ctx); return err },
		"Identity":    func() error { _, err := repo.Identity(ctx); return err },
		"Changes":     func() error { _, err := repo.Changes(ctx); return err },
		"Changed":     func() error { _, err := repo.Changed(ctx); return err },
		"Tags":        func() error { _, err := repo.Tags(ctx); return err },
		"MergedTags":  func() error { _, err := repo.MergedTags(ctx); return err },
		"Log":         func() error { _, err := repo.Log(ctx, ""); return err },
		"LineOrigin":  func() error { _, err := repo.LineOrigin(ctx, "HEAD", "sub/file", 1); return err },
		"Resolve":     func() error { _, err := repo.Resolve(ctx, "HEAD"); return err },
		"Untracked":   func() error { _, err := repo.Untracked(ctx, nil); return err },
		"MadeOn":      func() error { _, err := repo.MadeOn(ctx, "HEAD", "HEAD", nil); return err },
		"Touched":     func() error { _, _, err := repo.Touched(ctx, "sub"); return err },
		"Contains":    func() error { _, err := repo.Contains(ctx, none, none); return err },
		"Ahead":       func() error { _, err := repo.CountAhead(ctx, "HEAD", "HEAD"); return err },
		"URL":         func() error { _, err := gitremote.URL(ctx, repo, "origin"); return err },
		"Remote":      func() error { _, err := gitremote.Read(ctx, repo, "origin"); return err },
		"Fetch":       func() error { return gitremote.Fetch(ctx, repo, "origin") },
		"Push":        func() error { return gitremote.Push(ctx, repo, "origin", none, "main") },
		"Commit":      func() error { _, err := repo.Commit(ctx, []string{"sub/file"}, "x\n"); return err },
		"Tag":         func() error { return repo.Tag(ctx, "v1", "HEAD", "v1\n") },
		"DeleteTag":   func() error { return repo.DeleteTag(ctx, "v1") },
		"Back":        func() error { return repo.ResetTo(ctx, "HEAD") },
		"Revert":      func() error { _, err := repo.Revert(ctx, "HEAD"); return err },
		"Restore":     func() error { return repo.Restore(ctx, []string{"sub/file"}) },
		"Hidden":      func() error { _, err := repo.Hidden(ctx); return err },
		"Lacking":     func() error { _, err := lacking.Find(ctx, repo, []string{"sub"}, nil); return err },
		"LeftOut":     func() error { _, err := lacking.LeftOut(ctx, repo, "file"); return err },
		"Troubles":    func() error { _, err := repo.Troubles(ctx, []string{"sub/file"}); return err },
		"TagTroubles": func() error { _, _, err := repo.TagTroubles(ctx, []string{"v1"}); return err },
		"Survey":      func() error { _, _, _, err := repo.Survey(ctx, []string{"sub/file"}); return err },
		"Parent":      func() error { _, err := repo.Parent(ctx, "HEAD"); return err },
		"ExportSome": func() error {
			return repo.ExportSome(ctx, "HEAD", filepath.Join(t.TempDir(), "c"), func(string) bool { return true })
		},
		"CloneAt": func() error { return gitclone.Borrow(ctx, repo, filepath.Join(t.TempDir(), "c"), none) },
		"Export":  func() error { return gitclone.Export(ctx, repo, "HEAD", ".", filepath.Join(t.TempDir(), "c")) },
	} {
		err := ask()
		require.Error(t, err, name)
		require.Contains(t, fmt.Sprintf("%+v", err), "bad config line 1", name)
		require.Contains(t, fmt.Sprintf("%+v", err), "\n→ ", name)
		require.False(t, gitremote.Transient(err), name)
		require.NotErrorIs(t, err, gitremote.ErrNoRemote, name)
		require.NotErrorIs(t, err, gitrepo.ErrNoCommit, name)
	}
}

// Git's output is not translated, and is parsed correctly, in a locale for which git has translations.
func TestAnotherLocale(t *testing.T) {
	dir, plain := gitrepotest.New(t)
	run := gitrepotest.With(plain, "LC_ALL=C.UTF-8", "LANGUAGE=de")
	x := exec.Command("git", "rev-parse", "--verify", "nothing")
	x.Dir, x.Env = dir, run.(*command.System).Environ()
	if out, _ := x.CombinedOutput(); !strings.Contains(string(out), "Schwerwiegend") {
		t.Logf("git has no German here, and what is tested says little: %s", out)
	}
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	bare := gitrepotest.AddRemote(t, dir, func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) })
	gitrepotest.Hook(t, bare, "pre-receive", "kill -9 $PPID")
	head := gitrepotest.Git(t, run, dir, "commit-tree", "-m", "x", "-p", "HEAD", "HEAD^{tree}")
	err = gitremote.Push(t.Context(), repo, "origin", head, "main")
	require.True(t, gitremote.Transient(err), "%+v", err)
	require.NoError(t, os.RemoveAll(bare))
	err = gitremote.Push(t.Context(), repo, "origin", head, "main")
	require.False(t, gitremote.Transient(err), "%+v", err)
	_, err = gitremote.Read(t.Context(), repo, "nobody")
	require.ErrorIs(t, err, gitremote.ErrNoRemote)
}
