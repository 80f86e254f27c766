package rules

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// environmentsOfTheApp returns the names in the application's [tool.deploy.NAME] tables, in file order.
func environmentsOfTheApp(t *testing.T) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^\[tool\.deploy\.([a-z]+)\]$`).FindAllStringSubmatch(document(t, "app", "pixi.toml"), -1) {
		names = append(names, m[1])
	}
	require.NotEmpty(t, names)
	return names
}

// deployment holds the parts of a job that these tests check. The job either deploys or calls a workflow that deploys.
type deployment struct {
	job         `yaml:",inline"`
	Uses        string
	With        map[string]string
	Secrets     any
	Timeout     int `yaml:"timeout-minutes"`
	Concurrency struct {
		Group  string
		Cancel bool `yaml:"cancel-in-progress"`
	}
	Strategy struct {
		Matrix struct {
			Include []map[string]string
		}
	}
}

func deployments(t *testing.T, file string) (jobs map[string]deployment, on map[string]any) {
	t.Helper()
	var w struct {
		On          map[string]any
		Concurrency map[string]any
		Env         map[string]string
		Jobs        map[string]deployment
	}
	require.NoError(t, yaml.Unmarshal([]byte(document(t, ".github", "workflows", file)), &w), file)
	require.Empty(t, w.Concurrency, "%s: a run that waits for a reviewer must not delay other runs", file)
	for name := range w.Env {
		require.NotContains(t, name, "DEPLOY", file)
	}
	return w.Jobs, w.On
}

// ofTheDefaultBranch is true only for the default branch. Unlike github.ref_name, it is false for a tag with the same name.
const ofTheDefaultBranch = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"

// deploy.yml has one job for each of the application's deployment environments, which are also environments on GitHub. Only the step that deploys
// has access to the environment's secrets.
func TestEachEnvironmentHasAJob(t *testing.T) {
	jobs, on := deployments(t, "deploy.yml")
	names := environmentsOfTheApp(t)
	byHand := on["workflow_dispatch"].(map[string]any)["inputs"].(map[string]any)
	var options []string
	for _, name := range byHand["environment"].(map[string]any)["options"].([]any) {
		options = append(options, name.(string))
	}
	require.Equal(t, names, options, "workflow_dispatch offers all environments")
	require.ElementsMatch(t, []string{"environment", "digest", "tag"}, slices.Collect(maps.Keys(byHand)))
	require.ElementsMatch(t, []string{"environment", "digest"}, slices.Collect(maps.Keys(on["workflow_call"].(map[string]any)["inputs"].(map[string]any))))
	require.Len(t, on, 2)
	require.ElementsMatch(t, names, slices.Collect(maps.Keys(jobs)))
	explained := document(t, "magefiles", "docs", "deployments.md")
	for n, name := range names {
		j := jobs[name]
		require.Equal(t, name, j.Environment)
		require.Equal(t, "deploy-"+name, j.Concurrency.Group)
		require.False(t, j.Concurrency.Cancel, "a canceled deployment would stay half done until the next run")
		require.Equal(t, map[string]string{"contents": "read", "packages": "read"}, j.Permissions)
		require.Contains(t, j.If, ofTheDefaultBranch)
		require.Contains(t, j.If, "(inputs.environment || '"+name+"') == '"+name+"'")
		require.Equal(t, "go tool mage deploy:to "+name+` -digest="$DIGEST" -tag="$TAG" -wait=15m -yes`, j.run(t, name))
		require.Empty(t, j.Env)
		if n > 0 {
			require.Equal(t, names[n-1], j.Needs)
			require.Contains(t, j.If, "(needs."+names[n-1]+".result == 'success' || inputs.environment == '"+name+"')")
			require.Contains(t, j.If, "!cancelled()")
		}
		secrets := 0
		for _, s := range j.Steps {
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				require.Equal(t, map[string]any{"persist-credentials": false}, s.With)
			}
			if strings.HasPrefix(s.Uses, "actions/setup-go@") {
				require.Equal(t, false, s.With["cache"])
			}
			if s.Run == "" {
				require.Empty(t, s.Env)
				continue
			}
			require.Equal(t, "${{ inputs.digest }}", s.Env["DIGEST"])
			for _, secret := range []string{"DEPLOY_SSH_PRIVATE_KEY", "DEPLOY_KNOWN_HOSTS"} {
				require.Equal(t, "${{ secrets."+secret+" }}", s.Env[secret])
				require.Contains(t, explained, "`"+secret+"`")
				secrets++
			}
			require.NotContains(t, s.Run, "${{", "a value from outside is passed as a variable, and never inserted into a script")
		}
		require.Equal(t, 2, secrets)
	}
}

// publish-app.yml ends by calling deploy.yml with the digest of the joined image. No job waits for the deployment.
func TestMergedImageIsDeployed(t *testing.T) {
	jobs, on := deployments(t, "publish-app.yml")
	require.Equal(t, []any{"main"}, on["push"].(map[string]any)["branches"])
	deploy := jobs["deploy"]
	require.Equal(t, "./.github/workflows/deploy.yml", deploy.Uses)
	require.Equal(t, "merge", deploy.Needs)
	require.Equal(t, map[string]string{"digest": "${{ needs.merge.outputs.digest }}"}, deploy.With)
	require.Equal(t, "inherit", deploy.Secrets, "the secrets of an environment reach a called workflow only if they are inherited")
	require.Equal(t, map[string]string{"contents": "read", "packages": "read"}, deploy.Permissions)
	require.Contains(t, jobs["build"].If, ofTheDefaultBranch)
	require.Contains(t, document(t, ".github", "workflows", "publish.yml"), "if: "+ofTheDefaultBranch)
	for _, file := range []string{"deploy.yml", "publish-app.yml", "publish.yml"} {
		require.NotContains(t, document(t, ".github", "workflows", file), "ref_name ==", file)
	}
	merge := jobs["merge"]
	require.Equal(t, map[string]string{"digest": "${{ steps.merge.outputs.digest }}"}, merge.Outputs)
	for _, s := range merge.Steps {
		require.Equal(t, s.Run != "", s.ID == "merge")
	}
	groups := map[string]bool{}
	for name, j := range jobs {
		if name == "deploy" {
			continue
		}
		require.False(t, j.Concurrency.Cancel, name)
		require.False(t, groups[j.Concurrency.Group], "two jobs of one run would wait for each other")
		groups[j.Concurrency.Group] = true
		if len(j.Strategy.Matrix.Include) > 0 {
			require.Contains(t, j.Concurrency.Group, "${{ matrix.", "%s: in a concurrency group only the newest job waits, and older waiting jobs are canceled", name)
		}
		require.NotEqual(t, "deploy", j.Needs, name)
	}
}
