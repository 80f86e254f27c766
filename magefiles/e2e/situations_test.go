package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// In these situations other bump tools rewrite unrelated files, leave temporary files behind, or leave the work tree half updated. Each test runs the
// whole command on a repository of three packages. A full disk and all kills are tested in internal/bump, which can simulate them.
func TestBadSituations(t *testing.T) {
	t.Parallel()
	const core = "packages/core/pixi.toml"
	for _, c := range []struct {
		name   string
		change func(t testing.TB, dir string) // changes the repository before the bump; committed
		dirty  func(t testing.TB, dir string) // changes the repository before the bump; not committed
		says   string                         // the error; "" if the bump succeeds
		diff   string                         // text that the bump's diff must contain
		not    string                         // text that the bump's diff must not contain
	}{
		{name: "a third-party pin with the same number", change: in("packages/p0001/pyproject.toml", `"numpy>=1.26"`, `"otherlib==0.1.6"`), diff: `+dependencies = ["mono-core==0.1.7", "otherlib==0.1.6"]`},
		{name: "the tag exists already", dirty: func(t testing.TB, dir string) { git(t, dir, "tag", "v0.1.7") }, says: "the tag v0.1.7 exists already"},
		{name: "one package had drifted", change: in(core, `version = "0.1.6"`, `version = "0.1.5"`), says: "the manifests disagree in "},
		{name: "a dirty tree, in a version file", dirty: in(core, "[package]", "# mine\n[package]"), says: "the work tree has changes"},
		{
			name: "a staged edit",
			dirty: func(t testing.TB, dir string) {
				in("app/pixi.toml", "[workspace]", "# mine\n[workspace]")(t, dir)
				git(t, dir, "add", "-A")
			},
			says: "the work tree has changes",
		},
		{
			name: "a commit hook that fails",
			dirty: func(t testing.TB, dir string) {
				require.NoError(t, os.MkdirAll(filepath.Join(dir, ".git", "hooks"), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(dir, ".git", "hooks", "pre-commit"), []byte("#!/bin/sh\nexit 1\n"), 0o755))
			},
			says: "the files are restored",
		},
		{name: "a file with CRLF", change: func(t testing.TB, dir string) { in(core, "\n", "\r\n")(t, dir) }, diff: "+version = \"0.1.7\"\r"},
		{name: "a stranger whose name starts with ours", change: in("packages/p0001/pixi.toml", "numpy = \">=1.26,<3\"", "mono-core-extras = \"==0.1.6\""), not: "mono-core-extras"},
		{name: "names that differ by -, _, . and case on the PyPI side", change: in("packages/p0001/pyproject.toml", "mono-core==0.1.6", "Mono_.Core==0.1.6"), diff: `+dependencies = ["Mono_.Core==0.1.7"`},
		{name: "a name that differs by _ on the conda side", change: in("packages/p0001/pixi.toml", "numpy = \">=1.26,<3\"", "mono_core = \"==0.1.6\""), not: "mono_core"},
		{name: "== in a comment and in a description", change: in("packages/p0001/pyproject.toml", `description = "Package 1"`, `description = "mono-core==0.1.6" # mono-core==0.1.6`), not: "description"},
		{
			name: "two manifests with one name",
			change: func(t testing.TB, dir string) {
				require.NoError(t, os.CopyFS(filepath.Join(dir, "packages", "copy"), os.DirFS(filepath.Join(dir, "packages", "core"))))
			},
			says: "two packages are named mono-core",
		},
		{
			name: "a symlinked manifest",
			change: func(t testing.TB, dir string) {
				require.NoError(t, os.Rename(filepath.Join(dir, core), filepath.Join(dir, "core.toml")))
				require.NoError(t, os.Symlink("../../core.toml", filepath.Join(dir, core)))
			},
			diff: "+++ b/core.toml",
			not:  core,
		},
		{name: "a read-only file", dirty: func(t testing.TB, dir string) { require.NoError(t, os.Chmod(filepath.Join(dir, core), 0o444)) }, says: "the file is read-only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := monorepo(t, 3)
			if c.change != nil {
				c.change(t, dir)
				git(t, dir, "add", "-A")
				git(t, dir, "commit", "-q", "-m", "chore: change")
			}
			if c.dirty != nil {
				c.dirty(t, dir)
			}
			before := git(t, dir, "status", "--porcelain") + git(t, dir, "diff", "HEAD") + git(t, dir, "rev-parse", "HEAD") + git(t, dir, "show-ref")
			cmd := exec.Command(filepath.Join(compiled, "targets"), "version:bump", "-to=0.1.7", "-commit", "-tag", "-yes")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
			out, err := cmd.CombinedOutput()
			if c.says != "" {
				require.Error(t, err)
				require.Equal(t, 1, cmd.ProcessState.ExitCode())
				require.Contains(t, string(out), c.says)
				require.Equal(t, before, git(t, dir, "status", "--porcelain")+git(t, dir, "diff", "HEAD")+git(t, dir, "rev-parse", "HEAD")+git(t, dir, "show-ref"))
				return
			}
			require.NoError(t, err, "%s", out)
			diff := git(t, dir, "show", "--format=", "--unified=0", "--no-color")
			require.Contains(t, diff, c.diff)
			if c.not != "" {
				require.NotContains(t, changed(diff), c.not)
			}
			require.Len(t, strings.Split(changed(diff), "\n"), 2*(10+4)+1, "10 versions and 4 pins, before and after")
			require.Empty(t, git(t, dir, "status", "--porcelain"))
		})
	}
}

// `in` replaces text in a file of the repository.
func in(file, old, text string) func(t testing.TB, dir string) {
	return func(t testing.TB, dir string) {
		data, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Contains(t, string(data), old)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(string(data), old, text)), 0o644))
	}
}

// changed returns the changed lines of a diff, without the headers.
func changed(diff string) string {
	var out strings.Builder
	for line := range strings.Lines(diff + "\n") {
		if (line[0] == '+' || line[0] == '-') && !strings.HasPrefix(line, "+++") && !strings.HasPrefix(line, "---") {
			out.WriteString(line)
		}
	}
	return out.String()
}
