package e2e_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leadNowhere maps targets that print no next step after success to the reason.
var leadNowhere = map[string]string{
	"help":          "a listing",
	"graph":         "a listing, or a file",
	"version:show":  "a listing",
	"schema":        "a file",
	"deploy:logs":   "what others print",
	"deploy:status": "a listing, with what to do beside each host",
	"deploy:remove": "nothing is left to be done",
	"channel:serve": "it goes on until Ctrl-C",
	"app:run":       "a person's program, and it ends when the person does",
	"app:dashboard": "a person's program, and it ends when the person does",
	"fleet":         "a test, which Go ends",
	"kills":         "a test, which Go ends",
}

// leadElsewhere maps targets that succeed only with embedded servers to the test that checks their next step.
var leadElsewhere = map[string]string{
	"release":           "releasing.TestUncheckedPackages",
	"rehearse":          "rehearsal.TestNextStepHasNoContinueOrUndo",
	"status":            "releasing.TestNextStepBeforeAFirstRelease",
	"undo":              "releasing.TestStatusOfAnUndoneRelease",
	"version:bump":      "bumping.TestAPlanIsShownBeforeItIsAgreedTo",
	"app:upgrade":       "e2e.TestBumpedPackagesAreBuiltAndUpgraded",
	"app:check":         "nextstep.TestChecked",
	"docker:image":      "nextstep.TestBuilt",
	"docker:app":        "nextstep.TestBuilt",
	"docker:runtime":    "nextstep.TestBuilt",
	"docker:all":        "nextstep.TestBuilt",
	"docker:merge":      "nextstep.TestBuilt",
	"docker:plan":       "script docker-without-a-registry",
	"deploy:to":         "deploy.TestNextStepAfterADeployment",
	"deploy:staging":    "deploy.TestNextStepAfterADeployment",
	"deploy:production": "deploy.TestNextStepAfterADeployment",
	"deploy:rollback":   "deploy.TestNextStepAfterADeployment",
	"deploy:setup":      "deploy.TestNextStepAfterADeployment",
	"deploy:plan":       "deploy.TestNextStepAfterADeployment",
	"deliver":           "deploy.TestNextStepAfterADeployment",
}

// requireSteps fails unless the given test or script exists and contains a next step with a command line.
func requireSteps(t *testing.T, test string) {
	t.Helper()
	if script, is := strings.CutPrefix(test, "script "); is {
		text, err := os.ReadFile(filepath.Join("testdata", "script", script+".txtar"))
		require.NoError(t, err)
		require.Contains(t, string(text), "→ ", test)
		return
	}
	room, name, _ := strings.Cut(test, ".")
	found := false
	require.NoError(t, filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || filepath.Base(filepath.Dir(path)) != room && (room != "e2e" || filepath.Dir(path) != ".") {
			return err
		}
		text, err := os.ReadFile(path)
		_, body, is := strings.Cut(string(text), "\nfunc "+name+"(t *testing.T) {\n")
		if is {
			body, _, _ = strings.Cut(body, "\n}\n")
			require.Contains(t, body, "`mage ", test)
			found = true
		}
		return err
	}))
	require.True(t, found, "there is no test %s", test)
}

// stepsOfOnePackage are command lines in a small workspace, in an order in which each succeeds, with the last line that each prints.
var stepsOfOnePackage = []struct{ line, want string }{
	{"doctor", "*"},
	{"version:plan -to=minor", "→ `mage version:bump -to=minor`"},
	{"ci:matrix -since=HEAD", "→ `mage check`"},
	{"ci:triggers -ref=v1.0.0", "→ `mage ci:write -diff`"},
	{"ci:write -diff", "→ `mage ci:write`"},
	{"ci:write", "→ `git add :/.github/workflows`, then `git commit`"},
	{"build:package lib", "→ `git add -A`, `git commit`, then `mage rehearse`"},
	{"commit", ""},
	{"ci:write", "→ `mage ci:triggers`"},
	{"ci:triggers -ref=v1.0.0", "→ `mage ci:run release.yml -ref=refs/tags/v1.0.0`"},
	{"ci:run release.yml -what", "→ `mage ci:run release.yml`"},
	{"ci:run small.yml", "→ `mage ci:triggers`"},
	{"lint", "→ `mage test:all`"},
	{"fmt", "→ `git diff`, then `mage lint`"},
	{"test:package lib", "→ `mage qa:package lib`"},
	{"qa:package lib", "→ `mage test:all`"},
	{"test:all", "→ `mage check`"},
	{"qa:all", "→ `mage check`"},
	{"check", "→ `mage rehearse`"},
	{"lock -images", "→ `mage check`"},
	{"channel:show", "*"},
	{"build:all", "→ `mage rehearse`"},
	{"publish -check -from=output", "→ `mage publish -from=output`"},
	{"publish -from=output -yes", "→ `mage publish -verify`"},
	{"publish -verify", "→ `mage channel:show`"},
	{"publish -yes", "→ `mage channel:show`"},
	{"channel:show", "→ `mage version:plan -to=auto`"},
	{"clean", "→ `mage build:all`"},
}

