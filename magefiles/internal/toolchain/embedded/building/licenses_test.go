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

// TestHostileLicenses packs no file from outside of the repository, by a link or by a path.
func TestHostileLicenses(t *testing.T) {
	for name, c := range map[string]struct {
		file, leads string // of the package; OUT is a folder outside, TOP the repository
		refused     bool
	}{
		"the kernel's":       {"LICENSE", "/proc/self/environ", true},
		"a link out":         {"LICENSE", "OUT/secret", true},
		"by steps":           {"LICENSE", "../../../outside/secret", true},
		"a path that is up":  {"../../../outside/secret", "", true},
		"a full path":        {"OUT/secret", "", true},
		"one up from a link": {"docs/../secret", "OUT/folder", true},
		"of the repository":  {"../../LICENSE", "", false},
		"a link inside":      {"COPYING", "../../LICENSE", false},
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
					require.ErrorContains(t, err, "what is there would be published")
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
