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

// If calls of mage do not provide what other calls need, the line is reported. The unchanged file has no such problem.
func TestCalls(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want string }{
		"unchanged":                          {"", "", ""},
		"nothing is installed":               {"    needs: [again, import]\n", "    needs: again\n", "x.yml:23:14: the job upload uploads packages that no earlier job has installed"},
		"another job installs again":         {"mage -d .. build:all -compare=x", "mage publish -check -from=x", "x.yml:18:14: the job import repeats a call of the job again in line 13: `mage publish`"},
		"nothing is verified":                {"mage publish -verify", "true", "x.yml:23:14: no job after upload checks the packages on the channel: add a job"},
		"no workflow_dispatch":               {", workflow_dispatch: ", "", "x.yml:1:5: if GitHub starts no run for a tag, `mage release` starts one by workflow_dispatch, which this file does not have"},
		"two concurrent publications":        {"concurrency: x-${{ github.ref }}\n", "env: {}\n", "x.yml:23:14: two runs may publish at the same time: neither the job upload nor the file has `concurrency`"},
		"two runs move tags":                 {"concurrency: x-${{ github.ref }}\n", "env: {}\n", "x.yml:41:14: two runs may move the tags of the image at the same time"},
		"a cache in a job that uploads":      {"      - run: |\n          set -e\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod}\n      - run: |\n          set -e\n", "x.yml:23:15: setup-go restores a cache that any run may have filled, but the job upload publishes"},
		"a cache in a job that builds":       {"      - run: go tool mage build:all\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod, cache: true}\n      - run: go tool mage build:all\n", "x.yml:8:15: setup-go restores a cache that any run may have filled, but the job build publishes"},
		"a cache in a job that only checks":  {"      - run: mage ci:matrix\n", "      - uses: actions/setup-go@v7\n        with: {go-version-file: go.mod}\n      - run: mage ci:matrix\n", ""},
		"a right that nothing needs":         {"  merge:\n", "  merge:\n    permissions: {packages: write, contents: write}\n", "x.yml:38:46: the job merge may write contents, but none of its steps does"},
		"a right, and an unknown step":       {"      - run: mage ci:matrix\n", "      - {run: mage ci:matrix}\n      - uses: a/b@v1\n    permissions: {contents: write}\n", ""},
		"a right that the announcement uses": {"      - run: mage publish -verify\n", "      - run: mage publish -verify\n  hub:\n    needs: upload\n    if: github.ref != ''\n    runs-on: ubuntu-24.04\n    permissions: {contents: write}\n    steps:\n      - run: mage publish -announce\n", ""},
		"a right, and an unknown command":    {"  merge:\n    needs: images\n    runs-on: ubuntu-24.04\n    steps:\n      - run: mage", "  merge:\n    needs: images\n    permissions: {contents: write}\n    runs-on: ubuntu-24.04\n    steps:\n      - run: gh release create && mage", ""},
		"tests that another job has run":     {"      - run: mage publish -verify\n", "      - run: mage publish -verify\n  qa: {runs-on: x, steps: [run: mage qa:package a]}\n  test:\n    env: {}\n    runs-on: x\n    steps:\n      - run: mage test:package a\n", "x.yml:38:14: the job test repeats a call of the job qa in line 33, with the same env in line 35: `mage test:package`"},
		"nothing is compared":                {" -compare=x", "", "x.yml:13:14: the job again builds the packages again, but compares no builds"},
		"the record has another name":        {"publish-result", "packages", "x.yml:26:9: `mage release` waits for the artifact publish-result of the job upload"},
		"another file is the record":         {"output/publish.json", "output/*.conda", "x.yml:26:9: `mage release` waits for the artifact publish-result of the job upload"},
		"nothing is uploaded":                {"      - uses: actions/upload-artifact@v7\n        with: {name: publish-result, path: output/publish.json}\n", "", "x.yml:23:14: `mage release` waits for"},
		"platforms that are not merged":      {"    needs: images\n", "", "x.yml:36:14: no job after images merges the platforms"},
		"no job reports the result":          {` -needs="$NEEDS"`, "", "x.yml:46:14: no job reports whether all jobs have passed"},
		"the check has another name":         {"  all:\n", "  ci:\n    name: all\n", "x.yml:48:11: the job ci has the name all, so a ruleset that requires the check ci waits forever"},
		"a quoted argument":                  {`mage docker:merge app "$LEG"`, `mage docker:merge "app" x`, "x.yml:41:14: the step has the variable LEG, but does not pass it to `mage docker:merge"},
		"a variable that is not passed":      {`app "$LEG"`, "app", "x.yml:41:14: the step has the variable LEG, but does not pass it to `mage docker:merge"},
		"a variable that mage reads":         {"app \"$LEG\"\n        env: {LEG:", "app\n        env: {IMAGE_REGISTRY:", ""},
		"a job that builds and publishes":    {"mage publish -yes -from=x", "mage publish -yes", ""},
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

// Every variable in environment.md may be set in a step's env, because mage itself reads it.
func TestVariablesThatMageReads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "environment.md"))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Environment\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	env := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([A-Za-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			env[name[1]] = "${{ inputs.x }}"
		}
	}
	require.Contains(t, env, "XDG_CACHE_HOME")
	all, err := json.Marshal(env)
	require.NoError(t, err)
	file := "on: {workflow_dispatch: {inputs: {x: {type: string}}}}\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: go tool mage build:all, env: " + string(all) + "}]}}\n"
	require.Empty(t, workflows.Doubts(fstest.MapFS{".github/workflows/x.yml": {Data: []byte(file)}}, nil))
}
