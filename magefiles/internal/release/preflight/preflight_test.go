package preflight

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// asking returns the facts about a clone on main, whose base commit is pushed, and a draft of v1.1 that bumps package a.
func asking(t *testing.T) (a *asked, git func(args ...string) string) {
	t.Helper()
	repo, _, git := gitrepotest.Open(t)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	p := &plan.Plan{
		Title:    "v1.1",
		Tags:     []string{"v1.1"},
		Base:     head.Commit,
		Remote:   "origin",
		Branch:   "main",
		Channel:  "https://prefix.example/ours",
		Packages: []plan.Package{{Name: "a", Version: "1.1"}},
		Bump: &bump.Plan{
			Files:    []bump.File{{Path: "pixi.toml"}},
			Packages: []bump.Move{{Name: "a"}},
		},
	}
	return &asked{
		aim:      drafted,
		plan:     p,
		trace:    &trace.Trace{Repo: repo, Plan: p},
		head:     head,
		branch:   "main",
		onBranch: true,
		place:    p.Channel,
		channel:  p.Channel,
		w:        &workspace.Workspace{Manifest: &manifest.Manifest{}, Config: settings.Config{Remote: "origin", Branch: "main"}},
		refs:     gitremote.Refs{Default: "main", Branches: map[string]string{"main": head.Commit}, Tags: map[string]string{}},
	}, git
}

func texts(found []*operr.Error) (all []string) {
	for _, f := range found {
		all = append(all, fmt.Sprintf("%+v", f))
	}
	return all
}

// Each problem of the clone or the remote is reported, and nothing else.
func TestProblemsOfGit(t *testing.T) {
	other := func(git func(args ...string) string, parent string) string {
		return git("commit-tree", "-p", parent, "-m", "theirs", parent+"^{tree}")
	}
	for name, c := range map[string]struct {
		change func(a *asked, git func(args ...string) string)
		want   []string
	}{
		"nothing": {change: func(*asked, func(...string) string) {}},
		"a remote that does not answer": {
			change: func(a *asked, _ func(...string) string) { a.refsErr = errors.New("no answer") },
			want:   []string{"no answer"},
		},
		"changes": {
			change: func(a *asked, _ func(...string) string) { a.changes = []string{"x.py"} },
			want:   []string{"the work tree has changes: x.py"},
		},
		"changes of a bump that is taken up": {
			change: func(a *asked, _ func(...string) string) {
				a.changes, a.pending = []string{"pixi.toml"}, &bump.Pending{}
			},
			want: nil,
		},
		"another branch": {
			change: func(a *asked, _ func(...string) string) { a.onBranch, a.head.Branch = false, "topic" },
			want:   []string{"the clone is on the branch topic, but releases are made from main"},
		},
		"no branch": {
			change: func(a *asked, _ func(...string) string) { a.onBranch, a.head.Branch = false, "" },
			want:   []string{"the clone is on no branch, but releases are made from main"},
		},
		"another branch than the release was begun on": {
			change: func(a *asked, _ func(...string) string) { a.aim, a.onBranch, a.head.Branch = begun, false, "topic" },
			want:   []string{"the clone is on the branch topic, but the release of v1.1 was begun on the branch main"},
		},
		"a branch that is not pushed": {
			change: func(a *asked, _ func(...string) string) { delete(a.refs.Branches, "main") },
			want:   []string{"the remote origin has no branch main"},
		},
		"a clone that is behind": {
			change: func(a *asked, git func(...string) string) { a.refs.Branches["main"] = other(git, a.head.Commit) },
			want:   []string{"the clone is behind origin/main"},
		},
		"a tag of the remote": {
			change: func(a *asked, _ func(...string) string) { a.refs.Tags["v1.1"] = a.head.Commit },
			want:   []string{"the tag v1.1 is on origin already"},
		},
		"a tag of the clone": {
			change: func(a *asked, _ func(...string) string) { a.tags = map[string]string{"v1.1": a.head.Commit} },
			want:   []string{"the tag v1.1 is in this clone already"},
		},
		"a tag that no other can stand beside": {
			change: func(a *asked, _ func(...string) string) { a.refs.Tags["v1.1/x"] = a.head.Commit },
			want:   []string{"on the remote origin, "},
		},
		"a release that was begun elsewhere": {
			change: func(a *asked, git func(...string) string) { a.plan.Base = other(git, a.head.Commit) },
			want:   []string{"the release of v1.1 was begun on the commit"},
		},
		"manifests that are not as the release left them": {
			change: func(a *asked, git func(...string) string) {
				a.head.Commit = other(git, a.head.Commit)
				a.refs.Branches["main"] = a.head.Commit
			},
			want: []string{"the manifests changed after the release of v1.1 was begun: the workspace has 0 packages, but the release has 1"},
		},
		"a merge that is not ended": {
			change: func(a *asked, git func(...string) string) {
				gitrepotest.Write(t, a.trace.Repo.Dir, "MERGE_HEAD", other(git, a.head.Commit)+"\n")
			},
			want: []string{"git is in the middle of a merge"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, git := asking(t)
			c.change(a, git)
			found := texts(findGit(t.Context(), a))
			require.Len(t, found, len(c.want), found)
			for n, want := range c.want {
				require.Contains(t, found[n], want)
			}
		})
	}
}

