package releasepr_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/github/server/bare"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/releasepr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// team is a repository with three packages at version 0.1.6 on an embedded GitHub, and two users with a clone each.
type team struct {
	t      *testing.T
	hub    *server.Server
	url    string
	remote bare.Remote
	run    *command.System
	first  string // the first user's clone
	second string

	token   string // token of the user or job that proposes; "" for none
	inJobs  bool
	byJob   bool
	nowhere bool         // whether the remote is not on GitHub
	kill    string       // change after which the run is killed
	lose    atomic.Int64 // number of the request from which on all responses are lost; 0 for none
	said    []string
	today   string
}

const branch = "foopack/release-main"

// newTeam creates a team. `files` are added to the packages' own files.
func newTeam(t *testing.T, files map[string]string) *team {
	t.Helper()
	r := &team{t: t, token: "person", today: "2026-11-30"}
	r.run = command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a tester",
		"GIT_AUTHOR_EMAIL=tester@example.invalid", "GIT_COMMITTER_NAME=a tester", "GIT_COMMITTER_EMAIL=tester@example.invalid"), nil)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	r.first, r.second = filepath.Join(dir, "first"), filepath.Join(dir, "second")
	r.remote = bare.Remote{Runner: r.run, Environ: os.Environ(), Dir: filepath.Join(dir, "remote.git")}
	all := map[string]string{"CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n- Something new.\n\n## [0.1.6] - 2026-01-01\n\n- Old.\n"}
	for name, text := range monorepotest.Files(3, "0.1.6") {
		all[name] = text
	}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		if text != "" {
			r.write(r.first, name, text)
		}
	}
	r.git(dir, "init", "-q", "--bare", "-b", "main", r.remote.Dir)
	r.git(r.first, "init", "-q", "-b", "main")
	r.git(r.first, "remote", "add", "origin", r.remote.Dir)
	r.git(r.first, "add", "-A")
	r.git(r.first, "commit", "-q", "-m", "chore: initial")
	r.git(r.first, "tag", "v0.1.6")
	r.commit(r.first, "packages/core/notes.txt", "1\n", "feat: a first thing")
	r.git(r.first, "push", "-q", "-u", "origin", "main", "v0.1.6")
	r.git(dir, "clone", "-q", r.remote.Dir, r.second)
	r.hub, err = server.New(server.Options{
		Repository: "o/r",
		Token:      "person",
		Reader:     "reader",
		Job:        "job",
		Branch:     r.remote.Branch,
		Land:       r.remote.Land,
	})
	require.NoError(t, err)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch left := r.lose.Load(); {
		case left < 0: // the client process was killed
			panic(http.ErrAbortHandler)
		case left == 1:
			r.lose.Store(-1)
			r.hub.ServeHTTP(httptest.NewRecorder(), req)
			panic(http.ErrAbortHandler)
		case left > 1:
			r.lose.Store(left - 1)
		}
		r.hub.ServeHTTP(w, req)
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *team) git(dir string, args ...string) string {
	r.t.Helper()
	out, err := command.Output(r.t.Context(), r.run, command.Cmd{Name: "git", Args: args, Dir: dir})
	require.NoError(r.t, err, "git %s: %s", strings.Join(args, " "), operr.DetailOf(err))
	return strings.TrimSpace(out)
}

