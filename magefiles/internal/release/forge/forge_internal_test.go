package forge

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
)

// TestForges combines kinds of remotes with kinds of CI files, and checks what preflight reports and where it tells the user to look.
func TestForges(t *testing.T) {
	const (
		script   = "script: [go tool mage publish -yes]\n"
		jobs     = "jobs: {a: {runs-on: ubuntu-24.04, steps: [{run: go tool mage publish -yes}]}}\n"
		tag      = "on: {push: {tags: [\"v*\"]}}\n"
		github   = tag + "permissions: {id-token: write}\n" + jobs
		gitlab   = "id_tokens: {PREFIX_DEV_ID_TOKEN: {aud: prefix.dev}}\n" + script
		runs     = "see the runs of release.yml for v1.2.0"
		neutral  = "see what the CI does for the tag v1.2.0"
		onServer = "see the pipeline of v1.2.0: https://gitlab.com/acme/tools/-/pipelines?ref=v1.2.0"
	)
	for name, c := range map[string]struct {
		remote, repository string
		files              map[string]string
		says, where        string
	}{
		"GitHub":                            {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/release.yml": github}, "CI publishes (release.yml, by trusted publishing)", runs},
		"GitHub, Mage in its own module":    {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/release.yml": strings.Replace(github, "tool mage", "-C magefiles tool mage -d ..", 1)}, "CI publishes (release.yml, by trusted publishing)", runs},
		"GitHub, with a key":                {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/p.yaml": tag + "env: {PREFIX_API_KEY: '${{ secrets.MINE }}'}\n" + jobs}, "CI publishes (p.yaml, with its key)", runs},
		"GitHub, without a right":           {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/p.yaml": tag + jobs}, "though no file in .github/workflows runs `mage publish` for a tag with `id-token: write`", runs},
		"GitHub, not for a tag":             {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/p.yaml": "on: workflow_dispatch\npermissions: {id-token: write}\n" + jobs}, "though no file in .github/workflows runs `mage publish` for a tag with `id-token: write`", runs},
		"GitHub, words in a comment":        {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/p.yaml": "# tags: id-token: write, PREFIX_API_KEY\non: push\n" + jobs}, "though no file in .github/workflows runs `mage publish` for a tag with `id-token: write`", runs},
		"GitHub, a call of another file":    {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/r.yml": tag + "permissions: {id-token: write}\njobs: {a: {uses: ./.github/workflows/s.yml}}\n", ".github/workflows/s.yml": "on: workflow_call\n" + jobs}, "CI publishes (r.yml, by trusted publishing)", runs},
		"GitHub, published elsewhere":       {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".circleci/config.yml": script}, "CI publishes (config.yml, with its key)", runs},
		"GitHub, mirrored to GitLab":        {"git@github.com:octo/mono.git", "octo/mono", map[string]string{".github/workflows/release.yml": github, ".gitlab-ci.yml": gitlab}, "CI publishes (release.yml, by trusted publishing)", runs},
		"GitLab":                            {"https://gitlab.com/acme/tools.git", "", map[string]string{".gitlab-ci.yml": gitlab}, "CI publishes (.gitlab-ci.yml, by trusted publishing)", onServer},
		"GitLab by ssh, in groups":          {"git@gitlab.com:acme/deep/er/tools.git", "", map[string]string{".gitlab/ci/release.yml": gitlab}, "CI publishes (release.yml, by trusted publishing)", "see the pipeline of v1.2.0: https://gitlab.com/acme/deep/er/tools/-/pipelines?ref=v1.2.0"},
		"GitLab, with a variable":           {"ssh://git@gitlab.com:22/acme/tools", "", map[string]string{".gitlab-ci.yml": script}, "CI publishes (.gitlab-ci.yml, with its key)", onServer},
		"GitLab, nothing publishes":         {"https://gitlab.com/acme/tools.git", "", map[string]string{".gitlab-ci.yml": "script: [make]\n"}, "though neither .gitlab-ci.yml nor a file in .gitlab runs `mage publish`", onServer},
		"GitLab, of a name of its own":      {"ssh://git@code.acme.example:2222/acme/tools.git", "", map[string]string{".gitlab-ci.yml": gitlab}, "CI publishes (.gitlab-ci.yml, by trusted publishing)", "see the pipeline of v1.2.0: https://code.acme.example/acme/tools/-/pipelines?ref=v1.2.0"},
		"GitLab, GitHub's file from a fork": {"https://gitlab.com/acme/tools.git", "", map[string]string{".github/workflows/release.yml": github}, "though neither .gitlab-ci.yml nor", onServer},
		"GitLab, a file of this machine":    {"/srv/git/tools.git", "", map[string]string{".gitlab-ci.yml": gitlab}, "CI publishes (.gitlab-ci.yml, by trusted publishing)", "see the pipeline of v1.2.0"},
		"Gitea":                             {"git@git.acme.example:acme/tools.git", "", map[string]string{".gitea/workflows/release.yml": script}, "CI publishes (release.yml, with its key)", neutral},
		"Forgejo, GitHub's file":            {"https://codeberg.org/acme/tools.git", "", map[string]string{".github/workflows/r.yml": github}, "CI publishes (r.yml, by trusted publishing)", neutral},
		"Bitbucket":                         {"git@bitbucket.org:acme/tools.git", "", map[string]string{"bitbucket-pipelines.yml": script}, "CI publishes (bitbucket-pipelines.yml, with its key)", neutral},
		"ssh alone":                         {"me@host:git/tools.git", "", nil, "though no file of a CI runs `mage publish`", neutral},
		"a remote that is not there":        {"", "", nil, "though no file of a CI runs `mage publish`", neutral},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := t.TempDir()
			run := command.NewSystem(append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull), nil)
			require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"init", "-q"}, Dir: top}))
			if c.remote != "" {
				require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"remote", "add", "--", "origin", c.remote}, Dir: top}))
			}
			for file, text := range c.files {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(top, file)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(top, file), []byte(text), 0o644))
			}
			repo, err := gitrepo.Open(t.Context(), run, top)
			require.NoError(t, err)
			h := Hub{Repository: c.repository}
			says := h.DescribeRight(t.Context(), repo, "origin")
			require.Contains(t, says, c.says)
			require.Equal(t, c.where, h.DescribePlace(t.Context(), repo, &plan.Plan{Title: "v1.2.0", Tags: []string{"v1.2.0"}, Remote: "origin"}))
			if c.where != runs {
				require.NotContains(t, says, "GitHub")
			}
			none := h.FindNoCI(t.Context(), repo, top, "origin")
			require.Equal(t, strings.Contains(says, "though"), none.Lacks != "")
			require.Equal(t, none.Lacks == "", none.Next("mage release -publish=here") == "")
		})
	}
}