// A new release is refused if its files are already on the channel. A begun release is refused if the channel has changed.
func TestProblemsOfTheChannel(t *testing.T) {
	a, _ := asking(t)
	require.Empty(t, findChannel(t.Context(), a))
	there := condapkg.Record{}
	there.Name, there.Version, there.Build, there.SHA256 = "a", "1.1", "py_0", "0123456789abcdef"
	a.holdings = publish.Holdings{Records: map[string][]condapkg.Record{"a": {there}}}
	require.Contains(t, texts(findChannel(t.Context(), a))[0], "https://prefix.example/ours has a-1.1-py_0.conda already")
	a.plan.Bump.Packages = nil // published along with the release, without a new version
	require.Empty(t, findChannel(t.Context(), a))
	a.accessErr = errors.New("no right")
	require.Equal(t, []string{"no right"}, texts(findChannel(t.Context(), a)))
	a.channelErr = errors.New("no answer")
	require.Contains(t, texts(findChannel(t.Context(), a))[0], "no answer")

	a, _ = asking(t)
	a.place = "https://prefix.example/other"
	require.Empty(t, findPlace(a))
	a.aim = begun
	require.Contains(t, texts(findPlace(a))[0], "was begun for the channel https://prefix.example/ours, but the channel is https://prefix.example/other now")
	require.True(t, operr.HasWayOn(findPlace(a)[0]))
}

// A token that cannot create a release is reported before there is a tag. If GitHub does not show the token's permissions, a note is printed once.
func TestProblemsOfGitHub(t *testing.T) {
	for answer, want := range map[string]string{
		`{"archived": true, "permissions": {"push": true}}`: "the repository owner/name is archived",
		`{"permissions": {"push": false}}`:                  "the token's owner may not push",
		`{"permissions": {"push": true}}`:                   "",
		`{}`:                                                "",
		`{"message": "Bad credentials"}`:                    "HTTP 401: Bad credentials",
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if want != "" && answer == `{"message": "Bad credentials"}` {
				w.WriteHeader(http.StatusUnauthorized)
			}
			fmt.Fprint(w, answer)
		}))
		client, err := github.New(github.Options{API: api.URL, Repository: "owner/name", Token: "ghp_x"})
		require.NoError(t, err)
		said := 0
		p := &Preflight{Say: func(string, ...any) { said++ }}
		a := &asked{trace: &trace.Trace{Hub: forge.Hub{Repository: "owner/name", Client: client, Token: true}}}
		for range 2 {
			found := texts(p.findHub(t.Context(), a))
			require.Equal(t, want != "", len(found) == 1, "%s: %v", answer, found)
			if want != "" {
				require.Contains(t, found[0], want)
			}
		}
		require.Equal(t, answer == `{}`, said == 1, answer)
		a.trace.Hub.Token = false
		require.Empty(t, p.findHub(t.Context(), a), "no GitHub release is made")
		api.Close()
	}
}

