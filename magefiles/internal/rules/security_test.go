package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/release"
)

// job is what of a workflow's job matters here.
type job struct {
	Needs       any               `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Steps       []struct {
		Uses string            `yaml:"uses"`
		Run  string            `yaml:"run"`
		With map[string]any    `yaml:"with"`
		Env  map[string]string `yaml:"env"`
	} `yaml:"steps"`
}

func releaseJobs(t *testing.T) (permissions map[string]string, jobs map[string]job, text string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", ".github", "workflows", release.Workflow))
	require.NoError(t, err)
	var w struct {
		Permissions map[string]string `yaml:"permissions"`
		Jobs        map[string]job    `yaml:"jobs"`
	}
	require.NoError(t, yaml.Unmarshal(data, &w))
	return w.Permissions, w.Jobs, string(data)
}

// In release.yml one job has a right, and it runs nothing but the upload of what another job has built.
func TestHostileCodeHasNoRightInTheReleaseWorkflow(t *testing.T) {
	permissions, jobs, text := releaseJobs(t)
	require.Equal(t, map[string]string{"contents": "read"}, permissions)
	require.NotContains(t, text, "secrets.", "there is no secret")
	for name, j := range jobs {
		var runs []string
		for _, s := range j.Steps {
			if s.Run != "" {
				runs = append(runs, s.Run)
			}
			require.NotContains(t, s.Uses, "actions/cache", name)
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				require.Equal(t, false, s.With["persist-credentials"], name)
			}
			if strings.HasPrefix(s.Uses, "actions/setup-go@") {
				require.Equal(t, false, s.With["cache"], name)
			}
			if strings.HasPrefix(s.Uses, "actions/setup-python@") {
				require.NotContains(t, s.With, "cache", name)
			}
			if s.Uses != "" {
				require.Regexp(t, `^actions/[a-z-]+@[0-9a-f]{40}$`, s.Uses, name)
			}
		}
		require.Len(t, runs, 1, "%s runs one target", name)
		if name != "upload" {
			require.Empty(t, j.Permissions, "%s has no right of its own", name)
			require.Empty(t, j.Environment, name)
			continue
		}
		require.Equal(t, map[string]string{"contents": "read", "id-token": "write"}, j.Permissions)
		require.Equal(t, release.Environment, j.Environment)
		require.Regexp(t, `^go tool mage publish -yes -from=\S+ -digests="\$DIGESTS"$`, runs[0])
		require.ElementsMatch(t, []any{"build", "rebuild", "import"}, j.Needs)
	}
}

// The rehearsal's CI runs the jobs of release.yml, all but the second build.
func TestTheRehearsalRunsTheJobsOfTheWorkflow(t *testing.T) {
	_, jobs, _ := releaseJobs(t)
	source, err := os.ReadFile(filepath.Join("..", "rehearsal", "jobs.go"))
	require.NoError(t, err)
	var rehearsed []string
	for _, m := range regexp.MustCompile(`(?m)^\tjob[A-Z]\w+\s+= "(\w+)"$`).FindAllStringSubmatch(string(source), -1) {
		rehearsed = append(rehearsed, m[1])
	}
	var all []string
	for name := range jobs {
		if name != "rebuild" {
			all = append(all, name)
		}
	}
	require.ElementsMatch(t, all, rehearsed)
}

// What SECURITY.md says of credentials is what the code withholds.
func TestSecurityOfCredentials(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", ".github", "SECURITY.md"))
	require.NoError(t, err)
	for _, name := range []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PREFIX_API_KEY", "RATTLER_AUTH_FILE", "GITHUB_TOKEN", "SSH_AUTH_SOCK"} {
		said := strings.Contains(string(text), name) || strings.Contains(string(text), "ACTIONS_ID_TOKEN_REQUEST_*") && strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_")
		require.True(t, said, "SECURITY.md does not say where %s goes", name)
		left, withheld := command.Withhold([]string{name + "=a-value-of-some-length", "PATH=/bin"})
		require.Equal(t, []string{"PATH=/bin"}, left, name)
		require.True(t, slices.Contains(withheld, name), name)
	}
	for _, file := range regexp.MustCompile("`(magefiles/[^`]+)`").FindAllStringSubmatch(string(text), -1) {
		_, err := os.Stat(filepath.Join("..", "..", "..", file[1]))
		require.NoError(t, err)
	}
}
