package standin_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// wheel is a step that writes a wheel with a single program, named hello.
const wheel = `run: |
          cat >wheel.py <<'EOF'
          import zipfile
          with zipfile.ZipFile("hello-1.0-py3-none-any.whl", "w") as z:
              z.writestr("hello.py", "def main(): print('hello of', __import__('sys').prefix)\n")
              z.writestr("hello-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: hello\nVersion: 1.0\n")
              z.writestr("hello-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: us\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
              z.writestr("hello-1.0.dist-info/entry_points.txt", "[console_scripts]\nhello = hello:main\n")
              z.writestr("hello-1.0.dist-info/RECORD", "")
          EOF
          python wheel.py`

// Each job has its own packages. The installed program is on the job's PATH, and is available neither to the machine's Python nor to other jobs.
func TestEachJobHasItsPython(t *testing.T) {
	steps := []string{
		"uses: actions/setup-python@v5\n        id: py",
		"run: test \"$(command -v python)\" = '${{ steps.py.outputs.python-path }}' && python -c 'import hello' 2>&1 | tail -1",
		wheel,
		"run: pip install --quiet --no-index hello-1.0-py3-none-any.whl && hello | sed \"s,$RUNNER_TOOL_CACHE,tools,\" && pip --version | sed 's,.*/site-packages,site-packages,;s, (.*,,'",
		"run: python -m pip install --quiet --no-index --upgrade --force-reinstall hello-1.0-py3-none-any.whl && pip list --disable-pip-version-check --format=freeze | sed 's,^pip==.*,pip,'",
	}
	said, _ := run(t, "{}", "", steps...)
	require.Equal(t, "ModuleNotFoundError: No module named 'hello'\nhello of tools/python\nsite-packages/pip\nhello==1.0\npip\n", said)
	again, _ := run(t, "{}", "", steps...)
	require.Equal(t, said, again)
	out, err := exec.Command("python3", "-c", "import hello").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "No module named 'hello'")
}

// With update-environment: false, the Python is installed but not put on PATH.
func TestPythonNotOnPath(t *testing.T) {
	r := result(t, "{}", "", "uses: actions/setup-python@v5\n        id: py\n        with: {update-environment: false}",
		"run: test \"$(command -v python)\" != '${{ steps.py.outputs.python-path }}' && '${{ steps.py.outputs.python-path }}' -c 'print(1 + 1)'")
	require.Equal(t, runner.Success, r.Conclusion)
	require.Contains(t, strings.Join(r.Jobs[0].Legs[0].Steps[1].Log, "\n"), "\n2")
}

// Programs that a tool installs are on PATH, as with GitHub's actions.
func TestInstalledToolsAreOnPath(t *testing.T) {
	said, _ := run(t, "{}", "", "uses: actions/setup-go@v5",
		"run: mkdir -p \"$(go env GOPATH)/bin\" && printf '#!/bin/sh\\necho of go\\n' >\"$(go env GOPATH)/bin/mine\" && chmod +x \"$(go env GOPATH)/bin/mine\" && mine")
	require.Equal(t, "of go\n", said)
}
