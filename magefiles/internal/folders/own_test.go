package folders_test

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// TestHostileLinksOfOwnFolders refuses committed symlinks at locations that builds write to, and any symlinks that redirect our own folders. It
// accepts the user's symlink at a whole folder, and symlinks that stay inside.
func TestHostileLinksOfOwnFolders(t *testing.T) {
	own := []folders.Own{
		{Folder: "output", Parts: []string{"rehearsal", "release", "images", "images/app", "channels"}},
		{Folder: ".pixi", Parts: []string{"embedded", "overlay"}},
		{Folder: "app/.pixi", Parts: []string{"embedded", "overlay"}},
	}
	for name, c := range map[string]struct {
		links   map[string]string // symlink targets; OUT is a folder outside the repository
		own     bool              // whether the symlinks are untracked
		refused string            // the symlink that is refused, or "" if all are accepted
	}{
		"output":                      {links: map[string]string{"output": "OUT"}, refused: "output"},
		"output inside":               {links: map[string]string{"output": "real"}, refused: "output"},
		"output, to a missing folder": {links: map[string]string{"output": "OUT/none"}, refused: "output"},
		"a rehearsal":                 {links: map[string]string{"output/rehearsal": "OUT"}, refused: "output/rehearsal"},
		"a rehearsal inside":          {links: map[string]string{"output/rehearsal": "../real"}, refused: "output/rehearsal"},
		"an image's folder":           {links: map[string]string{"output/images": "OUT"}, refused: "output/images"},
		"an image":                    {links: map[string]string{"output/images/app": "OUT"}, refused: "output/images/app"},
		"environments of release":     {links: map[string]string{"output/release/environments": "OUT"}, refused: "output/release/environments"},
		"a channel":                   {links: map[string]string{"output/channels/x/noarch": "OUT"}, refused: "output/channels/x/noarch"},
		"a record":                    {links: map[string]string{"output/publish.json": "OUT/file"}, refused: "output/publish.json"},
		"an artifact":                 {links: map[string]string{"output/a-1-0.conda": "OUT/file"}, refused: "output/a-1-0.conda"},
		"a .gitignore in output":      {links: map[string]string{"output/.gitignore": "../real/file"}, refused: "output/.gitignore"},
		"any name":                    {links: map[string]string{"output/x": "OUT/file"}, refused: "output/x"},
		"pixi":                        {links: map[string]string{".pixi": "OUT"}, refused: ".pixi"},
		"a .gitignore of pixi":        {links: map[string]string{".pixi/.gitignore": "OUT/file"}, refused: ".pixi/.gitignore"},
		"a .gitignore of pixi, to a missing file": {links: map[string]string{".pixi/.gitignore": "../real/none"}, refused: ".pixi/.gitignore"},
		"environments":           {links: map[string]string{".pixi/embedded": "OUT"}, refused: ".pixi/embedded"},
		"one environment":        {links: map[string]string{".pixi/embedded/default": "OUT"}, refused: ".pixi/embedded/default"},
		"one environment inside": {links: map[string]string{".pixi/envs/default": "../../real"}, refused: ".pixi/envs/default"},
		"overlay":                {links: map[string]string{".pixi/overlay/sources": "OUT"}, refused: ".pixi/overlay/sources"},
		"pixi of a downstream":   {links: map[string]string{"app/.pixi": "OUT"}, refused: "app/.pixi"},
		"the configuration, out of the work tree": {links: map[string]string{".pixi/config.toml": "OUT/file"}, refused: ".pixi/config.toml"},
		"through another link":                    {links: map[string]string{"output/rehearsal": "../by", "by": "OUT"}, refused: "output/rehearsal"},

		"a person's rehearsal":                  {links: map[string]string{"output/rehearsal": "OUT"}, own: true, refused: "output/rehearsal"},
		"a person's environments":               {links: map[string]string{".pixi/embedded": "OUT"}, own: true, refused: ".pixi/embedded"},
		"a person's image":                      {links: map[string]string{"output/images/app": "OUT"}, own: true, refused: "output/images/app"},
		"a person's overlay of a downstream":    {links: map[string]string{"app/.pixi/overlay": "OUT"}, own: true, refused: "app/.pixi/overlay"},
		"a person's output":                     {links: map[string]string{"output": "OUT", ".pixi": "OUT", "app/.pixi": "OUT"}, own: true},
		"a person's rehearsal inside":           {links: map[string]string{"output/rehearsal": "../real"}, own: true},
		"a person's rehearsal in output":        {links: map[string]string{"output": "OUT", "OUT/rehearsal": "kept"}, own: true},
		"environments of pixi in another place": {links: map[string]string{".pixi/envs": "OUT"}, own: true},
		"a setting of pixi":                     {links: map[string]string{".pixi/config.toml": "../real/file", ".pixi/.gitignore": "../real/file"}},
		"another file in output":                {links: map[string]string{"output/docs": "../real"}},
		"elsewhere":                             {links: map[string]string{"docs/output": "../real", "x": "OUT"}},
	} {
		for _, prefix := range []string{"", "some/where"} {
			t.Run(name+" "+prefix, func(t *testing.T) {
				t.Parallel()
				top, run := gitrepotest.New(t)
				root, outside := filepath.Join(top, prefix), t.TempDir()
				for _, file := range []string{"real/file", "app/pixi.toml", "OUT/file", "OUT/kept/file"} {
					file = place(root, outside, file)
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, os.WriteFile(file, []byte("x"), 0o644))
				}
				for link, leads := range c.links {
					link = place(root, outside, link)
					require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
					require.NoError(t, os.Symlink(strings.ReplaceAll(leads, "OUT", outside), link))
				}
				if !c.own {
					require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"add", "--force", "--all"}, Dir: top}))
				}
				err := folders.CheckOwn(t.Context(), run, root, own...)
				if c.refused == "" {
					require.NoError(t, err)
					return
				}
				named := c.refused
				if !c.own {
					named = path.Join(prefix, named)
				}
				require.ErrorContains(t, err, strconv.Quote(named))
				require.NotEmpty(t, operr.NextOf(err))
				for _, o := range own { // without Parts, only tracked symlinks are refused
					if c.own {
						require.NoError(t, folders.CheckOwn(t.Context(), run, root, folders.Own{Folder: o.Folder}))
					}
				}
			})
		}
	}
}

