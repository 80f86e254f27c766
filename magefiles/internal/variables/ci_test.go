package variables_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/touched"
)

// The CI determines the run, its tag, and whether a job's output is read.
func TestCI(t *testing.T) {
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", "GITHUB_OUTPUT": "/out", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"}
	require.Equal(t, publishing.CI{Run: "7", Tag: "v1", Output: "/out"}, of(github).CI())
	github["GITHUB_REF_TYPE"] = "branch"
	require.Equal(t, publishing.CI{Run: "7", Output: "/out"}, of(github).CI())
	gitlab := map[string]string{"GITLAB_CI": "true", "CI_PIPELINE_ID": "8", "CI_COMMIT_TAG": "v2", "GITHUB_OUTPUT": "/out"}
	require.Equal(t, publishing.CI{Run: "8", Tag: "v2"}, of(gitlab).CI())
	gitea := map[string]string{"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v3"}
	require.Equal(t, publishing.CI{Tag: "v3"}, of(gitea).CI())
	require.Zero(t, of(nil).CI())
}

// The event that started a job is read only on GitHub's runner.
func TestEvent(t *testing.T) {
	github := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "/event.json"}
	require.Equal(t, touched.Event{Name: "push", Path: "/event.json"}, of(github).Event())
	delete(github, "GITHUB_ACTIONS")
	require.Zero(t, of(github).Event())
}
