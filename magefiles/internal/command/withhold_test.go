package command_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A variable that a manifest passes is reported if it is set and looks like a credential. Its value is not shown.
func TestPassedCredentialsAreNamed(t *testing.T) {
	environ := []string{"GH_TOKEN=ghp_AbCdEfGhIj", "B_SECRET=of-b", "OTHER_TOKEN=of-other", "PLAIN=x", "PREFIX_API_KEY=of-a-channel", "INDEX=https://u:password@x"}
	for want, pass := range map[string][]string{
		"": {"PLAIN", "NOT_SET_TOKEN", "PREFIX_API_KEY"},
		"tasks, builds and hooks get B_SECRET, GH_TOKEN, INDEX from your environment, because [tool.release] pass names them": {"PLAIN", "GH_TOKEN", "INDEX", "B_SECRET"},
		"tasks, builds and hooks get GH_TOKEN from your environment, because [tool.release] pass names them":                  {"GH_TOKEN"},
	} {
		require.Equal(t, want, command.Passing(environ, pass))
	}
	require.Empty(t, command.Passing(environ, nil))
}

// TestHostileCodeGetsNoCredential checks that credentials are recognized by name, in upper and lower case, and by value, and that nothing else is
// removed.
func TestHostileCodeGetsNoCredential(t *testing.T) {
	secret := []string{
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_CACHE_URL", "AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "CI_JOB_JWT_V2", "CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "DOCKER_AUTH_CONFIG", "DOCKER_CONFIG",
		"GH_TOKEN", "GITHUB_TOKEN", "GITLAB_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "HATCH_INDEX_AUTH", "KUBECONFIG", "MY_ID_TOKEN", "NPM_TOKEN", "PGPASSWORD", "PREFIX_API_KEY",
		"A_TOKEN_OF_MINE", "MY_APIKEY", "MYSQL_PASSWD", "SIGNING_PASSPHRASE", "APP_CREDENTIAL", "SSH_PRIVATE_KEY_PEM", "AZURE_DEVOPS_EXT_PAT",
		"CI_DEPLOY_USER", "CI_REPOSITORY_URL", "CI_DEPENDENCY_PROXY_USER", "SYSTEM_OIDCREQUESTURI", "REGISTRY_AUTH", "BUILDKIT_HOST_KEY", "COSIGN_KEY",
		"GCLOUD_X", "GCP_SA", "CLOUDSDK_CONFIG", "ARM_CLIENT_ID", "MSI_ENDPOINT", "IDENTITY_ENDPOINT", "OP_SESSION_me", "AWS_PROFILE", "AWS_CONFIG_FILE", "AZURE_CONFIG_DIR",
		"SSH_AGENT_PID", "SSH_ASKPASS", "GIT_ASKPASS", "SUDO_ASKPASS", "GPG_AGENT_INFO", "GPG_TTY", "NETRC",
		"FLIT_PASSWORD", "FLIT_USERNAME", "POETRY_PYPI_TOKEN_OURS", "POETRY_HTTP_BASIC_OURS_USERNAME", "HATCH_INDEX_USER",
		"RATTLER_AUTH_FILE", "SIGSTORE_ID_TOKEN", "SOME_SECRETS", "SSH_AUTH_SOCK", "TWINE_USERNAME", "UV_INDEX_OURS_PASSWORD", "UV_PUBLISH_TOKEN", "VAULT_ADDR", "a_lower_token",
	}
	kept := []string{
		"PATH=/bin", "HOME=/h", "CI=true", "GITHUB_ACTIONS=true", "GITHUB_SHA=abc", "HTTPS_PROXY=http://me:secret@proxy:3128", "TOKENIZERS_PARALLELISM=false",
		"UV_INDEX_URL=https://mirror.example/simple", "PYTHONPATH=/x", "EMPTY_TOKEN=", "URL=https://user@host/", "MAIL=a:b@c", "TEXT=see https://host and http://other:80/x@y",
	}
	named := func(pattern string, names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			matched, err := path.Match(pattern, strings.ToUpper(name))
			require.NoError(t, err, pattern)
			return matched
		})
	}
	for _, pattern := range command.CredentialNames() {
		require.True(t, named(pattern, secret), "write a variable of the form %s into the list of this test: withhold.go says that it is a credential", pattern)
	}
	for _, pattern := range command.Ways {
		require.True(t, named(pattern, secret), "%s is in the list ways of reenter.go, and is nothing that withhold.go takes for a credential", pattern)
	}
	for _, name := range command.HarmlessNames {
		require.True(t, slices.ContainsFunc(command.CredentialNames(), func(pattern string) bool { return named(pattern, []string{name}) }),
			"%s is in the list harmlessNames of withhold.go, and would pass without", name)
		kept = append(kept, name+"=x")
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

	_, withheld = command.Withhold([]string{"A_TOKEN=1", "A_TOKEN=2"})
	require.Equal(t, []string{"A_TOKEN"}, withheld, "each is named once")
	clean, withheld = command.Withhold([]string{"MY_TEST_TOKEN=1", "OTHER_TOKEN=2"}, "MY_TEST_TOKEN")
	require.Equal(t, []string{"MY_TEST_TOKEN=1"}, clean)
	require.Equal(t, []string{"OTHER_TOKEN"}, withheld)

	clean, withheld = command.Withhold([]string{"ACTIONS_ID_TOKEN_REQUEST_URL=1", "MY_TEST_TOKEN=1", "PREFIX_API_KEY=2"}, "*", "PREFIX_API_KEY")
	require.Equal(t, []string{"MY_TEST_TOKEN=1"}, clean)
	require.Equal(t, []string{"ACTIONS_ID_TOKEN_REQUEST_URL", "PREFIX_API_KEY"}, withheld)
}

// TestHostileChildWithTheDefaultEnvironment gives no credential to a child without an explicit environment.
func TestHostileChildWithTheDefaultEnvironment(t *testing.T) {
	run := command.NewSystem(append(os.Environ(), "PREFIX_API_KEY=secret-of-prefix", "SSH_AUTH_SOCK=/secret-of-an-agent", "SOME=thing"), nil)
	out, err := command.Output(t.Context(), run, command.Cmd{Name: "env"})
	require.NoError(t, err)
	require.NotContains(t, out, "secret-of-")
	require.Contains(t, out, "SOME=thing")
	out, err = command.Output(t.Context(), run, command.Cmd{Name: "env", Env: run.Environ()})
	require.NoError(t, err)
	require.Contains(t, out, "PREFIX_API_KEY=secret-of-prefix", "it was asked for")
}
