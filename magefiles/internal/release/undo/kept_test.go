package undo

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const manifest = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[package.build]\nbackend = { name = \"pixi-build-rust\", version = \"*\" }\n"

// clone is a clone in which release v0.2.0 of package a has stopped after its commit because a check failed.
type clone struct {
	t      *testing.T
	undo   *Undo
	plan   *plan.Plan
	git    func(args ...string) string
	dir    string
	base   string // commit on which the release was begun
	commit string // release commit
}

// stopped returns a clone with a remote and one commit before the release.
func stopped(t *testing.T) *clone {
	t.Helper()
	repo, dir, git := gitrepotest.Open(t)
	for name, text := range map[string]string{
		"pixi.toml":   "[workspace]\nname = \"w\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n[tool.release]\nchannel = \"ours\"\n",
		"a/pixi.toml": manifest,
		"a/more.txt":  "more\n",
	} {
		gitrepotest.Write(t, dir, name, text)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: a")
	gitrepotest.AddRemote(t, dir, git)
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	b, err := bump.New(t.Context(), w, bump.Request{To: "minor"}, nil)
	require.NoError(t, err)
	c := &clone{
		t:    t,
		git:  git,
		dir:  dir,
		base: git("rev-parse", "HEAD"),
	}
	c.plan, err = plan.Draft(t.Context(), repo, w, b, plan.Found{
		Base:    c.base,
		Branch:  "main",
		There:   c.base,
		Channel: "https://prefix.dev/ours",
		Publish: "here",
	})
	require.NoError(t, err)
	require.Equal(t, "v0.2.0", c.plan.Title)
	store := &bump.Store{Top: repo.Top, Dir: filepath.Join(repo.Dir, "state")}
	c.undo = &Undo{Trace: &trace.Trace{
		Repo:    repo,
		Store:   store,
		Root:    repo.Top,
		State:   filepath.Join(repo.Dir, "journals"),
		Channel: func(*workspace.Workspace) (publish.Destination, error) { return nil, errors.New("no answer") },
	}}
	s := trace.Kind(c.undo.Trace.State).New()
	defer s.Close()
	require.NoError(t, s.Agree(c.plan))
	d := workflow.New()
	workflow.Add(d, workflow.Step[trace.Commit]{
		Name: trace.StepCommit,
		Do: func(ctx context.Context) (trace.Commit, error) {
			done, err := store.Take(ctx, c.plan.Bump, repo, bump.Parts{Commit: true})
			return trace.Commit{Hash: done.Commit, Where: trace.Here}, err
		},
	})
	workflow.Add(d, workflow.Step[string]{
		Name: trace.StepCheck,
		Do:   func(context.Context) (string, error) { return "", errors.New("a test failed") },
	})
	require.ErrorContains(t, s.Run(t.Context(), d, nil, func(error) bool { return false }), "a test failed")
	c.commit = git("rev-parse", "HEAD")
	require.Equal(t, c.base, git("rev-parse", "HEAD^"))
	return c
}

func (c *clone) write(name, text string) { gitrepotest.Write(c.t, c.dir, name, text) }

func (c *clone) read(name string) string {
	text, err := os.ReadFile(filepath.Join(c.dir, name))
	require.NoError(c.t, err)
	return string(text)
}

// commitAll commits all changes, and returns the commit.
func (c *clone) commitAll(subject string) string {
	c.git("add", "-A")
	c.git("commit", "-q", "-m", subject)
	return c.git("rev-parse", "HEAD")
}

// `mine` returns the user's changes in the clone, staged or not. An undo must not lose them.
func (c *clone) mine() string {
	return c.git("status", "--porcelain") + "\n" + c.git("diff", "--cached") + "\n" + c.git("diff")
}

// An undo lists what it removes and what it keeps. It keeps later commits and uncommitted changes, staged or not.
func TestUndoKeepsUsersChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(c *clone)
		says     []string // texts shown before the question, in order
		did      []string // %C is the release commit
		reverted bool     // whether the commit is reverted instead of removed
	}{
		"nothing else": {
			change: func(*clone) {},
			says:   []string{"remove commit %C (not pushed)", "no tag"},
			did:    []string{"removed the commit %C", "HEAD is %B, main (feat: a)"},
		},
		"a tag": {
			change: func(c *clone) { c.git("tag", "-a", "-m", "v0.2.0", "v0.2.0") },
			says:   []string{"remove commit %C (not pushed)", "remove tag v0.2.0 of this clone"},
			did:    []string{"removed the commit %C", "removed the tag v0.2.0", "HEAD is %B, main (feat: a)"},
		},
		"changes in another file": {
			change: func(c *clone) { c.write("a/more.txt", "mine\n") },
			says:   []string{"remove commit %C (not pushed)", "no tag", "other changes in 1 file are kept: a/more.txt"},
			did:    []string{"removed the commit %C", "HEAD is %B, main (feat: a)"},
		},
		"staged changes, others beside them, a new file and one that was removed": {
			change: func(c *clone) {
				c.write("a/more.txt", "staged\n")
				c.write("new.txt", "new\n")
				c.git("add", "-A")
				c.write("a/more.txt", "not staged\n")
				c.git("rm", "-q", "--cached", "sub/file")
				c.write("unknown.txt", "unknown\n")
			},
			says: []string{"remove commit %C (not pushed)", "no tag", "other changes in 3 files are kept: a/more.txt and 2 more"},
			did:  []string{"removed the commit %C", "HEAD is %B, main (feat: a)"},
		},
		"a commit on top": {
			change:   func(c *clone) { c.write("a/more.txt", "mine\n"); c.commitAll("feat: mine") },
			says:     []string{"revert commit %C, because later commits are on top of it", "no tag"},
			did:      []string{"reverted the commit %C by %H, because later commits are on top of it", "HEAD is %H, main (Revert \"%S\")"},
			reverted: true,
		},
		"a commit on top, and changes": {
			change: func(c *clone) {
				c.write("a/more.txt", "mine\n")
				c.commitAll("feat: mine")
				c.write("a/more.txt", "more of mine\n")
			},
			says:     []string{"revert commit %C, because later commits are on top of it", "no tag", "other changes in 1 file are kept: a/more.txt"},
			did:      []string{"reverted the commit %C by %H, because later commits are on top of it", "HEAD is %H, main (Revert \"%S\")"},
			reverted: true,
		},
		"the commit was pushed": {
			change:   func(c *clone) { c.git("push", "-q", "origin", "main") },
			says:     []string{"revert commit %C, because origin has it; `git push` undoes it on the remote, too", "no tag"},
			did:      []string{"reverted the commit %C by %H, because origin has it; `git push` undoes it on the remote, too", "HEAD is %H, main (Revert \"%S\")"},
			reverted: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stopped(t)
			c.change(r)
			before, top := r.mine(), r.git("rev-parse", "HEAD")
			b, err := r.undo.Find(t.Context())
			require.NoError(t, err)
			require.Equal(t, Local, b.Way)
			again, err := r.undo.Find(t.Context())
			require.NoError(t, err)
			require.True(t, b.Same(again))
			said, err := r.undo.Take(t.Context(), b)
			require.NoError(t, err)
			head := r.git("rev-parse", "HEAD")
			of := strings.NewReplacer("%C", r.commit[:12], "%B", r.base[:12], "%H", head[:12], "%S", r.git("log", "-1", "--format=%s", r.commit))
			for i := range c.says {
				c.says[i] = of.Replace(c.says[i])
			}
			for i := range c.did {
				c.did[i] = of.Replace(c.did[i])
			}
			require.Equal(t, c.says, b.Parts.Lines())
			require.Equal(t, c.did, said)
			require.Equal(t, before, r.mine())
			require.Equal(t, manifest, r.read("a/pixi.toml"))
			require.Empty(t, r.git("tag", "--list"))
			require.Equal(t, trace.Undone, ended(t, r.undo))
			if c.reverted {
				require.Equal(t, top, r.git("rev-parse", "HEAD^"), "what is on top stays")
				return
			}
			require.Equal(t, r.base, head)
		})
	}
}

