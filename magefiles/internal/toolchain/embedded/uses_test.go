package embedded_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestTwentyPackages checks that twenty packages with ten different Python requirements each get a matching interpreter. Every stand-in is run
// only once.
func TestTwentyPackages(t *testing.T) {
	machine := t.TempDir()
	for file, version := range map[string]string{
		"bin/python3.11": "3.11.7",
		"home/.pyenv/versions/3.12.1/bin/python3.12":        "3.12.1",
		"uv/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13": "3.13.2",
		"toolcache/Python/3.14.0/x64/bin/python3.14":        "3.14.0",
	} {
		file = filepath.Join(machine, file)
		commandtest.WriteProgram(t, file, "#!/bin/sh\necho "+file+" >>"+filepath.Join(machine, "runs")+"\n"+
			"printf '%s\\n' "+file+" "+version+" cpython final - True True\n")
	}
	asked := []struct{ spec, want string }{
		{">=3.8", "3.14.0"},
		{">=3.10,<3.13", "3.12.1"},
		{">= 3.11, < 3.14", "3.13.2"},
		{"~=3.11", "3.14.0"},
		{"~=3.12.0", "3.12.1"},
		{"==3.11.*", "3.11.7"},
		{">=3.9,!=3.14.*,!=3.13.*", "3.12.1"},
		{"<3.12", "3.11.7"},
		{">3.12.4,<4", "3.14.0"},
		{">=3.13,<3.14", "3.13.2"},
	}
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n")
	want := map[string]string{}
	for i := range 20 {
		name := fmt.Sprintf("p%02d", i)
		a := asked[i%len(asked)]
		want[name] = a.want
		write(name+"/pixi.toml", "[package]\nname = \""+name+"\"\nversion = \"1\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n")
		write(name+"/pyproject.toml", "[project]\nname = \""+name+"\"\nversion = \"1\"\nrequires-python = \""+a.spec+"\"\n")
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	env := []string{"PATH=" + filepath.Join(machine, "bin")}
	uses, err := embedded.New(embedded.Config{
		Runner:    command.NewSystem(env, nil),
		Environ:   env,
		Workspace: w,
		Places: pythons.Places{
			UV:    filepath.Join(machine, "uv"),
			Pyenv: filepath.Join(machine, "home/.pyenv/versions"),
			Tools: []string{filepath.Join(machine, "toolcache")},
		},
	}).Uses(t.Context())
	require.NoError(t, err)
	got := map[string]string{}
	for _, u := range uses {
		if u.Package != "" {
			require.NoError(t, u.Err)
			got[u.Package] = u.Python.Version
		}
	}
	require.Equal(t, want, got)
	together := uses[len(uses)-1]
	require.ErrorContains(t, together.Err, "installing all packages together: no Python from 3.11 to 3.14 meets all requirements: ")
	runs, err := os.ReadFile(filepath.Join(machine, "runs"))
	require.NoError(t, err)
	require.Len(t, strings.Fields(string(runs)), 4)
}