func (r *team) write(dir, name, text string) {
	r.t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(r.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(r.t, os.WriteFile(file, []byte(text), 0o644))
}

func (r *team) commit(dir, name, text, message string) {
	r.t.Helper()
	r.write(dir, name, text)
	r.git(dir, "add", "-A")
	r.git(dir, "commit", "-q", "-m", message)
}

// onBranch changes a file on the pull request's branch, as the second user.
func (r *team) onBranch(name string, change func(text string) string) {
	r.t.Helper()
	r.git(r.second, "fetch", "-q", "origin")
	r.git(r.second, "switch", "-q", "-C", branch, "origin/"+branch)
	text, err := os.ReadFile(filepath.Join(r.second, name))
	require.NoError(r.t, err)
	r.commit(r.second, name, change(string(text)), "docs: by hand")
	r.git(r.second, "push", "-q", "origin", branch)
	r.git(r.second, "switch", "-q", "main")
}

func (r *team) client(token string) *github.Client {
	c, err := github.New(github.Options{API: r.url, Repository: "o/r", Token: github.Token(token), Attempts: 1})
	require.NoError(r.t, err)
	return c
}

func (r *team) Say(format string, args ...any)     { r.said = append(r.said, fmt.Sprintf(format, args...)) }
func (r *team) Line(format string, args ...any)    { r.Say(format, args...) }
func (r *team) Heading(format string, args ...any) { r.Say(format, args...) }
func (r *team) Next(format string, args ...any)    { r.Say(format, args...) }
func (r *team) Plan(*bump.Plan, bool)              {}

var errKilled = errors.New("killed")

// propose runs `release -pr` in the first clone.
func (r *team) propose(to string) (releasepr.Result, error) {
	return r.proposer().Run(r.t.Context(), bump.Request{To: to})
}

// proposer returns the first user's Proposer.
func (r *team) proposer() *releasepr.Proposer {
	return &releasepr.Proposer{
		Runner:  r.run,
		Dir:     r.first,
		View:    r,
		Today:   r.today,
		Confirm: func(context.Context, string) error { return nil },
		Hub: func(context.Context, *gitrepo.Repo, *workspace.Workspace) (forge.Hub, error) {
			if r.nowhere {
				return forge.Hub{}, nil
			}
			return forge.Hub{Repository: "o/r", Client: r.client(r.token), Token: r.token != ""}, nil
		},
		Channel: func(*workspace.Workspace) (string, error) { return "https://prefix.example/ours", nil },
		ByJob:   r.byJob,
		InJob:   r.inJobs,
		Done: func(what string) error {
			if what == r.kill {
				return errKilled
			}
			return nil
		},
	}
}

func (r *team) ok(to string) releasepr.Result {
	r.t.Helper()
	result, err := r.propose(to)
	require.NoError(r.t, err)
	return result
}

// `at` returns the head commit of a remote branch, or "".
func (r *team) at(name string) string {
	at, _ := r.remote.Branch(name)
	return at
}

// `has` returns a file's content in a commit of the remote.
func (r *team) has(commit, name string) string {
	return r.git(r.remote.Dir, "cat-file", "blob", commit+":"+name) + "\n"
}

func (r *team) pulls() []github.Pull {
	r.t.Helper()
	all, err := r.client("person").Pulls(r.t.Context(), branch)
	require.NoError(r.t, err)
	return all
}

// landed returns the landed versions that `release` would find on a remote branch.
func (r *team) landed(name string) *trace.Landed {
	r.t.Helper()
	r.git(r.second, "fetch", "-q", "origin")
	r.git(r.second, "switch", "-q", "--detach", "origin/"+name)
	b, err := bumping.Open(r.t.Context(), bumping.Config{Runner: r.run, Dir: r.second, View: r})
	require.NoError(r.t, err)
	refs, err := gitremote.Read(r.t.Context(), b.Repo, "origin")
	require.NoError(r.t, err)
	landed, err := trace.FindLanded(r.t.Context(), b.Repo, b.Store, b.Workspace, b.History(), refs.Tags)
	require.NoError(r.t, err)
	return landed
}

// A proposal changes nothing in the clone. A second run changes nothing at all. If the base has moved, the next run updates the proposal.
func TestAReleaseIsProposed(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	head := r.git(r.first, "rev-parse", "HEAD")
	r.write(r.first, "packages/core/edit.txt", "of a person\n")
	result := r.ok("patch")
	require.Equal(t, "Release v0.1.7", result.Title)
	require.Equal(t, branch, result.Branch)
	require.Equal(t, r.at(branch), result.Commit)
	require.Equal(t, r.at("main"), r.git(r.remote.Dir, "rev-parse", result.Commit+"^"), "it is one commit on the base")
	require.Contains(t, r.has(result.Commit, "packages/core/pixi.toml"), `"0.1.7"`)
	require.Contains(t, r.has(result.Commit, "CHANGELOG.md"), "## [0.1.7] - 2026-11-30")
	require.Equal(t, head, r.git(r.first, "rev-parse", "HEAD"))
	require.Equal(t, "?? packages/core/edit.txt", r.git(r.first, "status", "--porcelain"), "the user's edit is not committed")

	pulls := r.pulls()
	require.Len(t, pulls, 1)
	require.Equal(t, result.Number, pulls[0].Number)
	for _, part := range []string{"| 0.1.6 | 0.1.7 |", "the tag `v0.1.7`", "<https://prefix.example/ours>", "### Changelog", "A first thing", "Something new.", "### Pins that move", "pin on mono-core"} {
		require.Contains(t, pulls[0].Body, part)
	}
	require.True(t, strings.HasPrefix(pulls[0].Body, "<!-- release plan"), "the user must press nothing")

	require.Equal(t, "merge "+result.URL+"; then run `git pull`, and `mage release`", result.Next())
	r.write(r.first, ".github/workflows/release-pr.yml", "jobs: {a: {steps: [{run: mage release -pr}]}}\n")
	again := r.ok("patch")
	require.Equal(t, "merge "+result.URL+"; CI jobs then tag the merge commit and publish the packages", again.Next(), "`mage release` would be refused")
	require.Equal(t, result.Commit, again.Commit)
	require.Equal(t, result.Commit, r.at(branch))

	require.NoError(t, r.client("person").EditPull(t.Context(), pulls[0].Number, "Whatever", "Dear all.\n\n"+pulls[0].Body+"\n\nBest."))
	r.commit(r.second, "packages/core/more.txt", "2\n", "feat: a second thing")
	r.git(r.second, "push", "-q", "origin", "main")
	next := r.ok("patch")
	require.Equal(t, result.Number, next.Number, "there is one pull request")
	require.Equal(t, r.at("main"), r.git(r.remote.Dir, "rev-parse", next.Commit+"^"))
	pulls = r.pulls()
	require.Equal(t, "Release v0.1.7", pulls[0].Title)
	require.Contains(t, pulls[0].Body, "A second thing")
	require.True(t, strings.HasPrefix(pulls[0].Body, "Dear all.\n\n<!--"), "what people wrote stays")
	require.True(t, strings.HasSuffix(pulls[0].Body, "-->\n\nBest."))

	other := r.ok("minor")
	require.Equal(t, "Release v0.2.0", other.Title)
	require.Equal(t, result.Number, other.Number)
}

// A commit message that quotes our markers does not truncate the body or make it grow.
func TestMarksInACommit(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.commit(r.second, "packages/core/more.txt", "2\n", "feat: write `<!-- end of the release plan -->` at last")
	r.git(r.second, "push", "-q", "origin", "main")
	first := r.ok("patch")
	body := r.pulls()[0].Body
	require.Equal(t, 1, strings.Count(body, "<!-- end of the release plan -->"))
	require.Contains(t, r.has(first.Commit, "CHANGELOG.md"), "`<!-- end of the release plan -->` at last")
	require.Equal(t, first, r.ok("patch"))
	require.Equal(t, body, r.pulls()[0].Body)
}

// People's edits of the section are kept if the base moves, if GitHub merges the base into the branch, and if the version changes.
func TestPeoplesEditsAreKept(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.ok("patch")
	r.onBranch("CHANGELOG.md", func(text string) string {
		return strings.Replace(text, "- A first thing", "A great release.\n\n- The very first thing", 1)
	})
	mine := r.at(branch)
	result := r.ok("patch")
	require.Equal(t, mine, result.Commit, "the branch is unchanged, because nothing is new")

	r.commit(r.second, "packages/core/more.txt", "2\n", "feat: a second thing")
	r.git(r.second, "push", "-q", "origin", "main")
	text := r.has(r.ok("patch").Commit, "CHANGELOG.md")
	require.Contains(t, text, "A great release.\n\n- The very first thing")
	require.NotContains(t, text, "- A first thing")
	require.Equal(t, 1, strings.Count(text, "A second thing"))
	require.Equal(t, 1, strings.Count(text, "Something new."))

	r.commit(r.second, "packages/core/third.txt", "3\n", "fix: a third thing")
	r.git(r.second, "push", "-q", "origin", "main")
	r.git(r.second, "fetch", "-q", "origin")
	r.git(r.second, "switch", "-q", "-C", branch, "origin/"+branch)
	r.git(r.second, "merge", "-q", "-m", "Merge branch 'main'", "main") // as GitHub's "Update branch" does
	r.git(r.second, "push", "-q", "origin", branch)
	r.git(r.second, "switch", "-q", "main")
	text = r.has(r.ok("patch").Commit, "CHANGELOG.md")
	require.Contains(t, text, "A great release.")
	require.Contains(t, text, "A third thing")
	require.NotContains(t, text, "- A first thing", "a reworded line does not return")

	r.today = "2026-12-01"
	result = r.ok("minor")
	text = r.has(result.Commit, "CHANGELOG.md")
	require.Contains(t, text, "## [0.2.0] - 2026-12-01")
	require.Contains(t, text, "A great release.")
	require.NotContains(t, text, "0.1.7")
	require.Contains(t, text, "## [0.1.6] - 2026-01-01")
	require.Equal(t, result.Commit, r.ok("minor").Commit)
}

// A release landed in the first commit that has its versions, along the branch's first parents. The merge method and later commits do not matter.
func TestWhatLands(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"merge", "squash", "rebase", "queue"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, nil)
			require.Nil(t, r.landed("main"))
			result := r.ok("patch")
			before := r.at("main")
			if method == "queue" {
				r.hub.Protect("main", server.Rules{Queue: true})
				require.Error(t, r.client("person").MergePull(t.Context(), result.Number, "squash", ""))
				require.NoError(t, r.hub.Enqueue(int64(result.Number), "success"))
			} else {
				require.NoError(t, r.client("person").MergePull(t.Context(), result.Number, method, "Whatever we like (#1)"))
			}
			became := r.at("main")
			require.NotEqual(t, before, became)
			r.git(r.second, "switch", "-q", "main")
			r.git(r.second, "pull", "-q")
			r.commit(r.second, "packages/core/later.txt", "later\n", "feat: later")
			r.git(r.second, "push", "-q", "origin", "main")
			landed := r.landed("main")
			require.Equal(t, became, landed.Commit)
			require.Equal(t, []string{"v0.1.7"}, landed.TagNames())

			at := r.at(branch)
			r.inJobs = true
			again := r.ok("minor")
			r.inJobs = false
			require.Equal(t, became, again.Merged, "another release is proposed only after this release is tagged")
			require.Equal(t, []string{"v0.1.7"}, again.Tags)
			require.Equal(t, at, r.at(branch))
			r.git(r.second, "tag", "v0.1.7", became)
			r.git(r.second, "push", "-q", "origin", "v0.1.7")
			require.Nil(t, r.landed("main"))
			next := r.ok("minor")
			require.Equal(t, "Release v0.2.0", next.Title)
			require.NotEqual(t, result.Number, next.Number)
			require.Equal(t, r.at("main"), r.git(r.remote.Dir, "rev-parse", next.Commit+"^"))
		})
	}
}