// If a job tags the versions on the branch, the undo warns that removing the tag does not undo the release.
func TestUndoWarnsThatAJobTagsAgain(t *testing.T) {
	for land, again := range map[string]string{"push": "", "pull-request": "main"} {
		r := stopped(t)
		r.write("pixi.toml", r.read("pixi.toml")+"land = \""+land+"\"\n")
		r.commitAll("build: how releases land")
		b := &Back{Plan: &plan.Plan{Branch: "main", Remote: "origin", Title: "v0.2.0", Tags: []string{"v0.2.0"}, Bump: &bump.Plan{}}, Way: Remote, trace: r.undo.Trace.For(r.plan)}
		require.NoError(t, b.findRemote(t.Context()))
		require.Equal(t, again, b.Parts.Again)
		require.Equal(t, again != "", strings.Contains(strings.Join(b.Parts.Lines(), "\n"), "makes release-pr.yml tag them again"))
	}
}

// If a pull request landed the release, the undo marks the pull request before it removes the tag, so that no job tags the release again.
func TestUndoMarksThePullRequest(t *testing.T) {
	r := stopped(t)
	r.write("pixi.toml", r.read("pixi.toml")+"land = \"pull-request\"\n")
	r.commitAll("build: how releases land")
	landed := r.git("rev-parse", "HEAD")
	r.git("push", "-q", "origin", "HEAD:main", "HEAD:refs/tags/v0.2.0")
	hub, err := server.New(server.Options{
		Repository: "acme/acme",
		Token:      "ghp_of_a_person",
		Branch: func(name string) (string, bool) {
			return map[bool]string{true: "aaaa", false: "bbbb"}[name == "main"], true
		},
		Land: func(server.Landing) (string, error) { return landed, nil },
	})
	require.NoError(t, err)
	s := httptest.NewServer(hub)
	t.Cleanup(s.Close)
	client, err := github.New(github.Options{API: s.URL, Repository: "acme/acme", Token: "ghp_of_a_person"})
	require.NoError(t, err)
	made, err := client.OpenPull(t.Context(), github.NewPull{Title: "Release v0.2.0", Body: "The plan.", Base: "main", Head: forge.BranchOf("main")})
	require.NoError(t, err)
	_, err = hub.Squash(int64(made.Number))
	require.NoError(t, err)

	at := r.undo.Trace.For(r.plan)
	at.Hub = forge.Hub{Repository: "acme/acme", Client: client, Token: true}
	refs, err := gitremote.Read(t.Context(), at.Repo, "origin")
	require.NoError(t, err)
	b := &Back{Plan: &plan.Plan{Branch: "main", Remote: "origin", Title: "v0.2.0", Tags: []string{"v0.2.0"}, Bump: &bump.Plan{}}, Way: Remote, Commit: landed, trace: at, refs: refs}
	require.NoError(t, b.findRemote(t.Context()))
	require.Empty(t, b.Parts.Again)
	require.Contains(t, strings.Join(b.Parts.Lines(), "\n"), made.URL+" is marked as undone")
	said, err := b.undoRemote(t.Context())
	require.NoError(t, err)
	require.Contains(t, said, "marked "+made.URL+" as undone")
	pulls, err := client.Pulls(t.Context(), forge.BranchOf("main"))
	require.NoError(t, err)
	require.True(t, forge.IsUndone(pulls[0].Body))
	require.Contains(t, pulls[0].Body, "The plan.")
	require.Empty(t, r.git("ls-remote", "--tags", "origin"))
	require.Equal(t, landed, strings.Fields(r.git("ls-remote", "origin", "refs/heads/main"))[0], "the branch stays")

	// With a token that may not read pull requests, the undo removes the tag and reports that nothing was marked. If the request fails, the undo must
	// be run again.
	r.git("push", "-q", "origin", "HEAD:refs/tags/v0.2.0")
	hub.Private = true
	hub.Grant("ghs_of_a_job", map[string]string{"contents": "write"})
	at.Hub.Client, err = github.New(github.Options{API: s.URL, Repository: "acme/acme", Token: "ghs_of_a_job"})
	require.NoError(t, err)
	refs, err = gitremote.Read(t.Context(), at.Repo, "origin")
	require.NoError(t, err)
	b = &Back{Plan: b.Plan, Way: Remote, Commit: landed, trace: at, refs: refs}
	require.NoError(t, b.findRemote(t.Context()))
	says := strings.Join(b.Parts.Lines(), "\n")
	require.Contains(t, says, "is not marked as undone, because it cannot be found: ")
	require.Contains(t, says, "the next push to the branch makes release-pr.yml tag them again")
	said, err = b.undoRemote(t.Context())
	require.NoError(t, err)
	require.NotContains(t, strings.Join(said, "\n"), "marked")
	require.Empty(t, r.git("ls-remote", "--tags", "origin"))
	s.Close()
	require.Error(t, b.findRemote(t.Context()))
}

