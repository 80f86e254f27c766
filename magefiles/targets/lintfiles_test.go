package targets

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
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

// Each kind of finding fails the lint, and is shown with its place. What is well passes.
func TestHostileWorkflowsAndScriptsFailTheLint(t *testing.T) {
	ours := filepath.Join("..", "..")
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
			w := aWorkspace(t, "")
			var out bytes.Buffer
			a := &app{dir: w.Root, runner: command.NewSystem(os.Environ(), nil), view: &view.View{Out: &out, Err: &out, Verbose: true}}
			for _, file := range []string{"go.mod", "magefiles/lint.mod", "magefiles/lint.sum", "magefiles/lint.txt"} {
				text, err := os.ReadFile(filepath.Join(ours, filepath.FromSlash(file)))
				require.NoError(t, err)
				write(t, w.Root, file, string(text))
			}
			write(t, w.Root, c.file, c.text)
			for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
				require.NoError(t, a.runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
			}
			g := a.view.Group("lint")
			err := a.lintFilesOf(t.Context(), w, g)
			_ = g.Done(err)
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

func TestWhatIsAWorkflowOrADockerfile(t *testing.T) {
	for file, want := range map[string][2]bool{
		".github/workflows/ci.yml": {true, false}, ".github/workflows/ci.yaml": {true, false}, "sub/.github/workflows/ci.yml": {false, false},
		"action.yml": {true, false}, "a/b/action.yaml": {true, false}, ".github/dependabot.yml": {true, false}, ".github/workflows/x.md": {false, false},
		"Dockerfile": {false, true}, "a/Dockerfile.dev": {false, true}, "b/images.Dockerfile": {false, true}, "Containerfile": {false, true},
		"a/.dockerignore": {false, false}, "Dockerfile.dockerignore": {false, false}, "dockerfile.go": {false, false}, "Dockerfiles/x": {false, false},
	} {
		require.Equal(t, want, [2]bool{isWorkflow(file), isDockerfile(file)}, file)
	}
}
