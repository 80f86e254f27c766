package targets

import (
	"os"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/stretchr/testify/require"
)

// The repository on GitHub comes from the address that git pushes to, even if the configuration has another address.
func TestPushURLDeterminesTheRepository(t *testing.T) {
	t.Setenv("GITHUB_REPOSITORY", "")
	t.Setenv("GITHUB_API_URL", "")
	for name, set := range map[string][][]string{
		"as it is":      {{"remote", "add", "origin", "git@github.com:Octo/mono.git"}},
		"insteadOf":     {{"remote", "add", "origin", "work:mono.git"}, {"config", "url.git@github.com:Octo/.insteadOf", "work:"}},
		"pushInsteadOf": {{"remote", "add", "origin", "https://mirror.example/Octo/mono.git"}, {"config", "url.git@github.com:.pushInsteadOf", "https://mirror.example/"}},
		"pushurl":       {{"remote", "add", "origin", "https://mirror.example/mono.git"}, {"remote", "set-url", "--push", "origin", "ssh://git@github.com/Octo/mono.git"}},
	} {
		w := aWorkspace(t, `"https://prefix.dev/ours"`)
		root := w.Root
		environ := command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
		a := &pipeline{dir: root, runner: command.NewSystem(environ, nil)}
		for _, args := range append([][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}}, set...) {
			require.NoError(t, a.runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
		}
		repo, err := gitrepo.Open(t.Context(), a.runner, root)
		require.NoError(t, err)
		hub, err := a.hub(t.Context(), repo, w)
		require.NoError(t, err)
		require.Equal(t, "Octo/mono", hub.Repository, name)
	}
}