// If an undo would touch the user's changes, it is refused before the question. The error has the next commands, and nothing is changed.
func TestUndoRefusesToTouchUsersChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *clone)
		says   string
		next   string
		status int
	}{
		"a bump of their own": {
			change: func(c *clone) {
				w, err := workspace.Load(c.dir)
				require.NoError(c.t, err)
				own, err := bump.New(c.t.Context(), w, bump.Request{To: "major"}, nil)
				require.NoError(c.t, err)
				_, err = c.undo.Trace.Store.Take(c.t.Context(), own, c.undo.Trace.Repo, bump.Parts{})
				require.NoError(c.t, err)
				require.Contains(c.t, c.read("a/pixi.toml"), "1.0.0")
			},
			says:   "v0.2.0 cannot be undone while you have uncommitted changes in a/pixi.toml; nothing was changed",
			next:   "run `git stash`, `mage undo`, and `git stash pop --index`",
			status: operr.Failed,
		},
		"a released file, by hand": {
			change: func(c *clone) { c.write("a/pixi.toml", c.read("a/pixi.toml")+"# mine\n") },
			says:   "v0.2.0 cannot be undone while you have uncommitted changes in a/pixi.toml; nothing was changed",
			next:   "run `git stash`, `mage undo`, and `git stash pop --index`",
			status: operr.Failed,
		},
		"a released file, staged": {
			change: func(c *clone) { c.write("a/pixi.toml", c.read("a/pixi.toml")+"# mine\n"); c.git("add", "-A") },
			says:   "v0.2.0 cannot be undone while you have uncommitted changes in a/pixi.toml; nothing was changed",
			next:   "run `git stash`, `mage undo`, and `git stash pop --index`",
			status: operr.Failed,
		},
		"something staged, and a commit on top": {
			change: func(c *clone) {
				c.write("new.txt", "new\n")
				c.commitAll("feat: mine")
				c.write("a/more.txt", "staged\n")
				c.git("add", "-A")
			},
			says:   "v0.2.0 cannot be undone while you have uncommitted changes in a/more.txt; nothing was changed",
			next:   "run `git stash`, `mage undo`, and `git stash pop --index`",
			status: operr.Failed,
		},
		"a merge that is not committed": {
			change: func(c *clone) {
				c.git("switch", "-q", "-c", "topic", c.base)
				c.write("new.txt", "new\n")
				c.commitAll("feat: new")
				c.git("switch", "-q", "main")
				c.git("merge", "-q", "--no-commit", "--no-ff", "topic")
			},
			says:   "git is in the middle of a merge, which would include the undo of v0.2.0; nothing was changed",
			next:   "finish or stop this operation: `git commit` or `git merge --abort`; then run `mage undo`",
			status: operr.Failed,
		},
		"another branch": {
			change: func(c *clone) { c.git("switch", "-q", "-c", "topic", c.base) },
			says:   "the release of v0.2.0 was begun on the branch main, which has new commits, but another branch is checked out; nothing was changed",
			next:   "run `git switch main`, and then this command again",
			status: operr.Stopped,
		},
		"no branch": {
			change: func(c *clone) { c.git("switch", "-q", "--detach", c.base) },
			says:   "the release of v0.2.0 was begun on the branch main, which has new commits, but another branch is checked out; nothing was changed",
			next:   "run `git switch main`, and then this command again",
			status: operr.Stopped,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := stopped(t)
			c.change(r)
			before, refs := r.mine(), r.git("for-each-ref")
			_, err := r.undo.Find(t.Context())
			require.EqualError(t, err, c.says)
			require.Equal(t, c.next, operr.NextOf(err))
			require.Equal(t, c.status, operr.ExitStatus(err))
			require.Equal(t, before, r.mine())
			require.Equal(t, refs, r.git("for-each-ref"))
			require.Empty(t, ended(t, r.undo))
		})
	}
}

