package localprefix_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/oidc"
)

// If a channel's publisher is registered with an environment, jobs without it cannot publish, and neither can another workflow on the same tag. So
// push access for tags and workflows is not enough to publish.
func TestHostileJobs(t *testing.T) {
	s, err := localprefix.Start(localprefix.Options{
		Dir: t.TempDir(),
		Trusted: []localprefix.Trusted{
			{Channel: "demo", Repository: "octo/tools", Workflow: "release.yml", Environment: "release"},
		},
	})
	require.NoError(t, err)
	defer s.Close()
	client, err := prefixdev.New(prefixdev.Options{Server: s.URL})
	require.NoError(t, err)
	get := func(environ []string) error {
		getenv := func(name string) string {
			for _, kv := range environ {
				if k, v, _ := strings.Cut(kv, "="); k == name {
					return v
				}
			}
			return ""
		}
		_, err := prefixdev.Sources{CI: oidc.Detect(getenv, oidc.Options{})}.Credential(t.Context(), client)
		return err
	}
	claims := func(repository, workflow, environment string, further map[string]any) []string {
		all := oidc.GitHubClaims(repository, workflow, "refs/tags/v1", environment)
		maps.Copy(all, further)
		return s.Job(all)
	}
	require.NoError(t, get(claims("octo/tools", "release.yml", "release", nil)))
	require.NoError(t, get(s.Environ()))
	for name, environ := range map[string][]string{
		"no environment":      claims("octo/tools", "release.yml", "", nil),
		"another environment": claims("octo/tools", "release.yml", "staging", nil),
		"another workflow":    claims("octo/tools", "evil.yml", "release", nil),
		"another repository":  claims("mallory/tools", "release.yml", "release", nil),
		"a workflow that calls it": claims("octo/tools", "evil.yml", "release", map[string]any{
			"job_workflow_ref": "octo/tools/.github/workflows/release.yml@refs/tags/v1",
		}),
	} {
		require.ErrorContains(t, get(environ), "no channel trusts", name)
	}
	ended := claims("octo/tools", "release.yml", "release", nil)
	s.EndJob(strings.TrimPrefix(ended[2], "ACTIONS_ID_TOKEN_REQUEST_TOKEN="))
	require.ErrorContains(t, get(ended), "HTTP 401", "a job that is over")
	stolen := s.Job(oidc.GitHubClaims("octo/tools", "release.yml", "refs/tags/v1", "release"))
	stolen[2] = "ACTIONS_ID_TOKEN_REQUEST_TOKEN=guessed"
	require.ErrorContains(t, get(stolen), "HTTP 401")
}
