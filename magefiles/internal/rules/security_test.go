package rules

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// job is what of a workflow's job matters here.
type job struct {
	If          string            `yaml:"if"`
	Needs       any               `yaml:"needs"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Env         map[string]string `yaml:"env"`
	Outputs     map[string]string `yaml:"outputs"`
	Steps       []struct {
		ID   string            `yaml:"id"`
		Uses string            `yaml:"uses"`
		Run  string            `yaml:"run"`
		With map[string]any    `yaml:"with"`
		Env  map[string]string `yaml:"env"`
	} `yaml:"steps"`
}

// run is the one command line of a job.
func (j job) run(t *testing.T, name string) string {
	t.Helper()
	var runs []string
	for _, s := range j.Steps {
		if s.Run != "" {
			runs = append(runs, s.Run)
		}
	}
	require.Len(t, runs, 1, "the job %s runs one target, so that a rehearsal can run it too", name)
	return runs[0]
}

type releaseFile struct {
	On          map[string]any    `yaml:"on"`
	Env         map[string]string `yaml:"env"`
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]job    `yaml:"jobs"`

	text string
}

// releaseWorkflow is the release.yml that `ci:write` writes for this repository where releases land by pull requests: that of the repository, and one job more.
func releaseWorkflow(t *testing.T) (w releaseFile) {
	t.Helper()
	w.text = written(t, forge.Workflow)
	require.NoError(t, yaml.Unmarshal([]byte(w.text), &w))
	return w
}

// In release.yml one job has a right, and it runs nothing but the upload of what another job has built.
func TestHostileCodeHasNoRightInTheReleaseWorkflow(t *testing.T) {
	w := releaseWorkflow(t)
	require.Equal(t, map[string]string{"contents": "read"}, w.Permissions)
	require.Empty(t, w.Env)
	require.Equal(t, map[string]any{"push": map[string]any{"tags": []any{"v*", "*/v*"}}, "workflow_dispatch": w.On["workflow_dispatch"]}, w.On, "it is started by tags, and by hand")
	require.Equal(t, 1, strings.Count(w.text, "github.token"), "the job that makes the GitHub release has it, at one step")
	for _, key := range []string{"secrets.", "secrets[", "github['token']", "toJSON(github)", "toJSON(secrets)"} {
		require.NotContains(t, w.text, key, "there is no secret")
	}
	for name, j := range w.Jobs {
		require.Empty(t, j.Env, "%s: variables stand at the step that needs them", name)
		require.NotEmpty(t, j.run(t, name))
		for _, s := range j.Steps {
			require.NotContains(t, s.Uses, "actions/cache", name)
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				require.Equal(t, map[string]any{"fetch-depth": 0, "persist-credentials": false}, s.With, "%s checks out the tag, and keeps no token", name)
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
		if name == "hub" { // it runs the pipeline alone, once all is on the channel, and where release-pr.yml asked for it
			require.Equal(t, map[string]string{"contents": "write"}, j.Permissions)
			require.ElementsMatch(t, []any{"upload", "verify"}, j.Needs)
			require.Contains(t, j.If, "inputs.hub")
			require.Regexp(t, `^go tool mage publish -announce -from=\S+ -digests="\$DIGESTS"$`, j.run(t, name))
			continue
		}
		if name == "rebuild" {
			require.Equal(t, "vars.REBUILD != 'off' || inputs.hub", j.If, "without a laptop nobody else compares")
		}
		if name != "upload" {
			require.Empty(t, j.Permissions, "%s has no right of its own: what needs one is a job of another workflow", name)
			require.Empty(t, j.Environment, name)
			continue
		}
		require.Equal(t, map[string]string{"contents": "read", "id-token": "write"}, j.Permissions)
		require.Equal(t, forge.Environment, j.Environment)
		require.Regexp(t, `^go tool mage publish -yes -from=\S+ -digests="\$DIGESTS"$`, j.run(t, name))
		require.ElementsMatch(t, []any{"build", "rebuild", "import"}, j.Needs)
		for _, condition := range []string{"!cancelled()", "needs.build.result == 'success'", "needs.import.result == 'success'", "(needs.rebuild.result == 'success' || needs.rebuild.result == 'skipped')"} {
			require.Contains(t, strings.Split(strings.Join(strings.Fields(j.If), " "), " && "), condition, "upload waits for what comes before it")
		}
	}
}

// What is uploaded, tried out and compared is what the build itself has said that it made: by its output, which no other job writes.
func TestDigestsOfTheReleaseWorkflowAreOutputs(t *testing.T) {
	w := releaseWorkflow(t)
	require.Equal(t, map[string]string{"digests": "${{ steps.build.outputs.digests }}"}, w.Jobs["build"].Outputs)
	require.Equal(t, map[string]string{"digests": "${{ steps.upload.outputs.digests }}"}, w.Jobs["upload"].Outputs)
	for name, j := range w.Jobs {
		of := map[string]string{"verify": "upload", "hub": "upload"}[name]
		if of == "" {
			of = "build"
		}
		for _, s := range j.Steps {
			if strings.Contains(s.Run, "$DIGESTS") {
				env := map[string]string{"DIGESTS": "${{ needs." + of + ".outputs.digests }}"}
				if name == "hub" {
					env["GITHUB_TOKEN"] = "${{ github.token }}"
				}
				require.Equal(t, env, s.Env, name)
			}
			require.Equal(t, strings.Contains(s.Run, "-from=") || strings.Contains(s.Run, "-compare=") || strings.Contains(s.Run, "-verify"), strings.Contains(s.Run, "$DIGESTS"),
				"%s: what is taken from another job is held against -digests", name)
			if s.ID != "" {
				require.Equal(t, name, s.ID, "outputs are taken from the step that is called as its job")
				require.NotEmpty(t, s.Run)
			}
		}
	}
}

// The jobs that stand for release.yml where a commit has none are its own, all but the second build, by the same command lines; and the documents name them.
func TestTheRehearsalRunsTheJobsOfTheWorkflow(t *testing.T) {
	w := releaseWorkflow(t)
	rehearsed := map[string]string{}
	for _, j := range workflows.WorkflowJobs {
		rehearsed[j.Name] = "go tool mage " + j.Run
		require.Contains(t, w.Jobs, j.Name, "workflows.WorkflowJobs (rehearsal/workflows/played.go) has a job that release.yml does not have: take it out there")
	}
	readme, security := document(t, "README.md"), document(t, ".github", "SECURITY.md")
	for name, j := range w.Jobs {
		if name != "rebuild" && name != "hub" { // a tag that is pushed does not begin that one
			require.Contains(t, rehearsed, name, "release.yml has a job that no rehearsal runs: add it to workflows.WorkflowJobs (rehearsal/workflows/played.go), with its target")
			require.Equal(t, j.run(t, name), rehearsed[name], "the job %s runs something else than workflows.WorkflowJobs (rehearsal/workflows/played.go) says", name)
		}
		shown := strings.NewReplacer("go tool ", "", `"$RUNNER_TEMP/packages"`, "DIR", `"$DIGESTS"`, "…").Replace(j.run(t, name))
		require.Contains(t, readme, "\n| "+name+" | `"+shown+"`: ", "the table of jobs in README, \"Publishing\", has no line for the job %s with its command line", name)
		require.Contains(t, security, "`"+name+"`", "SECURITY.md, \"What guards the channel\", does not say whether the job %s has a credential", name)
	}
}

func document(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// What SECURITY.md says of credentials is what the code withholds.
func TestSecurityOfCredentials(t *testing.T) {
	text := document(t, ".github", "SECURITY.md")
	for _, name := range []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PREFIX_API_KEY", "RATTLER_AUTH_FILE", "GITHUB_TOKEN", "RELEASE_PR_TOKEN", "SSH_AUTH_SOCK", "DEPLOY_SSH_PRIVATE_KEY"} {
		said := strings.Contains(text, name) || strings.Contains(text, "ACTIONS_ID_TOKEN_REQUEST_*") && strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_")
		require.True(t, said, "SECURITY.md does not say where %s goes", name)
		left, withheld := command.Withhold([]string{name + "=a-value-of-some-length", "PATH=/bin"})
		require.Equal(t, []string{"PATH=/bin"}, left, name)
		require.True(t, slices.Contains(withheld, name), name)
	}
	for _, file := range regexp.MustCompile("`(magefiles/[^`]+)`").FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(filepath.Join("..", "..", "..", file[1]))
		require.NoError(t, err)
	}
}

// written is a workflow file that `ci:write` writes for this repository where releases land by pull requests.
func written(t *testing.T, name string) string {
	t.Helper()
	w, err := workspace.Load(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	w.Config.Land = settings.LandByPull
	files, err := ciwrite.Plan(w, ciwrite.Settings{})
	require.NoError(t, err)
	i := slices.IndexFunc(files, func(f ciwrite.File) bool { return path.Base(f.Path) == name })
	require.GreaterOrEqual(t, i, 0)
	return files[i].New
}

// In release-pr.yml what runs code of the repository has no right, and what has one runs `release -pr` alone. None of its jobs waits for release.yml.
func TestHostileCodeHasNoRightInTheReleasePullRequest(t *testing.T) {
	var w struct {
		On   map[string]any
		Jobs map[string]job
	}
	require.NoError(t, yaml.Unmarshal([]byte(written(t, "release-pr.yml")), &w))
	require.Len(t, w.Jobs, 3)
	require.NotContains(t, w.On, "pull_request_target")
	plan, check, tag := w.Jobs["plan"], w.Jobs["check"], w.Jobs["tag"]
	require.Equal(t, map[string]string{"contents": "write", "pull-requests": "write"}, plan.Permissions)
	require.Regexp(t, `^go tool mage release -pr -to=auto -yes$`, plan.run(t, "plan"))
	require.Equal(t, map[string]string{"landed": "${{ steps.plan.outputs.landed }}"}, plan.Outputs)
	require.Empty(t, check.Permissions, "it has what all have: contents: read")
	require.Equal(t, "needs.plan.outputs.landed != ''", check.If)
	for _, s := range check.Steps {
		require.Empty(t, s.Env)
		if strings.HasPrefix(s.Uses, "actions/checkout@") {
			require.Equal(t, map[string]any{"ref": "${{ needs.plan.outputs.landed }}", "fetch-depth": 0, "persist-credentials": false}, s.With)
		}
	}
	require.Equal(t, map[string]string{"contents": "write", "actions": "write", "pull-requests": "read"}, tag.Permissions)
	require.Equal(t, `go tool mage release -pr -tag="$LANDED"`, tag.run(t, "tag"))
	require.ElementsMatch(t, []any{"plan", "check"}, tag.Needs)
	for name, j := range map[string]job{"plan": plan, "tag": tag} {
		for _, s := range j.Steps {
			require.NotContains(t, s.Uses, "actions/cache", name)
			if strings.HasPrefix(s.Uses, "actions/setup-go@") {
				require.Equal(t, false, s.With["cache"], name)
			}
		}
	}
}
