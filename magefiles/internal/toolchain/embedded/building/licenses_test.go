package building

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// TestHostileLicenses checks that no file outside the repository is packed, whether referred to by a symlink or a path.
func TestHostileLicenses(t *testing.T) {
	for name, c := range map[string]struct {
		file, leads string // a path in the package, and its symlink target; OUT is outside of the repository, and TOP is the repository
		refused     bool
	}{
		"a link to a file of the kernel":     {"LICENSE", "/proc/self/environ", true},
		"a link to the outside":              {"LICENSE", "OUT/secret", true},
		"a link with ..":                     {"LICENSE", "../../../outside/secret", true},
		"a path with ..":                     {"../../../outside/secret", "", true},
		"an absolute path":                   {"OUT/secret", "", true},
		"a path with .. after a link":        {"docs/../secret", "OUT/folder", true},
		"a file of the repository":           {"../../LICENSE", "", false},
		"a link to a file of the repository": {"COPYING", "../../LICENSE", false},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			repo, outside := filepath.Join(top, "repo"), filepath.Join(top, "outside")
			for _, dir := range []string{filepath.Join(repo, ".git"), filepath.Join(repo, "ws", "a"), filepath.Join(outside, "folder")} {
				require.NoError(t, os.MkdirAll(dir, 0o755))
			}
			require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(repo, "LICENSE"), []byte("license"), 0o644))
			put := strings.NewReplacer("OUT", outside)
			link := c.file
			if first, _, up := strings.Cut(c.file, "/.."); up && first != ".." {
				link = first
			}
			if c.leads != "" {
				require.NoError(t, os.Symlink(put.Replace(c.leads), filepath.Join(repo, "ws", "a", link)))
			}
			w := &workspace.Workspace{Root: filepath.Join(repo, "ws")}
			p := &workspace.Package{Name: "a", Dir: "a", SourceDir: "a", Project: &manifest.Project{}}
			for _, by := range []func(file string){
				func(file string) { p.Metadata.LicenseFile = file },
				func(file string) { p.Metadata.LicenseFile, p.Project.LicenseFiles = "", []string{file} },
				func(file string) { p.Project.LicenseFiles, p.Project.LicenseFile = nil, file },
			} {
				by(put.Replace(c.file))
				dir := filepath.Join(t.TempDir(), "recipe")
				_, err := writeRecipe(w, p, dir, "", map[string]string{})
				if c.refused {
					require.ErrorContains(t, err, "is outside of the repository, at ")
					require.NoDirExists(t, dir)
					continue
				}
				require.NoError(t, err)
				data, err := os.ReadFile(filepath.Join(dir, filepath.Base(c.file)))
				require.NoError(t, err)
				require.Equal(t, "license", string(data))
			}
		})
	}
}