// A job tags only the commit of our merged pull request. It tags no other commit that changes a version, even if its branch has the same name.
func TestJobTagsOnlyOurPullRequest(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	proposed := r.ok("patch")
	r.git(r.second, "fetch", "-q", "origin", branch)
	r.git(r.second, "commit", "-q", "--allow-empty", "-m", "docs: better words")
	r.git(r.second, "cherry-pick", "FETCH_HEAD")
	r.git(r.second, "push", "-q", "origin", "HEAD:main")
	by := r.landed("main")
	require.Equal(t, []string{"v0.1.7"}, by.TagNames())

	r.inJobs = true
	result := r.ok("patch")
	require.Empty(t, result.Merged)
	require.Contains(t, strings.Join(r.said, "\n"), "v0.1.7 is on main since the commit "+by.Commit[:12]+", which is not a merged pull request from "+branch+", so no job tags this commit")
	require.Equal(t, "Release v0.1.8", result.Title)
	require.Equal(t, proposed.Number, result.Number)
	r.inJobs = false
	result, err := r.propose("patch")
	require.ErrorContains(t, err, "v0.1.7 is on main, but not tagged yet, so no other release is proposed")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Contains(t, operr.NextOf(err), "run `git pull` and `mage release` to continue this release")
	require.Equal(t, by.Commit, result.Merged, "a person may")
}

// A version that another tool has released, and tagged in its own format, has not landed: it must not be tagged again, perhaps years later.
func TestTagsOfAnotherTool(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	require.NoError(t, r.client("person").MergePull(t.Context(), r.ok("patch").Number, "squash", "Bump the version to 0.1.7"))
	require.NotNil(t, r.landed("main"))
	r.git(r.second, "tag", "0.1.7", "origin/main")
	r.git(r.second, "push", "-q", "origin", "0.1.7")
	require.Nil(t, r.landed("main"))
	r.git(r.second, "switch", "-q", "main")
	r.git(r.second, "pull", "-q")
	r.commit(r.second, "packages/core/later.txt", "later\n", "feat: later")
	r.git(r.second, "push", "-q", "origin", "main")
	require.Equal(t, "Release v0.1.8", r.ok("patch").Title)
}

// A version that is only in tags lands with its changelog section. Without a changelog there is nothing to propose or land.
func TestVersionOnlyInTags(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name := range monorepotest.Files(3, "0.1.6") {
		files[name] = ""
	}
	files["pixi.toml"] = "[workspace]\nname = \"acme\"\n"
	files["core/pixi.toml"] = "[package]\nbuild.backend.name = \"pixi-build-python\"\n"
	files["core/pyproject.toml"] = "[project]\nname = \"core\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n"
	r := newTeam(t, files)
	result := r.ok("minor")
	require.Equal(t, "Release v0.2.0", result.Title)
	require.Equal(t, "CHANGELOG.md", r.git(r.remote.Dir, "diff-tree", "-r", "--name-only", result.Commit+"^", result.Commit))
	require.Nil(t, r.landed("main"))
	require.NoError(t, r.client("person").MergePull(t.Context(), result.Number, "merge", ""))
	became := r.at("main")
	r.git(r.second, "switch", "-q", "main")
	r.git(r.second, "pull", "-q")
	r.commit(r.second, "core/later.txt", "later\n", "feat: later")
	r.git(r.second, "push", "-q", "origin", "main")
	landed := r.landed("main")
	require.Equal(t, became, landed.Commit)
	require.Equal(t, []string{"v0.2.0"}, landed.TagNames())

	files["CHANGELOG.md"] = ""
	r = newTeam(t, files)
	_, err := r.propose("minor")
	require.ErrorContains(t, err, "a pull request would change no file")
	require.Contains(t, operr.NextOf(err), "run `mage release -to=minor`;")
	require.Nil(t, r.landed("main"))
}

