package releasing

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/release/undo"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/stretchr/testify/require"
)

// A complete release without a journal has no steps to show, because most of them are recorded only in a journal.
func TestStatusOfAReleaseOfAnotherClone(t *testing.T) {
	steps := []workflow.Standing{{Step: "build", World: workflow.IsNotDone}}
	begun := []workflow.Standing{{Step: "build", Recorded: workflow.Started}}
	for name, c := range map[string]struct {
		s         Status
		says      string
		hasNoStep bool
	}{
		"released by another clone":              {Status{Title: "v1.0", End: trace.Released}, "v1.0: released, according to its tags and the channel; this clone has no journal of the release\n", true},
		"released by this one":                   {Status{Title: "v1.0", End: trace.Released, Journal: "x.jsonl", Steps: steps}, "v1.0: released\n○ build", false},
		"undone":                                 {Status{Title: "v1.0", End: trace.Undone, Journal: "x.jsonl", Steps: steps}, "v1.0: undone: nothing of it is left in this clone\n", true},
		"undone, and it is not known what stays": {Status{Title: "v1.0", End: trace.Undone, Journal: "x.jsonl", Unseen: "cannot find out what remains of the release: x"}, "v1.0: undone: cannot find out what remains of the release: x\n", true},
		"unfinished":                             {Status{Title: "v1.0", Steps: steps}, "v1.0 is tagged on the remote but not complete", false},
		"under way":                              {Status{Title: "v1.0", Begun: "x", Running: "process 7 since y", Steps: steps}, "the release of v1.0 is running (process 7 since y)", false},
		"another one is under way":               {Status{Title: "v1.0", End: trace.Released, Running: "process 7 since y", Journal: "x.jsonl"}, "a release is running (process 7 since y)\nv1.0: released", true},
		"the next one has landed":                {Status{Title: "v1.0", End: trace.Released, Journal: "x.jsonl", Landed: []string{"v1.1"}, branch: "main"}, "v1.0: released\nv1.1 is on main, but not tagged: `mage release` continues this release\n→ `mage release`\n", true},
		"the first one has landed":               {Status{Landed: []string{"v1.0"}, branch: "main", none: &release.Release{}}, "no release was begun in this clone\nv1.0 is on main, but not tagged", true},
		"another one, after one that was given up": {
			s:    Status{Title: "v1.0", End: trace.Abandoned, Running: "process 7 since y", Journal: "x.jsonl", Steps: begun},
			says: "build              started, but not finished",
		},
	} {
		var out bytes.Buffer
		Releaser{View: &view.View{Out: &out, Err: &out}}.ShowStatus(t.Context(), c.s)
		require.Contains(t, out.String(), c.says, name)
		if c.s.Running != "" { // a next step would be refused
			require.NotContains(t, out.String(), "`mage release", name)
			require.NotContains(t, out.String(), "`mage undo`", name)
		}
		require.Equal(t, c.hasNoStep, !bytes.Contains(out.Bytes(), []byte("build")), name)
	}
}

