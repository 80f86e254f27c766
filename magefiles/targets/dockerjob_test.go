package targets

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Where images go by default is known of repositories on GitHub alone.
func TestImageRegistry(t *testing.T) {
	d := &workspace.Downstream{Dir: "app", Manifest: &workspace.Manifest{Path: "app/pixi.toml", Name: "app"}, Image: &workspace.Image{}}
	for remote, want := range map[string]string{
		"https://github.com/SomeOne/repo.git": "ghcr.io/SomeOne", "git@github.com:someone/repo": "ghcr.io/someone",
		"ssh://git@ssh.github.com:443/someone/repo": "ghcr.io/someone",
		"https://gitlab.com/group/repo.git":         "", "https://gitlab.com/group/sub/repo.git": "", "git@git.example:someone/repo": "",
		"file:///srv/git/repo.git": "", "file:///github.com/someone/repo": "", "/srv/git/repo.git": "", "../repo": "", "": "",
	} {
		got, err := imageRegistry(d, "", remote, true)
		require.Equal(t, want, got, remote)
		if want == "" {
			require.Equal(t, operr.Usage, operr.ExitStatus(err))
			require.ErrorContains(t, err, "it is not known where to push the image of app")
			want = "localhost"
		}
		got, err = imageRegistry(d, "", remote, false)
		require.NoError(t, err)
		require.Equal(t, want, got, "what stays here needs no name elsewhere")
	}
	got, err := imageRegistry(d, "registry.example/me", "https://github.com/someone/repo", true)
	require.NoError(t, err)
	require.Equal(t, "registry.example/me", got)
	d.Image.Registry = "registry.example/us"
	got, err = imageRegistry(d, "", "https://github.com/someone/repo", true)
	require.NoError(t, err)
	require.Equal(t, "registry.example/us", got)
}
