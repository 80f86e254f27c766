package workflows_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
)

// A repository that adopts this pipeline often has another tool's release.yml. It is not run, whatever it contains; our own jobs publish instead.
func TestAReleaseFileOfAnotherTool(t *testing.T) {
	t.Parallel()
	const (
		tag   = "on: {push: {tags: ['v*']}}\n"
		steps = "jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/checkout@v4\n"
		mage  = "      - run: go tool mage publish -yes\n"
	)
	for name, c := range map[string]struct {
		text, instead, refused string
	}{
		"none":                        {"", "there is no release.yml in the commit", ""},
		"publishes to PyPI":           {tag + steps + "      - uses: pypa/gh-action-pypi-publish@release/v1\n", "does not call `mage publish`", ""},
		"in a container":              {tag + "jobs: {a: {runs-on: ubuntu-24.04, container: python, steps: [{run: make}]}}\n", "does not call `mage publish`", ""},
		"on a self-hosted runner":     {tag + "jobs: {a: {runs-on: [self-hosted, gpu], steps: [{run: make}]}}\n", "does not call `mage publish`", ""},
		"after another run":           {"on: {workflow_run: {workflows: [ci], types: [completed]}}\n" + steps, "does not call `mage publish`", ""},
		"release-please":              {"on: {push: {branches: [main]}}\n" + steps, "does not call `mage publish`", ""},
		"invalid YAML":                {"on: [\n", "does not call `mage publish`", ""},
		"ours":                        {tag + steps + mage, "", ""},
		"ours, and PyPI":              {tag + steps + mage + "      - uses: pypa/gh-action-pypi-publish@release/v1\n", "", "there is no stand-in for the action pypa/gh-action-pypi-publish"},
		"ours, called":                {tag + "jobs: {a: {uses: ./.github/workflows/more.yml}}\n", "", ""},
		"ours, for the release event": {"on: {release: {types: [published]}}\n" + steps + mage, "starts for the event release, which cannot be rehearsed", ""},
		"ours, only by hand":          {"on: workflow_dispatch\n" + steps + mage, "", "the release would not be published, because release.yml does not start for pushes"},
	} {
		top := fstest.MapFS{".github/workflows/more.yml": {Data: []byte("on: workflow_call\n" + steps + mage)}}
		if c.text != "" {
			top[".github/workflows/release.yml"] = &fstest.MapFile{Data: []byte(c.text)}
		}
		why := workflows.ExplainInstead(workflows.FileReader(top), "release.yml")
		require.Equal(t, c.instead == "", why == "", "%s: %s", name, why)
		require.Contains(t, why, c.instead, name)
		err := workflows.Check(top, "release.yml", nil)
		if c.refused == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.refused, name)
		}
	}
}
