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

// job holds the parts of a workflow's job that these tests check.
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

// run returns the command of a job, which must have exactly one.
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

// releaseWorkflow returns the release.yml that `ci:write` would write if releases landed by pull requests. It has one job more than the file in the
// repository.
func releaseWorkflow(t *testing.T) (w releaseFile) {
	t.Helper()
	w.text = written(t, forge.Workflow)
	require.NoError(t, yaml.Unmarshal([]byte(w.text), &w))
	return w
}

// In release.yml only upload and hub have more than the default rights, and these jobs run only the pipeline, with the packages that another job
// built.
func TestHostileCodeHasNoRightInTheReleaseWorkflow(t *testing.T) {
	w := releaseWorkflow(t)
	require.Equal(t, map[string]string{"contents": "read"}, w.Permissions)
	require.Empty(t, w.Env)
	require.Equal(t, map[string]any{"push": map[string]any{"tags": []any{"v*", "*/v*"}}, "workflow_dispatch": w.On["workflow_dispatch"]}, w.On, "release.yml is started by tags, or by hand")
	require.Equal(t, 1, strings.Count(w.text, "github.token"), "only one step has the token, in the job that makes the GitHub release")
	for _, key := range []string{"secrets.", "secrets[", "github['token']", "toJSON(github)", "toJSON(secrets)"} {
		require.NotContains(t, w.text, key, "release.yml uses no secrets")
	}
	for name, j := range w.Jobs {
		require.Empty(t, j.Env, "%s: variables belong to the step that needs them, not to the job", name)
		require.NotEmpty(t, j.run(t, name))
		for _, s := range j.Steps {
			require.NotContains(t, s.Uses, "actions/cache", name)
			if strings.HasPrefix(s.Uses, "actions/checkout@") {
				require.Equal(t, map[string]any{"fetch-depth": 0, "persist-credentials": false}, s.With, "%s checks out the tag, and does not keep the token", name)
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
		if name == "hub" { // hub runs only if release-pr.yml requested it, and after all packages were uploaded and verified
			require.Equal(t, map[string]string{"contents": "write"}, j.Permissions)
			require.ElementsMatch(t, []any{"upload", "verify"}, j.Needs)
			require.Contains(t, j.If, "inputs.hub")
			require.Regexp(t, `^go tool mage publish -announce -from=\S+ -digests="\$DIGESTS"$`, j.run(t, name))
			continue
		}
		if name == "rebuild" {
			require.Equal(t, "vars.REBUILD != 'off' || inputs.hub", j.If, "a release without a laptop is compared only by this job")
		}
		if name != "upload" {
			require.Empty(t, j.Permissions, "%s has no rights of its own: a job that needs a right belongs in another workflow", name)
			require.Empty(t, j.Environment, name)
			continue
		}
		require.Equal(t, map[string]string{"contents": "read", "id-token": "write"}, j.Permissions)
		require.Equal(t, forge.Environment, j.Environment)
		require.Regexp(t, `^go tool mage publish -yes -from=\S+ -digests="\$DIGESTS"$`, j.run(t, name))
		require.ElementsMatch(t, []any{"build", "rebuild", "import"}, j.Needs)
		for _, condition := range []string{"!cancelled()", "needs.build.result == 'success'", "needs.import.result == 'success'", "(needs.rebuild.result == 'success' || needs.rebuild.result == 'skipped')"} {
			require.Contains(t, strings.Split(strings.Join(strings.Fields(j.If), " "), " && "), condition, "upload waits for all earlier jobs")
		}
	}
}

// Each job gets the digests from the outputs of build or upload, which no other job can write.
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
				"%s: files from another job are compared with -digests", name)
			if s.ID != "" {
				require.Equal(t, name, s.ID, "the outputs come from the step whose ID is the job's name")
				require.NotEmpty(t, s.Run)
			}
		}
	}
}

// If a commit has no release.yml, a rehearsal runs the same jobs as in release.yml, with the same commands, except the second build and hub. The
// documents list all jobs.
func TestTheRehearsalRunsTheJobsOfTheWorkflow(t *testing.T) {
	w := releaseWorkflow(t)
	rehearsed := map[string]string{}
	for _, j := range workflows.WorkflowJobs {
		rehearsed[j.Name] = "go tool mage " + j.Run
		require.Contains(t, w.Jobs, j.Name, "workflows.WorkflowJobs (rehearsal/workflows/played.go) has a job that release.yml does not have: remove the job from WorkflowJobs")
	}
	explained, security := document(t, "magefiles", "docs", "publishing.md"), document(t, ".github", "SECURITY.md")
	for name, j := range w.Jobs {
		if name != "rebuild" && name != "hub" { // a rehearsal skips the second build, and a pushed tag does not start hub
			require.Contains(t, rehearsed, name, "release.yml has a job that no rehearsal runs: add it to workflows.WorkflowJobs (rehearsal/workflows/played.go), with its target")
			require.Equal(t, j.run(t, name), rehearsed[name], "the job %s does not run the commands in workflows.WorkflowJobs (rehearsal/workflows/played.go)", name)
		}
		shown := strings.NewReplacer("go tool ", "", `"$RUNNER_TEMP/packages"`, "DIR", `"$DIGESTS"`, "…").Replace(j.run(t, name))
		require.Contains(t, explained, "\n| "+name+" | `"+shown+"`: ", "the table of jobs in publishing.md has no line for the job %s with its command line", name)
		require.Contains(t, security, "`"+name+"`", "SECURITY.md, \"What guards the channel\", does not say whether the job %s has a credential", name)
	}
}

func document(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// The code withholds the credentials that are listed in SECURITY.md.
func TestSecurityOfCredentials(t *testing.T) {
	text := document(t, ".github", "SECURITY.md")
	for _, name := range []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PREFIX_API_KEY", "RATTLER_AUTH_FILE", "GITHUB_TOKEN", "RELEASE_PR_TOKEN", "SSH_AUTH_SOCK", "DEPLOY_SSH_PRIVATE_KEY"} {
		said := strings.Contains(text, name) || strings.Contains(text, "ACTIONS_ID_TOKEN_REQUEST_*") && strings.HasPrefix(name, "ACTIONS_ID_TOKEN_REQUEST_")
		require.True(t, said, "SECURITY.md does not say to whom %s is sent", name)
		left, withheld := command.Withhold([]string{name + "=a-value-of-some-length", "PATH=/bin"})
		require.Equal(t, []string{"PATH=/bin"}, left, name)
		require.True(t, slices.Contains(withheld, name), name)
	}
	for _, file := range regexp.MustCompile("`(magefiles/[^`]+)`").FindAllStringSubmatch(text, -1) {
		_, err := os.Stat(filepath.Join("..", "..", "..", file[1]))
		require.NoError(t, err)
	}
}

// written returns a workflow file that `ci:write` would write for this repository if releases landed by pull requests.
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

// In release-pr.yml, jobs that run code from the repository have no rights, and jobs with rights run only `release -pr`. No job waits for
// release.yml.
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
	require.Empty(t, check.Permissions, "the job has only the default right, contents: read")
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
