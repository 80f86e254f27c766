package lacking_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
)

// `lacks` returns the missing files as "path: why".
func lacks(t *testing.T, repo *gitrepo.Repo, packed ...string) []string {
	t.Helper()
	found, err := lacking.Find(t.Context(), repo, packed, nil)
	require.NoError(t, err)
	return said(found)
}

func said(found []lacking.Lack) []string {
	out := []string{}
	for _, l := range found {
		out = append(out, l.Path+": "+l.Why)
	}
	return out
}

const lfsPointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"

// Placeholders and missing files are found. Files that git reports as changed are not.
func TestLacking(t *testing.T) {
	t.Parallel()
	const pointer = "is only a pointer to a file in Git LFS"
	for _, c := range []struct {
		name string
		do   func(dir string, git func(args ...string) string)
		want []string
	}{
		{"nothing", func(string, func(...string) string) {}, nil},
		{
			name: "a pointer with its attribute",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
				gitrepotest.Write(t, dir, "pkg/data/model.bin", lfsPointer)
			},
			want: []string{"pkg/data/model.bin: " + pointer},
		},
		{
			name: "a pointer without its attribute",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, "pkg/ü b.bin", lfsPointer)
			},
			want: []string{"pkg/ü b.bin: " + pointer},
		},
		{
			name: "an intended pointer",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, "pkg/.gitattributes", "fixture -filter\n")
				gitrepotest.Write(t, dir, "pkg/fixture", lfsPointer)
			},
			want: nil,
		},
		{"a pointer elsewhere", func(dir string, git func(...string) string) { gitrepotest.Write(t, dir, "docs/x.png", lfsPointer) }, nil},
		{
			name: "a text about pointers",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, "pkg/README", "The first line is\n"+lfsPointer)
			},
			want: nil,
		},
		{
			name: "git-crypt",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, ".gitattributes", "secret filter=git-crypt diff=git-crypt\n")
				gitrepotest.Write(t, dir, "pkg/secret", "\x00GITCRYPT\x00"+strings.Repeat("x", 5000))
			},
			want: []string{"pkg/secret: is encrypted by git-crypt"},
		},
		{
			name: "git-annex",
			do: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, "pkg/pointer", "/annex/objects/SHA256E-s1--e3b0c44298fc1c149afbf4c8996fb924.bin\n")
				require.NoError(t, os.Symlink("../.git/annex/objects/aa/bb/SHA256E-s1--x.bin/SHA256E-s1--x.bin", filepath.Join(dir, "pkg", "link")))
				require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "pkg", "dangling")))
			},
			want: []string{"pkg/link: is a link to a file in git-annex, which is not in this clone", "pkg/pointer: is only a pointer to a file in git-annex"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := gitrepotest.Open(t)
			gitrepotest.Write(t, dir, "pkg/a.py", "a = 1\n")
			gitrepotest.Write(t, dir, "pkgs/a.py", "a = 1\n")
			c.do(dir, git)
			git("-c", "filter.lfs.clean=cat", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false", "add", "-A")
			require.Equal(t, append([]string{}, c.want...), lacks(t, repo, "pkg"))
		})
	}
}

// Changed files that git was told to ignore, and files that a sparse checkout omits, are found.
func TestLackingUnseen(t *testing.T) {
	t.Parallel()
	repo, dir, git := gitrepotest.Open(t)
	for _, name := range []string{"pkg/a", "pkg/b", "pkg/c", "pkg/deep/d", "other/e"} {
		gitrepotest.Write(t, dir, name, name)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	git("update-index", "--assume-unchanged", "pkg/a")
	git("update-index", "--skip-worktree", "pkg/b", "pkg/c")
	require.Empty(t, lacks(t, repo, "pkg"), "these files have their committed contents")
	gitrepotest.Write(t, dir, "pkg/a", "A")
	gitrepotest.Write(t, dir, "pkg/b", "B")
	require.Empty(t, git("status", "--porcelain"))
	const changed = "is changed, but git was told to ignore changes of this file (assume-unchanged or skip-worktree)"
	require.Equal(t, []string{"pkg/a: " + changed, "pkg/b: " + changed}, lacks(t, repo, "pkg", "other"))

	repo, dir, git = gitrepotest.Open(t)
	for _, name := range []string{"pkg/a", "pkg/deep/d", "other/e", "pkg/pixi.toml", "other/pixi.toml"} {
		gitrepotest.Write(t, dir, name, name)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	git("sparse-checkout", "set", "--no-cone", "/*", "!/pkg/deep/", "!/other/")
	const out = "is left out of this work tree (a sparse checkout)"
	require.Equal(t, []string{"pkg/deep/d: " + out}, lacks(t, repo, "pkg"))
	require.Equal(t, []string{"other/e: " + out, "other/pixi.toml: " + out, "pkg/deep/d: " + out}, lacks(t, repo, "."))
	absent, err := lacking.LeftOut(t.Context(), repo, "pixi.toml")
	require.NoError(t, err)
	require.Equal(t, []string{"other/pixi.toml"}, absent)

	// A clone made by Borrow is complete.
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, git("rev-parse", "HEAD")))
	require.FileExists(t, filepath.Join(clone, "pkg", "deep", "d"))
}

// BenchmarkLacking measures Find for a large package.
func BenchmarkLacking(b *testing.B) {
	dir := b.TempDir()
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull), nil)
	for i := range 3000 {
		name := filepath.Join(dir, "pkg", fmt.Sprint(i%50), fmt.Sprint(i)+".py")
		require.NoError(b, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(b, os.WriteFile(name, []byte("x = 1\n"), 0o644))
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(b, run.Run(b.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	repo, err := gitrepo.Open(b.Context(), run, dir)
	require.NoError(b, err)
	for b.Loop() {
		_, err := lacking.Find(b.Context(), repo, []string{"pkg"}, nil)
		require.NoError(b, err)
	}
}