// If several packages have versions only in tags, the changelog section does not show which of them landed, so they must be proposed one at a time.
func TestSeveralVersionsOnlyInTags(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	for name := range monorepotest.Files(3, "0.1.6") {
		files[name] = ""
	}
	files["pixi.toml"] = "[workspace]\nname = \"acme\"\n[tool.release]\nversioning = \"independent\"\n"
	for _, name := range []string{"core", "more"} {
		files[name+"/pixi.toml"] = "[package]\nbuild.backend.name = \"pixi-build-python\"\n"
		files[name+"/pyproject.toml"] = "[project]\nname = \"" + name + "\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n"
	}
	r := newTeam(t, files)
	r.git(r.first, "tag", "core/v0.1.6", "v0.1.6")
	r.git(r.first, "tag", "more/v0.1.6", "v0.1.6")
	r.git(r.first, "push", "-q", "origin", "--tags")
	_, err := r.propose("minor")
	require.ErrorContains(t, err, "is only in its tags, and a pull request of several packages cannot show that version")
	require.Contains(t, operr.NextOf(err), "-only=core")
	require.Empty(t, r.at(branch))
	require.Contains(t, operr.NextOf(err), "`mage release -to=minor -only=core`")
	one, err := r.proposer().Run(t.Context(), bump.Request{To: "minor", Only: "core"})
	require.NoError(t, err)
	require.Equal(t, "Release core/v0.2.0", one.Title)
}

// Each mistake is an error with a next step, and nothing is changed.
func TestRefusedProposals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		does       func(r *team)
		says, next string
		to         string
	}{
		{name: "no token", does: func(r *team) { r.token = "" }, says: "GITHUB_TOKEN is not set", next: "gh auth token"},
		{name: "a token that is wrong", does: func(r *team) { r.token = "wrong" }, says: "Bad credentials", next: "is wrong, expired or revoked"},
		{name: "a token that may read", does: func(r *team) { r.token = "reader" }, says: "may read o/r, but may not push", next: "whose owner may push"},
		{name: "a fork", does: func(r *team) { r.hub.ForkOf = "up/r" }, says: "o/r is a fork of up/r", next: "`git remote add upstream URL`"},
		{name: "no version", to: "-", says: "no version to propose was given", next: "-to=patch"},
		{name: "an invalid version, before GitHub is asked", does: func(r *team) { r.token = "" }, to: "foo", says: `"foo" is not a version`, next: "pass -to=patch"},
		{name: "a version with the v of a tag", does: func(r *team) { r.token = "" }, to: "v0.2.0", says: `"v0.2.0" is not a version`, next: "pass -to=0.2.0"},
		{name: "a branch of that name", does: (*team).theirs, says: "already has a branch " + branch, next: "git push --delete origin " + branch},
		{
			name: "our commit, changed by hand",
			does: func(r *team) {
				r.ok("patch")
				r.git(r.second, "fetch", "-q", "origin")
				r.git(r.second, "switch", "-q", "-C", branch, "origin/"+branch)
				r.write(r.second, "packages/core/more.txt", "more\n")
				r.git(r.second, "add", "-A")
				r.git(r.second, "commit", "-q", "--amend", "--no-edit")
				r.git(r.second, "push", "-q", "--force", "origin", branch)
			},
			says: "that `release -pr` did not make",
			next: "git push --delete",
		},
		{
			name: "an edit of another file",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("packages/core/notes.txt", func(text string) string { return text + "more\n" })
			},
			says: "edits that would be lost, because they are outside of the section of 0.1.7 in the changelog: packages/core/notes.txt",
			next: "make these edits on main",
		},
		{
			name: "an edit of a version",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("packages/core/pixi.toml", func(text string) string { return strings.ReplaceAll(text, "0.1.7", "0.1.8") })
			},
			says: "in the changelog: packages/core/pixi.toml",
			next: "make these edits on main",
		},
		{
			name: "an edit of an older section",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "- Old.", "- Old, and corrected.") })
			},
			says: "in the changelog: CHANGELOG.md",
			next: "make these edits on main",
		},
		{
			name: "a removed line of an older section",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "- Old.\n", "") })
			},
			says: "in the changelog: CHANGELOG.md",
			next: "make these edits on main",
		},
		{
			name: "a removed section",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "## [0.1.7]", "## [9.9.9]") })
			},
			says: "in the changelog: CHANGELOG.md",
			next: "make these edits on main",
		},
		{
			name: "a pull request that was closed",
			does: func(r *team) { r.close(r.ok("patch").Number) },
			says: "someone has closed the pull request of v0.1.7",
			next: "open the pull request again",
		},
		{
			name: "a branch that was deleted",
			does: func(r *team) {
				r.ok("patch")
				r.git(r.second, "push", "-q", "origin", ":"+branch)
			},
			says: "someone has closed the pull request of v0.1.7",
			next: "restore the branch of the pull request",
		},
		{
			name: "two pull requests",
			does: func(r *team) {
				r.ok("patch")
				r.git(r.second, "push", "-q", "origin", "main:1.x")
				_, err := r.client("person").OpenPull(r.t.Context(), github.NewPull{Title: "Mine", Base: "1.x", Head: branch})
				require.NoError(r.t, err)
			},
			says: "2 pull requests are open from the branch " + branch,
			next: "close all of these pull requests except the one into main",
		},
		{
			name: "a pull request with a changed base",
			does: func(r *team) {
				n := r.ok("patch").Number
				r.git(r.second, "push", "-q", "origin", "main:1.x")
				r.patch(n, `{"base": "1.x"}`)
			},
			says: " to 1.x, but the pull request proposes a release of main",
			next: "set the base of this pull request to main again",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, nil)
			if c.does != nil {
				c.does(r)
			}
			at, pulls := r.at(branch), r.pulls()
			to := strings.TrimPrefix(cmp.Or(c.to, "patch"), "-")
			_, err := r.propose(to)
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), c.next)
			require.Equal(t, at, r.at(branch), "the branch is as it was")
			require.Equal(t, pulls, r.pulls())
		})
	}
}

// `theirs` creates the proposal branch as someone else would.
func (r *team) theirs() {
	r.git(r.second, "switch", "-q", "-c", branch)
	r.commit(r.second, "packages/core/theirs.txt", "theirs\n", "chore(release): v0.1.7")
	r.git(r.second, "push", "-q", "origin", branch)
	r.git(r.second, "switch", "-q", "main")
}

func (r *team) close(number int) { r.patch(number, `{"state": "closed"}`) }

