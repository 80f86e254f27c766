package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
)

// A delivery refuses to wait for a workflow that the repository does not have.
func TestWorkflowToWaitForExists(t *testing.T) {
	top := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(top, ".github", "workflows"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(top, ".github", "workflows", "app.yml"), nil, 0o644))
	deploys := byCI{stage: stage{d: &deploying.Deployer{}}}
	deploys.d.Environment = config.Environment{Name: "staging"}
	for _, c := range []struct {
		name    string
		ci      bool
		until   string
		refused bool
	}{
		{"app.yml", true, "staging", false},
		{"", true, "staging", false},
		{"publish-app.yml", true, "other", true},
		{"publish-app.yml", false, "staging", true},
		{"publish-app.yml", false, "other", false},
	} {
		err := checkWorkflow(top, c.name, &delivery.Plan{CI: c.ci, Environments: []string{c.until}}, []delivery.Stage{deploys})
		require.Equal(t, c.refused, err != nil, "%+v: %v", c, err)
	}
}
