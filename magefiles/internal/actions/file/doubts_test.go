package file_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

const doubtless = `on:
  push:
    tags: ["v*"]
  pull_request:
    paths: ["app/**"]
  workflow_dispatch: {inputs: {digest: {type: string}}}
permissions: {contents: read}
concurrency:
  group: release-${{ github.ref }}
  cancel-in-progress: false
jobs:
  build:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-24.04]
        include: [{os: ubuntu-24.04, more: x}]
    outputs:
      digests: ${{ steps.build.outputs.digests }}
    steps:
      - id: build
        run: echo ${{ matrix.more }} ${{ inputs.digest }}
      - if: steps.build.outcome == 'success'
        run: |
          true
          echo ${{ steps.build.outputs.digests }}
  upload:
    needs: [build]
    if: needs.build.result == 'success' && !cancelled()
    runs-on: ubuntu-24.04
    environment: release
    permissions: {id-token: write}
    steps:
      - run: echo "$DIGESTS"
        env:
          DIGESTS: ${{ needs.build.outputs['digests'] }}
          ALL: ${{ toJSON(needs) }} ${{ needs.*.result }}
          PREFIX_API_KEY: ${{ secrets.PREFIX_API_KEY }}
`

// Each change is reported at its line. The unchanged file has no doubts.
func TestDoubts(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"as it stands":                      {"", "", ""},
		"an output that is misspelled":      {"outputs['digests']", "outputs.digest", "release.yml:36:20: the job build has no output digest: is it digests?"},
		"an output that is not made":        {"      digests: ${{", "      digest: ${{", "release.yml:36:20: the job build has no output digests: is it digest?"},
		"a need that is dropped":            {"    needs: [build]\n", "", "release.yml:28:9: the job upload does not list build in its needs, so needs.build.result is always empty"},
		"a need that is misspelled":         {"needs.build.result", "needs.biuld.result", "release.yml:29:9: the job upload does not list biuld in its needs, so needs.biuld.result is always empty: is it build?"},
		"what no need has":                  {"needs.build.result", "needs.build.status", "release.yml:29:9: the context of a needed job has only result and outputs, not status"},
		"a step that is misspelled":         {"steps.build.outcome", "steps.biuld.outcome", "release.yml:23:13: no earlier step has the id biuld: is it build?"},
		"a step in a line of several":       {"echo ${{ steps.build", "echo ${{ steps.bild", "release.yml:26:1: no earlier step has the id bild: is it build?"},
		"a step of an output":               {"digests: ${{ steps.build", "digests: ${{ steps.other", "release.yml:19:16: no earlier step has the id other"},
		"a key of the matrix":               {"matrix.more", "matrix.moer", "release.yml:22:14: the matrix of the job build has no key moer: is it more?"},
		"a key of the matrix that is gone":  {", more: x", "", "release.yml:22:14: the matrix of the job build has no key more"},
		"an input":                          {"inputs.digest", "inputs.digset", "release.yml:22:14: the workflow has no input digset: is it digest?"},
		"pushes of branches":                {"    tags: [\"v*\"]\n", "", "release.yml:2: a push of any branch also starts this workflow, and then the job upload can get an ID token: add a filter for tags"},
		"a filter of paths":                 {`"app/**"`, `"ap/**"`, "release.yml:5:13: no file of the commit matches ap/**"},
		"a publication that may be ended":   {"in-progress: false", "in-progress: true", "release.yml:10:23: cancel-in-progress cancels a run in the middle of publishing"},
		"one group for all tags":            {"group: release-${{ github.ref }}", "group: release", "release.yml:9:10: all tags share one group, in which only one run can wait"},
		"a job without steps":               {"    steps:\n      - run: echo \"$DIGESTS\"\n        env:\n          DIGESTS: ${{ needs.build.outputs['digests'] }}\n          ALL: ${{ toJSON(needs) }} ${{ needs.*.result }}\n          PREFIX_API_KEY: ${{ secrets.PREFIX_API_KEY }}\n", "", "release.yml:28:5: the job upload has no steps"},
		"a secret":                          {"secrets.PREFIX_API_KEY", "secrets.PREFIX_APY_KEY", "release.yml:38:27: secrets.PREFIX_APY_KEY is empty if there is no secret with this name: is it PREFIX_API_KEY?"},
		"a secret beside its variable":      {"PREFIX_API_KEY: ${{ secrets.PREFIX_API_KEY", "OTHER_THING: ${{ secrets.OTHER_THIN", "release.yml:38:24: secrets.OTHER_THIN is empty if there is no secret with this name: is it OTHER_THING?"},
		"a matrix that an expression makes": {"        include: [{os: ubuntu-24.04, more: x}]", "        include: ${{ fromJSON(vars.M) }}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, doubtless, c.from)
			w, err := file.Read("release.yml", []byte(strings.Replace(doubtless, c.from, c.to, 1)))
			require.NoError(t, err)
			var got []string
			for _, err := range append(w.Faults(), w.Doubts([]string{"app/a.py"}, []string{"GITHUB_TOKEN", "PREFIX_API_KEY"})...) {
				got = append(got, err.Error())
			}
			if c.want == "" {
				require.Empty(t, got)
				return
			}
			require.NotEmpty(t, got)
			require.Contains(t, got[0], c.want, strings.Join(got, "\n"))
		})
	}
}
