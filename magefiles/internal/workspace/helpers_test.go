package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// repo extracts a txtar archive to a new folder and returns the folder. A file NAME.link becomes a symlink NAME to the path in the file.
func repo(t testing.TB, archive string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		if link, ok := strings.CutSuffix(name, ".link"); ok {
			require.NoError(t, os.Symlink(strings.TrimSpace(string(f.Data)), link))
			continue
		}
		require.NoError(t, os.WriteFile(name, f.Data, 0o644))
	}
	return root
}

func load(t testing.TB, archive string) *Workspace {
	t.Helper()
	w, err := Load(repo(t, archive))
	require.NoError(t, err)
	return w
}

// pkg returns the manifest of a package without a pyproject.toml.
func pkg(name, rest string) string {
	return fmt.Sprintf("[package]\nname = %q\nversion = \"0.1.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n%s", name, rest)
}

func names[T any](list []T, name func(T) string) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, name(e))
	}
	return out
}

func packageNames(list []*Package) []string {
	return names(list, func(p *Package) string { return p.Name })
}

func lines(list []Requirement) []string {
	return names(list, func(r Requirement) string {
		s := fmt.Sprintf("%s %s %s: %s %q", r.Pos, r.Kind, r.Table, r.Name, r.Spec)
		if r.Pin != "" {
			s += " pin"
		}
		if r.Path != "" {
			s += " path"
		}
		if r.Inherited {
			s += " inherited"
		}
		return s
	})
}
