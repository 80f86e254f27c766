package bumping_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// reader is a View that records its output.
type reader struct{ lines []string }

func (r *reader) Say(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}
func (r *reader) Line(format string, args ...any)    { r.Say(format, args...) }
func (r *reader) Heading(format string, args ...any) { r.Say(format, args...) }
func (r *reader) Next(format string, args ...any)    { r.Say("→ "+format, args...) }
func (r *reader) Plan(p *bump.Plan, _ bool) {
	r.lines = append(r.lines, fmt.Sprintf("a plan of %d files", len(p.Files)))
}

// `open` opens a workspace with one package, outside a git repository.
func open(t *testing.T, answer error) (*bumping.Bumper, *reader) {
	t.Helper()
	root, r := t.TempDir(), &reader{}
	for name, text := range map[string]string{
		"pixi.toml":     "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.2.3\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	b, err := bumping.Open(t.Context(), bumping.Config{
		Runner:  command.NewSystem(os.Environ(), nil),
		Dir:     root,
		View:    r,
		Confirm: func(context.Context, string) error { r.Say("asked"); return answer },
	})
	require.NoError(t, err)
	return b, r
}

func manifest(t *testing.T, b *bumping.Bumper) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(b.Workspace.Root, "lib", "pixi.toml"))
	require.NoError(t, err)
	return string(text)
}

// A user sees the plan before the question. With Quiet, only the result is shown.
func TestAPlanIsShownBeforeItIsAgreedTo(t *testing.T) {
	b, r := open(t, nil)
	require.Nil(t, b.Repo)
	require.Nil(t, b.History())
	done, err := b.Bump(t.Context(), bump.Request{To: "minor"}, "", bump.Parts{})
	require.NoError(t, err)
	require.Contains(t, manifest(t, b), `version = "1.3.0"`)
	b.Show(done)
	require.Equal(t, []string{"a plan of 1 files", "asked", "changed, but not committed", "→ `mage version:show`"}, r.lines)

	b, r = open(t, nil)
	b.Quiet = true
	_, err = b.Bump(t.Context(), bump.Request{To: "2.0.0"}, "", bump.Parts{})
	require.NoError(t, err)
	require.Equal(t, []string{"asked"}, r.lines)

	b, r = open(t, nil)
	done, err = b.Bump(t.Context(), bump.Request{To: "1.2.3"}, "", bump.Parts{})
	require.NoError(t, err)
	b.Show(done)
	require.Equal(t, []string{"nothing to change: everything is at v1.2.3 already"}, r.lines)
}

// A refused bump changes nothing.
func TestRefusedBumps(t *testing.T) {
	for want, bumped := range map[string]func(b *bumping.Bumper) error{
		"a person says no": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{})
			return err
		},
		"is not in a git repository, so nothing can be committed": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{Commit: true})
			return err
		},
		"-plan=saved.json cannot be combined with -to or -only, because the plan already has the new version": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "saved.json", bump.Parts{})
			return err
		},
		"w has no downstream to upgrade": func(b *bumping.Bumper) error {
			_, err := b.Upgrade(t.Context(), bump.Request{To: "1.0.0"}, nil)
			return err
		},
	} {
		b, _ := open(t, operr.NewStopped("", "a person says no"))
		before := manifest(t, b)
		require.ErrorContains(t, bumped(b), want)
		require.Equal(t, before, manifest(t, b), want)
	}
}

// Versions cannot be changed while a release is unfinished.
func TestABumpDuringARelease(t *testing.T) {
	dir, run := gitrepotest.New(t)
	b, r := open(t, nil)
	require.NoError(t, os.CopyFS(dir, os.DirFS(b.Workspace.Root)))
	gitrepotest.Git(t, run, dir, "add", "--all")
	gitrepotest.Git(t, run, dir, "commit", "--quiet", "--message", "fix: all")
	before := manifest(t, b)
	asked := ""
	for _, a := range []struct {
		title  string
		err    error
		want   string
		status int
	}{
		{title: "w v1.3.0", want: "the release of w v1.3.0 is unfinished", status: operr.Stopped},
		{title: "v1.2.3 of lib", want: "the release of v1.2.3 of lib is unfinished", status: operr.Stopped},
		{err: errors.New("the journal cannot be read"), want: "the journal cannot be read", status: 1},
		{},
	} {
		again, err := bumping.Open(t.Context(), bumping.Config{
			Runner:     run,
			Dir:        dir,
			View:       r,
			Confirm:    b.Confirm,
			Unfinished: func(state string) (string, error) { asked = state; return a.title, a.err },
		})
		require.NoError(t, err)
		_, err = again.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{})
		require.Equal(t, filepath.Join(again.Repo.Dir, folders.State), asked)
		if a.want == "" {
			require.NoError(t, err)
			require.NotEqual(t, before, manifest(t, again))
			continue
		}
		require.ErrorContains(t, err, a.want)
		require.Equal(t, a.status, operr.ExitStatus(err))
		require.Equal(t, a.title != "", operr.NextOf(err) == "complete the release with `mage release`, or undo it with `mage undo`, and then run this command again")
		require.Equal(t, before, manifest(t, again), a.want)
	}
}

