package proxytest

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"
)

// library matches a path in ldd's output.
var library = regexp.MustCompile(`(?:=> |\t)(/\S+) \(0x`)

// Image returns an image with the real Caddy, and this machine's versions of the programs that hoststate's script uses. The official image has
// busybox's versions.
func Image(t testing.TB) v1.Image {
	t.Helper()
	files := map[string]string{"usr/bin/caddy": Program(t)}
	add := func(name string) bool {
		path, err := exec.LookPath(name)
		if err != nil {
			return false
		}
		files["usr/bin/"+name] = path
		out, err := exec.Command("ldd", path).Output()
		require.NoError(t, err, "ldd %s", path)
		for _, m := range library.FindAllStringSubmatch(string(out), -1) {
			files[strings.TrimPrefix(m[1], "/")] = m[1]
		}
		return true
	}
	for _, name := range []string{"sh", "cat", "flock", "timeout", "sync", "wc", "mv", "rm", "mkdir", "head", "tail", "df", "id", "chown"} {
		require.True(t, add(name), "there is no %s", name)
	}
	require.True(t, add("wget") || add("curl"), "there is neither wget nor curl")
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return archive(files) })
	require.NoError(t, err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	file, err := image.ConfigFile()
	require.NoError(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	file.Config = v1.Config{Env: []string{"PATH=/usr/bin"}, Cmd: []string{"caddy", "run"}}
	image, err = mutate.ConfigFile(image, file)
	require.NoError(t, err)
	return image
}

func archive(files map[string]string) (io.ReadCloser, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "tmp", Mode: 0o1777, Typeflag: tar.TypeDir, ModTime: time.Unix(0, 0)}); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path, err := filepath.EvalSymlinks(files[name])
		if err != nil {
			return nil, err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}); err != nil {
			return nil, err
		}
		if _, err := w.Write(text); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(&out), w.Close()
}
