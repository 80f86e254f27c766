package bump_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// Problems that prevent a commit or a tag are found before anything is written.
func TestPreflightOfACommit(t *testing.T) {
	for _, c := range []struct {
		name    string
		archive string // defaults to the archive `two`
		req     bump.Request
		do      func(root string, git func(args ...string) string)
		says    string // "" if there is no problem
		next    string
	}{
		{name: "nothing"},
		{
			name: "our tag would be a folder of an existing tag",
			says: "the tag v0.1.7 cannot be made beside the tag v0.1.7/docs",
			next: "git tag NEW v0.1.7/docs",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.7/docs") },
		},
		{
			name:    "an existing tag would be a folder of our tag",
			says:    "the tag a/v0.1.7 cannot be made beside the tag a: ",
			next:    "git tag -d a",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do:      func(_ string, git func(...string) string) { git("tag", "a") },
		},
		{
			name:    "a tag of a tree that would be a folder of our tag",
			says:    "the tag a/v0.1.7 cannot be made beside the tag a: ",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do:      func(_ string, git func(...string) string) { git("tag", "a", "HEAD^{tree}"); git("pack-refs", "--all") },
		},
		{
			name: "our tag exists, but not on a commit",
			says: "the tag v0.1.7 exists already, and does not refer to a commit",
			next: "git tag -d v0.1.7",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.7", "HEAD:a/pixi.toml") },
		},
		{
			name: "a branch with the name of the tag is no problem",
			do:   func(_ string, git func(...string) string) { git("branch", "v0.1.7/x") },
		},
		{
			name: "a tag with the same beginning is no problem",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.70"); git("tag", "v0.1") },
		},
		{
			name:    "a name that git does not allow",
			says:    "git does not allow the tag a..b/v0.1.7: it contains .. or @{",
			next:    "another name",
			archive: independent + pkg("a..b", "0.1.6", ""),
			req:     bump.Request{Only: "a..b"},
		},
		{
			name:    "a name that ends with .lock",
			says:    "git does not allow the tag a.lock/v0.1.7",
			next:    "another name",
			archive: independent + pkg("a.lock", "0.1.6", ""),
			req:     bump.Request{Only: "a.lock"},
		},
		{
			name: "a tag that differs only in case, if files are found in any case",
			says: "the tag v0.1.7 cannot be made beside the tag V0.1.7: their names differ in case only",
			do: func(_ string, git func(...string) string) {
				git("tag", "V0.1.7")
				git("config", "core.ignorecase", "true")
			},
		},
		{
			name:    "a folder that differs only in case, if files are found in any case",
			says:    "the tag a/v0.1.7 cannot be made beside the tag A/v0.1.6",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do: func(_ string, git func(...string) string) {
				git("tag", "A/v0.1.6")
				git("config", "core.ignorecase", "true")
			},
		},
		{
			name: "a tag that differs only in case, if case matters",
			do: func(_ string, git func(...string) string) {
				git("tag", "V0.1.7")
				git("config", "core.ignorecase", "false")
			},
		},
		{
			name: "a new changelog that is ignored",
			req:  bump.Request{Changelog: true},
			says: "CHANGELOG.md is ignored by git (.gitignore:2: CHANGE*), but a release must commit it",
			next: "remove the rule that ignores the file",
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "/.git/\nCHANGE*\n")
			},
		},
		{
			name: "an existing changelog that is ignored",
			req:  bump.Request{Changelog: true},
			says: "CHANGELOG.md is ignored by git",
			next: "git add CHANGELOG.md",
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "*.md\n")
				write(t, root, "CHANGELOG.md", "# Changelog\n")
			},
		},
		{
			name: "a changelog that is excepted from an ignored pattern",
			req:  bump.Request{Changelog: true},
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "*.md\n!CHANGELOG.md\n")
			},
		},
		{
			name: "an edit in a file that git was told to skip",
			says: "a/pixi.toml is changed, but git was told to ignore changes of this file",
			next: "--no-assume-unchanged",
			do: func(root string, git func(...string) string) {
				git("update-index", "--assume-unchanged", "a/pixi.toml")
				write(t, root, "a/pixi.toml", files(t, root)["a/pixi.toml"]+"# mine\n")
			},
		},
		{
			name: "an unchanged file that git was told to skip",
			do:   func(_ string, git func(...string) string) { git("update-index", "--skip-worktree", "a/pixi.toml") },
		},
		{
			name: "a manifest with a double",
			says: "differ in case only",
			next: "git mv",
			do: func(root string, git func(...string) string) {
				require.NoError(t, os.MkdirAll(filepath.Join(root, "B"), 0o755))
				commitFile(t, root, git, "B/PIXI.toml", "x\n")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			archive := c.archive
			if archive == "" {
				archive = two
			}
			root, repo, git := repository(t, archive)
			if c.do != nil {
				c.do(root, git)
			}
			c.req.To, c.req.Date = "patch", "2026-01-02"
			p := plan(t, root, c.req, history{tags: map[string]string{"v0.1.6": git("rev-parse", "HEAD")}})
			before, refs := files(t, root), git("show-ref")
			err := gitStore(repo).Preflight(t.Context(), p, repo, all)
			if c.says == "" {
				require.NoError(t, err, "%+v", err)
				_, err = gitStore(repo).Take(t.Context(), p, repo, all)
				require.NoError(t, err, "%+v", err)
				return
			}
			require.Error(t, err)
			require.Contains(t, fmt.Sprintf("%+v", err), c.says)
			require.Contains(t, fmt.Sprintf("%+v", err), c.next)
			require.Contains(t, err.Error(), "nothing was changed")
			require.Equal(t, before, files(t, root))
			require.Equal(t, refs, git("show-ref"))
		})
	}
}