// TestLastLineIsTheNextStep runs every target that needs only a workspace with one package, a channel and a user at a terminal. After success the
// last line is the next step, which is never the command that just ran. CI jobs do not print that line. Every target is in this test or in one of the
// lists.
func TestLastLineIsTheNextStep(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range onePackage {
		write(t, root, name, text)
	}
	write(t, root, ".gitignore", "/output/\n/.pixi/\n")
	write(t, root, "pixi.toml", onePackage["pixi.toml"]+"lint = \"echo linted\"\nfmt = \"echo formatted\"\nfmt-check = \"echo checked\"\ntest-lib = \"echo tested\"\nqa-lib = \"echo good\"\n")
	write(t, root, ".github/workflows/small.yml", "on: { push: { branches: [main] } }\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo hello\n")
	write(t, root, "magefiles/go.mod", "module example.org/magefiles\n\ngo 1.26\n\ntool github.com/magefile/mage\n\nrequire github.com/magefile/mage v1.17.2\n")
	git(t, root, "init", "-q", "-b", "main")
	commit := func() {
		git(t, root, "add", "-A")
		git(t, root, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: more")
	}
	commit()
	const key = "pfx_key_of_a_person"
	url, _ := startServer(t, root, t.TempDir(), key)
	env := append(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "PREFIX_SERVER_URL="+url, "PREFIX_API_KEY="+key, "GIT_CONFIG_GLOBAL="+os.DevNull,
		"CI=", "GITHUB_ACTIONS=", "GITHUB_RUN_ID=", "GITLAB_CI=", "GITHUB_STEP_SUMMARY=", "GITHUB_OUTPUT=")
	run := func(line string, variables ...string) []string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), filepath.Join(compiled, "targets"), strings.Fields(line)...)
		cmd.Dir, cmd.Env = root, append(slices.Clone(env), variables...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "mage %s\n%s", line, out)
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	ran := map[string]bool{}
	for _, step := range stepsOfOnePackage {
		if step.line == "commit" {
			commit()
			continue
		}
		said := run(step.line)
		last := said[len(said)-1]
		if step.want != "*" {
			require.Equal(t, step.want, last, "mage %s\n%s", step.line, strings.Join(said, "\n"))
		}
		require.True(t, strings.HasPrefix(last, "→ "), "mage %s\n%s", step.line, strings.Join(said, "\n"))
		require.NotContains(t, last, "`mage "+step.line+"`", "it goes round in a circle")
		ran[strings.Fields(step.line)[0]] = true
	}
	for line, variable := range map[string]string{
		"lock -images":           "GITHUB_ACTIONS=true",
		"version:plan -to=minor": "GITHUB_ACTIONS=true",
		"fmt lint":               "CI=", // the next step after fmt is lint
	} {
		require.NotContains(t, "\n"+strings.Join(run(line, variable), "\n"), "\n→ ", "mage %s", line)
	}

	for _, target := range targetsOf(help(t, "")) {
		name := strings.ToLower(target)
		_, nowhere := leadNowhere[name]
		test, elsewhere := leadElsewhere[name]
		if elsewhere {
			requireSteps(t, test)
		}
		on := 0
		for _, is := range []bool{ran[name], nowhere, elsewhere} {
			if is {
				on++
			}
		}
		require.Equal(t, 1, on, "%s: give it a next step here, or put it on a list with the reason", target)
	}
}
