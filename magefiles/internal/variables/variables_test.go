package variables_test

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/variables"
	"github.com/stretchr/testify/require"
)

// `of` returns the variables of a map, and no others.
func of(set map[string]string) variables.Variables {
	return func(name string) (string, bool) {
		value, there := set[name]
		return value, there
	}
}

// TestHostileVariables refuses a value that a program would take for an option, in every variable that names something.
func TestHostileVariables(t *testing.T) {
	for name, value := range map[string]string{
		"BUILDX_BUILDER": "--allow=security.insecure", "PREFIX_CHANNEL": "-c", "DOCKER_HOST": "-oProxyCommand=x", "IMAGE_REGISTRY": "--push", "GITHUB_REF_NAME": "-v1", "PIXI_IMAGE": "-",
	} {
		err := of(map[string]string{name: value}).Check()
		require.ErrorContains(t, err, name+` cannot be "`+value+`"`)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	require.NoError(t, variables.Variables(func(string) (string, bool) { return "a-b", true }).Check())
}

// Each line of a multi-line key is hidden, because output is masked line by line.
func TestSecretsOfSeveralLines(t *testing.T) {
	v := of(map[string]string{"GITHUB_TOKEN": "ghp_a", "DEPLOY_SSH_PRIVATE_KEY": "-----BEGIN\r\nb3BlbnNza\nAAAA\n", "DEPLOY_KNOWN_HOSTS": "vm ssh-ed25519 AAAA"})
	require.Equal(t, []string{"ghp_a", "-----BEGIN", "b3BlbnNza", "AAAA"}, v.Secrets())
	key, known := v.SSH()
	require.Equal(t, "-----BEGIN\r\nb3BlbnNza\nAAAA\n", key)
	require.Equal(t, "vm ssh-ed25519 AAAA", known)
}
