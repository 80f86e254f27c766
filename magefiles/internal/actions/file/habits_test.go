package file_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

const habitual = `on:
  pull_request:
  workflow_dispatch:
env: {OF_ALL: x}
permissions: {contents: read}
jobs:
  plan:
    runs-on: ubuntu-24.04
    outputs:
      any: ${{ steps.plan.outputs.any }}
      names: ${{ steps.plan.outputs.names }}
    steps:
      - id: plan
        if: "true"
        run: ./plan "$OF_ALL" '$NOT_ASKED' "$HOME" "${GITHUB_REF}" "${MAYBE:-none}"
  test:
    needs: plan
    if: needs.plan.outputs.any == 'true'
    runs-on: ubuntu-24.04
    env: {OF_JOB: x}
    name: test of ${{ matrix.python }}
    strategy:
      matrix:
        python: ["3.12", "3.13"]
        name: ${{ fromJSON(needs.plan.outputs.names) }}
    steps:
      - uses: actions/setup-python@v6
        with: {python-version: "${{ matrix.python }}"}
      - run: |
          OWN=1
          for EACH in a; do ./test "$OF_JOB" "$NAME" "$OWN" "$EACH"; done
        env: {NAME: "${{ matrix.name }}"}
  push:
    needs: plan
    if: github.ref == 'refs/heads/main'
    runs-on: ubuntu-24.04
    permissions: {packages: write}
    steps:
      - run: ./push
  deploy:
    needs: push
    runs-on: ubuntu-24.04
    environment: live
    concurrency: live
    steps:
      - uses: somebody/sets-variables@v1
      - run: ./deploy "$OF_AN_ACTION"
  all:
    needs: [plan, test, push, deploy]
    if: always()
    runs-on: ubuntu-24.04
    steps:
      - run: ./judge "$NEEDS"
        env: {NEEDS: "${{ toJSON(needs) }}"}
`

