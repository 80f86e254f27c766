package workspace

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A workspace without a name is named after its folder, as in pixi. This name must not be used for a public channel.
func TestNameOfTheFolder(t *testing.T) {
	for _, c := range []struct {
		name, folder, manifest  string
		called, channel, served string
		byFolder                bool
	}{
		{"a name", "src", "[workspace]\nname = \"acme\"\n", "acme", "acme", "acme", false},
		{"none", "acme", "[workspace]\n", "acme", "", "acme", true},
		{"an empty name", "acme", "[workspace]\nname = \"\"\n", "acme", "", "acme", true},
		{"a package's", "src", "[workspace]\n[package]\nname = \"core\"\nversion = \"1\"\nbuild.backend.name = \"x\"\n", "core", "core", "core", false},
		{"a channel that is configured", "src", "[workspace]\n[tool.release]\nchannel = \"acme\"\n", "src", "acme", "acme", true},
		{"a folder with blanks", "My Project", "[workspace]\n", "My Project", "", "my-project", true},
		{"a folder with an umlaut", "Größe 2", "[workspace]\n", "Größe 2", "", "gr-e-2", true},
		{"a folder with only other letters", "日本", "[workspace]\n", "日本", "", "workspace", true},
		{"a folder that is not a valid channel", "api", "[workspace]\n", "api", "", "workspace", true},
		{"a folder with a dot", ".hidden", "[workspace]\n", ".hidden", "", "hidden", true},
		{"a very long folder", strings.Repeat("long", 40), "[workspace]\n", strings.Repeat("long", 40), "", strings.Repeat("long", 25), true},
		{"a name that is not a valid channel", "src", "[workspace]\nname = \"Acme & Sons\"\n", "Acme & Sons", "", "acme-sons", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), c.folder)
			require.NoError(t, os.Mkdir(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(c.manifest), 0o644))
			w, err := Load(dir)
			require.NoError(t, err)
			require.Equal(t, []any{c.called, c.channel, c.served, c.byFolder}, []any{w.Manifest.Name, w.Config.Channel, w.EmbeddedChannel(), w.Manifest.ByFolder})
			require.True(t, isChannelName(w.EmbeddedChannel()))
		})
	}
}

// LoadAs loads a copy of a workspace under the original's name. The name applies only if the root manifest does not set one.
func TestLoadAs(t *testing.T) {
	archive := "-- pixi.toml --\n[workspace]\n-- a/pixi.toml --\n" + pkg("a", "") + "-- site/pixi.toml --\n[workspace]\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\na = \"==0.1.0\"\n[tool.image]\ncheck = [\"true\"]\n"
	w, err := LoadAs(repo(t, archive), "acme")
	require.NoError(t, err)
	require.Equal(t, "acme", w.Manifest.Name)
	require.Equal(t, "site", w.Downstreams[0].Name())
	require.Equal(t, "site", w.Downstreams[0].Image.Name)
	w, err = LoadAs(repo(t, strings.Replace(archive, "[workspace]\n", "[workspace]\nname = \"written\"\n", 1)), "acme")
	require.NoError(t, err)
	require.Equal(t, "written", w.Manifest.Name)
}

// If the workspace's folder is the top of a linked worktree, the workspace is named after the main worktree.
func TestNameInAWorktree(t *testing.T) {
	git := func(dir string, args ...string) {
		t.Helper()
		x := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid", "-c", "protocol.file.allow=always"}, args...)...)
		x.Dir = dir
		out, err := x.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	name := func(elements ...string) string {
		t.Helper()
		w, err := Load(filepath.Join(elements...))
		require.NoError(t, err)
		return w.Manifest.Name
	}
	base := t.TempDir()
	acme := filepath.Join(base, "acme")
	for _, dir := range []string{"acme", "acme/below", "super", "here"} {
		require.NoError(t, os.Mkdir(filepath.Join(base, dir), 0o755))
	}
	for _, file := range []string{"pixi.toml", "below/pixi.toml"} {
		require.NoError(t, os.WriteFile(filepath.Join(acme, file), []byte("[workspace]\n"), 0o644))
	}
	git(acme, "init", "-q", "-b", "main")
	git(acme, "add", "-A")
	git(acme, "commit", "-q", "-m", "x")
	git(acme, "worktree", "add", "-q", "-b", "fix", "../wt-fix")
	git(acme, "worktree", "add", "-q", "-b", "again", "../a/b/c")
	git(base, "clone", "-q", "acme", "src")
	git(base, "clone", "-q", "--bare", "acme", "bare.git")
	git(filepath.Join(base, "bare.git"), "worktree", "add", "-q", "-b", "x", "../of-bare")
	git(filepath.Join(base, "here"), "clone", "-q", "--bare", acme, ".bare")
	git(filepath.Join(base, "here", ".bare"), "worktree", "add", "-q", "-b", "x", "../main-x")
	git(base, "clone", "-q", "--separate-git-dir=elsewhere.git", "acme", "apart")
	git(filepath.Join(base, "super"), "init", "-q", "-b", "main")
	git(filepath.Join(base, "super"), "submodule", "--quiet", "add", acme, "sub")

	require.Equal(t, "acme", name(acme))
	require.Equal(t, "acme", name(base, "wt-fix"))
	require.Equal(t, "acme", name(base, "a", "b", "c"))
	require.Equal(t, "below", name(base, "wt-fix", "below"))
	require.Equal(t, "src", name(base, "src"))
	require.Equal(t, "bare", name(base, "of-bare"))
	require.Equal(t, "here", name(base, "here", "main-x"))
	require.Equal(t, "apart", name(base, "apart"))
	require.Equal(t, "sub", name(base, "super", "sub"))
}
