package releasepr_test

import (
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

// team is a repository on an embedded GitHub, of three packages at 0.1.6, and two people with a clone each.
type team struct {
	t      *testing.T
	hub    *server.Server
	url    string
	remote bare.Remote
	run    *command.System
	first  string // a clone
	second string

	token   string // of who proposes; "" is none
	inJobs  bool
	byJob   bool
	nowhere bool         // the remote is not on GitHub
	kill    string       // after which the run ends
	lose    atomic.Int64 // of which request from now on the answer, and those of all after it, are lost; 0 for none
	said    []string
	today   string
}

const branch = "foopack/release-main"

// newTeam makes it, with files beside the packages' own.
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
		case left < 0: // whoever would have asked is gone
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

// onBranch lets the second person change a file on the branch of the pull request.
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

// proposer is who does so.
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

// at is the commit that a branch of the remote is at; "" for none.
func (r *team) at(name string) string {
	at, _ := r.remote.Branch(name)
	return at
}

// has is a file as a commit of the remote has it.
func (r *team) has(commit, name string) string {
	return r.git(r.remote.Dir, "cat-file", "blob", commit+":"+name) + "\n"
}

func (r *team) pulls() []github.Pull {
	r.t.Helper()
	all, err := r.client("person").Pulls(r.t.Context(), branch)
	require.NoError(r.t, err)
	return all
}

// landed is what `release` would go on with on the remote's branch.
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

// A release is proposed, and nothing of the clone changes. Run again, it changes nothing; and when the base has moved, it follows.
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
	require.Equal(t, "?? packages/core/edit.txt", r.git(r.first, "status", "--porcelain"), "the person's edit is not swept in")

	pulls := r.pulls()
	require.Len(t, pulls, 1)
	require.Equal(t, result.Number, pulls[0].Number)
	for _, part := range []string{"| 0.1.6 | 0.1.7 |", "the tag `v0.1.7`", "<https://prefix.example/ours>", "### Changelog", "A first thing", "Something new.", "### Pins that move", "pin on mono-core"} {
		require.Contains(t, pulls[0].Body, part)
	}
	require.True(t, strings.HasPrefix(pulls[0].Body, "<!-- release plan"), "nothing is to be pressed")

	again := r.ok("patch")
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

// A commit that quotes our marks cuts nothing off, and the body does not grow.
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

// What people write into the section stays: when the base moves, when GitHub merges it into the branch, and when the version is another one.
func TestWhatPeopleWroteStays(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.ok("patch")
	r.onBranch("CHANGELOG.md", func(text string) string {
		return strings.Replace(text, "- A first thing", "A great release.\n\n- The very first thing", 1)
	})
	mine := r.at(branch)
	result := r.ok("patch")
	require.Equal(t, mine, result.Commit, "nothing is new: the branch stays as it is")

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
	r.git(r.second, "merge", "-q", "-m", "Merge branch 'main'", "main") // "Update branch"
	r.git(r.second, "push", "-q", "origin", branch)
	r.git(r.second, "switch", "-q", "main")
	text = r.has(r.ok("patch").Commit, "CHANGELOG.md")
	require.Contains(t, text, "A great release.")
	require.Contains(t, text, "A third thing")
	require.NotContains(t, text, "- A first thing", "what was reworded does not come back")

	r.today = "2026-12-01"
	result = r.ok("minor")
	text = r.has(result.Commit, "CHANGELOG.md")
	require.Contains(t, text, "## [0.2.0] - 2026-12-01")
	require.Contains(t, text, "A great release.")
	require.NotContains(t, text, "0.1.7")
	require.Contains(t, text, "## [0.1.6] - 2026-01-01")
	require.Equal(t, result.Commit, r.ok("minor").Commit)
}

// Where it goes on after a merge: the first commit on the branch's first parents that has the versions, however it was merged, and whatever came since.
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
			require.Equal(t, became, again.Merged, "another one is proposed once this one is tagged")
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

// A job tags what a pull request of ours became, and not what somebody else has brought to the branch, whatever it was called.
func TestAJobTagsNoVersionOfAnother(t *testing.T) {
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
	require.Contains(t, strings.Join(r.said, "\n"), "v0.1.7 is on main by "+by.Commit[:12]+", which is no merged pull request of "+branch+": no job tags it")
	require.Equal(t, "Release v0.1.8", result.Title)
	require.Equal(t, proposed.Number, result.Number)
	r.inJobs = false
	result, err := r.propose("patch")
	require.ErrorContains(t, err, "v0.1.7 is on main, and not tagged: until it is, nothing else is proposed")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Contains(t, operr.NextOf(err), "`git pull` and `mage release` go on with it")
	require.Equal(t, by.Commit, result.Merged, "a person may")
}

// What another tool has released, and tagged in its own form, has not landed: nobody wants a second tag there, years later.
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

// A version that is in tags alone lands by the changelog's section. Without a changelog there is nothing to propose, and nothing that could land.
func TestVersionsInTagsAlone(t *testing.T) {
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
	require.ErrorContains(t, err, "a pull request would bring nothing")
	require.Contains(t, operr.NextOf(err), "`mage release -to=minor` is the way")
	require.Nil(t, r.landed("main"))
}

// Of several packages whose versions are in tags alone the changelog's section does not say which landed: they are proposed one by one.
func TestSeveralVersionsInTagsAlone(t *testing.T) {
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
	require.ErrorContains(t, err, "is in its tags alone, and a pull request of several packages does not say it")
	require.Contains(t, operr.NextOf(err), "-only=core")
	require.Empty(t, r.at(branch))
	require.Contains(t, operr.NextOf(err), "`mage release -to=minor -only=core`")
	one, err := r.proposer().Run(t.Context(), bump.Request{To: "minor", Only: "core"})
	require.NoError(t, err)
	require.Equal(t, "Release core/v0.2.0", one.Title)
}

// Bad input: a sentence, what to do, and nothing done.
func TestWhatStopsAProposal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		does       func(r *team)
		says, next string
		to         string
	}{
		{name: "no token", does: func(r *team) { r.token = "" }, says: "there is no GITHUB_TOKEN", next: "gh auth token"},
		{name: "a token that is wrong", does: func(r *team) { r.token = "wrong" }, says: "Bad credentials", next: "mistyped"},
		{name: "a token that may read", does: func(r *team) { r.token = "reader" }, says: "may read o/r, and not push", next: "whose owner may push"},
		{name: "a fork", does: func(r *team) { r.hub.ForkOf = "up/r" }, says: "o/r is a fork of up/r", next: "[tool.release] remote"},
		{name: "no version", to: "-", says: "which version", next: "-to=patch"},
		{name: "a branch of that name", does: (*team).theirs, says: "has a branch " + branch + " already", next: "git push --delete origin " + branch},
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
			says: "that is not as `release -pr` left it",
			next: "git push --delete",
		},
		{
			name: "an edit of another file",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("packages/core/notes.txt", func(text string) string { return text + "more\n" })
			},
			says: "edits besides the section of 0.1.7 in the changelog, which would be lost: packages/core/notes.txt",
			next: "put them on main",
		},
		{
			name: "an edit of a version",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("packages/core/pixi.toml", func(text string) string { return strings.ReplaceAll(text, "0.1.7", "0.1.8") })
			},
			says: "which would be lost: packages/core/pixi.toml",
			next: "put them on main",
		},
		{
			name: "an edit of an older section",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "- Old.", "- Old, and corrected.") })
			},
			says: "which would be lost: CHANGELOG.md",
			next: "put them on main",
		},
		{
			name: "a line of an older section that was taken out",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "- Old.\n", "") })
			},
			says: "which would be lost: CHANGELOG.md",
			next: "put them on main",
		},
		{
			name: "a section that was taken out",
			does: func(r *team) {
				r.ok("patch")
				r.onBranch("CHANGELOG.md", func(text string) string { return strings.ReplaceAll(text, "## [0.1.7]", "## [9.9.9]") })
			},
			says: "which would be lost: CHANGELOG.md",
			next: "put them on main",
		},
		{
			name: "a pull request that was closed",
			does: func(r *team) { r.close(r.ok("patch").Number) },
			says: "somebody has closed the pull request of v0.1.7",
			next: "open it again there",
		},
		{
			name: "a branch that was deleted",
			does: func(r *team) {
				r.ok("patch")
				r.git(r.second, "push", "-q", "origin", ":"+branch)
			},
			says: "somebody has closed the pull request of v0.1.7",
			next: "restore its branch",
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
			next: "close all but the one that goes to main",
		},
		{
			name: "a pull request that was turned to another branch",
			does: func(r *team) {
				n := r.ok("patch").Number
				r.git(r.second, "push", "-q", "origin", "main:1.x")
				r.patch(n, `{"base": "1.x"}`)
			},
			says: "was turned to 1.x",
			next: "let it go to main again",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newTeam(t, nil)
			if c.does != nil {
				c.does(r)
			}
			at, pulls := r.at(branch), r.pulls()
			to := "patch"
			if c.to == "-" {
				to = ""
			}
			_, err := r.propose(to)
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), c.next)
			require.Equal(t, at, r.at(branch), "the branch is as it was")
			require.Equal(t, pulls, r.pulls())
		})
	}
}

