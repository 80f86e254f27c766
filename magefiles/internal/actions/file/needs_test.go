package file_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

func TestNeeds(t *testing.T) {
	w, err := file.Read("x.yml", []byte(`on: {push: , workflow_dispatch: }
permissions: {contents: read}
env:
  A: ${{ secrets.A }} and ${{ secrets['B-B'] }}
  NOT: secrets.NO and vars.NO
jobs:
  one:
    runs-on: &on [self-hosted, "${{ vars.LABEL }}"]
    container: {image: "c:1"}
    services: {db: {image: "d:1"}}
    environment: {name: live}
    permissions: {id-token: write}
    if: vars.RUN == 'yes' && github.ref == 'secrets.NO'
    steps:
      - uses: a/b@v1
      - uses: a/b@v1
      - run: echo ${{ toJSON(secrets.C) }}
  two:
    runs-on: {group: big, labels: [x]}
    container: e:1
    steps: [{uses: ./own}]
  three:
    runs-on: *on
    steps: [{run: "true"}]
  four:
    uses: ./.github/workflows/y.yml
    secrets: inherit
`))
	require.NoError(t, err)
	require.Equal(t, file.Needs{
		Events:       []string{"push", "workflow_dispatch"},
		Runners:      []string{"${{ vars.LABEL }}", "group big", "self-hosted", "x"},
		Images:       []string{"c:1", "d:1", "e:1"},
		Actions:      []string{"./own", "a/b@v1"},
		Workflows:    []string{"./.github/workflows/y.yml"},
		Secrets:      []string{"A", "B-B", "C", "all"},
		Variables:    []string{"LABEL", "RUN"},
		Rights:       []string{"contents: read", "id-token: write"},
		Environments: []string{"live"},
	}, w.Needs())
}
