package embedded_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// golden returns the sources of a set of packages, and the files that pixi built from them.
func golden(t *testing.T) fs.FS {
	archive, err := txtar.ParseFile("testdata/pixi-build-python.txtar")
	require.NoError(t, err)
	fsys, err := txtar.FS(archive)
	require.NoError(t, err)
	return fsys
}

var sourceDate = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

func newToolchain(t *testing.T, w *workspace.Workspace) *embedded.Toolchain {
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	return embedded.New(embedded.Config{
		Runner:    command.NewSystem(os.Environ(), nil),
		Environ:   os.Environ(),
		Cache:     filepath.Join(cache, "pixi-release"),
		Workspace: w,
		Log:       testWriter{t},
	})
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}

// goldenWorkspace copies the golden sources to a new workspace.
func goldenWorkspace(t *testing.T) *workspace.Workspace {
	root, data := t.TempDir(), golden(t)
	manifest, err := fs.ReadFile(data, "workspace.toml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), manifest, 0o644))
	cases, err := fs.Glob(data, "*/source")
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, source := range cases {
		sources, err := fs.Sub(data, source)
		require.NoError(t, err)
		require.NoError(t, os.CopyFS(filepath.Join(root, path.Dir(source)), sources))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	require.Len(t, w.Packages, len(cases))
	return w
}

func build(t *testing.T, w *workspace.Workspace) []toolchain.Artifact {
	artifacts, err := newToolchain(t, w).Build(t.Context(), toolchain.Build{
		Workspace:  w,
		Packages:   w.Order(),
		Dir:        filepath.Join(w.Root, "output"),
		SourceDate: sourceDate,
		Log:        io.Discard,
	})
	require.NoError(t, err)
	return artifacts
}

// TestGolden builds the golden packages, and compares everything that does not depend on the installer and the path.
func TestGolden(t *testing.T) {
	data := golden(t)
	for _, a := range build(t, goldenWorkspace(t)) {
		t.Run(a.Package, func(t *testing.T) {
			want := func(name string) []byte {
				content, err := fs.ReadFile(data, path.Join(a.Package, "built", name))
				require.NoError(t, err)
				return content
			}
			archive, err := condapkg.Open(a.Path)
			require.NoError(t, err)
			defer archive.Close()
			require.Equal(t, strings.TrimSpace(string(want("file-name"))), filepath.Base(a.Path))
			for _, name := range []string{"index.json", "about.json", "link.json", "hash_input.json"} {
				got, err := archive.ReadFile("info/" + name)
				require.NoError(t, err)
				require.Equal(t, fields(t, want(name)), fields(t, got), name)
			}
			files, err := archive.Files()
			require.NoError(t, err)
			require.Equal(t, matched(strings.Fields(string(want("files")))), matched(files))
		})
	}
}

// fields decodes an object without the timestamp, which is not in the golden files.
func fields(t *testing.T, data []byte) map[string]any {
	v := map[string]any{}
	require.NoError(t, json.NewDecoder(bytes.NewReader(data)).Decode(&v))
	delete(v, "timestamp")
	return v
}

// matched removes the dist-info files that depend on the installer and the path.
func matched(files []string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(f string) bool {
		switch filepath.Base(f) {
		case "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json":
			return strings.Contains(f, ".dist-info/")
		}
		return false
	})
}

// TestSameBytes builds the same sources in another folder and at another time, and checks that the results are identical.
func TestSameBytes(t *testing.T) {
	first, second := build(t, goldenWorkspace(t)), build(t, goldenWorkspace(t))
	for i := range first {
		require.Equal(t, first[i].SHA256, second[i].SHA256, first[i].Package)
	}
}
