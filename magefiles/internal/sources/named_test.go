package sources_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/sources"
)

// TestHostileNamedFiles checks that files outside the repository that manifests refer to, by symlink or by path, are rejected before anything is
// built.
func TestHostileNamedFiles(t *testing.T) {
	const project = "[project]\nname = \"one\"\nversion = \"1.0.0\"\n"
	link := func(name, leads string) map[string]string { return map[string]string{name: leads} }
	for name, c := range map[string]struct {
		project string            // text after [project]; OUT stands for a folder outside of the repository
		pkg     string            // text after [package]
		setup   string            // setup.cfg
		links   map[string]string // relative to one/
		refused bool
	}{
		"a readme":                                          {project: "readme = \"README.md\"\n", links: link("README.md", "OUT/file"), refused: true},
		"a readme of the kernel":                            {project: "readme = \"README.md\"\n", links: link("README.md", "/proc/self/environ"), refused: true},
		"a readme that does not exist yet":                  {project: "readme = \"README.md\"\n", links: link("README.md", "OUT/later"), refused: true},
		"a readme in a table":                               {project: "readme = { file = \"docs/README.md\", content-type = \"text/markdown\" }\n", links: link("docs", "OUT"), refused: true},
		"a readme by its full path":                         {project: "readme = \"OUT/file\"\n", refused: true},
		"a readme above the repository":                     {project: "readme = \"../../../../../outside/file\"\n", refused: true},
		"a readme beside the target of a link":              {project: "readme = \"docs/../file\"\n", links: link("docs", "OUT/folder"), refused: true},
		"a license":                                         {project: "license = { file = \"LICENSE\" }\n", links: link("LICENSE", "/proc/self/environ"), refused: true},
		"licenses":                                          {project: "license-files = [\"LICEN*\"]\n", links: link("LICENSE", "OUT/file"), refused: true},
		"licenses elsewhere":                                {project: "license-files = [\"OUT/*\"]\n", refused: true},
		"licenses above the repository":                     {project: "license-files = [\"../../../../*\"]\n", refused: true},
		"a license of the package":                          {pkg: "license-file = \"LICENSE\"\n", links: link("LICENSE", "OUT/file"), refused: true},
		"a readme of the package":                           {pkg: "readme = \"OUT/file\"\n", refused: true},
		"a version":                                         {project: "[tool.hatch.version]\npath = \"version.py\"\n", links: link("version.py", "OUT/file"), refused: true},
		"a field of setuptools":                             {project: "[tool.setuptools.dynamic]\ndescription = { file = [\"a.txt\", \"b.txt\"] }\n", links: link("b.txt", "OUT/file"), refused: true},
		"a fragment":                                        {project: "[[tool.hatch.metadata.hooks.fancy-pypi-readme.fragments]]\npath = \"b.txt\"\n", links: link("b.txt", "OUT/file"), refused: true},
		"a file that is packed under another name":          {project: "[tool.hatch.build.targets.wheel.force-include]\n\"b.txt\" = \"one/c.txt\"\n", links: link("b.txt", "OUT/file"), refused: true},
		"a path with .. in the middle":                      {project: "[tool.setuptools.package-data]\none = [\"src/../../../../../etc/hostname\"]\n", refused: true},
		"a readme of setup.cfg":                             {setup: "[metadata]\nlong_description = file: README.rst\n", links: link("README.rst", "OUT/file"), refused: true},
		"one of two files of setup.cfg":                     {setup: "[metadata]\nlong_description = file:A.rst,docs/B.rst\n", links: link("docs/B.rst", "OUT/file"), refused: true},
		"a readme inside the repository":                    {project: "readme = \"README.md\"\n", links: link("README.md", "../two/pyproject.toml")},
		"licenses above the package, inside the repository": {project: "license-files = [\"../LIC*\", \"../two/*.toml\"]\n"},
		"no file with this path":                            {project: "readme = \"README.md\"\nlicense = { text = \"../../../../x\" }\n"},
		"patterns that are anchored":                        {project: "[tool.hatch.build.targets.sdist]\nexclude = [\"/etc\", \"/tests\"]\n"},
		"a link that no setting names":                      {setup: "[metadata]\nname = one\n", links: link("tests/key.txt", "OUT/file")},
	} {
		for _, prefix := range []string{"", "some/where"} {
			t.Run(name+" "+prefix, func(t *testing.T) {
				t.Parallel()
				r := newRepository(t, prefix)
				outside := filepath.Join(filepath.Dir(r.top), "outside")
				write(t, filepath.Join(outside, "file"), "secret")
				write(t, filepath.Join(outside, "folder", "file"), "secret")
				put := func(text string) string { return strings.ReplaceAll(text, "OUT", outside) }
				r.write("one/pyproject.toml", project+put(c.project)+"[build-system]\nrequires = [\"setuptools\"]\nbuild-backend = \"setuptools.build_meta\"\n")
				r.write("one/pixi.toml", "[package]\nname = \"one\"\nversion = \"1.0.0\"\n"+put(c.pkg)+"[package.build.backend]\nname = \"pixi-build-python\"\nversion = \"*\"\n")
				if c.setup != "" {
					r.write("one/setup.cfg", c.setup)
				}
				for link, leads := range c.links {
					file := filepath.Join(r.root(), "one", link)
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, os.Symlink(put(leads), file))
				}
				r.commit()
				for _, s := range []*sources.Sources{r.committed(), r.sources().WorkTree()} {
					_, done, err := take(t, s, "one")
					if c.refused {
						require.ErrorContains(t, err, "and files from outside would be published")
						require.NotEmpty(t, operr.NextOf(err))
						continue
					}
					require.NoError(t, err)
					require.NoError(t, done(nil, nil))
				}
			})
		}
	}
}
