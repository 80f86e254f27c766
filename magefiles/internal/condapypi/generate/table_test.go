package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	text, err := table([]byte(`{
		"zlib": null, "numpy": ["numpy"], "ruamel.yaml": ["ruamel-yaml"], "pytorch": ["torch"], "jaxlib": ["jax-plugin", "jaxlib"],
		"pyqt": ["PyQt5", "pyqt5-sip"], "nameless": ["unknown"], "x-base": ["unknown", "x"], "setuptools_scm": ["a", "setuptools-scm"]
	}`))
	require.NoError(t, err)
	require.Equal(t, "jaxlib\nnameless -\nnumpy\npyqt pyqt5\npytorch torch\nruamel.yaml\nsetuptools_scm\nx-base x\nzlib -\n", text)
}

func TestInvalidTable(t *testing.T) {
	for name, c := range map[string]struct{ data, says string }{
		"not JSON":          {"", "unexpected end"},
		"a string":          {`{"numpy": "numpy"}`, "cannot unmarshal"},
		"a name in capital": {`{"NumPy": null}`, `"NumPy" is not a conda name`},
		"two words":         {`{"num py": null}`, "is not a conda name"},
		"no project":        {`{"numpy": ["num py"]}`, `numpy: "num py" is not a project`},
		"an address":        {`{"numpy": ["https://example.invalid/x"]}`, "is not a project"},
	} {
		_, err := table([]byte(c.data))
		require.ErrorContains(t, err, c.says, name)
	}
}

// A file that does not match the recorded digest is rejected, and nothing is written.
func TestAnotherDigestIsRefused(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "mapping.json"), filepath.Join(dir, "table.gz")
	require.NoError(t, os.WriteFile(from, []byte(`{"numpy": ["numpy"]}`), 0o644))
	require.ErrorContains(t, run(from, to), "differs from the source: expected sha256")
	require.NoFileExists(t, to)
	require.ErrorIs(t, run(filepath.Join(dir, "nothing"), to), os.ErrNotExist)
}

func TestCompressedAlike(t *testing.T) {
	text := strings.Repeat("numpy\n", 1000)
	first, err := compress(text)
	require.NoError(t, err)
	second, err := compress(text)
	require.NoError(t, err)
	require.Equal(t, first, second)
	require.Less(t, len(first), 200)
}
