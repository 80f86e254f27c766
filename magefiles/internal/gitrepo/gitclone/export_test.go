package gitclone_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

func TestExport(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.Write(t, dir, ".gitignore", "*.log\n")
	gitrepotest.Write(t, dir, "app folder/a.txt", "a\n")
	gitrepotest.Write(t, dir, "app folder/sub/ü.txt", "u\n")
	gitrepotest.Write(t, dir, "app", "a file whose name begins alike\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	commit := git("rev-parse", "HEAD")
	gitrepotest.Write(t, dir, "app folder/a.txt", "changed\n")
	gitrepotest.Write(t, dir, "app folder/x.log", "ignored\n")
	gitrepotest.Write(t, dir, "app folder/new.txt", "unknown\n")
	before := git("status", "--porcelain", "--ignored")

	out := filepath.Join(t.TempDir(), "out put")
	require.NoError(t, gitclone.Export(t.Context(), repo, commit, "app folder", out))
	require.Equal(t, map[string]string{"app folder/a.txt": "a\n", "app folder/sub/ü.txt": "u\n"}, gitrepotest.Files(t, out))
	require.Equal(t, before, git("status", "--porcelain", "--ignored"), "the repository stays as it is")

	all := filepath.Join(t.TempDir(), "all")
	require.NoError(t, gitclone.Export(t.Context(), repo, commit, ".", all))
	require.Contains(t, gitrepotest.Files(t, all), "app")
	require.Error(t, gitclone.Export(t.Context(), repo, "1111111111111111111111111111111111111111", ".", t.TempDir()))
}

// A folder name is not used as a pattern, and only that folder is exported.
func TestExportFoldersOfOddNames(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	names := []string{"a[bc]d", "abd", "acd", "a*", "a?d", ":(top)x", "-x", "é ü"}
	for _, name := range names {
		gitrepotest.Write(t, dir, name+"/file", name+"\n")
	}
	git("add", "-A")
	git("commit", "-q", "-m", "feat: names")
	for _, name := range names {
		out := filepath.Join(t.TempDir(), "out")
		require.NoError(t, gitclone.Export(t.Context(), repo, "HEAD", name, out), name)
		require.Equal(t, map[string]string{name + "/file": name + "\n"}, gitrepotest.Files(t, out))
	}
}

// A submodule, nested or not, is exported at its recorded commit, whatever is checked out there. If a submodule is missing, the error names it, and
// no empty folder is exported.
func TestExportSubmodules(t *testing.T) {
	_, inner, gitInner := gitrepotest.Open(t)
	gitrepotest.Write(t, inner, ".index", "a file of that name\n")
	gitInner("add", "-A")
	gitInner("commit", "-q", "-m", "inner")
	_, lib, gitLib := gitrepotest.Open(t)
	gitLib("-c", "protocol.file.allow=always", "submodule", "add", "-q", inner, "deep er")
	gitrepotest.Write(t, lib, "lib.py", "DATA = 1\n")
	gitLib("add", "-A")
	gitLib("commit", "-q", "-m", "lib")
	repo, dir, git := gitrepotest.Open(t)
	git("-c", "protocol.file.allow=always", "submodule", "add", "-q", lib, "app/vendor")
	git("-c", "protocol.file.allow=always", "submodule", "add", "-q", lib, "elsewhere")
	git("-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive", "app/vendor")
	git("commit", "-q", "-m", "submodules")
	commit := git("rev-parse", "HEAD")
	git("-C", "app/vendor", "checkout", "-q", "HEAD^")
	gitrepotest.Write(t, dir, "app/vendor/more", "unknown\n")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "elsewhere")))
	want := map[string]string{
		"app/vendor/.gitignore": "*.log\n", "app/vendor/sub/file": "first\n", "app/vendor/lib.py": "DATA = 1\n",
		"app/vendor/deep er/.gitignore": "*.log\n", "app/vendor/deep er/sub/file": "first\n", "app/vendor/deep er/.index": "a file of that name\n",
	}
	with := func(out map[string]string) map[string]string { delete(out, "app/vendor/.gitmodules"); return out }
	out := t.TempDir()
	require.NoError(t, gitclone.Export(t.Context(), repo, commit, "app", out))
	require.Equal(t, want, with(gitrepotest.Files(t, out)))
	out = t.TempDir()
	require.NoError(t, gitclone.Export(t.Context(), repo, commit, "app/vendor", out), "the folder is one itself")
	require.Equal(t, want, with(gitrepotest.Files(t, out)))

	err := gitclone.Export(t.Context(), repo, commit, ".", t.TempDir())
	require.ErrorContains(t, err, "the files of the submodule elsewhere are not in this clone")
	require.Contains(t, fmt.Sprintf("%+v", err), "→ `git submodule update --init --recursive elsewhere`")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "app/vendor/deep er")))
	require.ErrorContains(t, gitclone.Export(t.Context(), repo, commit, "app", t.TempDir()), "the files of the submodule app/vendor/deep er are not in this clone")
	git("update-index", "--cacheinfo", "160000,1111111111111111111111111111111111111111,app/vendor")
	git("commit", "-q", "-m", "a commit that nobody has")
	require.ErrorContains(t, gitclone.Export(t.Context(), repo, "HEAD", "app", t.TempDir()), "the submodule app/vendor needs its recorded commit 111111111111, which is not in this clone")
}

// Exported modes depend only on the commit, not on the umask during checkout or export.
func TestExportModes(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.Write(t, dir, "app/tool", "#!/bin/sh\n")
	gitrepotest.Write(t, dir, "app/deep/text", "x\n")
	require.NoError(t, os.Chmod(filepath.Join(dir, "app", "tool"), 0o700))
	require.NoError(t, os.Symlink("deep/text", filepath.Join(dir, "app", "link")))
	git("add", "-A")
	git("commit", "-q", "-m", "files")
	require.NoError(t, os.Chmod(filepath.Join(dir, "app", "deep", "text"), 0o666))
	for _, mask := range []int{0o022, 0o002, 0o077, 0o027, 0} {
		out := filepath.Join(t.TempDir(), "out")
		before := syscall.Umask(mask)
		err := gitclone.Export(t.Context(), repo, "HEAD", "app", out)
		syscall.Umask(before)
		require.NoError(t, err)
		modes := map[string]string{}
		require.NoError(t, filepath.WalkDir(out, func(path string, e os.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := e.Info()
			require.NoError(t, err)
			name, err := filepath.Rel(out, path)
			require.NoError(t, err)
			if e.Type() != os.ModeSymlink {
				modes[name] = fmt.Sprintf("%o", info.Mode().Perm())
			}
			return nil
		}))
		require.Equal(t, map[string]string{".": "755", "app": "755", "app/deep": "755", "app/deep/text": "644", "app/tool": "755"}, modes, "umask %o", mask)
	}
}