// patch edits a pull request's text, as a user does on its page.
func (r *team) patch(number int, body string) {
	r.t.Helper()
	req := httptest.NewRequest("PATCH", fmt.Sprintf("/repos/o/r/pulls/%d", number), strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer person")
	w := httptest.NewRecorder()
	r.hub.ServeHTTP(w, req)
	require.Equal(r.t, 200, w.Code, w.Body.String())
}

// In a job, it is not a failure if there is nothing to release, or if someone has closed the pull request.
func TestJobWithoutWork(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.inJobs = true
	n := r.ok("auto").Number
	r.close(n)
	at := r.at(branch)
	require.Equal(t, releasepr.Result{Base: "main"}, r.ok("auto"))
	require.Contains(t, r.said[len(r.said)-1], "someone has closed the pull request of v0.2.0")
	require.Equal(t, at, r.at(branch))
	require.False(t, r.pulls()[0].Open)

	r = newTeam(t, nil)
	r.git(r.first, "tag", "v0.1.6", "-f", "main")
	r.git(r.first, "push", "-q", "--force", "origin", "v0.1.6")
	require.Equal(t, releasepr.Result{Base: "main"}, r.ok("auto"))
	require.Contains(t, r.said[len(r.said)-1], "nothing to release")
	require.Empty(t, r.at(branch))
}

// A closed pull request does not block another version. A reopened pull request is updated.
func TestAClosedPullRequest(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	number := r.ok("patch").Number
	r.close(number)
	require.NotEqual(t, number, r.ok("minor").Number)
	r = newTeam(t, nil)
	number = r.ok("patch").Number
	r.close(number)
	r.patch(number, `{"state": "open"}`)
	require.Equal(t, number, r.ok("patch").Number)
}

// If a proposal is killed after any change and run again, there is one branch and one pull request in the end.
func TestProposalKilledAtEachChange(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"pushed", "pull request"} {
		r := newTeam(t, nil)
		r.kill = at
		_, err := r.propose("patch")
		require.ErrorIs(t, err, errKilled)
		commit := r.at(branch)
		r.kill = ""
		result := r.ok("patch")
		require.Equal(t, commit, r.at(branch), "it is pushed once")
		require.Len(t, r.pulls(), 1)
		require.Equal(t, r.pulls()[0].Number, result.Number)
	}
}

// If a job opens the pull request, its first line says what to press. If jobs may not open pull requests, the error says what to allow, and the next
// run continues.
func TestJobOpensThePullRequest(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.token, r.byJob = "job", true
	_, err := r.propose("patch")
	require.ErrorContains(t, err, "not permitted to create or approve pull requests")
	require.Contains(t, operr.NextOf(err), "Allow GitHub Actions to create and approve pull requests")
	require.Contains(t, operr.NextOf(err), "RELEASE_PR_TOKEN")
	require.Empty(t, r.pulls())

	r.hub.JobsOpen = true
	r.hub.Protect("main", server.Rules{Pulls: true, Check: "ci"})
	result := r.ok("patch")
	first, _, _ := strings.Cut(r.pulls()[0].Body, "\n")
	require.Contains(t, first, "Approve and run")
	runs, err := r.client("person").Runs(t.Context(), github.Query{Commit: result.Commit})
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.Equal(t, "action_required", runs[0].Conclusion)

	r.byJob, r.token = false, "person" // an App or a user continues
	r.ok("patch")
	require.NotContains(t, r.pulls()[0].Body, "Approve and run")
}

// On a forge other than GitHub, the branch is pushed, and the user opens the pull request.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.nowhere = true
	result := r.ok("patch")
	require.Equal(t, r.at(branch), result.Commit)
	require.Contains(t, strings.Join(r.said, "\n"), "open a pull request with the base main and the title: Release v0.1.7")
	r.onBranch("CHANGELOG.md", func(text string) string { return strings.Replace(text, "- A first", "- The very first", 1) })
	require.Contains(t, r.has(r.ok("patch").Commit, "CHANGELOG.md"), "- The very first")
	require.Empty(t, r.pulls())
}

// A maintenance branch has its own pull request.
func TestMaintenanceBranches(t *testing.T) {
	t.Parallel()
	r := newTeam(t, map[string]string{"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + "\n[tool.release]\nbranch = [\"main\", \"*.x\"]\n"})
	r.git(r.first, "push", "-q", "origin", "main:0.x")
	r.ok("minor")
	r.git(r.first, "fetch", "-q", "origin")
	r.git(r.first, "switch", "-q", "-c", "0.x", "origin/0.x")
	result := r.ok("patch")
	require.Equal(t, "foopack/release-0.x", result.Branch)
	require.Equal(t, "0.x", result.Base)
	all, err := r.client("person").Pulls(t.Context(), result.Branch)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "Release v0.1.7", all[0].Title)
	require.Equal(t, "Release v0.2.0", r.pulls()[0].Title)
}

// Even if a checkout converts line endings, the commit changes only the edited lines.
func TestLineEndsOfACheckout(t *testing.T) {
	t.Parallel()
	r := newTeam(t, map[string]string{".gitattributes": "* text=auto\n*.toml text eol=crlf\n*.md text eol=crlf\n"})
	result := r.ok("patch")
	for _, file := range []string{"packages/core/pixi.toml", "CHANGELOG.md"} {
		require.NotContains(t, r.has(result.Commit, file), "\r", file)
	}
	require.Equal(t, "1\t1\tpackages/core/pixi.toml", r.git(r.remote.Dir, "diff", "--numstat", result.Commit+"^", result.Commit, "--", "packages/core/pixi.toml"))
	again := r.ok("patch")
	require.Equal(t, result.Commit, again.Commit)
}

// If someone else pushes to the branch meanwhile, the push is not overwritten.
func TestALease(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.ok("patch")
	r.commit(r.second, "packages/core/more.txt", "2\n", "feat: a second thing")
	r.git(r.second, "push", "-q", "origin", "main")
	hook := filepath.Join(r.first, ".git", "hooks", "pre-push")
	r.write(r.first, ".git/hooks/pre-push", "#!/bin/sh\nexec git push -q --no-verify --force "+r.remote.Dir+" main:refs/heads/"+branch+"\n")
	require.NoError(t, os.Chmod(hook, 0o755))
	_, err := r.propose("patch")
	require.ErrorContains(t, err, "refused the push to the branch foopack/release-main")
	require.Contains(t, operr.NextOf(err), "run this command again")
}

// inJob adds a release.yml to the embedded GitHub, and returns the requested runs.
func (r *team) inJob() *[]string {
	asked := &[]string{}
	r.hub.Dispatch = func(workflow, ref string, inputs map[string]string) error {
		*asked = append(*asked, fmt.Sprintf("%s at %s, hub: %s", workflow, ref, inputs[releasepr.HubInput]))
		_, err := r.hub.AddRun(server.Run{
			Workflow: workflow,
			Name:     "release",
			Event:    "workflow_dispatch",
			Ref:      ref,
			Commit:   r.git(r.remote.Dir, "rev-parse", ref+"^{commit}"),
		})
		return err
	}
	r.token, r.byJob = "job", true
	return asked
}

