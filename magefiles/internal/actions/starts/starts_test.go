package starts_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/starts"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// TestWorkflowsThatAPushStarts checks what each kind of push would start in one repository. The repository's remote has only the branch main.
func TestWorkflowsThatAPushStarts(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	const jobs = "\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n"
	commit := func(message string, files ...string) {
		for i := 0; i < len(files); i += 2 {
			gitrepotest.Write(t, dir, files[i], files[i+1])
		}
		git("add", "-A")
		git("commit", "-q", "--allow-empty", "-m", message)
	}
	commit("workflows",
		".github/workflows/ci.yml", "on: {push: {branches: [main]}}"+jobs,
		".github/workflows/docs.yaml", "on: {push: {paths: [docs/**]}}"+jobs,
		".github/workflows/release.yml", "on: {push: {tags: ['v*']}}"+jobs,
		".github/workflows/bad.yml", "on: push\njob: {}\n",
		".github/workflows/deep/not.yml", "on: push"+jobs,
		".github/workflows/README.md", "no workflow",
	)
	gitrepotest.AddRemote(t, dir, git)
	git("checkout", "-q", "-B", "main")
	git("push", "-q", "origin", "main")
	git("fetch", "-q", "origin")
	git("tag", "-f", "v1")
	git("tag", "x")
	base := git("rev-parse", "HEAD")
	commit("code", "a.py", "1\n")
	commit("documents", "docs/x.md", "1\n")
	git("branch", "topic")
	commit("code again [skip ci]", "a.py", "2\n")

	const never = "0000000000000000000000000000000000000000"
	for _, c := range []struct {
		name  string
		push  starts.Push
		want  string // the workflow files that start, by ref
		why   string // one of the reasons
		files int    // number of files of the first ref
	}{
		{"the branch that is checked out", starts.Push{}, "main:", "ci.yml: the commit message has [skip ci]", 2},
		{"a new branch, from what is pushed", starts.Push{Refs: []string{"topic"}}, "topic: docs.yaml", "ci.yml: ci.yml:1 starts for branches that match main", 2},
		{"a branch since a commit", starts.Push{Refs: []string{"topic"}, Since: "topic^"}, "topic: docs.yaml", "", 1},
		{"a branch since a commit, without the documents", starts.Push{Refs: []string{"refs/heads/topic"}, Since: "topic"}, "topic:", "docs.yaml: the remote already has this commit", 0},
		{"a branch that the remote does not have", starts.Push{Refs: []string{"topic"}, Since: never}, "topic: docs.yaml", "", 2},
		{"a branch with nothing new", starts.Push{Refs: []string{"old"}}, "old:", "docs.yaml: docs.yaml:1 starts only if files changed", 0},
		{"a tag", starts.Push{Refs: []string{"v1"}}, "v1: docs.yaml release.yml", "ci.yml: ci.yml:1 has filters only for branches", 0},
		{"a tag with a branch of its name", starts.Push{Refs: []string{"x"}}, "x: docs.yaml", "release.yml: release.yml:1 starts for tags that match v*, but the tag x does not", 0},
		{"a tag that is not there yet", starts.Push{Refs: []string{"refs/tags/v9"}}, "v9:", "release.yml: the commit message has [skip ci]", 0},
		{"a version's tag that is not there yet", starts.Push{Refs: []string{"v9.0.0", "core/v9"}}, "v9.0.0: v9:", "release.yml: the commit message has [skip ci]", 0},
		{"a branch that was pushed", starts.Push{Refs: []string{"pushed"}}, "pushed:", "ci.yml: the remote already has this commit, so nothing is pushed", 0},
		{"three tags", starts.Push{Refs: []string{"v1", "x", "refs/tags/v1"}}, "v1: docs.yaml release.yml x: docs.yaml v1: docs.yaml release.yml", "", 0},
		{"four tags", starts.Push{Refs: []string{"v1", "x", "v1", "x"}}, "v1: x: v1: x:", "release.yml: GitHub creates no event for a push of more than three tags, and this push has 4", 0},
		{"a file that GitHub refuses", starts.Push{Refs: []string{"v1"}}, "v1: docs.yaml release.yml", `bad.yml: GitHub refuses the file: bad.yml:2:1: there is no key "job"`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			git("branch", "-f", "old", base)
			git("branch", "-f", "pushed", base)
			git("update-ref", "refs/remotes/origin/pushed", base)
			git("branch", "-f", "x", base)
			c.push.Repo, c.push.Remote = repo, "origin"
			answer, err := c.push.Ask(t.Context())
			require.NoError(t, err)
			var said, why []string
			for _, ref := range answer.Refs {
				said = append(said, ref.Ref[strings.LastIndexByte(ref.Ref, '/')+1:]+":")
				require.Len(t, ref.Workflows, 4)
				for _, w := range ref.Workflows {
					require.Equal(t, w.Starts, w.Why == "", w.File)
					if w.Starts {
						said = append(said, w.File)
					}
					why = append(why, w.File+": "+w.Why)
				}
			}
			require.Equal(t, c.want, strings.Join(said, " "))
			require.Contains(t, strings.Join(why, "\n"), c.why)
			require.Len(t, answer.Refs[0].Files, c.files)
		})
	}

	for name, p := range map[string]starts.Push{
		"there is no tag and no branch nowhere": {Refs: []string{"nowhere"}},
		"this clone has no commit 0123":         {Refs: []string{"topic"}, Since: "0123"},
	} {
		p.Repo, p.Remote = repo, "origin"
		_, err := p.Ask(t.Context())
		require.ErrorContains(t, err, name)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	git("checkout", "-q", "--detach")
	_, err := starts.Push{Repo: repo, Remote: "origin"}.Ask(t.Context())
	require.ErrorContains(t, err, "no branch is checked out")
}

