// Package pypitest serves a Python package index (PEP 503) for tests. The index has a project for every name, and records which projects were
// requested, so that a test can detect a request for the wrong project.
package pypitest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpserver"
)

// Index serves every project in many versions: 0.5, 1.0, 1.5 and so on to 40.5, and 2020.1 to 2030.1. Each version is a wheel with one module, which
// has __version__. The module's name is the project's name with '_' instead of '-'.
type Index struct {
	URL  string   // URL of the simple index
	Also []string // further versions of every project

	lock  sync.Mutex
	asked map[string]bool
}

// Start serves an index until the test ends.
func Start(t testing.TB) *Index {
	t.Helper()
	i := &Index{asked: map[string]bool{}}
	s := httptest.NewUnstartedServer(nil)
	s.Config = httpserver.New(http.HandlerFunc(i.serve), httpserver.Hosts{})
	s.Start()
	t.Cleanup(s.Close)
	i.URL = s.URL + "/simple/"
	return i
}

// Asked returns the sorted names of the requested projects, normalized as in PEP 503.
func (i *Index) Asked() []string {
	i.lock.Lock()
	defer i.lock.Unlock()
	return slices.Sorted(maps.Keys(i.asked))
}

// Environ returns variables that let uv use only this index, with a separate cache.
func (i *Index) Environ(t testing.TB) []string {
	t.Helper()
	return []string{"UV_DEFAULT_INDEX=" + i.URL, "UV_CACHE_DIR=" + t.TempDir(), "UV_LINK_MODE=copy"}
}

func (i *Index) serve(w http.ResponseWriter, r *http.Request) {
	switch parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/"); {
	case len(parts) == 2 && parts[0] == "simple":
		i.lock.Lock()
		i.asked[parts[1]] = true
		i.lock.Unlock()
		w.Header().Set("Content-Type", "text/html")
		for _, version := range append(versions(), i.Also...) {
			file := strings.ReplaceAll(parts[1], "-", "_") + "-" + version + "-py3-none-any.whl"
			fmt.Fprintf(w, "<a href=\"/files/%s\">%s</a>\n", file, file)
		}
	case len(parts) == 2 && parts[0] == "files":
		data, err := wheel(parts[1])
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	default:
		http.NotFound(w, r)
	}
}

func versions() []string {
	var all []string
	for major := range 41 {
		if major > 0 {
			all = append(all, fmt.Sprintf("%d.0", major))
		}
		all = append(all, fmt.Sprintf("%d.5", major))
	}
	for year := 2020; year <= 2030; year++ {
		all = append(all, fmt.Sprintf("%d.1", year))
	}
	return all
}

var wheelName = regexp.MustCompile(`^([a-z0-9_]+)-([0-9.]+)-py3-none-any\.whl$`)

// wheel returns the wheel with the given file name.
func wheel(file string) ([]byte, error) {
	m := wheelName.FindStringSubmatch(path.Base(file))
	if m == nil {
		return nil, fmt.Errorf("%s is not a wheel", file)
	}
	name, version := m[1], m[2]
	info := name + "-" + version + ".dist-info/"
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range [][2]string{
		{name + ".py", fmt.Sprintf("__version__ = %q\n", version)},
		{info + "METADATA", fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nProvides-Extra: all\n", strings.ReplaceAll(name, "_", "-"), version)},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: pypitest\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", fmt.Sprintf("%s.py,,\n%sMETADATA,,\n%sWHEEL,,\n%sRECORD,,\n", name, info, info, info)},
	} {
		w, err := z.Create(f[0])
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
