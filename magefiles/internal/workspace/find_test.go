package workspace

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// found lists the results of a walk as "folder: manifest + pyproject".
func found(t *testing.T, archive string) []string {
	f, err := find(repo(t, archive))
	require.NoError(t, err)
	return names(f.folders, func(f *folder) string {
		s := f.dir + ": " + f.manifest.Path
		if f.pyproject != nil && f.pyproject != f.manifest {
			s += " + " + f.pyproject.Path
		}
		return s
	})
}

func TestFind(t *testing.T) {
	const root = "-- pixi.toml --\n[workspace]\n"
	for _, c := range []struct {
		name, archive string
		want          []string
	}{
		{
			name: "both files, pyproject only, neither",
			archive: root + `
-- a/pixi.toml --
[package]
-- a/pyproject.toml --
[project]
-- b/pyproject.toml --
[tool.pixi.package]
-- c/pyproject.toml --
[project]
name = "a stranger"
-- d/mojoproject.toml --
[package]
-- d/pixi.toml --
[package]
`,
			want: []string{".: pixi.toml", "a: a/pixi.toml + a/pyproject.toml", "b: b/pyproject.toml", "d: d/pixi.toml"},
		},
		{
			name: "hidden folders and ignored ones, also without git",
			archive: root + `
-- .gitignore --
/output/
build*
!build-tools
*.egg-info/
-- .hidden/pixi.toml --
[package]
-- output/pixi.toml --
[package]
-- sub/output/pixi.toml --
[package]
-- build/pixi.toml --
[package]
-- build-tools/pixi.toml --
[package]
-- deep/.gitignore --
x
!y
-- deep/x/pixi.toml --
[package]
-- deep/y/pixi.toml --
[package]
-- x/pixi.toml --
[package]
-- src/p.egg-info/pixi.toml --
[package]
-- e/.gitignore --
pixi.toml
-- e/pixi.toml --
[package]
`,
			want: []string{".: pixi.toml", "build-tools: build-tools/pixi.toml", "deep/y: deep/y/pixi.toml", "sub/output: sub/output/pixi.toml", "x: x/pixi.toml"},
		},
		{
			name: "an .ignore file is stronger",
			archive: root + `
-- .gitignore --
a
b
-- .ignore --
!a
c
-- a/pixi.toml --
[package]
-- b/pixi.toml --
[package]
-- c/pixi.toml --
[package]
`,
			want: []string{".: pixi.toml", "a: a/pixi.toml"},
		},
		{
			name: "nothing below a nested workspace",
			archive: root + `
-- app/pixi.toml --
[workspace]
-- app/packages/x/pixi.toml --
[package]
-- old/pixi.toml --
[project]
name = "the old spelling"
-- old/x/pixi.toml --
[package]
-- py/pyproject.toml --
[tool.pixi.workspace]
-- py/x/pixi.toml --
[package]
`,
			want: []string{".: pixi.toml", "app: app/pixi.toml", "old: old/pixi.toml", "py: py/pyproject.toml"},
		},
		{
			name: "a symlink to a folder of the workspace adds nothing, and loops end",
			archive: root + `
-- packages/a/pixi.toml --
[package]
-- a-link.link --
packages/a
-- packages/a/loop.link --
..
-- packages/self.link --
.
-- gone.link --
nowhere
`,
			want: []string{".: pixi.toml", "packages/a: packages/a/pixi.toml"},
		},
		{
			name: "a symlink into an ignored folder is followed once",
			archive: root + `
-- .gitignore --
store
-- store/v1/pixi.toml --
[package]
-- current.link --
store/v1
-- latest.link --
store/v1
`,
			want: []string{".: pixi.toml", "current: store/v1/pixi.toml"},
		},
		{
			name: "a symlinked manifest is its target, and counts once",
			archive: root + `
-- a/pixi.toml --
[package]
-- 0-before/pixi.toml.link --
../a/pixi.toml
-- b/pixi.toml.link --
../a/pixi.toml
-- c/pixi.toml --
[package]
-- c/pyproject.toml.link --
../shared/common.toml
-- d/pixi.toml.link --
../shared/member.toml
-- shared/common.toml --
[project]
-- shared/member.toml --
[package]
`,
			want: []string{".: pixi.toml", "a: a/pixi.toml", "c: c/pixi.toml + shared/common.toml", "d: shared/member.toml"},
		},
		{
			name: "the root is the root, ignored and behind a symlink",
			archive: `
-- .gitignore --
/pixi.toml
-- pixi.toml.link --
config/pixi.toml
-- config/pixi.toml --
[workspace]
-- a/pixi.toml --
[package]
`,
			want: []string{".: config/pixi.toml", "a: a/pixi.toml"},
		},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, found(t, c.archive)) })
	}
}

// The walk does not follow symlinks out of the workspace.
func TestFindOutside(t *testing.T) {
	other := repo(t, "-- x/pixi.toml --\n[package]\n")
	root := repo(t, "-- pixi.toml --\n[workspace]\n-- a/keep --\n")
	require.NoError(t, os.Symlink(filepath.Join(other, "x"), filepath.Join(root, "linked")))
	require.NoError(t, os.Symlink(filepath.Join(other, "x", "pixi.toml"), filepath.Join(root, "a", "pixi.toml")))
	f, err := find(root)
	require.NoError(t, err)
	require.Len(t, f.folders, 1)
}

// If a workspace is in a subfolder of a git repository, the repository's .gitignore applies, but not a .gitignore file above the repository.
func TestOuterIgnore(t *testing.T) {
	root := repo(t, `
-- .gitignore --
b
-- git/.git/HEAD --
-- git/.gitignore --
generated/
/ws/c
-- git/ws/pixi.toml --
[workspace]
-- git/ws/generated/pixi.toml --
[package]
-- git/ws/b/pixi.toml --
[package]
-- git/ws/c/pixi.toml --
[package]
`)
	f, err := find(filepath.Join(root, "git", "ws"))
	require.NoError(t, err)
	require.Equal(t, []string{".", "b"}, names(f.folders, func(f *folder) string { return f.dir }))
}

func TestFindRoot(t *testing.T) {
	root := repo(t, `
-- pyproject.toml --
[tool.pixi.workspace]
-- packages/a/pixi.toml --
[package]
-- packages/a/src/x --
-- app/mojoproject.toml --
[workspace]
-- app/src/x --
`)
	for from, want := range map[string]string{".": ".", "packages/a/src": ".", "app/src": "app"} {
		got, err := findRoot(filepath.Join(root, from))
		require.NoError(t, err)
		require.Equal(t, filepath.Join(root, want), got, from)
	}
}
