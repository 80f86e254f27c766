package folders_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// The results of builds are removed and listed. A user's own symlink is removed without its target, and a committed symlink is refused.
func TestClean(t *testing.T) {
	elsewhere := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "x"), nil, 0o644))
	require.NoError(t, os.MkdirAll(filepath.Join(elsewhere, "embedded", "results"), 0o755))
	for name, c := range map[string]struct {
		files   []string
		made    []string // files in output that builds recorded; the prefix ! records other content
		link    string   // a symlink to another location
		commits bool     // whether the files are tracked
		said    []string
		err     string
		stays   []string
	}{
		"nothing":      {files: nil, said: []string{"there is nothing to remove"}},
		"artifacts":    {files: []string{"output/a.conda", "output/b.conda"}, made: []string{"a.conda", "b.conda"}, said: []string{"output (a.conda, b.conda), 148 B", "removed: 148 B"}},
		"environments": {files: []string{".pixi/embedded/default/x", ".pixi/envs/default/x"}, said: []string{".pixi/embedded (default), 0 B", "removed: 0 B"}},
		"a downstream's": {
			files: []string{"app/.pixi/embedded/default/x", ".pixi/overlay/app/x"},
			said:  []string{".pixi/overlay (app), 0 B", "app/.pixi/embedded (default), 0 B", "removed: 0 B"},
		},
		"beside a person's files": {
			files: []string{"output/lib-1.0.0-h_0.conda", "output/digests.json", "output/results.csv", "output/numpy-1.0-h_0.conda", "output/plots/x"},
			made:  []string{"lib-1.0.0-h_0.conda", "digests.json"},
			said:  []string{"digests.json, lib-1.0.0-h_0.conda in output, 165 B; these files were not made here and stay: numpy-1.0-h_0.conda and 2 more", "removed: 165 B"},
			stays: []string{"output/results.csv", "output/numpy-1.0-h_0.conda", "output/plots/x"},
		},
		"folders with our names that we did not make": {
			files: []string{"output/images/logo.png", "output/release/notes.md", "output/channels/x", "output/images/app/x"},
			said:  []string{"output stays, because nothing in it was made here: channels and 2 more"},
			stays: []string{"output/images/logo.png", "output/release/notes.md", "output/channels/x"},
		},
		"files with our names that were not made here": { // downloaded from the channel for comparison, or overwritten
			files: []string{"output/lib-0.9.0-h_0.conda", "output/lib-1.0.0-h_0.conda", "output/lib-1.1.0-h_0.conda", "output/publish.json"},
			made:  []string{"lib-1.0.0-h_0.conda", "!lib-1.1.0-h_0.conda", "gone.conda"},
			said:  []string{"lib-1.0.0-h_0.conda in output, 199 B; these files were not made here and stay: lib-0.9.0-h_0.conda and 2 more", "removed: 199 B"},
			stays: []string{"output/lib-0.9.0-h_0.conda", "output/lib-1.1.0-h_0.conda", "output/publish.json"},
		},
		"files that git tracks": {
			files:   []string{"output/lib-1.0.0-h_0.conda", "output/digests.json", ".pixi/embedded/default/x"},
			made:    []string{"lib-1.0.0-h_0.conda", "digests.json"},
			commits: true,
			said:    []string{"output stays, because nothing in it was made here: .made and 2 more", ".pixi/embedded stays: git tracks files in this folder"},
			stays:   []string{"output/lib-1.0.0-h_0.conda", ".pixi/embedded/default/x"},
		},
		"images of a downstream": {files: []string{"output/images/app/x", "output/a.conda"}, made: []string{"a.conda"}, said: []string{"output (a.conda, images), 74 B", "removed: 74 B"}},
		"a link":                 {link: "output", said: []string{"output, a link; the contents of " + elsewhere + " stay", "removed: 0 B"}},
		"behind a link": {
			link:  ".pixi",
			files: []string{"output/a.conda"},
			made:  []string{"a.conda"},
			said:  []string{"output (a.conda), 74 B", ".pixi/embedded stays, because .pixi is a link to " + elsewhere, "removed: 74 B"},
		},
		"only files behind a link": {link: "app/.pixi", said: []string{"app/.pixi/embedded stays, because app/.pixi is a link to " + elsewhere}},
		"a link of the repo":       {link: "output", commits: true, err: `"output" is committed as a link, but builds write there`},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			all := map[string]string{
				"pixi.toml":     "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
				"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
				"app/pixi.toml": "[workspace]\nname = \"app\"\nplatforms = []\nchannels = [\"https://prefix.dev/ours\"]\n[dependencies]\nlib = \"==1.0.0\"\n",
			}
			for _, file := range c.files {
				all[file] = ""
			}
			for file, text := range all {
				path := filepath.Join(root, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			for _, file := range c.made {
				name, other := strings.CutPrefix(file, "!")
				digest := map[bool]string{false: fmt.Sprintf("%x", sha256.Sum256(nil)), true: "of other bytes"}[other]
				require.NoError(t, provenance.NoteMade(filepath.Join(root, "output"), map[string]string{name: digest}))
			}
			if c.link != "" {
				require.NoError(t, os.Symlink(elsewhere, filepath.Join(root, c.link)))
			}
			runner := command.NewSystem(os.Environ(), nil)
			git := [][]string{{"init", "-q"}}
			if c.commits {
				git = append(git, []string{"add", "-A"})
			}
			for _, args := range git {
				require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
			}
			w, err := workspace.Load(root)
			require.NoError(t, err)
			var said []string
			err = folders.Cleaner{
				Runner: runner,
				Remove: os.RemoveAll,
				Agree:  func(context.Context, string) error { return errors.New("asked") },
				Size:   func(bytes int64) string { return fmt.Sprintf("%d B", bytes) },
				Say:    func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) },
			}.Clean(t.Context(), w)
			require.FileExists(t, filepath.Join(elsewhere, "x"))
			require.DirExists(t, filepath.Join(elsewhere, "embedded", "results"))
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				require.Empty(t, said)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.said, said)
			for _, file := range c.stays {
				require.FileExists(t, filepath.Join(root, file))
			}
			if c.stays != nil {
				return
			}
			require.NoDirExists(t, filepath.Join(root, "output"))
			if c.link != ".pixi" {
				require.NoDirExists(t, filepath.Join(root, ".pixi", "embedded"))
			}
		})
	}
}

// Checkout returns the nearest folder, starting with the given one, that contains a .git file or folder.
func TestCheckout(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "repo", ".git"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "repo", "sub", "deep"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo", "sub", ".git"), nil, 0o644))
	for dir, want := range map[string]string{
		"repo":          "repo",
		"repo/sub":      "repo/sub",
		"repo/sub/deep": "repo/sub",
		"repo/gone/far": "repo",
	} {
		require.Equal(t, filepath.Join(root, want), folders.Checkout(filepath.Join(root, dir)), dir)
	}
	require.Equal(t, root, folders.Checkout(root), "a folder outside a repository")
}
