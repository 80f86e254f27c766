package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// If a package from the channel requires another package with a version range, an error is returned, unless the environment pins that package.
func TestARangeOfAnArchive(t *testing.T) {
	root, archives := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n")
	for _, name := range []string{"cli", "plot"} {
		write(name+"/pixi.toml", "[package]\nname = \""+name+"\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\nconfig = { ignore-pyproject-manifest = true }\n")
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	e := New(Config{
		Workspace: w,
		Published: func(_ context.Context, want Wanted) (string, error) {
			p := condapkgtest.Package{Name: want.Name, Version: want.Version}
			if want.Name == "cli" {
				p.Depends = []string{"plot >=1,<2"}
			}
			return p.Write(t, archives), nil
		},
	})
	m := &manifest.Manifest{Name: "dash"}
	collect := func(pins ...string) (*needs, error) {
		r := &manifest.Resolved{}
		for i := 0; i < len(pins); i += 2 {
			r.Conda = append(r.Conda, manifest.Dependency{
				Pos:  manifest.Pos{File: "apps/dash/pixi.toml", Line: 7 + i/2, Col: 1},
				Name: pins[i],
				Spec: manifest.Spec{Text: pins[i+1]},
			})
		}
		return e.collect(t.Context(), m, r, &toolchain.Supply{})
	}
	_, err = collect("cli", "==1.0.0")
	require.EqualError(t, err, `apps/dash/pixi.toml:7:1: dash takes cli 1.0.0 from the channel, and this package requires plot in the range ">=1,<2", but only a solver can choose a version`)
	require.Contains(t, operr.NextOf(err), "pin plot in apps/dash/pixi.toml too")
	for _, pins := range [][]string{{"cli", "==1.0.0", "plot", "==1.5"}, {"plot", "==1.5", "cli", "==1.0.0"}} {
		n, err := collect(pins...)
		require.NoError(t, err)
		require.Len(t, n.archives, 2, fmt.Sprint(pins))
	}
	_, err = collect("cli", "==1.0.0", "plot", "==2.0")
	require.ErrorContains(t, err, "but apps/dash/pixi.toml:8:1 pins 2.0")
}