// The landed commit is an output of the job. Invalid combinations of flags are refused.
func TestOutputsAndFlagsOfAJob(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.inJobs = true
	p := r.proposer()
	p.CI.Output = filepath.Join(t.TempDir(), "output")
	_, err := p.Do(t.Context(), releasepr.Asked{Request: bump.Request{To: "patch"}, PR: true})
	require.NoError(t, err)
	require.NoError(t, r.client("person").MergePull(t.Context(), r.pulls()[0].Number, "squash", ""))
	_, err = p.Do(t.Context(), releasepr.Asked{Request: bump.Request{To: "auto"}, PR: true})
	require.NoError(t, err)
	text, err := os.ReadFile(p.CI.Output)
	require.NoError(t, err)
	require.Equal(t, "landed=\nlanded="+r.at("main")+"\n", string(text))

	here, commit := "here", r.at("main")
	for says, a := range map[string]releasepr.Asked{
		"-tag needs -pr":                     {Tag: &commit},
		"-publish cannot be used with -pr":   {PR: true, Publish: &here},
		"tags the versions that have landed": {PR: true, Tag: &commit, Request: bump.Request{To: "patch"}},
		"no version to propose was given":    {PR: true},
	} {
		if says == "no version to propose was given" {
			p = newTeam(t, nil).proposer()
		}
		_, err := p.Do(t.Context(), a)
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// tag runs the tagging job in the first clone.
func (r *team) tag(commit string) (releasepr.Result, error) {
	r.git(r.first, "pull", "-q")
	return r.proposer().Tag(r.t.Context(), commit)
}

// A job tags a landed and checked commit once, and requests one run of release.yml, wherever it is killed.
func TestJobTagsALandedCommit(t *testing.T) {
	t.Parallel()
	for _, kill := range []string{"", "tags", "asked for v0.1.7"} {
		t.Run("killed after "+kill, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, nil)
			n := r.ok("patch").Number
			require.NoError(t, r.client("person").MergePull(t.Context(), n, "squash", ""))
			landed := r.at("main")
			asked := r.inJob()
			if r.kill = kill; kill != "" {
				_, err := r.tag(landed)
				require.ErrorIs(t, err, errKilled)
				r.kill = ""
			}
			result, err := r.tag(landed)
			require.NoError(t, err)
			require.Equal(t, []string{"v0.1.7"}, result.Tags)
			require.Equal(t, landed, r.git(r.remote.Dir, "rev-parse", "v0.1.7^{commit}"))
			require.Equal(t, "tag", r.git(r.remote.Dir, "cat-file", "-t", "v0.1.7"))
			require.Equal(t, landed, r.at("main"), "the tag alone is pushed")
			require.Equal(t, []string{"release.yml at v0.1.7, hub: true"}, *asked)
			_, err = r.tag(landed)
			require.NoError(t, err)
			require.Len(t, *asked, 1)
		})
	}
}

// An undone version is not tagged again, because its pull request is marked, and another version is proposed. If someone removes the mark, it is
// tagged.
func TestUndoneVersion(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	n := r.ok("patch").Number
	require.NoError(t, r.client("person").MergePull(t.Context(), n, "squash", ""))
	landed, of := r.at("main"), r.pulls()[0]
	for _, inJobs := range []bool{true, false} {
		r.inJobs = inJobs
		require.NoError(t, r.client("person").EditPull(t.Context(), n, of.Title, forge.MarkUndone(of.Body)))
		result := r.ok("patch")
		require.Empty(t, result.Merged)
		require.Equal(t, "Release v0.1.8", result.Title)
		require.Contains(t, strings.Join(r.said, "\n"), "v0.1.7 is on main, but `mage undo` has undone the release, as "+of.URL+" says")
		require.NoError(t, r.client("person").EditPull(t.Context(), n, of.Title, of.Body))
		result, err := r.propose("patch")
		require.Equal(t, inJobs, err == nil)
		require.Equal(t, landed, result.Merged)
	}
	require.Equal(t, forge.MarkUndone("text"), forge.MarkUndone(forge.MarkUndone("text")))
}

// Many tags need several pushes. A tag that a killed run has pushed still gets its run of release.yml; an unrelated tag gets none.
func TestJobStoppedBetweenTags(t *testing.T) {
	t.Parallel()
	r := newTeam(t, map[string]string{"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + "\n[tool.release]\nversioning = \"independent\"\n"})
	require.NoError(t, r.client("person").MergePull(t.Context(), r.ok("patch").Number, "squash", ""))
	landed := r.landed("main")
	names := landed.TagNames()
	require.Greater(t, len(names), 1)
	r.git(r.second, "tag", "-a", "-m", names[0], names[0], landed.Commit)
	r.git(r.second, "tag", "nightly", landed.Commit)
	r.git(r.second, "push", "-q", "origin", names[0], "nightly")
	asked := r.inJob()
	for range 2 {
		result, err := r.tag(landed.Commit)
		require.NoError(t, err)
		require.ElementsMatch(t, names, result.Tags)
		var want []string
		for _, name := range names {
			want = append(want, "release.yml at "+name+", hub: true")
		}
		require.ElementsMatch(t, want, *asked)
	}
}

