package uv

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestUnpinned checks FindUnpinned with requirements in every syntax.
func TestUnpinned(t *testing.T) {
	for name, c := range map[string]struct {
		requires, unmet []string
	}{
		"nothing":                      {},
		"pinned":                       {requires: []string{"hatchling", "hatch-vcs>=0.4", "Setuptools_SCM[toml] >= 8, <11", "wheel (>=0.40)", `setuptools>=64; python_version >= "3.8"`}},
		"by wildcard":                  {requires: []string{"flit_core==4.*", "poetry-core~=2.0"}},
		"versioningit":                 {requires: []string{"versioningit>=3", "poetry-dynamic-versioning>=1.0.0,<2.0.0"}},
		"an older version":             {[]string{"hatchling<1.20", "hatch-vcs"}, []string{"hatchling<1.20"}},
		"a project that is not pinned": {[]string{"setuptools", "cython>=3", "a"}, []string{"cython>=3", "a"}},
		"a URL":                        {[]string{"hatchling @ https://example.org/hatchling-1.0-py3-none-any.whl"}, []string{"hatchling @ https://example.org/hatchling-1.0-py3-none-any.whl"}},
		"an unreadable requirement": {
			requires: []string{"hatchling >> 1", "-r evil.txt", "--index-url=http://127.0.0.1", "./local", ""},
			unmet:    []string{"hatchling >> 1", "-r evil.txt", "--index-url=http://127.0.0.1", "./local", ""},
		},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.unmet, FindUnpinned(c.requires)) })
	}
}

// TestAskable checks that requirements that uv would parse as an option or a path are rejected.
func TestAskable(t *testing.T) {
	for r, ok := range map[string]bool{
		"hatchling": true, " hatchling >=1.20 ": true, "setuptools-scm[toml]>=8,<11": true, "wheel (>=0.40)": true, `setuptools; python_version >= "3.8"`: true,
		"hatchling @ https://example.org/hatchling-1.0-py3-none-any.whl": true, "a @ git+https://example.org/a": true, "ruamel.yaml": true, "x~=1.0": true,
		"--index-url=http://127.0.0.1": false, "--target=/somewhere": false, "-r evil.txt": false, "-e .": false, " --python=/usr/bin/python3": false,
		"./local": false, "../local": false, "/local": false, "folder/local": false, "file:///local": false, "https://example.org/a.whl": false,
		"evil-1.0-py3-none-any.whl": false, "evil-1.0.tar.gz": false, "evil.zip[extra]": false, "requirements.txt": false,
		"hatchling\n--index-url=http://127.0.0.1": false, "hatchling\x00": false, "hatchling >=1 \r": false, "hatchling # more": false, "a b": false, "": false, "é": false,
	} {
		err := checkRequirements(&workspace.Package{Name: "a", SourceDir: "packages/a"}, []string{"hatchling", r})
		if ok {
			require.NoError(t, err, "%q", r)
		} else {
			require.ErrorContains(t, err, "is not a valid requirement (PEP 508)", "%q", r)
		}
	}
}
