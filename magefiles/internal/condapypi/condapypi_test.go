package condapypi_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapypi"
)

// TestForm checks that the rows are sorted and unique, that projects are normalized as in PEP 503, and that there are as many rows as in the
// source.
func TestForm(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
	project := regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	rows, condaOnly, last := 0, 0, ""
	for conda, pypi := range condapypi.Rows() {
		require.Regexp(t, name, conda)
		require.Greater(t, conda, last)
		if last = conda; pypi == condapypi.CondaOnly {
			condaOnly++
		} else {
			require.Regexp(t, project, pypi, conda)
			require.Equal(t, condapypi.Normalize(pypi), pypi, conda)
			require.NotEqual(t, "unknown", pypi, conda)
		}
		rows++
	}
	require.Equal(t, 33909, rows)
	require.Equal(t, 13254, condaOnly)
}

// TestEveryRowIsFound looks up every name in the table.
func TestEveryRowIsFound(t *testing.T) {
	differ := 0
	for conda, pypi := range condapypi.Rows() {
		row, ok := condapypi.Lookup(strings.ToUpper(conda))
		require.True(t, ok, conda)
		if row.Reason == "" {
			if pypi == condapypi.CondaOnly {
				pypi = ""
			}
			require.Equal(t, pypi, row.Project, conda)
			continue
		}
		differ++
	}
	require.Less(t, differ, 130, "the list of corrections must be short (spaCy's models count as one)")
	for _, stranger := range []string{"", "!", "~", "aaaaaaa", "zzzzzzzz", "torch", "foopack-core", "numpy ", "numpy\n", "2dfatmi", "-"} {
		_, ok := condapypi.Lookup(stranger)
		require.False(t, ok, "%q", stranger)
	}
}

// `known` contains real packages and their projects; "" means only on conda.
var known = map[string]string{
	"numpy": "numpy", "pandas": "pandas", "xarray": "xarray", "scikit-learn": "scikit-learn", "pillow": "pillow",
	"pyyaml": "pyyaml", "beautifulsoup4": "beautifulsoup4", "ruamel.yaml": "ruamel-yaml", "typing_extensions": "typing-extensions",
	"importlib_metadata": "importlib-metadata", "jupyter_client": "jupyter-client", "huggingface_hub": "huggingface-hub",
	"setuptools_scm": "setuptools-scm", "setuptools-scm": "setuptools-scm", "opt_einsum": "opt-einsum", "smart_open": "smart-open",
	"jaxlib": "jaxlib", "psycopg": "psycopg", "mypy": "mypy", "jsonschema": "jsonschema", "pyside6": "pyside6", "itk": "itk",
	"pyqt": "pyqt5", "dask-core": "dask", "redis-py": "redis", "python-duckdb": "duckdb", "python-xxhash": "xxhash",
	"python-tzdata": "tzdata", "pysoundfile": "soundfile", "brotli-python": "brotli", "h3-py": "h3", "filesystem-spec": "fsspec",
	"googlesearch": "google", "osmnx-base": "osmnx", "pytorch-cpu": "torch", "pytorch_geometric": "torch-geometric",
	"quaternion": "numpy-quaternion", "openusd": "usd-core", "antlr-python-runtime": "antlr4-python2-runtime",
	"pytorch": "torch", "uv": "uv", "ninja": "ninja", "msgpack-python": "msgpack", "py-opencv": "opencv-python",
	"hist-base": "hist", "ray-core": "ray", "vtk": "vtk",
	"age": "", "mold": "", "nodejs": "", "make": "", "cmake": "", "git": "", "compilers": "", "opencv": "", "graphviz": "",
	"python": "", "zeromq": "", "arrow-cpp": "", "nvidia-apex": "", "spacy-model-en_core_web_sm": "", "qgis": "",
}

func TestKnownRows(t *testing.T) {
	require.GreaterOrEqual(t, len(known), 50)
	for conda, want := range known {
		row, ok := condapypi.Lookup(conda)
		require.True(t, ok, conda)
		require.Equal(t, want, row.Project, conda)
	}
}

// TestCorrectionsHaveReasons checks that every correction has a reason, and that the table's rows have none.
func TestCorrectionsHaveReasons(t *testing.T) {
	for _, conda := range []string{"uv", "ninja", "pytorch", "nvidia-apex", "spacy-model-de_core_news_sm"} {
		row, _ := condapypi.Lookup(conda)
		require.NotEmpty(t, row.Reason, conda)
	}
	row, _ := condapypi.Lookup("numpy")
	require.Empty(t, row.Reason)
}

// TestSourceIsNamed checks that the notice required by the source's license is included, and that the table is small.
func TestSourceIsNamed(t *testing.T) {
	notice, err := os.ReadFile("LICENSE.parselmouth")
	require.NoError(t, err)
	require.Contains(t, string(notice), "BSD 3-Clause License")
	require.Contains(t, string(notice), "prefix.dev")
	require.Len(t, condapypi.Source.Commit, 40)
	require.Len(t, condapypi.Source.SHA256, 64)
	info, err := os.Stat("table.txt.gz")
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(300_000))
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{"ruamel.yaml": "ruamel-yaml", "Zope.Interface": "zope-interface", "a__b-.c": "a-b-c", "NumPy": "numpy"} {
		require.Equal(t, want, condapypi.Normalize(in))
	}
}
