package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// After a deployment, the next step deploys to the next environment, or shows the status if there is none or the CI deploys to it.
func TestNextStepAfterADeployment(t *testing.T) {
	all := []config.Environment{{Name: "production", After: "staging"}, {Name: "staging"}, {Name: "far", After: "production", By: config.CI}}
	require.Equal(t, "staging", next(all, ""))
	require.Equal(t, "production", next(all, "staging"))
	require.Empty(t, next(all, "production"), "the CI deploys to it")
	digest, tag, without, force, only := "sha256:0123", "1.0", "one,two", "it burns", "site"
	every := Flags{Digest: &digest, Without: &without, Force: &force, Only: &only}
	require.Equal(t, "`mage deploy:status -env=far`", look("far", Flags{}))
	require.Equal(t, "`mage deploy:status -env=far -only=site`", look("far", every))
	require.Equal(t, "`mage deploy:status -only=site`", Flags{Only: &only}.step("mage deploy:status"), "after a delivery")
	require.Equal(t, "`mage deploy:to far -without=one,two -only=site`", afterSetup("far", every), "a host that was left out is not set up")
	of := config.Environment{Name: "staging"}
	open := &survey.Plan{Environment: of, Hosts: []survey.HostPlan{{Host: "one"}}}
	for want, c := range map[string]struct {
		plan  *survey.Plan
		flags Flags
	}{
		"`mage deploy:status -env=staging`": {&survey.Plan{Environment: of}, Flags{Tag: &tag}},
		"`mage deploy:to staging`":          {open, Flags{}},
		"`mage deploy:to staging -tag=1.0`": {open, Flags{Tag: &tag}},
		"`mage deploy:to staging -digest=sha256:0123 -without=one,two -force='it burns' -only=site`": {open, every},
	} {
		require.Equal(t, want, afterPlan(c.plan, c.flags))
	}
}

// After the progress of a delivery is shown, the next step continues the delivery, or shows what runs.
func TestNextStepAfterDeliveryStatus(t *testing.T) {
	only := "site"
	require.Empty(t, afterLook(reportedStanding{Running: "process 1"}, Flags{}))
	require.Equal(t, "`mage deliver`", afterLook(reportedStanding{}, Flags{}))
	require.Equal(t, "`mage deliver -only=site` continues the delivery; `mage deliver -undo -only=site` undoes the delivery", afterLook(reportedStanding{Plan: &delivery.Plan{}}, Flags{Only: &only}))
	require.Equal(t, "`mage deploy:status`", afterLook(reportedStanding{Plan: &delivery.Plan{}, End: "done"}, Flags{}))
}

// After an image is made, the next step deploys it to its first environment. The step names the downstream if several have environments.
func TestNextStepDeploysToTheFirstEnvironment(t *testing.T) {
	root := t.TempDir()
	says := func(name, more string) string {
		for file, text := range map[string]string{
			"pixi.toml":         "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
			"a/pixi.toml":       "[package]\nname = \"a\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n",
			name + "/pixi.toml": "[workspace]\nname = \"" + name + "\"\nchannels = [\"https://prefix.dev/w\"]\nplatforms = [\"linux-64\"]\n[dependencies]\na = \"==1\"\n[tool.image]\ncheck = [\"x\"]\n" + more,
		} {
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(text), 0o644))
		}
		w, err := workspace.Load(root)
		require.NoError(t, err)
		return firstOf(w, name)
	}
	const staging = "[tool.deploy.staging]\nhosts = [\"a@one.example\"]\nport = 8000\n"
	require.Empty(t, says("site", ""))
	require.Equal(t, "`mage deploy:to staging`", says("site", staging))
	require.Equal(t, "`mage deploy:to staging -only=shop`", says("shop", staging))
}
