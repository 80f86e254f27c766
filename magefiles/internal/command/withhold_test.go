package command_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// TestHostileCodeGetsNoCredential knows them by name and by form, in any case, and takes nothing else.
func TestHostileCodeGetsNoCredential(t *testing.T) {
	secret := []string{
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "CI_JOB_JWT_V2", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG",
		"GH_TOKEN", "GITHUB_TOKEN", "GITLAB_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "HATCH_INDEX_AUTH", "KUBECONFIG", "MY_ID_TOKEN", "NPM_TOKEN", "PGPASSWORD", "PREFIX_API_KEY",
		"RATTLER_AUTH_FILE", "SIGSTORE_ID_TOKEN", "SOME_SECRETS", "SSH_AUTH_SOCK", "TWINE_USERNAME", "UV_INDEX_OURS_PASSWORD", "UV_PUBLISH_TOKEN", "VAULT_ADDR", "a_lower_token",
	}
	kept := []string{
		"PATH=/bin", "HOME=/h", "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=/ca.pem", "AWS_REGION=eu", "CI=true", "GITHUB_ACTIONS=true", "GITHUB_SHA=abc", "HTTPS_PROXY=http://me:secret@proxy:3128", "TOKENIZERS_PARALLELISM=false",
		"UV_INDEX_URL=https://mirror.example/simple", "PYTHONPATH=/x", "EMPTY_TOKEN=", "URL=https://user@host/", "MAIL=a:b@c", "TEXT=see https://host and http://other:80/x@y",
	}
	var env []string
	for _, name := range secret {
		env = append(env, name+"=value")
	}
	forms := []string{
		"DATABASE_URL=postgres://u:hunter22@db/x", "PIP_EXTRA_INDEX_URL=https://a.example/ https://u:hunter22@b.example/simple", "UV_INDEX=ours=https://u:hunter22@c.example/simple",
	}
	clean, withheld := command.Withhold(append(append(env, kept...), forms...))
	require.Equal(t, kept, clean)
	require.ElementsMatch(t, append([]string{"DATABASE_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX"}, secret...), withheld)
	require.IsIncreasing(t, withheld)

	clean, withheld = command.Withhold([]string{"MY_TEST_TOKEN=1", "OTHER_TOKEN=2"}, "MY_TEST_TOKEN")
	require.Equal(t, []string{"MY_TEST_TOKEN=1"}, clean)
	require.Equal(t, []string{"OTHER_TOKEN"}, withheld)
}

// TestHostileChildWithoutAnEnvironmentOfItsOwn gives a child that nobody thought of no credential.
func TestHostileChildWithoutAnEnvironmentOfItsOwn(t *testing.T) {
	run := command.NewSystem(append(os.Environ(), "PREFIX_API_KEY=secret-of-prefix", "SSH_AUTH_SOCK=/secret-of-an-agent", "SOME=thing"), nil)
	out, err := command.Output(t.Context(), run, command.Cmd{Name: "env"})
	require.NoError(t, err)
	require.NotContains(t, out, "secret-of-")
	require.Contains(t, out, "SOME=thing")
	out, err = command.Output(t.Context(), run, command.Cmd{Name: "env", Env: run.Environ()})
	require.NoError(t, err)
	require.Contains(t, out, "PREFIX_API_KEY=secret-of-prefix", "it was asked for")
}
