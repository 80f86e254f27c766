package imagejob

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Only GitHub repositories have a default image registry.
func TestImageRegistry(t *testing.T) {
	d := &workspace.Downstream{Dir: "app", Manifest: &manifest.Manifest{Path: "app/pixi.toml", Name: "app"}, Image: &settings.Image{}}
	for remote, want := range map[string]string{
		"https://github.com/SomeOne/repo.git": "ghcr.io/SomeOne", "git@github.com:someone/repo": "ghcr.io/someone",
		"ssh://git@ssh.github.com:443/someone/repo": "ghcr.io/someone",
		"https://gitlab.com/group/repo.git":         "", "https://gitlab.com/group/sub/repo.git": "", "git@git.example:someone/repo": "",
		"file:///srv/git/repo.git": "", "file:///github.com/someone/repo": "", "/srv/git/repo.git": "", "../repo": "", "": "",
	} {
		got, err := chooseRegistry(d, "", remote, true)
		require.Equal(t, want, got, remote)
		if want == "" {
			require.Equal(t, operr.Usage, operr.ExitStatus(err))
			require.ErrorContains(t, err, "cannot choose a registry for the image of app")
			want = ""
		}
		got, err = chooseRegistry(d, "", remote, false)
		require.NoError(t, err)
		require.Equal(t, want, got, "an image that is not pushed needs no registry")
	}
	got, err := chooseRegistry(d, "registry.example/me", "https://github.com/someone/repo", true)
	require.NoError(t, err)
	require.Equal(t, "registry.example/me", got)
	d.Image.Registry = "registry.example/us"
	got, err = chooseRegistry(d, "", "https://github.com/someone/repo", true)
	require.NoError(t, err)
	require.Equal(t, "registry.example/us", got)
}

// Builds of a clean folder use only committed files, so a lock file that git ignores is not included. With uncommitted changes, the folder itself
// is built, including the lock file.
func TestLockThatGitIgnores(t *testing.T) {
	w := aWorkspace(t, `"https://prefix.dev/ours"`)
	a := maker(w)
	write := func(file, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(w.Root, file), []byte(text), 0o644))
	}
	git := func(args ...string) {
		args = append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)
		require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
	}
	write("app/Dockerfile", "FROM scratch\n")
	write("app/pixi.lock", "version: 6\n")
	write(".gitignore", "pixi.lock\n")
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "first")
	locked := func() bool {
		repo, err := gitrepo.Open(t.Context(), a.Runner, w.Root)
		require.NoError(t, err)
		r, err := a.makeRequest(t.Context(), w.Downstreams[0], repo, Flags{}, &registry.Registry{})
		require.NoError(t, err)
		return r.Locked
	}
	require.False(t, locked())
	write("app/Dockerfile", "FROM scratch\n# changed\n")
	require.True(t, locked())
	git("add", "-f", "app")
	git("commit", "-q", "-m", "second")
	require.True(t, locked())
}

// Labels and the registry depend on the URL that git pushes to, regardless of how it is configured.
func TestPushURLDeterminesTheRegistry(t *testing.T) {
	for name, set := range map[string][][]string{
		"the repository's remote": {{"remote", "add", "origin", "git@github.com:Octo/mono.git"}},
		"insteadOf":               {{"remote", "add", "origin", "work:mono.git"}, {"config", "url.git@github.com:Octo/.insteadOf", "work:"}},
		"pushInsteadOf":           {{"remote", "add", "origin", "https://mirror.example/Octo/mono.git"}, {"config", "url.git@github.com:.pushInsteadOf", "https://mirror.example/"}},
		"pushurl":                 {{"remote", "add", "origin", "https://mirror.example/mono.git"}, {"remote", "set-url", "--push", "origin", "ssh://git@github.com/Octo/mono.git"}},
	} {
		w := aWorkspace(t, `"https://prefix.dev/ours"`)
		root := w.Root
		a := maker(w)
		a.Runner = command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull), nil)
		a.Registry = ""
		require.NoError(t, os.WriteFile(filepath.Join(root, "app", "Dockerfile"), []byte("FROM scratch\n"), 0o644))
		for _, args := range append([][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}}, set...) {
			require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
		}
		repo, err := gitrepo.Open(t.Context(), a.Runner, root)
		require.NoError(t, err)
		r, err := a.makeRequest(t.Context(), w.Downstreams[0], repo, Flags{}, &registry.Registry{})
		require.NoError(t, err)
		require.Equal(t, "https://github.com/Octo/mono", r.Source, name)
		require.Equal(t, "ghcr.io/Octo", r.Registry, name)
	}
}
