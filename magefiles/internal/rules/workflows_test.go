package rules_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// TestOurWorkflowsHaveLimits checks what no linter checks: each job has a time limit and a concurrency group, and workflows can only read contents
// unless a job requests more permissions. (`mage lint` runs zizmor and actionlint on the same files.)
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
			if job.Uses != "" { // the called workflow sets time limits; GitHub does not allow one here
				require.FileExists(t, filepath.Join("..", "..", "..", job.Uses), "%s: %s", file, name)
				continue
			}
			require.True(t, job.Timeout > 0 && job.Timeout < 360, "%s: the job %s needs timeout-minutes", file, name)
			require.True(t, w.Concurrency["group"] != nil || job.Concurrency["group"] != nil, "%s: the job %s or the whole workflow needs a concurrency group", file, name)
		}
	}
}

// rights are a job's permissions other than reading contents.
type rights map[string]string

// `ours` lists the events that trigger each workflow of this repository, and the rights of its jobs.
var ours = map[string]struct {
	on   string // the `on` key, as YAML
	jobs map[string]rights
}{
	"ci.yml": {
		on:   `{pull_request: , push: {branches: [main]}}`,
		jobs: map[string]rights{"plan": nil, "qa": nil, "oldest": nil, "check": nil, "rehearse": nil, "ci": nil},
	},
	"release.yml": {
		on:   `{push: {tags: ["v*", "*/v*"]}, workflow_dispatch: }`,
		jobs: map[string]rights{"build": nil, "rebuild": nil, "import": nil, "upload": {"id-token": "write"}, "verify": nil},
	},
	"publish.yml": {
		on:   `{push: {branches: [main], paths: ["containers/runtime/**", ".github/workflows/publish.yml"]}, workflow_dispatch: }`,
		jobs: map[string]rights{"build": {"packages": "write"}, "merge": {"packages": "write"}},
	},
	"publish-app.yml": {
		on:   `{push: {branches: [main], paths: ["app/**", ".github/workflows/publish-app.yml"]}, workflow_dispatch: }`,
		jobs: map[string]rights{"build": {"packages": "write"}, "merge": {"packages": "write"}, "deploy": {"packages": "read"}},
	},
	"deploy.yml": {
		on: `{workflow_call: {inputs: {environment: {description: the only environment to deploy to; empty means all, type: string, default: ""},
			digest: {description: "digest of the image, sha256:…", type: string, required: true}}}, workflow_dispatch: {inputs: {
			environment: {description: the environment to deploy to, type: choice, options: [staging, production], required: true},
			digest: {description: "digest of the image, sha256:…; if neither digest nor tag is set, the image of the commit or of the previous environment", type: string},
			tag: {description: "tag of the image, instead of the digest", type: string}}}}`,
		jobs: map[string]rights{"staging": {"packages": "read"}, "production": {"packages": "read"}},
	},
}

// TestPermissionsOfOurWorkflows checks the events and rights of our workflows. A job runs one mage command, which gets outside values only through
// variables. Actions are pinned to a commit, and each right is followed by a comment with its reason.
func TestPermissionsOfOurWorkflows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", ".github", "workflows", "*"))
	require.NoError(t, err)
	require.Len(t, files, len(ours))
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		want, known := ours[filepath.Base(name)]
		require.True(t, known, name)
		var on any
		require.NoError(t, yaml.Unmarshal([]byte(want.on), &on))
		var is struct{ On any }
		require.NoError(t, yaml.Unmarshal(text, &is))
		require.Equal(t, on, is.On, name)

		w, err := file.Read(name, text)
		require.NoError(t, err)
		jobs := map[string]rights{}
		for _, j := range w.Jobs {
			more := maps.Clone(j.Permissions)
			require.NotEmpty(t, more["contents"], "%s: %s", name, j.ID)
			if more["contents"] == "read" { // the default for all jobs
				delete(more, "contents")
			}
			jobs[j.ID] = nil
			if len(more) > 0 {
				jobs[j.ID] = rights(more)
			}
			if j.Uses == "" {
				require.Len(t, j.Runs, 1, "%s: %s", name, j.ID)
				require.Regexp(t, `^go tool mage [a-z]+(:[a-z]+)?( -?[A-Za-z0-9/-]+(=\S+)?| "\$[A-Z]+")*$`, j.Runs[0], "%s: %s", name, j.ID)
				require.NotContains(t, j.Runs[0], "${{", "%s: %s", name, j.ID)
			}
		}
		require.Equal(t, want.jobs, jobs, name)
		rightsOf := false
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if uses, is := strings.CutPrefix(strings.TrimPrefix(strings.TrimSpace(line), "- "), "uses: "); is && !strings.HasPrefix(uses, "./.github/workflows/") {
				require.Regexp(t, `^[a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`, uses, name)
			}
			right := regexp.MustCompile(`^ +[a-z-]+: (read|write|none)\b`).MatchString(line)
			require.False(t, rightsOf && right && !strings.Contains(line, " # "), "%s: %s: add a comment with the reason for this right", name, line)
			rightsOf = strings.HasSuffix(line, "permissions:") || rightsOf && right
		}
	}
}
