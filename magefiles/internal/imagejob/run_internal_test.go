package imagejob

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/steps"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// several returns a Maker for downstreams with these names, in a clone on a machine that has only git.
func several(t *testing.T, names ...string) *Maker {
	t.Helper()
	root, bin := t.TempDir(), t.TempDir()
	write := func(file, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n")
	write("lib/pixi.toml", "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n")
	for n, name := range names {
		dir := fmt.Sprintf("app%d/", n)
		write(dir+"Dockerfile", "FROM scratch\n")
		write(dir+"pixi.toml", fmt.Sprintf("[workspace]\nname = \"app%d\"\nversion = \"1.0.0\"\nplatforms = [\"linux-64\"]\nchannels = [\"https://prefix.dev/ours\"]\n[dependencies]\nlib = \"==1.0.0\"\n"+
			"[tasks]\ncheck = \"true\"\n[tool.image]\nname = %q\nplatforms = [\"linux/amd64\"]\n", n, name))
	}
	git, err := exec.LookPath("git")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(git, filepath.Join(bin, "git")))
	w, err := workspace.Load(root)
	require.NoError(t, err)
	m := maker(w)
	m.Runner = command.NewSystem([]string{"PATH=" + bin, "GIT_CONFIG_GLOBAL=" + os.DevNull}, nil)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}} {
		require.NoError(t, m.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
	}
	return m
}

// watched returns a face that records what it displays and the questions.
func watched(noted *[]string) Face {
	var mu sync.Mutex
	note := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		*noted = append(*noted, text)
	}
	return Face{
		Steps: imagetest.Quiet,
		Group: func(_ context.Context, name string, f func(to steps.Reporter) error) error {
			err := f(imagetest.Quiet)
			note(name)
			return err
		},
		Show:  func(p *image.Plan, moves bool) { note(fmt.Sprintf("plan of %s, %v", p.Name, moves)) },
		Agree: func(_ context.Context, question string) error { note(question); return nil },
	}
}

// All plans are displayed before the first build starts, each image has its own group, and an error that all images share is reported once.
func TestAllImages(t *testing.T) {
	var noted []string
	all, err := several(t, "one", "two").RunAll(t.Context(), Flags{}, watched(&noted))
	require.NoError(t, err)
	require.Equal(t, []image.Result{}, all.Made)
	require.Len(t, all.Failed, 1)
	require.ErrorContains(t, all.Failed[0], "docker is not on PATH")
	require.Equal(t, []string{"plan of app0, false", "plan of app1, false"}, noted[:2])
	require.ElementsMatch(t, []string{"image app0", "image app1"}, noted[2:])

	noted = nil
	_, err = several(t, "same", "Same").RunAll(t.Context(), Flags{}, watched(&noted))
	require.EqualError(t, err, "the images of app0 and app1 have the same name 127.0.0.1:1/x/same")
	_, err = several(t).RunAll(t.Context(), Flags{}, watched(&noted))
	require.EqualError(t, err, "w has no downstream with an image")
	require.Empty(t, noted, "no build was started")
}

// The digest of a merge becomes a CI output, for jobs that deploy the image. A failed merge sets no output.
func TestMergeOutputsTheDigest(t *testing.T) {
	m, shop := several(t, "one"), imagetest.NewShop(t)
	m.Registry = shop.Host + "/x"
	var handed []string
	m.HandOn = func(name, value string) error { handed = append(handed, name+"="+value); return nil }
	d := m.Workspace.Downstreams[0]
	p, err := m.Plan(t.Context(), d, false, Flags{}, Face{})
	require.NoError(t, err)
	_, err = m.Merge(t.Context(), d, []string{"sha256:" + strings.Repeat("0", 64)}, Flags{}, Face{Steps: imagetest.Quiet})
	require.Error(t, err)
	require.Empty(t, handed)
	part := shop.Put(t, p.Repository, p.Labels, "linux/amd64")
	for _, outside := range []bool{true, false} {
		with := *m
		if outside {
			with.HandOn = nil
		}
		r, err := with.Merge(t.Context(), d, []string{part}, Flags{}, Face{Steps: imagetest.Quiet})
		require.NoError(t, err)
		if !outside {
			require.Equal(t, []string{"digest=" + r.Digest}, handed)
		}
	}
}

// There is a single question before something leaves the machine, and it comes after the checks. For a merge, the question is about the merge, not
// about a build.
func TestQuestionsAboutImages(t *testing.T) {
	m := several(t, "one")
	d := m.Workspace.Downstreams[0]
	var noted []string
	f := Flags{Push: true, Tags: []string{"mine"}}
	_, err := m.Run(t.Context(), d, f, watched(&noted))
	require.ErrorContains(t, err, "asking whether 127.0.0.1:1/x/one accepts a push")
	require.Equal(t, []string{"plan of app0, true", "Build and push 127.0.0.1:1/x/one?"}, noted)

	noted = nil
	face := watched(&noted)
	face.Show = func(p *image.Plan, _ bool) { noted = append(noted, p.Warnings...) }
	digest := "sha256:" + strings.Repeat("0", 64)
	_, err = m.Merge(t.Context(), d, []string{digest}, Flags{Tags: []string{"mine"}}, face)
	require.ErrorContains(t, err, "reading 127.0.0.1:1/x/one@"+digest)
	require.Equal(t, []string{"Merge 1 digest into 127.0.0.1:1/x/one?"}, noted)

	require.NoError(t, os.WriteFile(filepath.Join(m.Workspace.Root, d.Dir, "more"), nil, 0o644))
	noted = nil
	_, err = m.Run(t.Context(), d, f, watched(&noted))
	require.ErrorContains(t, err, "app0 has changes that are not committed")
	require.Equal(t, []string{"plan of app0, true"}, noted)
	p, err := m.Plan(t.Context(), d, false, Flags{}, face)
	require.NoError(t, err)
	require.Equal(t, []image.Tag{}, p.Tags)
}