// A team releases only through CI. With an App's token, users only merge; with a job's own token, they must also press "Approve and run" once. The
// first check fails. In the end there is one commit with one tag, and one run of release.yml was requested.
func TestATeamsReleaseByCI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		token  string
		clicks int
	}{{"an App's token", "person", 0}, {"the job's own token", "job", 1}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, nil)
			asked := r.inJob()
			r.hub.JobsOpen, r.inJobs = true, true
			r.hub.Protect("main", server.Rules{Pulls: true, Check: "ci"})
			require.NoError(t, r.remote.Guard("", "main"))
			r.token, r.byJob = c.token, c.token == "job"
			person := r.client("person")
			p := r.ok("auto")
			require.Equal(t, "Release v0.2.0", p.Title)
			require.Equal(t, p, r.ok("auto"), "main is pushed to again, and nothing is new")

			runs, err := person.Runs(t.Context(), github.Query{Commit: p.Commit, Event: "pull_request"})
			require.NoError(t, err)
			require.Len(t, runs, 1, "at most one check must be approved")
			clicks := 0
			if runs[0].Conclusion == "action_required" {
				require.Error(t, person.MergePull(t.Context(), p.Number, "squash", ""))
				require.NoError(t, person.ApproveRun(t.Context(), runs[0].ID))
				clicks++
			}
			require.Equal(t, c.clicks, clicks)
			require.NoError(t, r.hub.FinishRun(runs[0].ID, "failure"))
			require.Error(t, person.MergePull(t.Context(), p.Number, "squash", ""))
			require.NoError(t, r.hub.RerunRun(runs[0].ID))
			require.NoError(t, r.hub.FinishRun(runs[0].ID, "success"))
			require.NoError(t, person.MergePull(t.Context(), p.Number, "squash", "Whatever (#2)"))

			landed := r.ok("auto").Merged // the plan job passes this commit on
			require.Equal(t, r.at("main"), landed)
			r.token, r.byJob = "job", true // the tag job has no other token
			_, err = r.tag(landed)
			require.NoError(t, err)
			require.Equal(t, releasepr.Result{Base: "main"}, r.ok("auto"), "there is nothing more to release")
			require.Equal(t, "v0.1.6\nv0.2.0", r.git(r.remote.Dir, "tag", "--list"))
			require.Equal(t, landed, r.git(r.remote.Dir, "rev-parse", "v0.2.0^{commit}"))
			require.Equal(t, "1", r.git(r.remote.Dir, "rev-list", "--count", "main", "^"+landed+"^"))
			require.Equal(t, []string{"release.yml at v0.2.0, hub: true"}, *asked)
			require.Len(t, r.pulls(), 1)
		})
	}
}

// Each job of a release through CI is killed after each of its changes, and after each request to GitHub before it gets the response, and run again.
// In the end there is one pull request, one tag at the merged commit, one run of release.yml, and one GitHub release.
func TestATeamsReleaseByCIKilledAtEachRequest(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	asked := r.inJob()
	r.hub.JobsOpen, r.inJobs = true, true
	r.hub.Protect("main", server.Rules{Pulls: true, Check: "ci"})
	require.NoError(t, r.remote.Guard("", "main"))
	kills := 0
	killed := func(job func() error, after ...string) {
		for _, r.kill = range append(after, "") {
			for n := int64(1); ; n++ {
				r.lose.Store(n)
				err := job()
				through := r.lose.Load() > 0
				r.lose.Store(0)
				if through {
					require.True(t, err == nil || errors.Is(err, errKilled), "%v", err)
					break
				}
				require.Error(t, err)
				kills++
			}
		}
	}
	var p releasepr.Result
	killed(func() (err error) { p, err = r.propose("auto"); return err }, "pushed", "pull request")
	require.Len(t, r.pulls(), 1)
	person := r.client("person")
	runs, err := person.Runs(t.Context(), github.Query{Commit: p.Commit, Event: "pull_request"})
	require.NoError(t, err)
	require.Len(t, runs, 1, "one check must be approved")
	require.NoError(t, person.ApproveRun(t.Context(), runs[0].ID))
	require.NoError(t, r.hub.FinishRun(runs[0].ID, "success"))
	require.NoError(t, person.MergePull(t.Context(), p.Number, "squash", ""))
	killed(func() (err error) { p, err = r.propose("auto"); return err })
	require.Equal(t, r.at("main"), p.Merged)
	killed(func() error { _, err := r.tag(p.Merged); return err }, "tags", "asked for v0.2.0")
	require.Equal(t, "v0.1.6\nv0.2.0", r.git(r.remote.Dir, "tag", "--list"))
	require.Equal(t, p.Merged, r.git(r.remote.Dir, "rev-parse", "v0.2.0^{commit}"))
	require.Equal(t, []string{"release.yml at v0.2.0, hub: true"}, *asked)

	r.hub.Tag = func(name string) (server.Tag, bool) {
		return server.Tag{Object: r.git(r.remote.Dir, "rev-parse", name), Commit: r.git(r.remote.Dir, "rev-parse", name+"^{commit}")}, true
	}
	dir := t.TempDir()
	file := condapkgtest.Package{Name: "mono-core", Version: "0.2.0"}.Write(t, dir)
	rec, err := condapkg.Identify(file)
	require.NoError(t, err)
	line, err := publish.Digests{Commit: p.Merged, Files: []publish.Digest{{Package: "mono-core", File: filepath.Base(file), SHA256: rec.SHA256, Size: rec.Size}}}.Line()
	require.NoError(t, err)
	killed(func() error {
		job := r.proposer()
		job.CI.Tag = "v0.2.0"
		_, err := job.Announce(t.Context(), publishing.Flags{From: dir, Digests: line})
		return err
	})
	published, drafts := r.hub.Published()
	require.Zero(t, drafts)
	require.Len(t, published, 1)
	require.Equal(t, 1, published[0].Times)
	require.Equal(t, map[string]string{filepath.Base(file): rec.SHA256}, published[0].Assets)
	require.Greater(t, kills, 15)
	t.Logf("killed %d times", kills)
}

// If tagging is impossible, the error has a next step, and nothing is changed.
func TestTaggingThatIsImpossible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		does       func(r *team)
		commit     func(r *team) string
		says, next string
	}{
		{
			name:   "nothing has landed",
			does:   func(*team) {},
			commit: func(r *team) string { return r.at("main") },
			says:   "every version that has landed is tagged",
			next:   "run the workflow again",
		},
		{
			name:   "another commit was checked",
			does:   (*team).land,
			commit: func(r *team) string { return r.git(r.remote.Dir, "rev-parse", "main~1") },
			says:   "v0.1.7 has landed at ",
			next:   "run the workflow again",
		},
		{
			name: "the version was undone after the check",
			does: func(r *team) {
				r.land()
				of := r.pulls()[0]
				require.NoError(r.t, r.client("person").EditPull(r.t.Context(), of.Number, of.Title, forge.MarkUndone(of.Body)))
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "`mage undo` has undone the release of v0.1.7, as ",
			next:   "remove the line about the undo from the pull request",
		},
		{
			name: "the job may not read whether the version was undone",
			does: func(r *team) {
				r.land()
				r.hub.Private = true
				r.hub.Grant("job", map[string]string{"actions": "write", "contents": "write"})
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "nothing was tagged, because the pull request of v0.1.7, which says whether `mage undo` has undone the release, cannot be read",
			next:   "whose job `tag` has `pull-requests: read`",
		},
		{
			name: "GitHub limits the number of requests",
			does: func(r *team) {
				r.land()
				r.hub.Limit = 1
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "rate limit",
			next:   "run the same command again after ",
		},
		{
			name: "a rule forbids tags",
			does: func(r *team) {
				r.land()
				require.NoError(r.t, r.remote.Guard("v*"))
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "origin refused the tags v0.1.7",
			next:   "change the tag rules so that GitHub Actions may push these tags",
		},
		{
			name: "main has a new workflow, and the token may not write workflows",
			does: func(r *team) {
				require.NoError(r.t, r.remote.Guard(""))
				r.run = command.NewSystem(command.Setenv(r.run.Environ(), bare.Job.Variable()), nil)
				r.land()
				r.git(r.second, "pull", "-q")
				r.commit(r.second, ".github/workflows/new.yml", "on: push\n", "ci: a new one")
				r.git(r.second, "-c", "core.hooksPath=/dev/null", "push", "-q", "--receive-pack=env "+bare.Person.Variable()+" git receive-pack", "origin", "main")
				r.git(r.second, "push", "-q", "origin", ":"+branch)
			},
			commit: func(r *team) string { return r.git(r.remote.Dir, "rev-parse", "main~1") },
			says:   "which has workflow files that no branch has any more",
			next:   "`mage release` on a laptop",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, map[string]string{".github/workflows/release.yml": "on: push\n"})
			c.does(r)
			asked := r.inJob()
			_, err := r.tag(c.commit(r))
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), c.next)
			require.Equal(t, "v0.1.6", r.git(r.remote.Dir, "tag", "--list"))
			require.Empty(t, *asked)
		})
	}
}

