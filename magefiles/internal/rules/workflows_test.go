package rules_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestOurWorkflowsHaveLimits holds what no linter asks for: a job ends, and begins with no more than it needs. (`mage lint` runs
// zizmor and actionlint over the same files.)
func TestOurWorkflowsHaveLimits(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w struct {
			Permissions map[string]string
			Concurrency map[string]any
			Jobs        map[string]struct {
				Uses        string
				Concurrency map[string]any
				Timeout     int `yaml:"timeout-minutes"`
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		require.Equal(t, map[string]string{"contents": "read"}, w.Permissions, file)
		require.NotEmpty(t, w.Jobs, file)
		for name, job := range w.Jobs {
			if job.Uses != "" { // its jobs have what is asked for here: GitHub takes no limit of it
				require.FileExists(t, filepath.Join("..", "..", "..", job.Uses), "%s: %s", file, name)
				continue
			}
			require.True(t, job.Timeout > 0 && job.Timeout < 360, "%s: the job %s needs timeout-minutes", file, name)
			require.True(t, w.Concurrency["group"] != nil || job.Concurrency["group"] != nil, "%s: the job %s, or all of them, need a concurrency group", file, name)
		}
	}
}
