package lint_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/lint/linttest"
	"github.com/foopack/foopack/magefiles/internal/view"
)

const aWorkflow = `name: x
on: push
permissions: {}
concurrency:
  group: x
  cancel-in-progress: true
jobs:
  one:
    name: one
    runs-on: ubuntu-24.04
    steps:
      - run: echo hello
`

// Each kind of finding fails the lint, and is shown with its place. Correct files pass.
func TestHostileWorkflowsAndScriptsFailTheLint(t *testing.T) {
	for name, c := range map[string]struct{ file, text, says string }{
		"all is well":         {".github/workflows/x.yml", aWorkflow, ""},
		"injection":           {".github/workflows/x.yml", strings.Replace(aWorkflow, "echo hello", "echo ${{ github.event.issue.title }}", 1), "template-injection"},
		"an action by a tag":  {".github/workflows/x.yaml", strings.Replace(aWorkflow, "run: echo hello", "uses: someone/action@v1", 1), "unpinned-uses"},
		"kept credentials":    {".github/workflows/x.yml", strings.Replace(aWorkflow, "run: echo hello", "uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", 1), "artipacked"},
		"too much permission": {".github/workflows/x.yml", strings.Replace(aWorkflow, "permissions: {}", "permissions: write-all", 1), "excessive-permissions"},
		"an image by a tag":   {".github/workflows/x.yml", strings.Replace(aWorkflow, "    steps:", "    container:\n      image: ghcr.io/someone/x:1\n    steps:", 1), "unpinned-images"},
		"no concurrency":      {".github/workflows/x.yml", strings.Replace(aWorkflow, "concurrency:\n  group: x\n  cancel-in-progress: true\n", "", 1), "concurrency-limits"},
		"a step's key":        {".github/workflows/x.yml", strings.Replace(aWorkflow, "run: echo", "runs: echo", 1), "runs"},
		"a workflow's script": {".github/workflows/x.yml", strings.Replace(aWorkflow, "echo hello", "rm -r $HOME/$x", 1), "SC2086"},
		"an action's script":  {"tool/action.yml", "name: x\ndescription: x\ninputs: {a: {description: a}}\nruns:\n  using: composite\n  steps:\n    - run: echo ${{ inputs.a }}\n      shell: bash\n", "template-injection"},
		"a script":            {"a b.sh", "#!/bin/sh\nrm -r $1\n", "SC2086"},
		"a script's shebang":  {"tools/run", "#!/usr/bin/env -S bash -e\ncd x; ls $(cat y)\n", "SC2046"},
		"a script's options":  {"-rf.sh", "#!/bin/sh\necho `ls`\n", "SC2006"},
		"a Dockerfile":        {"app/x.Dockerfile", "FROM scratch\n\nRUN --mount=type=cache,id=x-${CACHE_ID},target=/c \\\n    true && \\\n    rm -r /c/$1\n", "In - line 5:"},
		"a body in one":       {"app/Dockerfile.two", "FROM scratch\nRUN <<EOF\ncd /x\nEOF\n", "In - line 3:"},
	} {
		t.Run(name, func(t *testing.T) {
			root := linttest.Folder(t)
			write(t, root, c.file, c.text)
			var out bytes.Buffer
			err := linttest.Files(t, root, &view.View{Out: &out, Err: &out, Verbose: true})
			if c.says == "" {
				require.NoError(t, err, out.String())
				return
			}
			require.Error(t, err, out.String())
			require.Contains(t, out.String(), c.says)
		})
	}
}

func write(t *testing.T, root, file, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(file))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}
