package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostBytes limits the size of a magefile that does little besides importing the targets, compiled by mage with symbols. The limit was set ten
// percent above the size at that time. Before you raise it, see what could run as a separate program instead (ARCHITECTURE, "Light for importers").
const mostBytes = 34_000_000

// modulesFile lists the modules that such a magefile links. Everyone who imports the targets has to compile all of them.
const modulesFile = "testdata/modules.txt"

const foreignMagefile = `//go:build mage

package main

import (
	//mage:import
	_ "github.com/foopack/foopack/magefiles/targets"
)
`

// The size of an importing magefile stays below the limit.
func TestSizeOfAForeignMagefile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("the limit is for linux on amd64")
	}
	program := filepath.Join(t.TempDir(), "targets")
	require.NoError(t, compileMagefile([]byte(foreignMagefile), program))
	info, err := os.Stat(program)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(mostBytes), "a magefile that imports the targets has %d bytes", info.Size())
	require.Greater(t, info.Size(), int64(mostBytes*2/3), "the limit has become too wide: set it some ten percent above %d", info.Size())
}

// An importing magefile links only the modules in the list.
func TestModulesThatAForeignMagefileLinks(t *testing.T) {
	t.Parallel()
	mod, sum, err := otherModule()
	require.NoError(t, err)
	dir := t.TempDir()
	for name, data := range map[string]string{"go.mod": string(mod), "go.sum": string(sum), "magefile.go": foreignMagefile} {
		write(t, dir, name, data)
	}
	got := modulesOf(t, dir)
	if *update {
		require.NoError(t, os.WriteFile(modulesFile, []byte(strings.Join(got, "\n")+"\n"), 0o644))
	}
	want, err := os.ReadFile(modulesFile)
	require.NoError(t, err)
	require.Equal(t, strings.Fields(string(want)), got, "whoever imports the targets links other modules than before; if that has to be, write the list by -update")
}

// modulesOf returns the modules of all direct and indirect imports of the packages in a folder, except the folder's own module.
func modulesOf(t *testing.T, dir string) (modules []string) {
	t.Helper()
	cmd := exec.Command("go", "list", "-mod=mod", "-tags=mage", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}", ".")
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err)
	modules = strings.Fields(string(out))
	slices.Sort(modules)
	return slices.Compact(modules)
}

// modulesOf also finds a module whose package is imported only by the importer's own file.
func TestModulesOfAMagefile(t *testing.T) {
	t.Parallel()
	mod, sum, err := otherModule()
	require.NoError(t, err)
	for imported, module := range map[string]string{
		"golang.org/x/sync/errgroup":          "golang.org/x/sync",
		"github.com/stretchr/testify/require": "github.com/stretchr/testify",
	} {
		dir := t.TempDir()
		for name, data := range map[string]string{"go.mod": string(mod), "go.sum": string(sum), "magefile.go": "//go:build mage\n\npackage main\n\nimport _ \"" + imported + "\"\n"} {
			write(t, dir, name, data)
		}
		require.Contains(t, modulesOf(t, dir), module, imported)
	}
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.org/other\n\ngo 1.26\n")
	write(t, dir, "main.go", "package main\n\nimport _ \"net/http\"\n")
	require.Empty(t, modulesOf(t, dir), "the standard library is no module")
}
