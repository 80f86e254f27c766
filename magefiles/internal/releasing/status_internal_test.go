package releasing

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/stretchr/testify/require"
)

// A release that is through, and of which there is no journal, has no steps to show: most of them are known by a journal alone.
func TestStatusOfAReleaseOfAnotherClone(t *testing.T) {
	steps := []workflow.Standing{{Step: "build", World: workflow.IsNotDone}}
	begun := []workflow.Standing{{Step: "build", Recorded: workflow.Started}}
	for name, c := range map[string]struct {
		s         Status
		says      string
		hasNoStep bool
	}{
		"released by another clone": {Status{Title: "v1.0", End: trace.Released}, "v1.0: released, by what its tags and the channel say; this clone has no journal of it\n", true},
		"released by this one":      {Status{Title: "v1.0", End: trace.Released, Journal: "x.jsonl", Steps: steps}, "v1.0: released\n○ build", false},
		"undone":                    {Status{Title: "v1.0", End: trace.Undone, Journal: "x.jsonl", Steps: steps}, "v1.0: undone: nothing of it is left in this clone or on the remote\n", true},
		"unfinished":                {Status{Title: "v1.0", Steps: steps}, "v1.0 is tagged on the remote and not complete", false},
		"under way":                 {Status{Title: "v1.0", Begun: "x", Running: "process 7 since y", Steps: steps}, "v1.0 is under way (process 7 since y)", false},
		"another one is under way":  {Status{Title: "v1.0", End: trace.Released, Running: "process 7 since y", Journal: "x.jsonl"}, "a release is under way (process 7 since y), and is not agreed to yet\nv1.0: released", true},
		"the next one has landed":   {Status{Title: "v1.0", End: trace.Released, Journal: "x.jsonl", Landed: []string{"v1.1"}, branch: "main"}, "v1.0: released\nv1.1 is on main, and not tagged: `mage release` goes on with it\n→ `mage release`\n", true},
		"the first one has landed":  {Status{Landed: []string{"v1.0"}, branch: "main", none: &release.Release{}}, "no release was begun in this clone\nv1.0 is on main, and not tagged", true},
		"another one, after one that was given up": {
			s:    Status{Title: "v1.0", End: trace.Abandoned, Running: "process 7 since y", Journal: "x.jsonl", Steps: begun},
			says: "build              begun, and left off",
		},
	} {
		var out bytes.Buffer
		Releaser{View: &view.View{Out: &out, Err: &out}}.ShowStatus(t.Context(), c.s)
		require.Contains(t, out.String(), c.says, name)
		if c.s.Running != "" { // neither can be done now
			require.NotContains(t, out.String(), "`mage release", name)
			require.NotContains(t, out.String(), "`mage undo`", name)
		}
		require.Equal(t, c.hasNoStep, !bytes.Contains(out.Bytes(), []byte("build")), name)
	}
}

// Where nothing was begun and nothing is in the way, the next step is said; where a tag is on the remote already, that is.
func TestTheNextStepBeforeAFirstRelease(t *testing.T) {
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
	require.Equal(t, "no release was begun in this clone, and the remote has no tag for the versions that the manifests have\n→ `mage rehearse`, then `mage release -to=patch`\n", status())
	gitrepotest.Write(t, repo.Top, "pixi.toml", monorepotest.Files(1, "0.1.6")["pixi.toml"]+"\n[tool.release]\nland = \"pull-request\"\n")
	require.Contains(t, status(), "→ `mage rehearse`, then `mage release -pr -to=patch`\n")
	git("push", "-q", "origin", "HEAD:refs/tags/v0.1.6")
	require.Contains(t, status(), "v0.1.6 is tagged on the remote")
	require.NotContains(t, status(), "→")

	git("remote", "set-url", "origin", filepath.Join(remote, "gone"))
	require.Contains(t, status(), "is not known: asking the remote origin: ")
	require.Contains(t, status(), "→ see whether `git ls-remote origin` answers\n")
	git("remote", "remove", "origin")
	require.Contains(t, status(), "→ `git remote add origin URL`")
}
