package pixi_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// copies is a toolchain.Sources that gives each build a new copy.
type copies struct {
	t     *testing.T
	w     *workspace.Workspace
	taken []string // packages of each build
	roots []string
	told  []error
}

func (c *copies) Take(_ context.Context, packages ...*workspace.Package) (string, func([]string, error) error, error) {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	root := filepath.Join(c.t.TempDir(), "copy")
	require.NoError(c.t, os.CopyFS(root, os.DirFS(c.w.Root)))
	c.taken, c.roots = append(c.taken, strings.Join(names, " ")), append(c.roots, root)
	return root, func(archives []string, err error) error {
		for _, a := range archives {
			require.FileExists(c.t, a, "the built artifacts exist while this function runs")
		}
		c.told = append(c.told, err)
		return err
	}, nil
}

// pixi runs in a separate copy of the sources for each package, or in one copy for packages that are published together, but never in the
// workspace itself.
func TestBuildFromSources(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    []string
		want  []string // packages to build
		taken []string
	}{
		{"each", []string{"plain", "pinned", "pyonly"}, []string{"pinned", "plain", "pyonly"}, []string{"plain", "pinned", "pyonly"}},
		{"one", []string{"plain", "pinned"}, []string{"plain"}, []string{"plain"}},
		{"together", []string{"plain", "pinned", "specs"}, []string{"specs", "plain"}, []string{"pinned plain specs"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, s := setUp(t, pixitest.Behavior{})
			w := golden(t, c.in...)
			b := request(t, w, c.want...)
			from := &copies{t: t, w: w}
			b.Sources = from
			before := archives(t, w.Root)
			_, err := p.Build(t.Context(), b)
			require.NoError(t, err)
			require.Equal(t, c.taken, from.taken)
			var ran []string
			for _, call := range s.Calls() {
				if call.Args[0] == "publish" {
					ran = append(ran, call.Dir)
				}
			}
			require.Equal(t, from.roots, ran)
			require.Len(t, archives(t, b.Dir), len(c.want), "artifacts go to the workspace's output")
			require.Equal(t, before, archives(t, w.Root))
			require.NoDirExists(t, filepath.Join(w.Root, ".pixi"))
		})
	}
}

// A failed build's error is passed to the sources, and the error that they return becomes the build's. Nothing is published.
func TestBuildFromSourcesFails(t *testing.T) {
	for _, b := range []pixitest.Behavior{{NoOutput: []string{"plain"}}, {Skip: []string{"plain"}}, {Foreign: []string{"stranger"}}} {
		p, _ := setUp(t, b)
		w := golden(t, "plain")
		request := request(t, w, "plain")
		from := &copies{t: t, w: w}
		request.Sources = from
		_, err := p.Build(t.Context(), request)
		require.Error(t, err)
		require.Len(t, from.told, 1)
		require.ErrorIs(t, err, from.told[0])
		require.Empty(t, archives(t, request.Dir))
	}
	p, s := setUp(t, pixitest.Behavior{})
	w := golden(t, "plain")
	request := request(t, w, "plain")
	request.Sources = refusing{}
	_, err := p.Build(t.Context(), request)
	require.ErrorIs(t, err, errRefused)
	require.Empty(t, publishes(s))
}

var errRefused = errors.New("refused")

type refusing struct{}

func (refusing) Take(context.Context, ...*workspace.Package) (string, func([]string, error) error, error) {
	return "", nil, errRefused
}
