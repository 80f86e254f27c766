package channel_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// BenchmarkUploaders uploads the same files to the same server, alternately with our client and with py-rattler-build's uploader. It reports both
// times in seconds, and their ratio. Our time includes reading and hashing the files.
//
//	go test -run - -bench Uploaders -benchtime 3x ./magefiles/internal/channel
func BenchmarkUploaders(b *testing.B) {
	big := func(dir string) []string {
		return []string{condapkgtest.Package{Name: "big"}.WriteLarge(b, dir, 200<<20)}
	}
	small := func(dir string) (files []string) {
		for i := range 300 {
			files = append(files, condapkgtest.Package{Name: fmt.Sprintf("small-%d", i)}.Write(b, dir))
		}
		return files
	}
	for _, c := range []struct {
		name  string
		files func(dir string) []string
	}{{"one of 200 MiB", big}, {"300 small", small}} {
		b.Run(c.name, func(b *testing.B) {
			files := c.files(b.TempDir())
			var ours, theirs time.Duration
			for range b.N {
				theirs += timeTheirs(b, files)
				ours += timeOurs(b, files)
			}
			b.ReportMetric(ours.Seconds()/float64(b.N), "s-ours")
			b.ReportMetric(theirs.Seconds()/float64(b.N), "s-theirs")
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-as-fast")
		})
	}
}

func timeOurs(b *testing.B, files []string) time.Duration {
	url := serveBench(b)
	remote := client(b, url)
	begin := time.Now()
	var group errgroup.Group
	group.SetLimit(8) // same limit as in package publish
	for _, f := range files {
		group.Go(func() error {
			u, err := channel.NewUpload(f)
			if err == nil {
				_, err = remote.Put(b.Context(), u)
			}
			return err
		})
	}
	require.NoError(b, group.Wait())
	return time.Since(begin)
}

func timeTheirs(b *testing.B, files []string) time.Duration {
	text, took := rattlertest.Upload{Server: serveBench(b), Channel: "demo", APIKey: key, Files: files}.Timed(b)
	require.Empty(b, text)
	return took
}

// serveBench starts a new, empty server.
func serveBench(b *testing.B) string {
	s, err := store.Open(b.TempDir())
	require.NoError(b, err)
	h := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()}))
	b.Cleanup(func() {
		h.Close()
		require.NoError(b, s.Close())
	})
	_, err = s.Create(b.Context(), "demo")
	require.NoError(b, err)
	return h.URL
}

// BenchmarkUploadAmong20000 measures the response time of an HTTP upload to a channel with 20,000 records. Index files are written in the
// background, as usual.
func BenchmarkUploadAmong20000(b *testing.B) {
	dir := b.TempDir()
	s, err := store.Open(dir)
	require.NoError(b, err)
	_, err = s.Create(b.Context(), "demo")
	require.NoError(b, err)
	require.NoError(b, s.Close())
	fill(b, filepath.Join(dir, "demo", "noarch"), 20000)
	s, err = store.Open(dir)
	require.NoError(b, err)
	c, err := s.Channel(b.Context(), "demo")
	require.NoError(b, err)
	records, err := c.Records(b.Context(), "noarch")
	require.NoError(b, err)
	require.Len(b, records, 20000)
	require.NoError(b, s.Flush())
	syscall.Sync() // so that writing the prepared files does not slow down the benchmark
	h := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()}))
	defer func() {
		h.Close()
		require.NoError(b, s.Close())
	}()
	remote := client(b, h.URL)
	files := b.TempDir()
	var worst, all time.Duration
	for i := range b.N {
		u, err := channel.NewUpload(condapkgtest.Package{Name: fmt.Sprintf("name-%d", i%100), Version: fmt.Sprintf("2.%d", i)}.Write(b, files))
		require.NoError(b, err)
		begin := time.Now()
		_, err = remote.Put(b.Context(), u)
		require.NoError(b, err)
		took := time.Since(begin)
		worst, all = max(worst, took), all+took
	}
	b.ReportMetric(float64(all.Microseconds())/1000/float64(b.N), "ms-mean")
	b.ReportMetric(float64(worst.Microseconds())/1000, "ms-worst")
}

// fill writes n artifacts directly into a folder.
func fill(b *testing.B, dir string, n int) {
	for i := range n {
		p := condapkgtest.Package{Name: fmt.Sprintf("name-%d", i/4), Version: fmt.Sprintf("1.%d", i%4)}
		require.NoError(b, os.WriteFile(filepath.Join(dir, p.FileName()), p.Bytes(b), 0o644))
	}
}
