package buildx

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// environed is a runner with an environment. It records the environment of its last child process.
type environed struct{ env, given []string }

func (e *environed) Environ() []string { return e.env }

func (e *environed) Run(_ context.Context, c command.Cmd) error {
	e.given = c.Env
	return nil
}

// TestHostileEnvironmentOfDocker checks that docker gets its login credentials, but none that publish packages or identify the job.
func TestHostileEnvironmentOfDocker(t *testing.T) {
	e := &environed{env: []string{
		"PREFIX_API_KEY=secret", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=secret", "ACTIONS_RUNTIME_TOKEN=secret", "GITHUB_TOKEN=secret", "RATTLER_AUTH_FILE=/secret", "NPM_TOKEN=secret",
		"DOCKER_CONFIG=/yes", "DOCKER_HOST=ssh://yes", "BUILDX_BUILDER=yes", "AWS_SECRET_ACCESS_KEY=yes", "GOOGLE_APPLICATION_CREDENTIALS=/yes", "SSH_AUTH_SOCK=/yes", "KUBECONFIG=/yes",
		"HTTPS_PROXY=http://me:yes@proxy",
	}}
	_, err := (&Builder{Runner: e}).Look(t.Context())
	require.NoError(t, err)
	require.Len(t, e.given, 8)
	require.NotContains(t, strings.Join(e.given, "\n"), "secret")
}

// docker gets the secrets that a definition names, and no others.
func TestSecretsOfDocker(t *testing.T) {
	b := &Builder{Runner: imagetest.Program(t, "", 0, "OUR_TOKEN=our-own-secret-1", "THEIR_TOKEN=their-own-secret", "SSH_AUTH_SOCK=/agent")}
	b.Pass = []string{"OUR_TOKEN"}
	require.Subset(t, b.makeEnviron(), []string{"OUR_TOKEN=our-own-secret-1", "SSH_AUTH_SOCK=/agent"})
	require.NotContains(t, b.makeEnviron(), "THEIR_TOKEN=their-own-secret")
}