// The workflow must start for the tags of a new release that a CI publishes.
func TestWorkflowsThatATagStarts(t *testing.T) {
	a, _ := asking(t)
	folder := filepath.Join(a.trace.Repo.Top, ".github", "workflows")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, forge.Workflow), []byte("on: {push: {tags: [w*]}}\njobs: {a: {runs-on: x, steps: [{run: mage publish}]}}\n"), 0o644))
	a.trace.Hub.Repository, a.trace.Publish = "owner/name", settings.PublishCI
	said := 0
	p := &Preflight{Say: func(string, ...any) { said++ }}
	require.Contains(t, texts(p.findTrigger(a))[0], "nothing would publish: release.yml:1 starts for tags that match w*, but the tag v1.1 does not")
	a.aim = begun
	require.Empty(t, p.findTrigger(a), "its tag may be there")
	a.aim, a.trace.Publish = drafted, settings.PublishHere
	require.Empty(t, p.findTrigger(a), "no workflow is waited for")
	a.trace.Publish = settings.PublishCI
	for on, times := range map[string]int{"{push: {tags: [v*]}, workflow_dispatch: }": 0, "{push: {tags: [v*]}}": 1} {
		said, p.toldRun = 0, false
		require.NoError(t, os.WriteFile(filepath.Join(folder, forge.Workflow), []byte("on: "+on+"\njobs: {a: {runs-on: x, steps: [{run: mage publish}]}}\n"), 0o644))
		for range 2 {
			require.Empty(t, p.findTrigger(a), on)
		}
		require.Equal(t, times, said, "that no run can be asked for is told once")
	}
}

// If no file publishes, and no setting says that a CI does, the release is refused, because it would wait in vain. The error lists ways to publish.
func TestNobodyPublishes(t *testing.T) {
	a, _ := asking(t)
	a.trace.Hub.Repository, a.trace.Plan.Publish = "owner/name", settings.PublishCI
	p := &Preflight{Request: bump.Request{To: "minor"}}
	found := p.findNoCI(t.Context(), a)
	require.Len(t, found, 1)
	require.Equal(t, "nothing would publish: no file in .github/workflows runs `mage publish` for a tag with `id-token: write`", found[0].Error())
	require.Contains(t, found[0].Next, "run `mage ci:write`, then commit and push release.yml")
	require.Contains(t, found[0].Next, "`mage release -to=minor -publish=here`")
	for name, change := range map[string]func(){
		"the manifest says who publishes": func() { a.w.Config.PublishSet = true },
		"a flag says it":                  func() { a.trace.Publish = settings.PublishCI },
		"published from here":             func() { a.trace.Plan.Publish = settings.PublishHere },
		"begun before":                    func() { a.aim = begun },
		"a file publishes": func() {
			folder := filepath.Join(a.trace.Repo.Top, ".github", "workflows")
			require.NoError(t, os.MkdirAll(folder, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(folder, forge.Workflow),
				[]byte("on: {push: {tags: [v*]}}\npermissions: {id-token: write}\njobs: {a: {runs-on: x, steps: [{run: mage publish}]}}\n"), 0o644))
		},
	} {
		was, config, flag, publish := a.aim, a.w.Config, a.trace.Publish, a.trace.Plan.Publish
		change()
		require.Empty(t, p.findNoCI(t.Context(), a), name)
		a.aim, a.w.Config, a.trace.Publish, a.trace.Plan.Publish = was, config, flag, publish
		require.NoError(t, os.RemoveAll(filepath.Join(a.trace.Repo.Top, ".github")))
	}
	require.NotEmpty(t, p.findNoCI(t.Context(), a))
}

// All problems of a plan are reported at once.
func TestProblemsOfAPlan(t *testing.T) {
	require.NoError(t, refuse(nil))
	require.ErrorContains(t, refuse([]*operr.Error{operr.New("", "one"), operr.New("", "two")}), "2 problems prevent the release")
	require.Contains(t, texts(findBump(&bump.Plan{}))[0], "nothing to release: no version changes")
	require.Contains(t, texts(findBump(&bump.Plan{Notes: []string{"no commit counts"}}))[0], "no commit counts")
	require.Empty(t, findBump(&bump.Plan{Tags: []bump.Tag{{Name: "v1"}}}))
}

// Credentials that repository code could read are reported once, before anything runs.
func TestReadableCredentialsAreReported(t *testing.T) {
	var said []string
	p := &Preflight{
		Readable: func() []string { return []string{"AWS_TOKEN"} },
		Fetching: func() []string { return []string{"PIXI_KEY"} },
		Say:      func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
	}
	for range 2 {
		p.tellReadable(&asked{fetches: true})
	}
	require.Len(t, said, 1)
	require.Contains(t, said[0], "Credentials on this machine:\n  code that checks and builds run could read: AWS_TOKEN\n  → nothing has to be done")
	require.Contains(t, said[0], "\n  pixi and the build backends have PIXI_KEY")
}