// Each change is reported as a doubt at its line. The unchanged file has no doubts.
func TestHabits(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"as it stands":                          {"", "", ""},
		"a condition that asks nothing":         {`if: "true"`, `if: "30"`, "f.yml:14:13: the condition 30 uses no context and no function, so its result is always the same"},
		"a variable that is not set":            {`{NAME: "${{ matrix.name }}"}`, `{NAMES: "${{ matrix.name }}"}`, "f.yml:31:1: the step uses NAME, but no env sets this variable: is it NAMES?"},
		"a variable of the job that is gone":    {"    env: {OF_JOB: x}\n", "", "f.yml:30:1: the step uses OF_JOB, but no env sets this variable"},
		"one in a shell that is none of sh":     {"      - run: ./push\n", "      - {run: './push $ENV', shell: pwsh}\n", ""},
		"one that a file sets":                  {"      - run: ./push\n", "      - run: . ./sets && ./push \"$OF_A_FILE\"\n", ""},
		"one that only begins so":               {"      - run: ./push\n", "      - run: OF_lower=1 && ./push \"$OF_lower\"\n", ""},
		"one for another program":               {"      - run: ./push\n", "      - run: |\n          # don't $READ\n          echo \"don't\" | awk '{print $NF}' | grep \"\\$END\" | ./push \"$(awk '{print $NR}')\"\n", ""},
		"one in a container":                    {"      - run: ./push\n", "      - run: ./push \"$OF_IMAGE\"\n    container: alpine\n", ""},
		"an empty matrix":                       {"needs.plan.outputs.any == 'true'", "github.actor != 'bot'", "f.yml:25:15: the job test has no condition on an output of plan, but an empty matrix is an error"},
		"a matrix that nothing is made of":      {`{python-version: "${{ matrix.python }}"}`, `{python-version: "3.13"}`, "f.yml:24:9: the job test does not use matrix.python, so the values of this key change nothing"},
		"a whole matrix":                        {`{python-version: "${{ matrix.python }}"}`, `{python-version: "${{ toJSON(matrix) }}"}`, ""},
		"a value that stands twice":             {`["3.12", "3.13"]`, `["3.13", "3.13"]`, "f.yml:24:26: 3.13 is listed twice, so the job runs twice for this value"},
		"a leg that lacks a value":              {"        python: [\"3.12\", \"3.13\"]\n        name: ${{ fromJSON(needs.plan.outputs.names) }}\n", "        include: [{python: \"3.12\", name: x}, {python: \"3.13\"}]\n", "f.yml:24:46: this leg of the job test has no name, so this key is empty in the leg"},
		"a judge that is skipped":               {"if: always()", "if: github.ref != ''", "f.yml:50:9: the job all checks the results of other jobs, but is skipped if one of them fails"},
		"a judge without a condition":           {"    if: always()\n", "", "f.yml:49:5: the job all checks the results of other jobs, but is skipped if one of them fails"},
		"a judge that does not see a job":       {"[plan, test, push, deploy]", "[plan, push, deploy]", "f.yml:49:12: the job all checks the results of other jobs, but does not need test, so a failure of that job stays unnoticed"},
		"a publication by hand from any branch": {"    if: github.ref == 'refs/heads/main'\n", "", "f.yml:34:5: workflow_dispatch can start this workflow on any branch, and the job push writes packages"},
		"a job that only gets ready":            {"      - run: ./push\n", "      - uses: actions/checkout@v4\n", "f.yml:39:7: the job push only prepares"},
		"a Python of any version":               {`{python-version: "${{ matrix.python }}"}`, `{cache: "${{ matrix.python }}"}`, "f.yml:27:15: setup-python has no version"},
		"a Go of any version":                   {"      - run: ./push\n", "      - uses: actions/setup-go@v7\n      - run: ./push\n", "f.yml:39:15: setup-go has no version"},
		"a Go that a file says":                 {"      - run: ./push\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod}\n      - run: ./push\n", ""},
		"rights that the settings say":          {"permissions: {contents: read}\n", "", "f.yml:7:5: the repository's settings decide the permissions of plan, test, deploy, all, while push"},
		"two jobs of one name":                  {"    name: test of ${{ matrix.python }}\n", "    name: push\n", "f.yml:34:5: the job push is shown as push, like another job (line 21)"},
		"legs that wait for each other":         {"    env: {OF_JOB: x}\n", "    env: {OF_JOB: x}\n    concurrency: test\n", "f.yml:21:18: all legs of the job test share one group, in which only one leg can wait"},
		"legs that wait for their own":          {"    env: {OF_JOB: x}\n", "    env: {OF_JOB: x}\n    concurrency: {group: 'test-${{ matrix.name }}'}\n", ""},
		"one group for all pull requests":       {"permissions: {contents: read}\n", "permissions: {contents: read}\nconcurrency: {group: all, cancel-in-progress: true}\n", "f.yml:6:22: the runs of all pull requests share one group"},
		"two in one environment":                {"    concurrency: live\n", "", "f.yml:43:18: two runs can deploy to the environment live at the same time"},
		"an environment that is chosen":         {"  workflow_dispatch:\n", "  workflow_dispatch: {inputs: {to: {type: choice, required: true, options: [live]}}}\n", "f.yml:41:5: the job deploy runs whichever to is chosen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, habitual, c.from)
			w, err := file.Read("f.yml", []byte(strings.Replace(habitual, c.from, c.to, 1)))
			require.NoError(t, err)
			var got []string
			for _, err := range append(w.Faults(), w.Doubts(nil, nil)...) {
				got = append(got, err.Error())
			}
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.Len(t, got, 1, strings.Join(got, "\n"))
			require.Contains(t, got[0], c.want)
		})
	}
}

// If an input selects an environment, each of its options needs a job that uses that environment.
func TestChosenEnvironments(t *testing.T) {
	const text = "on: {workflow_dispatch: {inputs: {to: {type: choice, required: true, options: [live, OTHER]}}}}\njobs:\n" +
		"  one: {if: inputs.to == 'live', runs-on: ubuntu-24.04, environment: live, concurrency: x, steps: [{run: x}]}\n" +
		"  two: {if: inputs.to == 'test', runs-on: ubuntu-24.04, environment: test, concurrency: x, steps: [{run: x}]}\n"
	for option, want := range map[string]int{"test": 0, "tset": 1} {
		w, err := file.Read("f.yml", []byte(strings.Replace(text, "OTHER", option, 1)))
		require.NoError(t, err)
		found := w.Doubts(nil, nil)
		require.Len(t, found, want)
		if want > 0 {
			require.EqualError(t, found[0], "f.yml:1:86: no job deploys to the environment tset, which is an option here")
		}
	}
	for from, want := range map[string]string{
		"type: choice, ":   "f.yml:1:39: to has options, but not the type `choice`",
		"required: true, ": "f.yml:1:39: a start by GitHub's API can omit to, which chooses the environment",
	} {
		w, err := file.Read("f.yml", []byte(strings.NewReplacer("OTHER", "test", from, "").Replace(text)))
		require.NoError(t, err)
		found := w.Doubts(nil, nil)
		require.Len(t, found, 1)
		require.ErrorContains(t, found[0], want)
	}
}
