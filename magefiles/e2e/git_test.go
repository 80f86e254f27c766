package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestGitRefuses breaks the repository so that git refuses to work in it. Targets that build, publish, plan an image or change versions stop with
// git's error, and write and upload nothing. No target treats the repository as a folder without git.
func TestGitRefuses(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: map[string]string{"app/Dockerfile": "FROM base.example/x:1\n"}})
	env := r.env
	write(t, r.dir, "packages/core/src/mono_core/__init__.py", "__version__ = \"0.1.6\"  # not committed\n")
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		set    []string
		says   string
	}{
		"another user":           {set: []string{"GIT_TEST_ASSUME_DIFFERENT_OWNER=1"}, says: "git config --global --add safe.directory"},
		"a broken configuration": {damage: func(t *testing.T, dir string) { write(t, dir, ".git/config", "[core\n") }, says: "bad config line 1"},
		"an unknown format":      {damage: func(t *testing.T, dir string) { git(t, dir, "config", "core.repositoryFormatVersion", "99") }, says: "Expected git repo version"},
		"an empty .git":          {damage: func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, ".git", "HEAD"))) }, says: "git refuses the repository of"},
		"a missing commit": {
			damage: func(t *testing.T, dir string) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "objects", "pack")))
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git", "objects")))
				require.NoError(t, os.Mkdir(filepath.Join(dir, ".git", "objects"), 0o755))
			},
			says: "fatal: ",
		},
		"a broken index": {damage: func(t *testing.T, dir string) { write(t, dir, ".git/index", "noise") }, says: "index file smaller than expected"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := *r
			broken.t, broken.dir, broken.env = t, filepath.Join(t.TempDir(), "clone"), command.Setenv(env, c.set...)
			require.NoError(t, os.CopyFS(broken.dir, os.DirFS(r.dir)))
			if c.damage != nil {
				c.damage(t, broken.dir)
			}
			before := readFile(t, broken.dir, "packages/core/pixi.toml")
			for _, args := range [][]string{{"publish", "-yes"}, {"build:package", "mono-core"}, {"version:bump", "-to=patch", "-yes"}, {"version:bump", "-to=patch", "-commit", "-yes"}, {"docker:plan", "app"}, {"release", "-to=patch", "-yes"}} {
				if name == "a broken index" && (args[0] == "build:package" || len(args) == 3 && args[0] == "version:bump") {
					continue // a build needs git only for the commit's date
				}
				out := broken.refused(1, c.says, args...)
				require.NotContains(t, out, "1980", "%v", args)
				require.Contains(t, out, "\n→ ", "%v", args)
			}
			if name != "a broken index" && name != "a missing commit" {
				require.Contains(t, broken.refused(1, "git refuses the repository of", "doctor"), "→")
			}
			require.Equal(t, before, readFile(t, broken.dir, "packages/core/pixi.toml"))
			require.Empty(t, broken.onChannel())
		})
	}
}

// TestEditsHiddenFromGit has edits that git was told to hide, and a workspace that is ignored by a repository in a parent folder. Files that are not
// committed are neither published nor added to a bump's commit.
func TestEditsHiddenFromGit(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	const told, notCommitted = "is changed, but git was told to ignore changes of this file (assume-unchanged or skip-worktree)", "is not committed, but would be published"
	module, manifest := "packages/core/src/mono_core/__init__.py", "packages/core/pixi.toml"
	for name, c := range map[string]struct {
		hide   func(dir string)
		file   string
		says   string // error of publish
		bumped string // error of a bump
	}{
		"assume-unchanged":             {func(dir string) { git(t, dir, "update-index", "--assume-unchanged", module) }, module, told, told},
		"skip-worktree":                {func(dir string) { git(t, dir, "update-index", "--skip-worktree", manifest) }, manifest, told, told},
		"status.showUntrackedFiles=no": {func(dir string) { git(t, dir, "config", "status.showUntrackedFiles", "no") }, "packages/core/src/mono_core/new.py", notCommitted, ""},
		"ignored by the one above": {
			hide: func(dir string) {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, ".git")))
				git(t, filepath.Dir(dir), "init", "-q")
				write(t, filepath.Dir(dir), ".git/info/exclude", "*\n")
				git(t, filepath.Dir(dir), "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "--allow-empty", "-m", "dot files")
			},
			file:   manifest,
			says:   notCommitted,
			bumped: "is ignored by git (.git/info/exclude:1: *), but a release must commit it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			hidden := *r
			hidden.t, hidden.dir = t, filepath.Join(t.TempDir(), "clone")
			require.NoError(t, os.CopyFS(hidden.dir, os.DirFS(r.dir)))
			git(t, hidden.dir, "update-index", "--refresh", "-q")
			c.hide(hidden.dir)
			old, _ := os.ReadFile(filepath.Join(hidden.dir, c.file))
			write(t, hidden.dir, c.file, string(old)+"\n# not committed\n")
			require.Empty(t, git(t, hidden.dir, "status", "--porcelain"))
			require.Contains(t, hidden.refused(1, c.says, "publish", "-yes"), c.file)
			require.Empty(t, hidden.onChannel())
			if c.bumped != "" {
				require.Contains(t, hidden.refused(1, c.bumped, "version:bump", "-to=patch", "-commit", "-yes"), c.file)
			}
		})
	}
}

