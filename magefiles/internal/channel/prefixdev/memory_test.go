package prefixdev_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

// Memory use does not depend on the file size: reading and uploading 1 GiB takes less than 64 MiB, including the test server.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	received := int64(0)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			received, _ = io.Copy(io.Discard, r.Body)
			return
		}
		http.NotFound(w, r)
	}))
	defer h.Close()
	path := condapkgtest.Package{Name: "large"}.WriteLarge(t, t.TempDir(), 1<<30)
	remote := client(t, h.URL, time.Minute)
	var before, after runtime.MemStats
	defer debug.SetGCPercent(debug.SetGCPercent(100)) // override GOGC
	runtime.GC()
	runtime.ReadMemStats(&before)
	u, err := channel.NewUpload(path)
	require.NoError(t, err)
	_, err = remote.Put(t.Context(), u)
	require.NoError(t, err)
	runtime.ReadMemStats(&after) // Sys never shrinks, so it is the peak
	require.Greater(t, received, int64(1<<30))
	grown := int64(after.Sys) - int64(before.Sys)
	t.Logf("%d MiB uploaded, memory grown by %d kB, %d kB allocated in all", received>>20, grown>>10, (after.TotalAlloc-before.TotalAlloc)>>10)
	require.Less(t, grown, int64(64<<20))
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}
