package uv

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// pip's settings are used for uv if uv has none.
func TestSettingsOfPipForUV(t *testing.T) {
	for name, c := range map[string]struct {
		pip  string
		env  []string
		want []string
	}{
		"nothing": {"", nil, nil},
		"a variable takes precedence over a file": {
			pip:  ":env:.index-url='https://env.example/simple'\nglobal.index-url='https://global.example/simple'\ninstall.index-url='https://install.example/simple'",
			env:  nil,
			want: []string{"UV_DEFAULT_INDEX=https://env.example/simple"},
		},
		"the section install takes precedence over global": {
			pip:  "install.index-url='https://install.example/simple'\nglobal.index-url='https://global.example/simple'",
			env:  nil,
			want: []string{"UV_DEFAULT_INDEX=https://install.example/simple"},
		},
		"several": {
			pip:  `global.extra-index-url='\nhttps://a.example/simple\nhttps://b.example/simple'` + "\nglobal.index-url=\"https://u:p'w@c.example/simple\"\nglobal.trusted-host='c.example'",
			env:  nil,
			want: []string{"UV_DEFAULT_INDEX=https://u:p'w@c.example/simple", "UV_EXTRA_INDEX_URL=https://a.example/simple https://b.example/simple", "UV_INSECURE_HOST=c.example"},
		},
		"no index at all":                       {"global.no-index='yes'\nglobal.find-links='/wheels'", nil, []string{"UV_NO_INDEX=true", "UV_FIND_LINKS=/wheels"}},
		"folders beside an index":               {"global.no-index='false'\nglobal.find-links='/wheels'", nil, nil},
		"a proxy":                               {"global.proxy='http://proxy.example:8080'", nil, []string{"ALL_PROXY=http://proxy.example:8080"}},
		"a proxy that the user set":             {"global.proxy='http://proxy.example:8080'", []string{"https_proxy=http://other:1"}, nil},
		"uv has an index":                       {"global.index-url='https://pip.example/simple'\nglobal.extra-index-url='https://more.example'", []string{"UV_DEFAULT_INDEX=https://uv.example"}, nil},
		"uv has an index, by the older name":    {"global.index-url='https://pip.example/simple'", []string{"UV_INDEX_URL=https://uv.example"}, nil},
		"uv has an extra index, but no default": {"global.index-url='https://pip.example/simple'", []string{"UV_INDEX=https://uv.example"}, []string{"UV_DEFAULT_INDEX=https://pip.example/simple"}},
		"not a known setting":                   {"WARNING: something = odd\n= \nglobal.index-url\n", nil, nil},
	} {
		require.Equal(t, c.want, writeForUV(parsePipConfig(c.pip), c.env), name)
	}
}

// pip is queried only if it may have settings.
func TestPipIsQueriedOnlyIfNeeded(t *testing.T) {
	home := t.TempDir()
	plain := []string{"HOME=" + home, "XDG_CONFIG_DIRS=" + t.TempDir(), "PIP_FIND_LINKS=/wheels"}
	require.False(t, pipIsSet(plain))
	system := filepath.Join(t.TempDir(), "pip.conf")
	require.False(t, pipIsSet(plain, system))
	require.NoError(t, os.WriteFile(system, nil, 0o644))
	require.True(t, pipIsSet(plain, system))
	for _, variable := range []string{"PIP_INDEX_URL=x", "PIP_CONFIG_FILE=x", "PIP_NO_INDEX=1", "PIP_EXTRA_INDEX_URL=x"} {
		require.True(t, pipIsSet(append(plain, variable)), variable)
	}
	for _, file := range []string{".pip/pip.conf", ".config/pip/pip.conf"} {
		path := filepath.Join(home, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		require.True(t, pipIsSet(plain), file)
		require.NoError(t, os.Remove(path))
	}
	config := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(config, "pip"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(config, "pip", "pip.conf"), nil, 0o644))
	require.True(t, pipIsSet(append(plain, "XDG_CONFIG_HOME="+config)))
}

func TestAnIndexInTheConfigurationOfUV(t *testing.T) {
	for text, has := range map[string]bool{
		"[[index]]\nurl = \"https://x\"\ndefault = true\n": true, "index-url = \"https://x\"\n": true, "[pip]\nindex-url = \"https://x\"\n": true, "no-index = true": true,
		"index = [{ url = \"https://x\" }]\n": true,
		"native-tls = true\n":                 false, "# index-url = \"https://x\"\n": false, "": false, "index-strategy = \"first-index\"\n": false,
	} {
		file := filepath.Join(t.TempDir(), "uv.toml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
		require.Equal(t, has, uvHasIndex(file), text)
	}
	require.False(t, uvHasIndex(""))
}
