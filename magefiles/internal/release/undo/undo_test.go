package undo

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// going returns a Back for release v1.1, which was begun on the clone's only commit.
func going(t *testing.T, way Way) (u *Undo, b *Back, git func(args ...string) string) {
	t.Helper()
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.AddRemote(t, dir, git)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	p := &plan.Plan{
		Format:   plan.Format,
		Title:    "v1.1",
		Tags:     []string{"v1.1"},
		Base:     head.Commit,
		Remote:   "origin",
		Branch:   "main",
		Packages: []plan.Package{{Name: "a", Version: "1.1"}},
		Bump:     &bump.Plan{Files: []bump.File{{Path: "pixi.toml"}}},
	}
	at := &trace.Trace{
		Repo:    repo,
		Store:   &bump.Store{Top: repo.Top, Dir: t.TempDir()},
		Root:    repo.Top,
		State:   filepath.Join(t.TempDir(), "state"),
		Channel: func(*workspace.Workspace) (publish.Destination, error) { return nil, errors.New("no answer") },
		Plan:    p,
	}
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	return &Undo{Trace: at}, &Back{Plan: p, Way: way, trace: at, refs: refs, past: &trace.Past{Past: &session.Past[*plan.Plan]{Plan: p}}}, git
}

// ended returns how the release has ended according to its journal, or "".
func ended(t *testing.T, u *Undo) session.End {
	t.Helper()
	past, err := trace.Last(u.Trace.State)
	require.NoError(t, err)
	if past == nil {
		return ""
	}
	return past.End
}

// If a CI run may be uploading, nothing is undone.
func TestUndoDuringAnUploadingRun(t *testing.T) {
	u, b, git := going(t, Remote)
	b.Running = "https://ci.example/runs/7"
	before := git("rev-parse", "HEAD")
	_, err := u.Take(t.Context(), b)
	require.ErrorContains(t, err, "the CI run https://ci.example/runs/7 may be uploading packages now")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Equal(t, before, git("rev-parse", "HEAD"))
	require.Empty(t, ended(t, u))
}

// An undo records the end in the journal only after the release was undone or given up.
func TestEndIsRecorded(t *testing.T) {
	u, b, _ := going(t, Nothing)
	said, err := u.Take(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []string{"nothing of v1.1 had been done yet"}, said)
	require.Equal(t, trace.Undone, ended(t, u))

	u, b, _ = going(t, NoReturn)
	said, err = u.Take(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, []string{"v1.1 is abandoned; the packages on the channel stay"}, said)
	require.Equal(t, trace.Abandoned, ended(t, u))
	_, err = u.Take(t.Context(), b)
	require.NoError(t, err, "the journal was closed: another one may be written")
}

// Without an unfinished release there is nothing to undo, even if the last release was published.
func TestNothingToUndo(t *testing.T) {
	u, b, git := going(t, Nothing)
	require.NoError(t, u.finish(b, trace.Released))
	gitrepotest.Write(t, u.Trace.Root, "pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
	_, err := u.Find(t.Context())
	require.ErrorContains(t, err, "no release is unfinished, so there is nothing to undo")

	git("remote", "remove", "origin")
	_, err = u.Find(t.Context())
	require.ErrorContains(t, err, "no release is unfinished in this clone, and the remote cannot be asked about releases of other clones: there is no remote origin")
	require.Contains(t, operr.NextOf(err), "`git remote add origin URL`")
}

// A pushed release commit is reverted only if the clone is at the end of the branch.
func TestRevertNeedsTheEndOfTheBranch(t *testing.T) {
	for name, change := range map[string]func(b *Back, git func(args ...string) string){
		"the clone is behind": func(b *Back, git func(args ...string) string) {
			b.refs.Branches["main"] = git("commit-tree", "-p", "HEAD", "-m", "theirs", "HEAD^{tree}")
		},
		"another branch": func(_ *Back, git func(args ...string) string) { git("checkout", "-q", "-b", "topic") },
		"no branch":      func(_ *Back, git func(args ...string) string) { git("checkout", "-q", "--detach") },
	} {
		t.Run(name, func(t *testing.T) {
			u, b, git := going(t, Remote)
			b.Commit = b.Plan.Base
			change(b, git)
			before := git("rev-parse", "HEAD")
			_, err := u.Take(t.Context(), b)
			require.ErrorContains(t, err, "the clone is not at the last commit of origin/main")
			require.Equal(t, "run `git switch main` and `git pull`, and then this command again", operr.NextOf(err))
			require.Equal(t, before, git("rev-parse", "HEAD"))
			require.Empty(t, ended(t, u))
		})
	}
}

// If commits since the plan may belong to the release, and the manifests have uncommitted changes, the undo is refused.
func TestUndoWithAmbiguousChanges(t *testing.T) {
	_, b, git := going(t, Local)
	gitrepotest.Write(t, b.trace.Root, "sub/file", "changed\n")
	require.NoError(t, b.refuseChanges(t.Context()), "nothing was committed since")
	git("commit", "-q", "--allow-empty", "-m", "later")
	err := b.refuseChanges(t.Context())
	require.ErrorContains(t, err, "cannot find out which parts of v1.1 to undo, because the work tree has changes: sub/file")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	git("checkout", "-q", ".")
	require.NoError(t, b.refuseChanges(t.Context()))
	b.Plan.Bump = &bump.Plan{} // no commit to look for
	gitrepotest.Write(t, b.trace.Root, "sub/file", "changed\n")
	require.NoError(t, b.refuseChanges(t.Context()))
}

// If the remote rejects the undo, the clone is reset to its previous state. If the remote does not reply, the undo can be run again.
func TestUndoRejectedByTheRemote(t *testing.T) {
	_, b, git := going(t, Remote)
	head := git("rev-parse", "HEAD")
	git("commit", "-q", "--allow-empty", "-m", "revert")
	to := git("rev-parse", "HEAD")
	said, err := b.explainKept(t.Context(), []string{"reverted"}, head, to, errors.New("no answer"))
	require.ErrorContains(t, err, "nothing was undone on origin: no answer")
	require.Equal(t, []string{"reverted"}, said)
	require.Equal(t, to, git("rev-parse", "HEAD"))

	said, err = b.explainKept(t.Context(), []string{"reverted"}, head, to, gitremote.ErrRejected)
	require.ErrorContains(t, err, "the remote origin refused the undo of v1.1, and nothing was changed")
	require.True(t, operr.HasWayOn(err))
	require.Empty(t, said)
	require.Equal(t, head, git("rev-parse", "HEAD"))
}

// DeleteURL returns the URL for deleting a file on prefix.dev.
func TestDeleteURL(t *testing.T) {
	require.Empty(t, (&Back{}).DeleteURL())
	for url, want := range map[string]string{
		"https://repo.prefix.dev/ours/noarch/a-1-0.conda":     "https://prefix.dev/api/v1/delete/ours/noarch/a-1-0.conda",
		"https://prefix.dev/ours/noarch/a-1-0.conda":          "https://prefix.dev/api/v1/delete/ours/noarch/a-1-0.conda",
		"http://127.0.0.1:8000/channels/x/noarch/a-1-0.conda": "http://127.0.0.1:8000/channels/api/v1/delete/x/noarch/a-1-0.conda",
		"https://repo.prefix.dev/noarch/noarch/a-1-0.conda":   "https://prefix.dev/api/v1/delete/noarch/noarch/a-1-0.conda",
	} {
		b := &Back{Uploaded: []publish.Published{{URL: url, Subdir: "noarch", File: "a-1-0.conda"}}}
		require.Equal(t, want, b.DeleteURL())
	}
}