// The first push to a repository has no earlier commit to compare with, so all of its files count as changed.
func TestFirstPush(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	git("checkout", "-q", "--orphan", "fresh")
	gitrepotest.Write(t, dir, ".github/workflows/docs.yml", "on: {push: {paths: [docs/**]}}\njobs: {}\n")
	gitrepotest.Write(t, dir, "docs/x", "1")
	git("add", "-A")
	git("commit", "-q", "-m", "all")
	answer, err := starts.Push{Repo: repo, Remote: "origin"}.Ask(t.Context())
	require.NoError(t, err)
	ref := answer.Refs[0]
	require.True(t, ref.First)
	require.Empty(t, ref.Since)
	require.Equal(t, 1, ref.Commits)
	require.Contains(t, ref.Files, "docs/x")
	require.Equal(t, []starts.Workflow{{File: "docs.yml", Starts: true}}, ref.Workflows)
}

// The command to run a started workflow has the full ref, because a short name may be a branch or a tag. If no workflow starts, the next step is to
// inspect a readable workflow file.
func TestNextStepAfterTriggers(t *testing.T) {
	for _, c := range []struct {
		ref  string
		all  []starts.Workflow
		want string
	}{
		{"refs/tags/foo", []starts.Workflow{{File: "a.yml"}, {File: "b.yml", Starts: true}}, "`mage ci:run b.yml -ref=refs/tags/foo`"},
		{"refs/heads/x", []starts.Workflow{{File: "a.yml", Starts: true}}, "`mage ci:run a.yml -ref=refs/heads/x`"},
		{"refs/heads/x", []starts.Workflow{{File: "a.yml", Why: "GitHub refuses the file: x"}, {File: "b.yml"}}, "`mage ci:run b.yml -what`"},
		{"refs/heads/x", nil, "`mage ci:write -diff`"},
		{"refs/tags/foo", []starts.Workflow{{File: "a.yml"}}, "`mage ci:write -diff`"},
	} {
		require.Equal(t, c.want, starts.Answer{Refs: []starts.Ref{{Ref: c.ref, Workflows: c.all}}}.Next(), c.ref)
	}
}