// If git refuses to revert, the error shows how to revert by hand, and nothing is changed or recorded.
func TestUndoThatGitRefuses(t *testing.T) {
	r := stopped(t)
	r.write("a/pixi.toml", strings.ReplaceAll(r.read("a/pixi.toml"), "0.2.0", "0.3.0"))
	r.commitAll("chore: 0.3.0")
	before, refs := r.mine(), r.git("for-each-ref")
	b, err := r.undo.Find(t.Context())
	require.NoError(t, err)
	_, err = r.undo.Take(t.Context(), b)
	require.ErrorContains(t, err, "nothing was changed")
	require.Equal(t, "read git's message above; to revert the commit by hand, run `git revert "+r.commit[:12]+"`", operr.NextOf(err))
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	require.Equal(t, before, r.mine())
	require.Equal(t, refs, r.git("for-each-ref"))
	require.Empty(t, ended(t, r.undo))
}

// A release can only be undone in the work tree that began it, not in another one of the same clone.
func TestUndoInAnotherWorkTree(t *testing.T) {
	r := stopped(t)
	there := filepath.Join(t.TempDir(), "other")
	r.git("worktree", "add", "-q", "-b", "topic", there, r.base)
	run := *r.undo.Trace
	_, runner := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), runner, there)
	require.NoError(t, err)
	run.Repo, run.Root, run.State = repo, repo.Top, filepath.Join(repo.Dir, "journals")
	run.Store = &bump.Store{Top: repo.Top, Dir: filepath.Join(repo.Dir, "state")}
	_, err = (&Undo{Trace: &run}).Find(t.Context())
	require.ErrorContains(t, err, "no release is unfinished, so there is nothing to undo")
	require.Equal(t, r.commit, r.git("rev-parse", "main"))
	b, err := r.undo.Find(t.Context())
	require.NoError(t, err)
	_, err = r.undo.Take(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, r.base, r.git("rev-parse", "main"))
	require.Equal(t, r.base, r.git("rev-parse", "topic"))
}

