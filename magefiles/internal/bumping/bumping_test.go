package bumping_test

import (
	"context"
	"errors"
	"fmt"
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

// reader takes down what a person reads.
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

// open opens a workspace of one package, outside of git.
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

// A person sees the plan before the question, and a program nothing but what was done.
func TestAPlanIsShownBeforeItIsAgreedTo(t *testing.T) {
	b, r := open(t, nil)
	require.Nil(t, b.Repo)
	require.Nil(t, b.History())
	done, err := b.Bump(t.Context(), bump.Request{To: "minor"}, "", bump.Parts{})
	require.NoError(t, err)
	require.Contains(t, manifest(t, b), `version = "1.3.0"`)
	b.Show(done)
	require.Equal(t, []string{"a plan of 1 files", "asked", "changed, and not committed", "→ `git diff`, then `mage version:bump -commit`"}, r.lines)

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

// Whatever is refused has changed nothing.
func TestWhatABumpRefuses(t *testing.T) {
	for want, bumped := range map[string]func(b *bumping.Bumper) error{
		"a person says no": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{})
			return err
		},
		"is in no git repository: there is nothing to commit to": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "", bump.Parts{Commit: true})
			return err
		},
		"-plan=saved.json says where to go": func(b *bumping.Bumper) error {
			_, err := b.Bump(t.Context(), bump.Request{To: "patch"}, "saved.json", bump.Parts{})
			return err
		},
		"w has no downstream to be upgraded": func(b *bumping.Bumper) error {
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

// While a release is unfinished, its versions are not changed under it.
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
		require.Equal(t, filepath.Join(again.Repo.Common, folders.State), asked)
		if a.want == "" {
			require.NoError(t, err)
			require.NotEqual(t, before, manifest(t, again))
			continue
		}
		require.ErrorContains(t, err, a.want)
		require.Equal(t, a.status, operr.ExitStatus(err))
		require.Equal(t, a.title != "", operr.NextOf(err) == "`mage release` completes it, `mage undo` takes it back; then bump")
		require.Equal(t, before, manifest(t, again), a.want)
	}
}

// Where there is no workspace there is nothing to bump, in git or outside of it.
func TestNoWorkspaceToBump(t *testing.T) {
	_, err := bumping.Open(t.Context(), bumping.Config{Runner: command.NewSystem(os.Environ(), nil), Dir: t.TempDir(), View: &reader{}})
	require.Error(t, err)
	ended, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("a person pressed Ctrl-C")
	cancel(reason)
	_, err = bumping.Open(ended, bumping.Config{Runner: command.NewSystem(os.Environ(), nil), Dir: t.TempDir(), View: &reader{}})
	require.ErrorIs(t, err, reason)
}

// Where releases land by pull requests, no way on ends at a push of the branch.
func TestTheWayOnWhereReleasesLandByPullRequests(t *testing.T) {
	b, r := open(t, nil)
	require.Equal(t, "mage version:bump -to=minor -only=lib", b.CommandFor(bump.Request{To: "minor", Only: "lib"}))
	whole := bump.Request{
		To:        "minor",
		Raise:     true,
		FixDrift:  true,
		Changelog: true,
	}
	require.Equal(t, "mage version:bump -to=minor -ranges=raise -fixDrift -changelog", b.CommandFor(whole))
	require.Equal(t, "mage version:bump -to=auto", b.CommandFor(bump.Request{To: "auto", Changelog: true}), "which writes it by itself")
	require.Equal(t, "mage version:bump -to=auto -changelog=false", b.CommandFor(bump.Request{To: "auto", NoChangelog: true}))
	done := bump.Result{Commit: "0123456789abcdef", Plan: &bump.Plan{Message: "release"}}
	b.Show(done)
	require.Contains(t, r.lines, "→ `git push`")
	r.lines = nil
	b.Workspace.Config.Land, b.Repo = settings.LandByPull, &gitrepo.Repo{}
	require.Equal(t, "mage release -pr -to=minor -only=lib", b.CommandFor(bump.Request{To: "minor", Only: "lib"}))
	require.Equal(t, "mage release -pr -to=minor -ranges=raise", b.CommandFor(whole), "it takes no other flag")
	b.Show(done)
	require.Contains(t, r.lines[len(r.lines)-1], "→ push it to a branch of its own, and open a pull request")
}

// Ranges are raised for one word alone, and a changelog is written where there is one.
func TestWhatABumpIsAskedFor(t *testing.T) {
	for word, want := range map[string]bool{"": false, "raise": true} {
		raises, err := bumping.Raises(word)
		require.NoError(t, err)
		require.Equal(t, want, raises, word)
	}
	_, err := bumping.Raises("yes")
	require.ErrorContains(t, err, "-ranges=yes: there is only raise")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))

	root := t.TempDir()
	require.False(t, bumping.WithChangelog(bump.Request{To: "minor"}, root).Changelog)
	require.NoError(t, os.WriteFile(filepath.Join(root, changelog.File), nil, 0o644))
	require.Equal(t, bump.Request{To: "minor", Changelog: true}, bumping.WithChangelog(bump.Request{To: "minor"}, root))
}