// TestNextStepsToPublish checks the next step for each kind of repository without a file that publishes.
func TestNextStepsToPublish(t *testing.T) {
	const from, another = "publish from this machine with `mage release -publish=here`", `; if another CI publishes, pass -publish=ci, or set publish = "ci" in [tool.release]`
	require.Equal(t, "run `mage ci:write`, then commit and push release.yml, which publishes the packages; or "+from+another, NoCI{Lacks: "x"}.Next("mage release -publish=here"))
	require.Equal(t, "write a job that runs `mage publish` for a tag (foopack's magefiles/docs/publishing.md has an example); or "+from+another, NoCI{Lacks: "x", byHand: true}.Next("mage release -publish=here"))
	require.Equal(t, from+" (release.yml belongs to another tool, so `mage ci:write` does not change this file)"+another, NoCI{Lacks: "x", taken: true}.Next("mage release -publish=here"))
	require.Contains(t, NoCI{Lacks: "x"}.Next(""), `or set publish = "here" in [tool.release] to publish from this machine; if another CI publishes, set publish = "ci" in [tool.release]`)
}

// A workflow that tags do not start would publish nothing. This must be reported before there is a tag. If it cannot be determined, the release
// continues.
func TestTagsThatStartNothing(t *testing.T) {
	const jobs = "\njobs: {upload: {runs-on: ubuntu-24.04, steps: [{run: go tool mage publish -yes}]}}\n"
	trusted := func(condition string) string {
		return "on: push\njobs:\n  upload:\n    runs-on: x\n    if: \"" + condition + "\"\n    permissions: {id-token: write}\n    steps: [{run: mage publish -yes}]\n"
	}
	both := []string{"v1.2.0", "core/v1.2.0"}
	for text, want := range map[string]string{
		"on: {push: {tags: ['v*', '*/v*']}}" + jobs: "",
		"on: push" + jobs:                                                       "",
		"on: {push: {tags: ['v*']}}" + jobs:                                     "release.yml:1 starts for tags that match v*, but the tag core/v1.2.0 does not (* does not match /)",
		"on: {push: {branches: [main]}}" + jobs:                                 "release.yml:1 has filters only for branches, so it starts for no tag",
		"on: workflow_dispatch" + jobs:                                          "release.yml:1 does not start for pushes",
		"on: {push: {branches: [main]}}\njobs: {a: {runs-on: x, steps: []}}\n":  "", // a workflow such as release-please: another file publishes
		"on: {push: {tags: ['release-*']}, release: }" + jobs:                   "", // starts when someone makes a GitHub release from the tag
		"on: {push: {tags: ['release-*']}, of-next-year: {}}" + jobs:            "",
		trusted("startsWith(github.ref, 'refs/tags/')"):                         "",
		trusted("github.ref_type == 'tag' && github.repository == 'octo/mono'"): "",
		trusted("${{ vars.PUBLISH == 'yes' && false }}"):                        "", // the variable's value is unknown here
		trusted("!cancelled() && github.event_name == 'release'"):               "release.yml:3: no job with `id-token: write` runs for the tag v1.2.0: the `if` of upload is false",
		trusted("startsWith(github.ref_name, 'v')"):                             "release.yml:3: no job with `id-token: write` runs for the tag core/v1.2.0: the `if` of upload is false",
		trusted("github.repository_owner == 'upstream'"):                        "release.yml:3: no job with `id-token: write` runs for the tag v1.2.0: the `if` of upload is false",
		"": "",
	} {
		top := t.TempDir()
		if text != "" {
			require.NoError(t, os.MkdirAll(filepath.Join(top, ".github", "workflows"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(top, ".github", "workflows", Workflow), []byte(text), 0o644))
		}
		require.Equal(t, want, Hub{Repository: "octo/mono"}.RefuseTags(top, both), text)
		require.Empty(t, Hub{}.RefuseTags(top, both), "it is not on GitHub")
	}
}

// If a workflow file is a pipe, or a link to an endless file, it is ignored.
func TestAWorkflowFileIsAFile(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, ".github", "workflows")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe.yml"), 0o644))
	require.NoError(t, os.Symlink("pipe.yml", filepath.Join(dir, Workflow)))
	require.Empty(t, Hub{Repository: "octo/mono"}.RefuseTags(top, []string{"v1.2.0"}))
	file, _ := onGitHub.findPublisher(top)
	require.Empty(t, file)
}