// Status shows what remains of an undone release, and the next step.
func TestStatusOfAnUndoneRelease(t *testing.T) {
	var out bytes.Buffer
	r := Releaser{Dir: t.TempDir(), View: &view.View{Out: &out, Err: &out}}
	commit, back := strings.Repeat("a", 40), strings.Repeat("b", 40)
	for name, c := range map[string]struct {
		stays *undo.Stays
		to    string
		tags  []string
		says  string
	}{
		"nothing":                    {nil, "patch", nil, "nothing of it is left in this clone\n→ `mage release -to=patch`\n"},
		"nothing, and no word":       {nil, "", nil, "nothing of it is left in this clone\n→ `mage release -to=patch`\n"},
		"reverted":                   {&undo.Stays{Branch: "main", Commit: commit, Reverted: back}, "minor", nil, "its tags are gone, and main has the earlier versions again; the commit aaaaaaaaaaaa and its revert bbbbbbbbbbbb stay in the history\n→ `mage release -to=minor`\n"},
		"reverted here alone":        {&undo.Stays{Branch: "main", Commit: commit, Reverted: back, Unpushed: "origin"}, "minor", nil, "stay in the history\n→ run `git push origin main` to undo the commit on the remote, too\n"},
		"reverted, and bumped again": {&undo.Stays{Branch: "main", Commit: commit, Reverted: back, Versions: true}, "minor", []string{"v1.0"}, "its tags are gone; main has its versions again, although the commit aaaaaaaaaaaa was reverted by bbbbbbbbbbbb\n→ `mage release -to=1.0` releases it after all\n"},
		"landed":                     {&undo.Stays{Branch: "main", Commit: commit, Versions: true}, "", []string{"v1.0"}, "its tags are gone, and main still has its versions (commit aaaaaaaaaaaa)\n→ `mage release -to=1.0` releases it after all\n"},
		"landed, one of several":     {&undo.Stays{Branch: "main", Commit: commit, Versions: true}, "", []string{"core/v1.0"}, "→ `mage release -to=1.0 -only=core` releases it after all\n"},
		"landed, several":            {&undo.Stays{Branch: "main", Commit: commit, Versions: true}, "", []string{"core/v1.0", "ui/v2.0"}, "→ `mage release` releases them after all\n"},
		"the versions are others":    {&undo.Stays{Branch: "main", Commit: commit}, "patch", nil, "its tags are gone, and so are its versions; the commit aaaaaaaaaaaa stays in the history of main\n→ `mage release -to=patch`\n"},
	} {
		out.Reset()
		p := &plan.Plan{Title: "v1.0", Tags: c.tags, Bump: &bump.Plan{Request: bump.Request{To: c.to}}}
		r.ShowStatus(t.Context(), Status{Title: "v1.0", End: trace.Undone, Journal: "x.jsonl", Stays: c.stays, next: r.afterUndo(p, c.stays)})
		require.Contains(t, out.String(), "v1.0: undone: ", name)
		require.Contains(t, out.String(), c.says, name)
	}
}

// If no release was begun, status shows the next step, or a tag that the remote already has.
func TestNextStepBeforeAFirstRelease(t *testing.T) {
	repo, _, git := gitrepotest.Open(t)
	for name, text := range monorepotest.Files(1, "0.1.6") {
		gitrepotest.Write(t, repo.Top, name, text)
	}
	remote := t.TempDir()
	git("init", "-q", "--bare", remote)
	git("remote", "add", "origin", remote)
	status := func() string {
		var out bytes.Buffer
		one := &release.Release{Means: release.Means{Repo: repo, Channel: func(*workspace.Workspace) (publish.Destination, error) { return nil, errors.New("none") }}}
		Releaser{View: &view.View{Out: &out, Err: &out}, Dir: repo.Top}.ShowStatus(t.Context(), Status{none: one})
		return out.String()
	}
	require.Equal(t, "no release was begun in this clone, and the remote has no tag for the versions in the manifests\n→ `mage rehearse -to=0.1.6`, then `mage release -to=0.1.6`\n", status(), "a patch would skip 0.1.6")
	gitrepotest.Write(t, repo.Top, "pixi.toml", monorepotest.Files(1, "0.1.6")["pixi.toml"]+"\n[tool.release]\nland = \"pull-request\"\n")
	require.Contains(t, status(), "→ `mage rehearse`, then `mage release -pr -to=patch`\n")
	git("push", "-q", "origin", "HEAD:refs/tags/v0.1.6")
	require.Contains(t, status(), "v0.1.6 is tagged on the remote")
	require.NotContains(t, status(), "→")

	git("remote", "set-url", "origin", filepath.Join(remote, "gone"))
	require.Contains(t, status(), "in the manifests: asking the remote origin: ")
	require.Contains(t, status(), "→ check whether `git ls-remote origin` works\n")
	git("remote", "remove", "origin")
	require.Contains(t, status(), "→ `git remote add origin URL`")
}
