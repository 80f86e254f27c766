package versionfile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzLiteralVersion checks that nothing panics, and that the range is within the text.
func FuzzLiteralVersion(f *testing.F) {
	f.Add([]byte("x = '''\n'''\n__version__ = '1'\n"))
	f.Add([]byte("__version__: Final = \"1\" # ("))
	f.Add([]byte("__version__ = v = (\n'1'\n); from .a import (b as c)\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		ImportedVersion(src)
		if start, end, ok := literalVersion(src, literalName); ok {
			require.Less(t, start, end)
			require.LessOrEqual(t, end, len(src))
		}
	})
}

// FindLiteral finds a version in every Python syntax for assigning a single string, and in nothing else.
func TestEveryFormOfALiteral(t *testing.T) {
	for _, c := range []struct{ src, found string }{
		{"__version__ = \"0.1.0\"\n", "0.1.0"},
		{"__version__: Final[str] = '0.1.0'", "0.1.0"},
		{"__version__: str | None = '0.1.0'", "0.1.0"},
		{"__version__: \"Final[str]\" = u'0.1.0'", "0.1.0"},
		{"__version__: Annotated[str, 'a = b'] = '0.1.0'", "0.1.0"},
		{"__version__ = version = '0.1.0'", "0.1.0"},
		{"version = __version__ = '0.1.0'", "0.1.0"},
		{"a = b = __version__ = c = r'0.1.0'  # three", "0.1.0"},
		{"__version__ = (\n    # why\n    '0.1.0'\n)", "0.1.0"},
		{"__version__ = ((\"\"\"0.1.0\"\"\"))", "0.1.0"},
		{"__version__ = \\\n    '0.1.0'", "0.1.0"},
		{"__version__ \\\r\n = '0.1.0'\r\n", "0.1.0"},
		{"VERSION = '0.1.0'\n__version__ = VERSION", "0.1.0"},
		{"VERSION: str = '0.1.0'\n__version__ = version = VERSION", "0.1.0"},
		{"__version__ = _v\n_v = '0.1.0'", "0.1.0"},
		{"__author__ = 'x'; __version__ = '0.1.0'", "0.1.0"},
		{"__author__, __version__ = 'x', '0.1.0'", "0.1.0"},
		{"(__author__, __version__) = ('1.2.3', '0.1.0')", "0.1.0"},
		{"__version__ = Version('0.1.0')", "0.1.0"},
		{"def f():\n    __version__ = '9'\n    return (\n__version__ == '8')\n__version__ = '0.1.0'", "0.1.0"},
		{"\ufeff__version__ = '0.1.0'", "0.1.0"},
		{"if __version__ == '9': pass\n__version__ = '0.1.0'", "0.1.0"},

		{"__version__ = '0.1' '.0'", ""},
		{"__version__ = f'0.1.0'", ""},
		{"__version__ = b'0.1.0'", ""},
		{"__version__ = '0.1.0'.strip()", ""},
		{"__version__ = '0.1.0' + suffix", ""},
		{"__version__ == '0.1.0'", ""},
		{"__version__ += '0.1.0'", ""},
		{"print(__version__ := '0.1.0')", ""},
		{"f(__version__ = '0.1.0')", ""},
		{"__version__: str", ""},
		{"__version__ = VERSION", ""},
		{"__version__ = __version__", ""},
		{"a = b\nb = a\n__version__ = a", ""},
		{"VERSION = '1.0.0'\nVERSION = '0.1.0'\n__version__ = VERSION", ""},
		{"__version__ = version('acme-core')", ""},
		{"if True: __version__ = '0.1.0'", ""},
		{"__version__, __author__ = read()", ""},
		{"x.__version__ = '0.1.0'", ""},
		{"__version__['x'] = '0.1.0'", ""},
		{"'''\n__version__ = \"0.1.0\"\n'''", ""},
	} {
		v, ok := FindLiteral("m.py", []byte(c.src))
		require.Equal(t, c.found, v.Text, c.src)
		require.Equal(t, c.found != "", ok, c.src)
		require.Equal(t, c.found, c.src[v.Start:v.End], c.src)
	}
}

// ImportedVersion finds the module from which a file imports its version.
func TestImportedVersion(t *testing.T) {
	for src, want := range map[string][2]string{
		"from .const import VERSION as __version__":                               {".const", "VERSION"},
		"from acme.const import A, VERSION\n__version__ = VERSION":                {"acme.const", "VERSION"},
		"from ._v import (\n    a as b,\n    c as __version__,\n)\n":              {"._v", "c"},
		"from . import __version__":                                               {".", "__version__"},
		"import acme\n__version__ = acme.VERSION":                                 {},
		"from importlib.metadata import version\n__version__ = version('acme')\n": {},
		"    from .a import __version__":                                          {},
	} {
		module, name := ImportedVersion([]byte(src))
		require.Equal(t, want, [2]string{module, name}, src)
	}
}