// A release belongs to the work tree in which it was started. Bumps are refused only there, whether it is the main work tree or a linked one.
func TestBumpDuringAReleaseOfAnotherWorkTree(t *testing.T) {
	main, run := gitrepotest.New(t)
	b, r := open(t, nil)
	require.NoError(t, os.CopyFS(main, os.DirFS(b.Workspace.Root)))
	gitrepotest.Git(t, run, main, "add", "--all")
	gitrepotest.Git(t, run, main, "commit", "--quiet", "--message", "fix: all")
	linked := filepath.Join(t.TempDir(), "linked")
	gitrepotest.Git(t, run, main, "worktree", "add", "--quiet", "-b", "side", linked)
	for _, tree := range [][2]string{{main, linked}, {linked, main}} {
		released, other := in(t, run, tree[0], r), in(t, run, tree[1], r)
		journal := filepath.Join(released.Repo.Dir, folders.State, "releases", "1.jsonl")
		gitrepotest.Write(t, filepath.Dir(journal), filepath.Base(journal), "v1.2.4")
		_, err := released.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{})
		require.ErrorContains(t, err, "the release of v1.2.4 is unfinished", tree[0])
		_, err = other.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{})
		require.NoError(t, err, tree[1])
		require.Contains(t, manifest(t, other), `version = "1.2.4"`)
		gitrepotest.Git(t, run, tree[1], "checkout", "--quiet", "--", ".")
		require.NoError(t, os.Remove(journal))
	}
}

// `in` opens the workspace in a work tree. It treats a journal file in the work tree's state folder as an unfinished release, whose title is the
// content of the file.
func in(t *testing.T, run command.Runner, dir string, r *reader) *bumping.Bumper {
	t.Helper()
	b, err := bumping.Open(t.Context(), bumping.Config{
		Runner:  run,
		Dir:     dir,
		View:    r,
		Confirm: func(context.Context, string) error { return nil },
		Unfinished: func(state string) (string, error) {
			title, err := os.ReadFile(filepath.Join(state, "releases", "1.jsonl"))
			if errors.Is(err, fs.ErrNotExist) {
				return "", nil
			}
			return string(title), err
		},
	})
	require.NoError(t, err)
	return b
}

// Without a workspace, Open fails, inside and outside a git repository.
func TestNoWorkspaceToBump(t *testing.T) {
	_, err := bumping.Open(t.Context(), bumping.Config{Runner: command.NewSystem(os.Environ(), nil), Dir: t.TempDir(), View: &reader{}})
	require.Error(t, err)
	ended, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("a person pressed Ctrl-C")
	cancel(reason)
	_, err = bumping.Open(ended, bumping.Config{Runner: command.NewSystem(os.Environ(), nil), Dir: t.TempDir(), View: &reader{}})
	require.ErrorIs(t, err, reason)
}

// If releases land by pull requests, no next step pushes to the branch.
func TestNextStepsWithPullRequests(t *testing.T) {
	b, r := open(t, nil)
	require.Equal(t, "mage version:bump -to=minor -only=lib", b.CommandFor(bump.Request{To: "minor", Only: "lib"}))
	whole := bump.Request{
		To:        "minor",
		Raise:     true,
		FixDrift:  true,
		Changelog: true,
	}
	require.Equal(t, "mage version:bump -to=minor -ranges=raise -fixDrift -changelog", b.CommandFor(whole))
	require.Equal(t, "mage version:bump -to=auto", b.CommandFor(bump.Request{To: "auto", Changelog: true}), "-to=auto writes the changelog without a flag")
	require.Equal(t, "mage version:bump -to=auto -changelog=false", b.CommandFor(bump.Request{To: "auto", NoChangelog: true}))
	done := bump.Result{Commit: "0123456789abcdef", Plan: &bump.Plan{Message: "release"}}
	b.Show(done)
	require.Contains(t, r.lines, "→ `git push`")
	r.lines = nil
	b.Workspace.Config.Land, b.Repo = settings.LandByPull, &gitrepo.Repo{}
	require.Equal(t, "mage release -pr -to=minor -only=lib", b.CommandFor(bump.Request{To: "minor", Only: "lib"}))
	require.Equal(t, "mage release -pr -to=minor -ranges=raise", b.CommandFor(whole), "release -pr takes no other flag")
	b.Show(done)
	require.Contains(t, r.lines[len(r.lines)-1], "→ push the commit to a separate branch, and open a pull request")
}

// Ranges are raised only by the value "raise", and the changelog is written if it exists.
func TestRequestOfABump(t *testing.T) {
	for word, want := range map[string]bool{"": false, "raise": true} {
		raises, err := bumping.Raises(word)
		require.NoError(t, err)
		require.Equal(t, want, raises, word)
	}
	_, err := bumping.Raises("yes")
	require.ErrorContains(t, err, "-ranges=yes is not a known value: the only value is raise")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))

	root := t.TempDir()
	require.False(t, bumping.WithChangelog(bump.Request{To: "minor"}, root).Changelog)
	require.NoError(t, os.WriteFile(filepath.Join(root, changelog.File), nil, 0o644))
	require.Equal(t, bump.Request{To: "minor", Changelog: true}, bumping.WithChangelog(bump.Request{To: "minor"}, root))
}