// A release.yml of another tool is never dispatched: it could do anything, such as upload to PyPI.
func TestWorkflowsThatAreDispatched(t *testing.T) {
	const dispatched = "on: [release, workflow_dispatch]\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: '%s'}]}}\n"
	for text, want := range map[string]string{
		strings.Replace(dispatched, "%s", "go tool mage publish -yes", 1):               "",
		strings.Replace(dispatched, "%s", "go -C magefiles tool mage -d .. publish", 1): "",
		strings.Replace(dispatched, "%s", "twine upload dist/*", 1):                     "release.yml does not call `mage publish`, and may do anything else",
		"on: workflow_dispatch\njobs: {a: {uses: ./.github/workflows/more.yml}}\n":      "",
		"on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: mage publish}]}}\n":  "release.yml has no workflow_dispatch",
		"": "",
	} {
		top := t.TempDir()
		dir := filepath.Join(top, ".github", "workflows")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "more.yml"), []byte("on: workflow_call\njobs: {a: {uses: ./.github/workflows/publish.yml}}\n"), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "publish.yml"), []byte("on: workflow_call\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: mage publish}]}}\n"), 0o644))
		if text != "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, Workflow), []byte(text), 0o644))
		}
		require.Equal(t, want, Hub{Repository: "octo/mono"}.RefuseDispatch(top), text)
		require.Empty(t, Hub{}.RefuseDispatch(top), "it is not on GitHub")
	}
}