// theirs makes a branch of ours by somebody else.
func (r *team) theirs() {
	r.git(r.second, "switch", "-q", "-c", branch)
	r.commit(r.second, "packages/core/theirs.txt", "theirs\n", "chore(release): v0.1.7")
	r.git(r.second, "push", "-q", "origin", branch)
	r.git(r.second, "switch", "-q", "main")
}

func (r *team) close(number int) { r.patch(number, `{"state": "closed"}`) }

// patch changes a pull request, as a person does on its page.
func (r *team) patch(number int, body string) {
	r.t.Helper()
	req := httptest.NewRequest("PATCH", fmt.Sprintf("/repos/o/r/pulls/%d", number), strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer person")
	w := httptest.NewRecorder()
	r.hub.ServeHTTP(w, req)
	require.Equal(r.t, 200, w.Code, w.Body.String())
}

// In a job there is nobody to stop for: a push to main on which nothing is to be released, or whose release somebody has closed, is no failure.
func TestAJobGoesOn(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.inJobs = true
	n := r.ok("auto").Number
	r.close(n)
	at := r.at(branch)
	require.Equal(t, releasepr.Result{Base: "main"}, r.ok("auto"))
	require.Contains(t, r.said[len(r.said)-1], "somebody has closed the pull request of v0.2.0")
	require.Equal(t, at, r.at(branch))
	require.False(t, r.pulls()[0].Open)

	r = newTeam(t, nil)
	r.git(r.first, "tag", "v0.1.6", "-f", "main")
	r.git(r.first, "push", "-q", "--force", "origin", "v0.1.6")
	require.Equal(t, releasepr.Result{Base: "main"}, r.ok("auto"))
	require.Contains(t, r.said[len(r.said)-1], "nothing to release")
	require.Empty(t, r.at(branch))
}

// A closed one is not in the way of another version, nor one that was opened again.
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

// Killed after each thing that it does, and run again, it ends with one branch and one pull request.
func TestAProposalIsKilledAnywhere(t *testing.T) {
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

// Where a job opens it, the first line says what to press; where jobs may not, what to allow, and the next run goes on.
func TestAJobOpensIt(t *testing.T) {
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

	r.byJob, r.token = false, "person" // an App, or a person, takes it over
	r.ok("patch")
	require.NotContains(t, r.pulls()[0].Body, "Approve and run")
}

// Elsewhere than on GitHub the branch is made and pushed, and a person opens what they have there.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	r := newTeam(t, nil)
	r.nowhere = true
	result := r.ok("patch")
	require.Equal(t, r.at(branch), result.Commit)
	require.Contains(t, strings.Join(r.said, "\n"), "open a pull request of it by hand, into main, called: Release v0.1.7")
	r.onBranch("CHANGELOG.md", func(text string) string { return strings.Replace(text, "- A first", "- The very first", 1) })
	require.Contains(t, r.has(r.ok("patch").Commit, "CHANGELOG.md"), "- The very first")
	require.Empty(t, r.pulls())
}

// A maintenance branch has a pull request of its own.
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

// Where a checkout has other line ends than the repository, the commit differs from its base in what was edited, and in nothing else.
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

// What is pushed meanwhile is not overwritten.
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
	require.ErrorContains(t, err, "did not take the branch")
	require.Contains(t, operr.NextOf(err), "run it again")
}

