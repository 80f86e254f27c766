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

const calling = `on: {push: {tags: ["v*"]}, workflow_dispatch: }
concurrency: x-${{ github.ref }}
permissions: {contents: read}
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
		"as it stands":                        {"", "", ""},
		"nothing is installed":                {"    needs: [again, import]\n", "    needs: again\n", "x.yml:23:14: the job upload sends packages that no job before it has installed"},
		"another job installs again":          {"mage -d .. build:all -compare=x", "mage publish -check -from=x", "x.yml:18:14: the job import does what again does in line 13: `mage publish`"},
		"nothing is looked at":                {"mage publish -verify", "true", "x.yml:23:14: no job after upload looks at what is on the channel"},
		"what landed cannot be asked for":     {", workflow_dispatch: ", "", "x.yml:1:5: where GitHub begins no run for a tag, `mage release` asks for one, and the file has no workflow_dispatch"},
		"two that publish":                    {"concurrency: x-${{ github.ref }}\n", "env: {}\n", "x.yml:23:14: two runs may publish at the same time: the job upload, or the file, has no concurrency"},
		"two that move tags":                  {"concurrency: x-${{ github.ref }}\n", "env: {}\n", "x.yml:41:14: two runs may move the tags of the image at the same time"},
		"a cache where something is sent":     {"      - run: |\n          set -e\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod}\n      - run: |\n          set -e\n", "x.yml:23:15: setup-go restores a cache, and what the job upload does"},
		"a cache where something is made":     {"      - run: go tool mage build:all\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod, cache: true}\n      - run: go tool mage build:all\n", "x.yml:8:15: setup-go restores a cache, and what the job build does"},
		"a cache where nothing is sent":       {"      - run: mage ci:matrix\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod}\n      - run: mage ci:matrix\n", ""},
		"a right that nothing needs":          {"  merge:\n", "  merge:\n    permissions: {packages: write, contents: write}\n", "x.yml:38:46: the job merge may write contents, and nothing in it does"},
		"a right of a step that is not known": {"      - run: mage ci:matrix\n", "      - {run: mage ci:matrix}\n      - uses: a/b@v1\n    permissions: {contents: write}\n", ""},
		"a right of what is announced":        {"      - run: mage publish -verify\n", "      - run: mage publish -verify\n  hub:\n    needs: upload\n    if: github.ref != ''\n    runs-on: ubuntu-24.04\n    permissions: {contents: write}\n    steps:\n      - run: mage publish -announce\n", ""},
		"a right of what is not known":        {"  merge:\n    needs: images\n    runs-on: ubuntu-24.04\n    steps:\n      - run: mage", "  merge:\n    needs: images\n    permissions: {contents: write}\n    runs-on: ubuntu-24.04\n    steps:\n      - run: gh release create && mage", ""},
		"tests that another job has run":      {"      - run: mage publish -verify\n", "      - run: mage publish -verify\n  qa: {runs-on: x, steps: [run: mage qa:package a]}\n  test:\n    env: {}\n    runs-on: x\n    steps:\n      - run: mage test:package a\n", "x.yml:38:14: the job test does what qa does in line 33, and its env in line 35 is no other: `mage test:package`"},
		"nothing is compared":                 {" -compare=x", "", "x.yml:13:14: the job again builds what is built before, and compares nothing"},
		"the record has another name":         {"publish-result", "packages", "x.yml:26:9: `mage release` waits for the artifact publish-result of the job upload"},
		"another file is the record":          {"output/publish.json", "output/*.conda", "x.yml:26:9: `mage release` waits for the artifact publish-result of the job upload"},
		"nothing is uploaded":                 {"      - uses: actions/upload-artifact@v7\n        with: {name: publish-result, path: output/publish.json}\n", "", "x.yml:23:14: `mage release` waits for"},
		"platforms that are not joined":       {"    needs: images\n", "", "x.yml:36:14: no job after images joins the platforms"},
		"nobody says that all is well":        {` -needs="$NEEDS"`, "", "x.yml:46:14: no job says whether all have passed"},
		"a check of another name":             {"  all:\n", "  ci:\n    name: all\n", "x.yml:48:11: the job ci is shown as all: whoever requires the check ci waits for it for ever"},
		"what a shell quotes":                 {`mage docker:merge app "$LEG"`, `mage docker:merge "app" x`, "x.yml:41:14: the step has LEG, and `mage docker:merge` is not given it"},
		"a variable that is not given":        {`app "$LEG"`, "app", "x.yml:41:14: the step has LEG, and `mage docker:merge` is not given it"},
		"one that mage reads":                 {"app \"$LEG\"\n        env: {LEG:", "app\n        env: {IMAGE_REGISTRY:", ""},
		"one that is built where it goes":     {"mage publish -yes -from=x", "mage publish -yes", ""},
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
