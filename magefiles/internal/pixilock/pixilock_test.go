package pixilock_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pixilock"
)

const six = `version: 6
environments:
  default:
    channels:
    - url: https://conda.example/forge/
    indexes:
    - https://pypi.example/simple
    packages:
      linux-64:
      - conda: https://conda.example/forge/linux-64/python-3.13.1-h0_0.conda
      - conda: https://conda.example/forge/noarch/numpy-2.0-py_0.tar.bz2
      - conda: packages/core
      - pypi: https://files.example/typing_extensions-4.1-py3-none-any.whl
      - pypi: ./packages/extras
packages:
- conda: https://conda.example/forge/linux-64/python-3.13.1-h0_0.conda
  sha256: aa
  depends:
  - libzlib >=1.3,<2.0a0
- conda: https://conda.example/forge/noarch/numpy-2.0-py_0.tar.bz2
  sha256: bb
  depends:
  - conda-forge::python >=3.11
- conda: packages/core
  name: mono-core
  version: 1.0
  depends:
  - numpy
- pypi: https://files.example/typing_extensions-4.1-py3-none-any.whl
  name: typing-extensions
  sha256: cc
- pypi: ./packages/extras
  name: mono_extras
  requires_dist:
  - mono-core==1.0
  - typing_extensions>=4 ; python_full_version < '3.13'
`

const seven = `version: 7
platforms:
- name: linux-64
environments:
  default:
    channels:
    - url: https://conda.example/forge/
    packages:
      linux-64:
      - conda: https://conda.example/forge/linux-64/python-3.13.1-h0_0.conda
      - conda_source: mono-core[0123abcd] @ packages/core
packages:
- conda: https://conda.example/forge/linux-64/python-3.13.1-h0_0.conda
  sha256: aa
- conda_source: mono-core[0123abcd] @ packages/core
  depends:
  - python
`

func names(t *testing.T, before, after string) []string {
	t.Helper()
	a, err := pixilock.Read("pixi.lock", []byte(before))
	require.NoError(t, err)
	b, err := pixilock.Read("pixi.lock", []byte(after))
	require.NoError(t, err)
	c := pixilock.Compare(a, b)
	if c.Settings {
		return []string{"settings"}
	}
	return slices.Sorted(maps.Keys(c.Reached()))
}

// A change affects all packages that require the changed one, in conda and in PyPI.
func TestWhatDiffers(t *testing.T) {
	for _, c := range []struct{ text, old, new, want string }{
		{six, "", "", ""},
		{six, "sha256: aa", "sha256: ab", "mono-core mono-extras numpy python"},
		{six, "sha256: bb", "sha256: bc", "mono-core mono-extras numpy"},
		{six, "typing_extensions-4.1-py3", "typing_extensions-4.2-py3", "mono-extras typing-extensions"},
		{six, "      - pypi: https://files.example/typing_extensions-4.1-py3-none-any.whl\n", "", "mono-extras typing-extensions"},
		{six, "numpy-2.0-py_0.tar.bz2", "numpy-2.1-py_0.tar.bz2", "mono-core mono-extras numpy"},
		{six, "https://pypi.example/simple", "https://pypi.example/other", "settings"},
		{six, "linux-64:", "osx-64:", "settings"},
		{six, "  default:", "  other:", "settings"},
		{seven, "sha256: aa", "sha256: ab", "mono-core python"},
		{seven, "0123abcd", "4567cdef", "mono-core"},
	} {
		require.Equal(t, c.want, strings.Join(names(t, c.text, strings.ReplaceAll(c.text, c.old, c.new)), " "), c.old)
	}
}

func TestInvalidLockFile(t *testing.T) {
	for text, want := range map[string]string{
		"version: 5\n":                      "pixi.lock has format 5, but only formats 6 and 7 are supported",
		"version: 8\n":                      "pixi.lock has format 8",
		"":                                  "pixi.lock has format 0",
		"version: [":                        "reading pixi.lock",
		"version: 6\npackages:\n- rpm: x\n": "pixi.lock has an entry of an unknown kind: map[rpm:x]",
		"version: 7\nenvironments: {default: {packages: {linux-64: [{rpm: x}]}}}\n": "pixi.lock lists a package of an unknown kind for linux-64",
	} {
		_, err := pixilock.Read("pixi.lock", []byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
