package publish_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// readyOf writes an archive, and returns it as the artifact that a build would return.
func readyOf(t *testing.T, p *publish.Publisher, pkg condapkgtest.Package) toolchain.Artifact {
	require.NoError(t, os.MkdirAll(p.Output, 0o755))
	path := pkg.Write(t, p.Output)
	r, err := condapkg.Identify(path)
	require.NoError(t, err)
	return toolchain.Artifact{Package: pkg.Name, Path: path, SHA256: r.SHA256, Size: r.Size, Index: r.Index}
}

// Artifacts that are not noarch are refused, even with Force. One error names all of them. Artifacts that the channel already has are ignored.
func TestPlanRefusesOnePlatform(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	w := load(t, map[string][]string{"base": nil, "lib": nil, "top": nil})
	p, _ := newPublisher(t, w, c)
	ready := publish.Artifacts{
		"base": readyOf(t, p, condapkgtest.Package{Name: "base"}),
		"lib":  readyOf(t, p, condapkgtest.Package{Name: "lib", Subdir: workspace.HostPlatform()}),
		"top":  readyOf(t, p, condapkgtest.Package{Name: "top", Subdir: "win-64"}),
	}
	_, err := p.Prepare(t.Context(), publish.Holdings{}, ready)
	for _, says := range []string{"lib-1.0-pyh4616a5c_0.conda", "win-64/top-1.0-pyh4616a5c_0.conda", "nothing was sent"} {
		require.ErrorContains(t, err, says)
	}
	require.NotContains(t, err.Error(), "base")
	p.Force = true
	_, err = p.Prepare(t.Context(), publish.Holdings{}, ready)
	require.ErrorContains(t, err, "only noarch packages can be published, because other packages need a build for each platform")

	delete(ready, "top")
	there := condapkg.Record{Index: ready["lib"].Index, SHA256: ready["lib"].SHA256, Size: ready["lib"].Size}
	_, err = p.Upload(t.Context(), publish.Delivery{Items: []publish.Item{{Package: "lib", State: publish.Upload, Record: there, Path: ready["lib"].Path}}})
	require.NoError(t, err)
	h, err := publish.Look(t.Context(), c, w.Packages)
	require.NoError(t, err)
	ready["top"] = readyOf(t, p, condapkgtest.Package{Name: "top"})
	made, err := p.Prepare(t.Context(), h, ready)
	require.NoError(t, err)
	require.Equal(t, map[string]publish.State{"base": publish.Upload, "lib": publish.There, "top": publish.Upload}, states(made))
}

// A package without modules is not imported and needs no Python interpreter. A package with modules needs an interpreter.
func TestImportWithoutModules(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		says  string
	}{
		{"data", map[string]string{"share/x/a.csv": "1"}, ""},
		{"a package that only depends on others", map[string]string{}, ""},
		{"a program", map[string]string{"bin/run": "#!/bin/sh\n", "lib/node_modules/x/a.js": ""}, ""},
		{"a Python file that is no module", map[string]string{"share/x/make.py": "", "etc/site-packages/x.py": ""}, ""},
		{"stubs", map[string]string{"site-packages/x-stubs/__init__.pyi": ""}, ""},
		{"a module", map[string]string{"site-packages/x/__init__.py": ""}, "none of its dependencies installs Python"},
		{"a module of its Python", map[string]string{"lib/python3.11/site-packages/x/__init__.py": ""}, "none of its dependencies installs Python"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			pkg := condapkgtest.Package{Name: "x", Subdir: "noarch", Noarch: "generic", Files: c.files}
			v := publish.Verified{Files: []string{pkg.Write(t, dir)}}
			r, err := condapkg.Identify(v.Files[0])
			require.NoError(t, err)
			p := &publish.Publisher{Scratch: filepath.Join(dir, "scratch")}
			err = p.Import(t.Context(), publish.Delivery{Items: []publish.Item{{Package: "x", Record: r}}}, &v)
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, map[string][]string{"x": {}}, v.Imports)
			require.Zero(t, v.Imported())
		})
	}
}
