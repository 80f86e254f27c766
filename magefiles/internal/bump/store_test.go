package bump_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

const two = lockstep + "[dependencies]\nb = { path = \"b\", version = \"==0.1.6\" }\n-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = \"0.1.6\"\nbuild.backend.name = \"x\"\n" +
	"-- b/pixi.toml --\n[package]\nname = \"b\"\nversion = \"0.1.6\"\nbuild.backend.name = \"x\"\n[package.run-dependencies]\na = \"==0.1.6\" # ==0.1.6\n"

// A plan that is saved as JSON and loaded again is unchanged, and can be applied.
func TestPlanSurvivesJSON(t *testing.T) {
	root := tree(t, two)
	p := plan(t, root, bump.Request{To: "minor"}, nil)
	data, err := json.Marshal(p)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "plan.json")
	require.NoError(t, os.WriteFile(file, data, 0o644))
	again, err := bump.ReadPlan(file)
	require.NoError(t, err)
	require.Equal(t, p, again)
	require.NoError(t, again.Check(load(t, root)))
	apply(t, root, again)

	for _, bad := range []string{"", "{}", "[]", `{"format": 2}`} {
		require.NoError(t, os.WriteFile(file, []byte(bad), 0o644))
		_, err := bump.ReadPlan(file)
		require.ErrorContains(t, err, "is not a plan that this version can read")
	}
	_, err = bump.ReadPlan(file + "x")
	require.ErrorContains(t, err, "reading the plan")
}

// If a file that the plan was computed from has changed, nothing is written.
func TestStalePlan(t *testing.T) {
	for name, change := range map[string]func(root string){
		"an edited file":   func(root string) { write(t, root, "b/pixi.toml", files(t, root)["b/pixi.toml"]+"\n") },
		"another manifest": func(root string) { write(t, root, "pixi.toml", files(t, root)["pixi.toml"]+"# x\n") },
		"a new package": func(root string) {
			require.NoError(t, os.Mkdir(filepath.Join(root, "c"), 0o755))
			write(t, root, "c/pixi.toml", "[package]\nname = \"c\"\nversion = \"0.1.6\"\nbuild.backend.name = \"x\"\n")
		},
		"a package is gone": func(root string) { require.NoError(t, os.RemoveAll(filepath.Join(root, "a"))) },
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t, two)
			p := plan(t, root, bump.Request{To: "minor"}, nil)
			change(root)
			before := files(t, root)
			require.ErrorContains(t, p.Check(load(t, root)), "the plan is stale: ")
			if _, err := store(root).Apply(t.Context(), p); err == nil {
				require.NotContains(t, []string{"an edited file", "a package is gone"}, name)
				return
			}
			require.Equal(t, before, files(t, root))
		})
	}
	root := tree(t, two)
	p := plan(t, root, bump.Request{To: "minor"}, nil)
	p.Files[0].Path = "../outside"
	require.ErrorContains(t, p.Check(load(t, root)), "the plan was not made by `mage version:plan`")
	p = plan(t, root, bump.Request{To: "minor"}, nil)
	p.Files[0].Edits[0].New = "9"
	_, err := store(root).Apply(t.Context(), p)
	require.ErrorContains(t, err, "do not result in the digest that the plan has")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := files(t, root)
	_, err = store(root).Apply(ctx, plan(t, root, bump.Request{To: "minor"}, nil))
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, files(t, root))
}

// Bytes outside of the edits are unchanged: CRLF, a byte order mark, odd whitespace, a missing final newline.
func TestBytesStay(t *testing.T) {
	root := tree(t, lockstep+`
-- a/pixi.toml.crlf --
# é "0.1.6"
[package]
name = "a"
  version   =	'0.1.6'	# keep

build . backend . name = "x"
-- a/pyproject.toml.crlf --
[project]
name = "a"
version = """0.1.6"""
`)
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	require.Equal(t, []string{"a/pixi.toml:4 0.1.6 → 0.1.7", "a/pyproject.toml:3 0.1.6 → 0.1.7"}, edits(p))
	apply(t, root, p)
	require.Contains(t, files(t, root)["a/pixi.toml"], "\r\n  version   =\t'0.1.7'\t# keep\r\n")
}

// A symlinked manifest remains a symlink, and its target is edited once.
func TestSymlinkedManifest(t *testing.T) {
	root := tree(t, lockstep+`
-- shared/a.toml --
[package]
name = "a"
version = "0.1.6"
build.backend.name = "x"
-- a/pixi.toml.link --
../shared/a.toml
-- again/pixi.toml.link --
../shared/a.toml
`)
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	require.Equal(t, []string{"shared/a.toml:3 0.1.6 → 0.1.7"}, edits(p))
	apply(t, root, p)
	require.Equal(t, "-> ../shared/a.toml", files(t, root)["a/pixi.toml"])
}

