package release

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// A tag with this release's name at another commit must not be moved, neither in the clone nor on the remote.
func TestTagAtAnotherCommit(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.AddRemote(t, dir, git)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	p := &plan.Plan{Title: "v1.1", Tags: []string{"v1.1"}, Base: head.Commit, Remote: "origin", Branch: "main", Bump: &bump.Plan{}}
	r := &Release{Means: Means{Repo: repo}}
	at := &trace.Trace{Repo: repo, Plan: p}

	_, done, err := r.isTagged(t.Context(), p, trace.Commit{Hash: head.Commit, Where: trace.Here})
	require.NoError(t, err)
	require.False(t, done)
	git("tag", "v1.1")
	_, done, err = r.isTagged(t.Context(), p, trace.Commit{Hash: head.Commit, Where: trace.Here})
	require.NoError(t, err)
	require.True(t, done)
	git("commit", "-q", "--allow-empty", "-m", "other")
	other, err := repo.Head(t.Context())
	require.NoError(t, err)
	_, _, err = r.isTagged(t.Context(), p, trace.Commit{Hash: other.Commit, Where: trace.Here})
	require.ErrorContains(t, err, "the tag v1.1 is at the commit "+head.Commit[:12])
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))

	git("push", "-q", "origin", "v1.1")
	_, done, err = r.isPushed(t.Context(), at, p, head.Commit)
	require.NoError(t, err)
	require.True(t, done)
	_, _, err = r.isPushed(t.Context(), at, p, other.Commit)
	require.ErrorContains(t, err, "origin has the tag of v1.1 at the commit "+head.Commit[:12])
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
}

// A release must not deviate from the plan that the user agreed to.
func TestCommitDeviatesFromThePlan(t *testing.T) {
	_, err := (&Release{}).bumpAndCommit(t.Context(), &plan.Plan{Title: "v1.1", Bump: &bump.Plan{}})
	require.ErrorContains(t, err, "the manifests no longer have the versions of v1.1")
	_, _, err = (&Release{}).definePlan(new(workflow.Value[*plan.Plan])).Check(t.Context(), nil)
	require.EqualError(t, err, "there is no plan")
}

// The channel's records are compared with the uploaded files: a missing file may still appear, but a changed file requires a decision by the user.
func TestChannelFilesAreCompared(t *testing.T) {
	_, c := published(t, channelKey)
	s := &publish.Sequence{Publisher: &publish.Publisher{Channel: c}}
	there, err := c.Records(t.Context(), condapkg.NoarchSubdir, "a")
	require.NoError(t, err)
	require.Len(t, there, 1)
	sent := publish.Published{Name: "a", Subdir: condapkg.NoarchSubdir, File: there[0].FileName(), SHA256: there[0].SHA256}
	found, err := findRecords(t.Context(), s, []publish.Published{sent})
	require.NoError(t, err)
	require.Equal(t, there, found.Records())

	other := sent
	other.SHA256 = "0000"
	_, err = findRecords(t.Context(), s, []publish.Published{other})
	require.ErrorContains(t, err, "expected sha256 0000, found")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	other = sent
	other.File = "a-2.0-0.conda"
	_, err = findRecords(t.Context(), s, []publish.Published{sent, other})
	require.ErrorContains(t, err, "does not show a-2.0-0.conda yet")
}