// If a run of release.yml cannot be requested, the error says what the file needs. The tag remains, so that the job or a user can continue.
func TestReleaseYmlWithoutInputs(t *testing.T) {
	t.Parallel()
	for _, why := range []error{server.ErrNoWorkflow, server.ErrNoTrigger} {
		r := newTeam(t, nil)
		r.land()
		asked := r.inJob()
		takes := r.hub.Dispatch
		r.hub.Dispatch = func(string, string, map[string]string) error { return why }
		_, err := r.tag(r.at("main"))
		require.ErrorContains(t, err, "asking o/r for a run of release.yml at v0.1.7")
		require.Contains(t, operr.NextOf(err), "workflow_dispatch and the input hub")
		r.hub.Dispatch = takes
		_, err = r.tag(r.at("main"))
		require.NoError(t, err)
		require.Len(t, *asked, 1)
	}
}

// land proposes a release and merges it.
func (r *team) land() {
	r.t.Helper()
	require.NoError(r.t, r.client("person").MergePull(r.t.Context(), r.ok("patch").Number, "squash", ""))
}

// The GitHub release is created once, with the files that match the given digests and with the changelog section.
func TestAJobMakesTheGitHubRelease(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.land()
	r.inJob()
	_, err := r.tag(r.at("main"))
	require.NoError(t, err)
	r.hub.Tag = func(name string) (server.Tag, bool) {
		return server.Tag{Object: r.git(r.remote.Dir, "rev-parse", name), Commit: r.git(r.remote.Dir, "rev-parse", name+"^{commit}")}, true
	}
	dir := t.TempDir()
	file := condapkgtest.Package{Name: "mono-core", Version: "0.1.7"}.Write(t, dir)
	rec, err := condapkg.Identify(file)
	require.NoError(t, err)
	digests := func(commit, sha string) string {
		line, err := publish.Digests{Commit: commit, Files: []publish.Digest{{Package: "mono-core", File: filepath.Base(file), SHA256: sha, Size: rec.Size}}}.Line()
		require.NoError(t, err)
		return line
	}
	announce := func(tag, digests string) error {
		p := r.proposer()
		p.CI.Tag = tag
		_, err := p.Announce(t.Context(), publishing.Flags{From: dir, Digests: digests})
		return err
	}
	err = announce("v0.1.7", digests(r.at("main"), strings.Repeat("0", 64)))
	require.ErrorContains(t, err, "changed after the upload: expected sha256 ")
	err = announce("v0.1.7", digests(strings.Repeat("0", 40), rec.SHA256))
	require.ErrorContains(t, err, "the digests belong to the commit")
	err = announce("", digests(r.at("main"), rec.SHA256))
	require.ErrorContains(t, err, "this run was not started by a tag")
	for range 2 {
		err = announce("v0.1.7", digests(r.at("main"), rec.SHA256))
		require.NoError(t, err)
	}
	published, drafts := r.hub.Published()
	require.Zero(t, drafts)
	require.Len(t, published, 1)
	require.Equal(t, 1, published[0].Times)
	require.Equal(t, map[string]string{filepath.Base(file): rec.SHA256}, published[0].Assets)
	r.token = ""
	err = announce("v0.1.7", digests(r.at("main"), rec.SHA256))
	require.ErrorContains(t, err, "there is no GITHUB_TOKEN")
}

// The files of a package that the tag does not release are left alone: a build from this commit would differ, but nobody has replaced anything.
func TestAJobMakesTheGitHubReleaseOfOnePackage(t *testing.T) {
	t.Parallel()
	r := newTeam(t, map[string]string{"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + "\n[tool.release]\nversioning = \"independent\"\n"})
	r.land()
	r.inJob()
	_, err := r.tag(r.at("main"))
	require.NoError(t, err)
	r.hub.Tag = func(name string) (server.Tag, bool) {
		return server.Tag{Object: r.git(r.remote.Dir, "rev-parse", name), Commit: r.git(r.remote.Dir, "rev-parse", name+"^{commit}")}, true
	}
	dir := t.TempDir()
	digests := publish.Digests{Commit: r.at("main")}
	for _, p := range []condapkgtest.Package{{Name: "mono-core", Version: "0.1.7"}, {Name: "mono-p0001", Version: "0.1.7"}} {
		path := p.Write(t, dir)
		rec, err := condapkg.Identify(path)
		require.NoError(t, err)
		digests.Files = append(digests.Files, publish.Digest{Package: p.Name, File: filepath.Base(path), SHA256: rec.SHA256, Size: rec.Size})
	}
	ours := digests.Files[1]
	digests.Files[0].SHA256 = strings.Repeat("0", 64)
	line, err := digests.Line()
	require.NoError(t, err)
	p := r.proposer()
	p.CI.Tag = "mono-p0001/v0.1.7"
	_, err = p.Announce(t.Context(), publishing.Flags{From: dir, Digests: line})
	require.NoError(t, err)
	published, _ := r.hub.Published()
	require.Len(t, published, 1)
	require.Equal(t, map[string]string{ours.File: ours.SHA256}, published[0].Assets)
}
