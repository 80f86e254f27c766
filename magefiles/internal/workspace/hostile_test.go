package workspace_test

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestHostileNames checks that Load rejects names that could be parsed as an option or a path.
func TestHostileNames(t *testing.T) {
	for name, c := range map[string]struct{ root, pkg, says string }{
		"remote":   {"[tool.release]\nremote = \"--upload-pack=touch x\"\n", "a", "it begins with a dash"},
		"branch":   {"[tool.release]\nbranch = \"-main\"\n", "a", "it begins with a dash"},
		"branches": {"[tool.release]\nbranch = [\"main\", \"--all\"]\n", "a", "it begins with a dash"},
		"channel":  {"[tool.release]\nchannel = \"-c\"\n", "a", "it begins with a dash"},
		"channels": {"[feature.x]\nchannels = [\"--yes\"]\n", "a", "it begins with a dash"},
		"address":  {"[feature.x]\nchannels = [{ channel = \"-c\", priority = 1 }]\n", "a", "it begins with a dash"},
		"platform": {"[feature.x]\nplatforms = [\"-p\"]\n", "a", "it begins with a dash"},
		"option":   {"", "-rf", "a package cannot be called"},
		"path":     {"", "../../x", "a package cannot be called"},
		"folder":   {"", "a/b", "a package cannot be called"},
		"absolute": {"", "/etc/x", "a package cannot be called"},
		"dots":     {"", "..", "a package cannot be called"},
		"blank":    {"", "a b", "a package cannot be called"},
		"newline":  {"", "a\\nb", "a package cannot be called"},
		"include":  {"[tool.release]\ninclude = [\"../x\"]\n", "a", "include cannot be"},
		"git":      {"[tool.release]\npass = [\"A=B\"]\n", "a", "pass cannot be"},
		"key":      {"[tool.release]\npass = [\"MY_TOKEN\", \"PREFIX_API_KEY\"]\n", "a", "this variable allows publishing"},
		"id token": {"[tool.release]\npass = [\"ACTIONS_ID_TOKEN_REQUEST_TOKEN\"]\n", "a", "this variable allows publishing"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"pixi.toml":        "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n" + c.root,
				"a/pixi.toml":      "[package]\nname = \"" + c.pkg + "\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
				"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1.0\"\n",
			} {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			_, err := workspace.Load(root)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestHostileNamesOfFiles checks that Load rejects names that would become unsafe file or folder names elsewhere.
func TestHostileNamesOfFiles(t *testing.T) {
	const pkg = "[package]\nname = \"a\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"
	const project = "[project]\nname = \"a\"\nversion = \"1.0\"\n"
	for name, c := range map[string]struct{ root, pkg, project, says string }{
		"environment":          {root: "[environments]\n\"../../x\" = []\n", says: "an environment cannot be called"},
		"environment absolute": {root: "[environments]\n\"/x\" = []\n", says: "an environment cannot be called"},
		"environment dots":     {root: "[environments]\n\"..\" = []\n", says: "an environment cannot be called"},
		"environment table":    {root: "[environments.\"a/b\"]\nfeatures = []\n", says: "an environment cannot be called"},
		"environment option":   {root: "[environments]\n\"-e\" = []\n", says: "an environment cannot be called"},
		"build string":         {pkg: pkg + "build-string-prefix = \"../../x\"\n", says: "build-string-prefix cannot be"},
		"build string option":  {pkg: pkg + "build-string-prefix = \"a/b\"\n", says: "build-string-prefix cannot be"},
		"version":              {pkg: strings.Replace(pkg, "1.0", "../../1", 1), says: "a version cannot be"},
		"version with a line":  {pkg: strings.Replace(pkg, "1.0", "1\\n0", 1), says: "a version cannot be"},
		"script":               {project: project + "[project.scripts]\n\"../../x\" = \"a:main\"\n", says: "a script cannot be called"},
		"script absolute":      {project: project + "[project.scripts]\n\"/etc/x\" = \"a:main\"\n", says: "a script cannot be called"},
		"script in a window":   {project: project + "[project.gui-scripts]\n\"..\" = \"a:main\"\n", says: "a script cannot be called"},
		"script with a line":   {project: project + "[project.scripts]\n\"a\\nb\" = \"a:main\"\n", says: "a script cannot be called"},
		"nothing":              {root: "[environments]\ntest-3_11 = []\n", pkg: pkg + "build-string-prefix = \"cuda.12\"\n", project: project + "[project.scripts]\n\"my-tool.v2\" = \"a:main\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"pixi.toml": "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n" + c.root, "a/pixi.toml": cmp.Or(c.pkg, pkg), "a/pyproject.toml": cmp.Or(c.project, project),
			} {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			_, err := workspace.Load(root)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestHostileLinksOfManifests checks that Load never reads a file outside the workspace through a symlink, but follows symlinks inside.
func TestHostileLinksOfManifests(t *testing.T) {
	const pkg = "[package]\nname = \"a\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\nsource = { path = \"../code\" }\n"
	for name, c := range map[string]struct {
		link, leads string // OUT is a folder outside the workspace
		refused     bool
	}{
		"project":                     {"code/pyproject.toml", "OUT/pyproject.toml", true},
		"project by steps":            {"code/pyproject.toml", "../../outside/pyproject.toml", true},
		"folder of the project":       {"code", "OUT", true},
		"by way of another link":      {"code", "by", true},
		"project inside":              {"code/pyproject.toml", "../other/pyproject.toml", false},
		"folder of the project, ours": {"code", "other", false},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			root, outside := filepath.Join(top, "root"), filepath.Join(top, "outside")
			project := "[project]\nname = \"a\"\nversion = \"1.0\"\n"
			for file, text := range map[string]string{
				"root/pixi.toml": "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n", "root/a/pixi.toml": pkg,
				"outside/pyproject.toml": project, "root/other/pyproject.toml": project,
			} {
				path := filepath.Join(top, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			require.NoError(t, os.Symlink(outside, filepath.Join(root, "by")))
			link := filepath.Join(root, c.link)
			require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
			require.NoError(t, os.Symlink(strings.ReplaceAll(c.leads, "OUT", outside), link))
			w, err := workspace.Load(root)
			if c.refused {
				require.ErrorContains(t, err, "cannot read code/pyproject.toml, because it is a link to a file outside of the workspace")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "other/pyproject.toml", w.Packages[0].Pyproject)
		})
	}
}