// settingsOfAPerson contains user settings for every part of git that a release uses. None of them may affect a release. DIR is a folder with files
// that some settings refer to.
const settingsOfAPerson = `
[advice]
	pushUpdateRejected = false
[alias]
	status = !false
	rev-list = !false
[apply]
	whitespace = fix
[blame]
	ignoreRevsFile = .nothing
	markIgnoredLines = true
[branch]
	autoSetupRebase = always
	sort = -committerdate
[branch "main"]
	pushRemote = elsewhere
[checkout]
	defaultRemote = elsewhere
[clone]
	defaultRemoteName = upstream
[color]
	ui = always
[column]
	ui = always
[commit]
	cleanup = scissors
	status = true
	verbose = true
[core]
	abbrev = 4
	attributesFile = DIR/attributes
	autocrlf = true
	commentChar = r
	eol = crlf
	fsmonitor = DIR/monitor
	pager = false
	quotePath = true
	safecrlf = true
	splitIndex = true
	untrackedCache = true
[diff]
	external = false
	ignoreSubmodules = all
	noprefix = true
	orderFile = DIR/nothing
	relative = true
	renames = copies
[fetch]
	prune = true
	pruneTags = true
	recurseSubmodules = true
	writeCommitGraph = true
[format]
	pretty = fuller
[gc]
	auto = 1
[i18n]
	logOutputEncoding = ISO-8859-1
[index]
	version = 4
[init]
	defaultBranch = trunk
	templateDir = DIR/template
[log]
	follow = true
	showRoot = false
	showSignature = true
[merge]
	ff = only
	verifySignatures = true
[pager]
	status = true
[protocol]
	version = 0
[pull]
	rebase = true
[push]
	default = nothing
	followTags = true
	gpgSign = true
	pushOption = ci.skip
	recurseSubmodules = only
[remote]
	pushDefault = elsewhere
[remote "origin"]
	mirror = true
	prune = true
	push = +refs/heads/*:refs/heads/copies/*
	tagOpt = --tags
[rerere]
	enabled = true
[revert]
	reference = true
[safe]
	bareRepository = explicit
[status]
	relativePaths = false
	showUntrackedFiles = no
	submoduleSummary = true
[submodule]
	recurse = true
[tag]
	sort = -version:refname
[trace2]
	normalTarget = DIR/trace
`

// TestReleaseWithUserSettings releases with all of settingsOfAPerson at once. With fixed dates, the objects and refs on the remote and the files on
// the channel are identical to those of a release without the settings.
func TestReleaseWithUserSettings(t *testing.T) {
	t.Setenv("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
	t.Setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:06Z")
	t.Setenv("SOURCE_DATE_EPOCH", "1767323046")
	release := func(config string) (refs string, files map[string]string) {
		r := newReleasing(t, releaseOptions{by: "here"})
		git(t, r.dir, "tag", "-a", "-m", "x", "kept-for-later")
		git(t, r.dir, "branch", "elsewhere")
		dir := t.TempDir()
		write(t, dir, "config", strings.ReplaceAll(config, "DIR", dir))
		write(t, dir, "attributes", "* text=auto eol=crlf\n")
		for _, name := range []string{"monitor", "template/hooks/post-checkout", "template/hooks/reference-transaction"} {
			write(t, dir, name, "#!/bin/sh\nexit 1\n")
			require.NoError(t, os.Chmod(filepath.Join(dir, name), 0o755))
		}
		r.env = command.Setenv(r.env, "GIT_CONFIG_GLOBAL="+filepath.Join(dir, "config"))
		r.ok("release", "-to=patch", "-yes")
		r.released("0.1.7")
		return git(t, r.world.Remote, "for-each-ref"), r.onChannel()
	}
	refs, files := release("")
	require.NotContains(t, refs, "kept-for-later")
	underAll, filesUnderAll := release(settingsOfAPerson)
	require.Equal(t, refs, underAll)
	require.Equal(t, files, filesUnderAll)
}

// TestConcurrentReleasesInTwoWorktrees starts a release in a second work tree while the first release makes its commit. The work trees share
// branches, tags and the remote, so the second release fails and tells the user to wait.
func TestConcurrentReleasesInTwoWorktrees(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	said, other := filepath.Join(t.TempDir(), "said"), filepath.Join(t.TempDir(), "linked")
	git(t, r.dir, "worktree", "add", "-q", other, "-b", "other")
	hook(t, r.dir+"/.git/hooks", "pre-commit", fmt.Sprintf("cd '%s' && '%s' release -to=patch -yes > '%s' 2>&1; echo \"exit status $?\" >> '%s'", other, filepath.Join(compiled, "targets"), said, said))
	r.ok("release", "-to=patch", "-yes")
	text := readFile(t, said)
	require.Contains(t, text, "another release is under way here, locked by process ")
	require.Contains(t, text, "exit status 3")
	r.released("0.1.7")
}

// TestUndoRejectedByTheRemote has a remote that rejects the deletion of tags. Undo leaves the clone unchanged, and the release can still be
// completed.
func TestUndoRejectedByTheRemote(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.refuseUploads("mono-core")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	head := git(t, r.dir, "rev-parse", "HEAD")
	hook(r.t, r.world.Remote+"/hooks", "update", `case $3 in *[1-9a-f]*) ;; *) echo "tags stay here" >&2; exit 1; esac`)
	out := r.refused(1, "refused the undo of v0.1.7, and nothing was changed", "undo", "-yes")
	require.Contains(t, out, "tags stay here")
	require.Contains(t, out, "run `mage release` to complete the release")
	require.Equal(t, head, git(t, r.dir, "rev-parse", "HEAD"))
	require.Empty(t, git(t, r.dir, "status", "--porcelain"))
	r.refuseUploads("")
	r.ok("release", "-yes")
	r.released("0.1.7")
}