func TestReadOnlyFile(t *testing.T) {
	root := tree(t, two)
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	require.NoError(t, os.Chmod(filepath.Join(root, "b", "pixi.toml"), 0o444))
	before := files(t, root)
	_, err := store(root).Apply(t.Context(), p)
	require.ErrorContains(t, err, "nothing was changed: b/pixi.toml: the file is read-only")
	require.Equal(t, before, files(t, root))
}

// repository makes a git repository from a tree, with one commit and a tag.
func repository(t *testing.T, archive string) (root string, repo *gitrepo.Repo, git func(args ...string) string) {
	root = tree(t, archive)
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid"), nil)
	git = func(args ...string) string {
		out, err := command.Output(t.Context(), run, command.Cmd{Name: "git", Args: args, Dir: root})
		require.NoError(t, err)
		return out
	}
	git("init", "-q", "-b", "main")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: first")
	git("tag", "v0.1.6")
	repo, err := gitrepo.Open(t.Context(), run, root)
	require.NoError(t, err)
	return root, repo, git
}

func gitStore(repo *gitrepo.Repo) *bump.Store {
	return &bump.Store{Top: repo.Top, Dir: filepath.Join(repo.Dir, "state")}
}

var all = bump.Parts{Commit: true, Tag: true}

func hook(t *testing.T, repo *gitrepo.Repo, script string) {
	name := filepath.Join(repo.Dir, "hooks", "pre-commit")
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"+script), 0o755))
}

// If a hook refuses the commit, the tree is restored, even if the hook changed files first.
func TestFailingHook(t *testing.T) {
	root, repo, git := repository(t, two)
	before := files(t, root)
	hook(t, repo, "echo '# formatted' >> a/pixi.toml; rm b/pixi.toml; echo no such luck >&2; exit 1\n")
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	require.NoError(t, gitStore(repo).Preflight(t.Context(), p, repo, all))
	_, err := gitStore(repo).Take(t.Context(), p, repo, all)
	require.Contains(t, fmt.Sprintf("%+v", err), "no such luck")
	require.ErrorContains(t, err, "the files are restored")
	require.Equal(t, before, files(t, root))
	require.Empty(t, git("status", "--porcelain"))
	require.Equal(t, "v0.1.6", git("tag"))
	pending, err := gitStore(repo).Pending(t.Context(), repo)
	require.NoError(t, err)
	require.Nil(t, pending)
}

// An uncommitted bump is found, resumed, and committed alone. If a hook refuses the commit, the bump remains in the work tree.
func TestPending(t *testing.T) {
	root, repo, git := repository(t, two)
	s := gitStore(repo)
	r, err := s.Take(t.Context(), plan(t, root, bump.Request{To: "patch"}, nil), repo, bump.Parts{})
	require.NoError(t, err)
	require.Empty(t, r.Commit)
	pending, err := s.Pending(t.Context(), repo)
	require.NoError(t, err)
	require.Empty(t, pending.Commit)
	for to, fits := range map[string]bool{"": true, "patch": true, "0.1.7": true, "minor": false, "0.1.8": false} {
		require.Equal(t, fits, pending.Fits(bump.Request{To: to}), to)
	}

	hook(t, repo, "exit 1\n")
	changed := files(t, root)
	_, err = s.TakeUp(t.Context(), pending, repo, all)
	require.ErrorContains(t, err, "the bump is still in the work tree, uncommitted")
	require.Equal(t, changed, files(t, root))
	require.Equal(t, " M a/pixi.toml\n M b/pixi.toml\n M pixi.toml", git("status", "--porcelain"))
	hook(t, repo, "exit 0\n")

	write(t, root, "stray", "untracked files are no business of a bump\n")
	write(t, root, "b/more", "x")
	git("add", "b/more")
	_, err = s.Pending(t.Context(), repo)
	require.Contains(t, fmt.Sprintf("%+v", err), "the work tree has other changes\n  b/more\n")
	git("reset", "-q", "b/more")

	pending, err = s.Pending(t.Context(), repo)
	require.NoError(t, err)
	r, err = s.TakeUp(t.Context(), pending, repo, all)
	require.NoError(t, err)
	require.Equal(t, git("rev-parse", "HEAD"), r.Commit)
	require.Equal(t, "a/pixi.toml\nb/pixi.toml\npixi.toml", git("show", "--format=", "--name-only"))
	require.Equal(t, r.Commit, git("rev-parse", "v0.1.7^{commit}"))
	pending, err = s.Pending(t.Context(), repo)
	require.NoError(t, err)
	require.Nil(t, pending)
}

