package workflows_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
)

const calling = `on: {push: {tags: ["v*"]}}
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: go tool mage build:all
  again:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - run: go -C magefiles tool mage -d .. build:all -compare=x
  import:
    needs: build
    runs-on: ubuntu-24.04
    steps:
      - run: mage publish -check -from=x
  upload:
    needs: [again, import]
    runs-on: ubuntu-24.04
    steps:
      - run: |
          set -e
          mage publish -yes -from=x
      - uses: actions/upload-artifact@v7
        with: {name: publish-result, path: output/publish.json}
  verify:
    needs: upload
    runs-on: ubuntu-24.04
    steps:
      - run: mage publish -verify
  images:
    runs-on: ubuntu-24.04
    steps:
      - run: mage docker:image app -platform=linux/amd64 -push -yes
  merge:
    needs: images
    runs-on: ubuntu-24.04
    steps:
      - run: mage docker:merge app "$LEG"
        env: {LEG: "${{ needs.images.result }}", CI_OWN: x}
  plan:
    runs-on: ubuntu-24.04
    steps:
      - run: mage ci:matrix
  all:
    needs: plan
    runs-on: ubuntu-24.04
    steps:
      - run: mage ci:matrix -needs="$NEEDS"
        env: {NEEDS: x}
`

// What calls of mage want of each other is told at its line, and the file as it stands has it.
func TestCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"as it stands":                    {"", "", ""},
		"nothing is installed":            {"    needs: [again, import]\n", "    needs: again\n", "x.yml:21:14: the job upload sends packages that no job before it has installed"},
		"another job installs again":      {"mage -d .. build:all -compare=x", "mage publish -check -from=x", "x.yml:16:14: the job import does what again does: `mage publish -check -from=x`"},
		"nothing is looked at":            {"mage publish -verify", "true", "x.yml:21:14: no job after upload looks at what is on the channel"},
		"nothing is compared":             {" -compare=x", "", "x.yml:11:14: the job again builds what is built before, and compares nothing"},
		"the record has another name":     {"publish-result", "packages", "x.yml:24:9: `mage release` waits for the artifact publish-result of the job upload"},
		"another file is the record":      {"output/publish.json", "output/*.conda", "x.yml:24:9: `mage release` waits for the artifact publish-result of the job upload"},
		"nothing is uploaded":             {"      - uses: actions/upload-artifact@v7\n        with: {name: publish-result, path: output/publish.json}\n", "", "x.yml:21:14: `mage release` waits for"},
		"platforms that are not joined":   {"    needs: images\n", "", "x.yml:34:14: no job after images joins the platforms"},
		"nobody says that all is well":    {` -needs="$NEEDS"`, "", "x.yml:44:14: no job says whether all have passed"},
		"a variable that is not given":    {`app "$LEG"`, "app", "x.yml:39:14: the step has LEG, and `mage docker:merge app` is not given it"},
		"one that mage reads":             {"app \"$LEG\"\n        env: {LEG:", "app\n        env: {IMAGE_REGISTRY:", ""},
		"one that is built where it goes": {"mage publish -yes -from=x", "mage publish -yes", ""},
	} {
		require.Contains(t, calling, c.from, name)
		text := strings.Replace(calling, c.from, c.to, 1)
		said := strings.Join(workflows.Doubts(fstest.MapFS{".github/workflows/x.yml": {Data: []byte(text)}}, nil), "\n")
		if c.want == "" {
			require.Empty(t, said, name)
			continue
		}
		require.Contains(t, said, c.want, name)
	}
}

// What README says to be read from the environment is given to mage by any step that has it.
func TestVariablesThatMageReads(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "README.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Environment\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n### ")
	env := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([A-Za-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			env[name[1]] = "${{ inputs.x }}"
		}
	}
	require.Contains(t, env, "XDG_CACHE_HOME")
	all, err := json.Marshal(env)
	require.NoError(t, err)
	text := "on: {workflow_dispatch: {inputs: {x: {type: string}}}}\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: go tool mage build:all, env: " + string(all) + "}]}}\n"
	require.Empty(t, workflows.Doubts(fstest.MapFS{".github/workflows/x.yml": {Data: []byte(text)}}, nil))
}