// Once the tag is on the remote, neither files nor platforms of the clone are checked.
func TestCloneIsNotCheckedAfterTheTag(t *testing.T) {
	a, _ := asking(t)
	a.aim, a.refs.Tags["v1.1"] = begun, a.head.Commit
	a.plan.Bump = &bump.Plan{}
	require.True(t, isOut(t.Context(), a))
	a.changes, a.onBranch = []string{"x.py"}, false
	require.Empty(t, findGit(t.Context(), a))
	require.Empty(t, findFiles(t.Context(), a))
	a.aim = drafted
	require.False(t, isOut(t.Context(), a))
}

// Uncommitted changes do not affect a landed release. This is reported once.
func TestChangesBesideALandedRelease(t *testing.T) {
	a, _ := asking(t)
	a.changes = []string{"pixi.toml"}
	var said []string
	p := &Preflight{Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}
	p.tellChanges(a)
	require.Empty(t, said, "they are in the way of any other release")
	a.plan.Landed = true
	require.Empty(t, findGit(t.Context(), a))
	p.tellChanges(a)
	p.tellChanges(a)
	require.Equal(t, []string{fmt.Sprintf("the release is made from the commit %.12s, without these changes in the work tree: pixi.toml", a.plan.Base)}, said)
}

// The branch's rules are read and reported. If it requires pull requests, the release is not refused, because some users may push anyway.
func TestRulesOfTheBranch(t *testing.T) {
	for name, c := range map[string]struct {
		rules      server.Rules
		empty      bool
		want, says string
	}{
		"push":                   {want: "push (no rule of main forbids a push)"},
		"pull requests":          {rules: server.Rules{Pulls: true}, want: "pull request (the rule pull_request applies to main)", says: "`mage release -pr` opens a pull request instead"},
		"a merge queue":          {rules: server.Rules{Queue: true}, want: "pull request (the rule merge_queue applies to main)", says: "`mage release -pr`"},
		"what cannot be read":    {rules: server.Rules{Pulls: true, Classic: true}, want: "not known (main is protected, but GitHub shows the protection only to administrators of the repository)"},
		"nothing goes to branch": {rules: server.Rules{Pulls: true}, empty: true},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := asking(t)
			hub, err := server.New(server.Options{Repository: "o/r", Branch: func(name string) (string, bool) { return a.head.Commit, name == "main" }})
			require.NoError(t, err)
			hub.Protect("main", c.rules)
			s := httptest.NewServer(hub)
			defer s.Close()
			client, err := github.New(github.Options{API: s.URL, Repository: "o/r", Attempts: 1})
			require.NoError(t, err)
			a.trace.Hub = forge.Hub{Repository: "o/r", Client: client}
			if c.empty {
				a.plan.Bump.Files = nil
			}
			said := ""
			p := &Preflight{Say: func(format string, args ...any) { said += fmt.Sprintf(format, args...) }}
			require.Equal(t, c.want, p.findLands(t.Context(), a))
			if c.says == "" {
				require.Empty(t, said)
			}
			require.Contains(t, said, c.says)
		})
	}
}

// Uncommitted changes stop a continued release before its question, even if they are a bump that someone made later.
func TestChangesStopAContinuedRelease(t *testing.T) {
	a, _ := asking(t)
	a.aim = begun
	a.plan.Bump.Files[0].After = "1"
	a.changes = []string{"pixi.toml"}
	own := &bump.Pending{Plan: &bump.Plan{Files: []bump.File{{Path: "pixi.toml", After: "1"}}}}
	theirs := &bump.Pending{Plan: &bump.Plan{Files: []bump.File{{Path: "pixi.toml", After: "2"}}}}
	beside := &bump.Pending{Plan: own.Plan, Beside: []string{"other"}}
	for lying, stops := range map[*bump.Pending]bool{own: false, theirs: true, beside: true, nil: true} {
		a.pending = a.ownBump(lying)
		found := ""
		for _, err := range findGit(t.Context(), a) {
			found += err.Error() + "\n"
		}
		if stops {
			require.Contains(t, found, "the work tree has changes: pixi.toml")
		} else {
			require.NotContains(t, found, "the work tree has changes")
		}
	}
}