func commitFile(t *testing.T, root string, git func(args ...string) string, name, text string) {
	write(t, root, name, text)
	git("add", "-f", name)
	git("commit", "-q", "-m", "chore: "+name)
}

// A changelog that is a symlink or a folder, or that exists twice, is an error when the plan is made.
func TestChangelogIsAFile(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(t *testing.T, root string)
		says string
		next string
	}{
		{
			name: "a link to a file",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(filepath.Join(root, "docs"), 0o755))
				write(t, root, "docs/changes.md", "# Changelog\n")
				require.NoError(t, os.Symlink("docs/changes.md", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to docs/changes.md",
			next: "git mv docs/changes.md CHANGELOG.md",
		},
		{
			name: "a link to a file with the name of a command",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(filepath.Join(root, "d"), 0o755))
				write(t, root, "d/$(touch PWN).md", "# Changelog\n")
				require.NoError(t, os.Symlink("d/$(touch PWN).md", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to d/$(touch PWN).md",
			next: "git mv 'd/$(touch PWN).md' CHANGELOG.md",
		},
		{
			name: "a link with another name",
			do: func(t *testing.T, root string) {
				write(t, root, "pixi.toml", strings.Replace(two[len("-- pixi.toml --\n"):strings.Index(two, "-- a/")], "[dependencies]", "[tool.release]\nchangelog = \"NEWS.md\"\n[dependencies]", 1))
				require.NoError(t, os.Symlink("CHANGES", filepath.Join(root, "NEWS.md")))
			},
			says: "NEWS.md is a link to CHANGES",
			next: "git rm NEWS.md",
		},
		{
			name: "a dangling link",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to nowhere",
			next: "whose target does not exist",
		},
		{
			name: "a link out of the workspace",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to /etc/passwd",
			next: "replace the link with a new file: first remove the link with `git rm CHANGELOG.md`",
		},
		{
			name: "a folder",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(filepath.Join(root, "CHANGELOG.md"), 0o755))
			},
			says: "CHANGELOG.md is not a regular file",
			next: "rename this folder or special file",
		},
		{"another case", func(t *testing.T, root string) { write(t, root, "Changelog.md", "# Changelog\n") }, "there is a file Changelog.md", "git mv Changelog.md CHANGELOG.md"},
		{
			name: "both",
			do: func(t *testing.T, root string) {
				write(t, root, "CHANGELOG.md", "# Changelog\n")
				write(t, root, "changelog.MD", "# Changelog\n")
			},
			says: "there is a file changelog.MD",
			next: "keep one of the two",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, two)
			c.do(t, root)
			before := files(t, root)
			said := refused(t, root, bump.Request{To: "patch", Changelog: true})
			require.Contains(t, said, c.says)
			require.Contains(t, said, "→ ")
			require.Contains(t, said, c.next)
			require.Equal(t, before, files(t, root))
			apply(t, root, plan(t, root, bump.Request{To: "patch"}, nil)) // without -changelog this does not matter
		})
	}
}

// Line endings in the changelog are preserved, even if the last line has none.
func TestChangelogKeepsItsLineEnds(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"CRLF", "# Changelog\r\n\r\n## [Unreleased]\r\n\r\n- mine\r\n", "## [Unreleased]\r\n\r\n## [0.1.7] - 2026-01-02\r\n\r\n- mine"},
		{"no final newline", "# Changelog\n\n## [0.1.6]\n\n- old", "## [0.1.7] - 2026-01-02\n"},
		{"no section, no final newline", "# Changelog", "# Changelog\n\n## [0.1.7] - 2026-01-02\n"},
		{"empty", "", "## [0.1.7] - 2026-01-02\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := tree(t, two)
			write(t, root, "CHANGELOG.md", c.text)
			p := plan(t, root, bump.Request{To: "patch", Changelog: true, Date: "2026-01-02"}, history{tags: map[string]string{"v0.1.6": strings.Repeat("1", 40)}})
			apply(t, root, p)
			got := files(t, root)["CHANGELOG.md"]
			require.Contains(t, got, c.want)
			require.Equal(t, strings.Count(got, "\n"), max(strings.Count(got, "\r\n"), strings.Count(got, "\n")*(1-strings.Count(c.name, "CRLF"))))
		})
	}
}

// Two package names that Python treats as the same are an error.
func TestDoubles(t *testing.T) {
	both := func(one, other string) string {
		project := func(dir, name string) string {
			return fmt.Sprintf("-- %[1]s/pixi.toml --\n[package]\nname = \"%[1]s\"\nversion = \"0.1.6\"\nbuild.backend.name = \"x\"\n-- %[1]s/pyproject.toml --\n[project]\nname = %[2]q\nversion = \"0.1.6\"\n", dir, name)
		}
		return lockstep + project("one", one) + project("two", other)
	}
	for _, names := range [][2]string{{"a-b", "a_b"}, {"a.b", "A-b"}, {"Core", "core"}} {
		require.Contains(t, refused(t, tree(t, both(names[0], names[1])), bump.Request{To: "patch"}), "are the same name for Python: rename one of the two packages", names)
	}
	for _, names := range [][2]string{{"a-b", "ab"}, {"core", "core2"}, {"same", "same"}} {
		plan(t, tree(t, both(names[0], names[1])), bump.Request{To: "patch"}, nil)
	}
}