// inJob gives the embedded GitHub a release.yml, and returns which runs were asked for.
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

// What a job is told of what has landed, and command lines that mean nothing.
func TestWhatAJobIsHanded(t *testing.T) {
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
		"-tag is for what a pull request has landed":        {Tag: &commit},
		"-publish is for what comes after the pull request": {PR: true, Publish: &here},
		"tags what has landed, whatever its version":        {PR: true, Tag: &commit, Request: bump.Request{To: "patch"}},
		"it is not said which version is to be proposed":    {PR: true},
	} {
		if says == "it is not said which version is to be proposed" {
			p = newTeam(t, nil).proposer()
		}
		_, err := p.Do(t.Context(), a)
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// tag runs the job that tags, in the first clone.
func (r *team) tag(commit string) (releasepr.Result, error) {
	r.git(r.first, "pull", "-q")
	return r.proposer().Tag(r.t.Context(), commit)
}

// What has landed and was checked is tagged by a job, once, and release.yml is asked for, once, wherever the job was killed.
func TestAJobTagsWhatHasLanded(t *testing.T) {
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

// What undo has taken back is not tagged again: its pull request says so, and another version is proposed. Whoever takes that line away has it tagged.
func TestWhatWasTakenBack(t *testing.T) {
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
		require.Contains(t, strings.Join(r.said, "\n"), "v0.1.7 is on main, and was taken back by undo, as "+of.URL+" says")
		require.NoError(t, r.client("person").EditPull(t.Context(), n, of.Title, of.Body))
		result, err := r.propose("patch")
		require.Equal(t, inJobs, err == nil)
		require.Equal(t, landed, result.Merged)
	}
	require.Equal(t, forge.MarkUndone("text"), forge.MarkUndone(forge.MarkUndone("text")))
}

// Tags go by several pushes where there are many. What an earlier run has pushed before it was stopped gets its run too, and a tag of something else none.
func TestAJobThatStoppedBetweenItsTags(t *testing.T) {
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

// A team's release by CI alone: with the token of an App nobody presses anything but the merge, and with a job's own token a person presses "Approve and
// run" once. The check fails at first. In the end there is one commit, one tag at it, and one run of release.yml that was asked for.
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
			require.Len(t, runs, 1, "one check is to be approved at most")
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

			landed := r.ok("auto").Merged // what the job plan hands on
			require.Equal(t, r.at("main"), landed)
			r.token, r.byJob = "job", true // the job tag has no other
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

// Each job of a release by CI alone is killed after each thing that it does, and after each request to GitHub, whose answer it does not get, and is run again.
// It comes to one pull request, one tag at what was merged, one run of release.yml, and one GitHub release.
func TestATeamsReleaseByCIKilledAnywhere(t *testing.T) {
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
	require.Len(t, runs, 1, "one check is to be approved")
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

// What keeps a job from tagging, each with what to do, and nothing done.
func TestWhatKeepsAJobFromTagging(t *testing.T) {
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
			says:   "nothing has landed that is not tagged",
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
			name: "undo has taken it back since it was checked",
			does: func(r *team) {
				r.land()
				of := r.pulls()[0]
				require.NoError(r.t, r.client("person").EditPull(r.t.Context(), of.Number, of.Title, forge.MarkUndone(of.Body)))
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "v0.1.7 was taken back by undo, as ",
			next:   "take that line out of it",
		},
		{
			name: "the job may not read whether it was taken back",
			does: func(r *team) {
				r.land()
				r.hub.Private = true
				r.hub.Grant("job", map[string]string{"actions": "write", "contents": "write"})
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "whether v0.1.7 was taken back by undo stands in its pull request",
			next:   "whose job tag has `pull-requests: read`",
		},
		{
			name: "GitHub takes no more requests for now",
			does: func(r *team) {
				r.land()
				r.hub.Limit = 1
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "rate limit",
			next:   "run it again after ",
		},
		{
			name: "a rule forbids tags",
			does: func(r *team) {
				r.land()
				require.NoError(r.t, r.remote.Guard("v*"))
			},
			commit: func(r *team) string { return r.at("main") },
			says:   "origin did not take v0.1.7",
			next:   "let a rule for tags take them from GitHub Actions",
		},
		{
			name: "main has gained a workflow since, and the token may write none",
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
			says:   "it has workflow files that no branch has any more",
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

// A release.yml that cannot be asked for is named with what it needs, and the tag stays: the job, or a laptop, goes on.
func TestAReleaseYmlThatTakesNoInput(t *testing.T) {
	t.Parallel()
	for _, why := range []error{server.ErrNoWorkflow, server.ErrNoTrigger} {
		r := newTeam(t, nil)
		r.land()
		asked := r.inJob()
		takes := r.hub.Dispatch
		r.hub.Dispatch = func(string, string, map[string]string) error { return why }
		_, err := r.tag(r.at("main"))
		require.ErrorContains(t, err, "asking o/r for a run of release.yml at v0.1.7")
		require.Contains(t, operr.NextOf(err), "workflow_dispatch with the input hub")
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

// The GitHub release is made once, of the files whose digests were handed over, with the changelog's section.
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
	require.ErrorContains(t, err, "was uploaded; no GitHub release was made")
	err = announce("v0.1.7", digests(strings.Repeat("0", 40), rec.SHA256))
	require.ErrorContains(t, err, "the digests are of the commit")
	err = announce("", digests(r.at("main"), rec.SHA256))
	require.ErrorContains(t, err, "there is no tag")
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

// A package that the tag is not of stays as it was published: what this commit makes of it has other bytes, and nobody has replaced it.
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