// place returns a path below root or below outside.
func place(root, outside, name string) string {
	if below, ok := strings.CutPrefix(name, "OUT/"); ok {
		return filepath.Join(outside, below)
	}
	return filepath.Join(root, name)
}

// TestHostileSubmoduleInOutput refuses a submodule, which git also tracks.
func TestHostileSubmoduleInOutput(t *testing.T) {
	top, run := gitrepotest.New(t)
	require.NoError(t, os.MkdirAll(filepath.Join(top, "output"), 0o755))
	for _, name := range []string{"output/rehearsal", "output/x"} {
		args := []string{"update-index", "--add", "--cacheinfo", "160000,1111111111111111111111111111111111111111," + name}
		require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: top}))
		require.ErrorContains(t, folders.CheckOwn(t.Context(), run, top, folders.Own{Folder: "output"}), "another repository")
		require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"update-index", "--force-remove", name}, Dir: top}))
	}
	require.NoError(t, folders.CheckOwn(t.Context(), run, top, folders.Own{Folder: "output"}))
}

// TestOwnFoldersOutsideOfGit accepts all symlinks outside a git repository, except ones that redirect our own subfolders.
func TestOwnFoldersOutsideOfGit(t *testing.T) {
	_, run := gitrepotest.New(t)
	root, outside := t.TempDir(), t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(root, "output")))
	require.NoError(t, folders.CheckOwn(t.Context(), run, root, folders.Own{Folder: "output", Parts: []string{"rehearsal"}}))
	require.NoError(t, os.Symlink(root, filepath.Join(outside, "rehearsal")))
	require.NoError(t, os.Mkdir(filepath.Join(root, "sub"), 0o755))
	require.NoError(t, os.Symlink(t.TempDir(), filepath.Join(root, "sub", "embedded")))
	require.NoError(t, folders.CheckOwn(t.Context(), run, root, folders.Own{Folder: "output", Parts: []string{"rehearsal"}}), "the link leads to the workspace")
	require.ErrorContains(t, folders.CheckOwn(t.Context(), run, root, folders.Own{Folder: "sub", Parts: []string{"embedded"}}), "leads out of the work tree")
}