// A run that was killed after the commit is also resumed. Only the tag is made then.
func TestPendingTag(t *testing.T) {
	root, repo, git := repository(t, two)
	s := gitStore(repo)
	_, err := s.Take(t.Context(), plan(t, root, bump.Request{To: "patch"}, nil), repo, bump.Parts{})
	require.NoError(t, err)
	git("commit", "-q", "-am", "release: v0.1.7")
	pending, err := s.Pending(t.Context(), repo)
	require.NoError(t, err)
	require.Equal(t, git("rev-parse", "HEAD"), pending.Commit)
	r, err := s.TakeUp(t.Context(), pending, repo, all)
	require.NoError(t, err)
	require.Equal(t, []string{"v0.1.7"}, r.Tags)
	require.Equal(t, "tag", git("cat-file", "-t", "v0.1.7"))

	// Another run does nothing, and later commits are not affected.
	git("commit", "-q", "--allow-empty", "-m", "later")
	for range 2 {
		r, err = s.Take(t.Context(), plan(t, root, bump.Request{To: "0.1.7"}, nil), repo, all)
		require.NoError(t, err)
		require.Equal(t, []string{"v0.1.7"}, r.Tags)
	}
	// The tag goes to the commit of the release, even if there are later commits.
	git("tag", "-d", "v0.1.7")
	_, err = s.Take(t.Context(), plan(t, root, bump.Request{To: "0.1.7"}, nil), repo, all)
	require.NoError(t, err)
	require.Equal(t, git("rev-parse", "HEAD^"), git("rev-parse", "v0.1.7^{commit}"))
	// If the tag exists on another commit, Take fails.
	git("tag", "-f", "v0.1.7", "v0.1.6")
	_, err = s.Take(t.Context(), plan(t, root, bump.Request{To: "0.1.7"}, nil), repo, all)
	require.ErrorContains(t, err, "the tag v0.1.7 is at ")
}

// Before anything is written, the tree must be clean, the tags free, and the files tracked by git.
func TestPreflight(t *testing.T) {
	root, repo, git := repository(t, two)
	s := gitStore(repo)
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	write(t, root, "stray", "x")
	require.NoError(t, s.Preflight(t.Context(), p, repo, all))

	git("tag", "v0.1.7")
	require.ErrorContains(t, s.Preflight(t.Context(), p, repo, bump.Parts{}), "the tag v0.1.7 exists already")
	git("tag", "-d", "v0.1.7")

	write(t, root, "a/note", "x")
	git("add", "a/note")
	require.Contains(t, fmt.Sprintf("%+v", s.Preflight(t.Context(), p, repo, all)), "the work tree has changes that the bump must not commit; nothing was changed\n  a/note\n")
	git("reset", "-q")

	require.NoError(t, os.Mkdir(filepath.Join(root, "c"), 0o755))
	write(t, root, "c/pixi.toml", strings.ReplaceAll(files(t, root)["a/pixi.toml"], `"a"`, `"c"`))
	p = plan(t, root, bump.Request{To: "patch"}, nil)
	require.NoError(t, s.Preflight(t.Context(), p, repo, bump.Parts{}))
	require.Contains(t, fmt.Sprintf("%+v", s.Preflight(t.Context(), p, repo, all)), "git does not track some files that the bump would change; nothing was changed\n  c/pixi.toml")
}

// The workspace may be in a subfolder of the repository.
func TestWorkspaceInASubfolder(t *testing.T) {
	root, repo, git := repository(t, strings.ReplaceAll("\n"+two, "\n-- ", "\n-- ws/"))
	require.NoFileExists(t, filepath.Join(root, "pixi.toml"))
	s := gitStore(repo)
	s.Prefix = "ws"
	p := plan(t, filepath.Join(root, "ws"), bump.Request{To: "patch"}, nil)
	require.NoError(t, s.Preflight(t.Context(), p, repo, all))
	_, err := s.Take(t.Context(), p, repo, all)
	require.NoError(t, err)
	require.Equal(t, "ws/a/pixi.toml\nws/b/pixi.toml\nws/pixi.toml", git("show", "--format=", "--name-only"))
}

// If all versions are derived from tags, no file is edited. Only a tag is made, on the last commit.
func TestOnlyATag(t *testing.T) {
	root, repo, git := repository(t, lockstep+"-- a/pixi.toml --\n[package]\nbuild.backend.name = \"pixi-build-python\"\n"+
		"-- a/pyproject.toml --\n[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n")
	git("commit", "-q", "--allow-empty", "-m", "fix: x")
	p := plan(t, root, bump.Request{To: "patch"}, tagsOf{repo})
	require.True(t, p.Empty())
	require.Equal(t, []string{"a 0.1.6 → 0.1.7: asked"}, moves(p))
	s := gitStore(repo)
	require.NoError(t, s.Preflight(t.Context(), p, repo, all))
	r, err := s.Take(t.Context(), p, repo, all)
	require.NoError(t, err)
	require.Equal(t, []string{"v0.1.7"}, r.Tags)
	require.Equal(t, git("rev-parse", "HEAD"), git("rev-parse", "v0.1.7^{commit}"))
}

// tagsOf is a repository's history without its commits.
type tagsOf struct{ *gitrepo.Repo }

func (tagsOf) EachCommit(context.Context, string, func(bump.Commit)) error { return nil }