// The next undo completes one that was killed between updating the index and the branch.
func TestUndoContinuesAfterAKill(t *testing.T) {
	r := stopped(t)
	r.git("read-tree", "-m", "-u", "HEAD", r.base)
	b, err := r.undo.Find(t.Context())
	require.NoError(t, err)
	_, err = r.undo.Take(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, r.base, r.git("rev-parse", "HEAD"))
	require.Empty(t, r.git("status", "--porcelain"))
}

// If the branch still has the commit from the journal, the undo must not report success.
func TestUndoWithARemainingCommit(t *testing.T) {
	r := stopped(t)
	b, err := r.undo.Find(t.Context())
	require.NoError(t, err)
	require.EqualError(t, b.checkGone(t.Context()), "the branch still has the commit "+r.commit[:12]+" of v0.2.0, and its versions")
	r.git("reset", "-q", "--hard", r.base)
	require.NoError(t, b.checkGone(t.Context()))
}

// FindStays finds what remains of a release after each kind of undo, and after later commits.
func TestFindStays(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(r *clone)
		empty         bool           // the release made no commit
		others        []plan.Package // packages that it also published, with independent versioning
		want          string
		next          string
	}{
		"its commit was removed": {want: "nothing of it is left in this clone"},
		"its commit was reverted, below another one": {
			before: func(r *clone) { r.write("a/more.txt", "mine\n"); r.commitAll("fix: mine") },
			want:   "its tags are gone, and main has the earlier versions again; the commit COMMIT and its revert HEAD stay in the history",
		},
		"the remote has its commit alone": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			want:   "its tags are gone, and main has the earlier versions again; the commit COMMIT and its revert HEAD stay in the history",
			next:   "run `git push origin main` to undo the commit on the remote, too",
		},
		"the remote does not answer": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			after: func(r *clone) {
				r.git("remote", "set-url", "origin", filepath.Join(r.git("rev-parse", "--show-toplevel"), "nowhere"))
			},
			want: "its tags are gone, and main has the earlier versions again; the commit COMMIT and its revert HEAD stay in the history; it is not known whether origin has the revert, too: ",
		},
		"the remote has both": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			after:  func(r *clone) { r.git("push", "-q", "origin", "main") },
			want:   "its tags are gone, and main has the earlier versions again; the commit COMMIT and its revert HEAD stay in the history",
		},
		"another branch is checked out": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			after:  func(r *clone) { r.git("checkout", "-q", "-b", "topic", r.base) },
			want:   "its tags are gone, and so are its versions; the commit COMMIT stays in the history of main",
			next:   "run `git switch main`, and then `mage status` to see the next step",
		},
		"a branch with the way back is checked out": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			after: func(r *clone) {
				r.git("checkout", "-q", "-b", "topic")
				r.git("branch", "-q", "-f", "main", r.commit)
			},
			want: "its tags are gone, and main still has its versions (commit COMMIT)",
			next: "run `git switch main`, and then `mage status` to see the next step",
		},
		"the versions of other packages were not its own": {
			before: func(r *clone) {
				r.write("b/pixi.toml", strings.ReplaceAll(manifest, `"a"`, `"b"`))
				r.commitAll("feat: b")
			},
			others: []plan.Package{{Name: "b", Version: "0.1.0"}},
			want:   "its tags are gone, and main has the earlier versions again; the commit COMMIT and its revert HEAD stay in the history",
		},
		"somebody has bumped again": {
			before: func(r *clone) { r.git("push", "-q", "origin", "main") },
			after: func(r *clone) {
				r.write("a/pixi.toml", strings.ReplaceAll(manifest, "0.1.0", "0.2.0"))
				r.commitAll("feat: bumped")
			},
			want: "its tags are gone; main has its versions again, although the commit COMMIT was reverted by HEAD",
		},
		"its versions were there": {
			empty: true,
			want:  "its tags are gone, and main still has its versions (commit COMMIT)",
		},
		"its versions were there, and are others now": {
			empty: true,
			after: func(r *clone) {
				r.write("a/pixi.toml", strings.ReplaceAll(manifest, "0.1.0", "0.3.0"))
				r.commitAll("feat: bumped")
			},
			want: "nothing of it is left in this clone",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := stopped(t)
			if c.before != nil {
				c.before(r)
			}
			past, err := trace.Last(r.undo.Trace.State)
			require.NoError(t, err)
			if c.empty {
				past.Plan.Base, past.Plan.Bump.Packages, past.Plan.Bump.Files = r.commit, nil, nil
			} else {
				b, err := r.undo.Find(t.Context())
				require.NoError(t, err)
				_, err = r.undo.Take(t.Context(), b)
				require.NoError(t, err)
			}
			head := r.git("rev-parse", "HEAD")
			if c.after != nil {
				c.after(r)
			}
			if c.others != nil {
				past.Plan.Tags, past.Plan.Packages = []string{"a/v0.2.0"}, append(past.Plan.Packages, c.others...)
			}
			stays, err := FindStays(t.Context(), r.undo.Trace, past, time.Minute)
			require.NoError(t, err)
			says, why, _ := strings.Cut(stays.String(), "revert, too: ")
			if why != "" {
				says += "revert, too: "
			}
			require.Equal(t, strings.NewReplacer("COMMIT", r.commit[:12], "HEAD", head[:12]).Replace(c.want), says)
			require.Equal(t, c.next, stays.Next())
		})
	}
}

// FindStays returns an error if its context ends while it queries the remote.
func TestFindStaysEndsWithItsContext(t *testing.T) {
	r := stopped(t)
	r.git("push", "-q", "origin", "main")
	past, err := trace.Last(r.undo.Trace.State)
	require.NoError(t, err)
	b, err := r.undo.Find(t.Context())
	require.NoError(t, err)
	_, err = r.undo.Take(t.Context(), b)
	require.NoError(t, err)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never replies
	require.NoError(t, err)
	defer silent.Close()
	r.git("remote", "set-url", "origin", "git://"+silent.Addr().String()+"/x.git")
	stays, err := FindStays(t.Context(), r.undo.Trace, past, 10*time.Millisecond)
	require.NoError(t, err)
	require.Contains(t, stays.Unknown, "it is not known whether origin has the revert, too")
	ctx, interrupt := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, errors.New("interrupted"))
	defer interrupt()
	_, err = FindStays(ctx, r.undo.Trace, past, time.Minute)
	require.Error(t, err)
}
