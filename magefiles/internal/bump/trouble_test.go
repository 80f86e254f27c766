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

// What keeps a commit or a tag from being made is found before anything is written.
func TestPreflightFindsTrouble(t *testing.T) {
	for _, c := range []struct {
		name    string
		archive string // two where it is empty
		req     bump.Request
		do      func(root string, git func(args ...string) string)
		says    string // "" where nothing is in the way
		next    string
	}{
		{name: "nothing"},
		{
			name: "a tag that is a folder of ours",
			says: "the tag v0.1.7 cannot be made beside the tag v0.1.7/docs",
			next: "git tag NEW v0.1.7/docs",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.7/docs") },
		},
		{
			name:    "a tag that would be ours' folder",
			says:    "the tag a/v0.1.7 cannot be made beside the tag a: ",
			next:    "git tag -d a",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do:      func(_ string, git func(...string) string) { git("tag", "a") },
		},
		{
			name:    "a tag of a tree that is our folder",
			says:    "the tag a/v0.1.7 cannot be made beside the tag a: ",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do:      func(_ string, git func(...string) string) { git("tag", "a", "HEAD^{tree}"); git("pack-refs", "--all") },
		},
		{
			name: "our tag, of no commit",
			says: "the tag v0.1.7 is there already, and names something other than a commit",
			next: "git tag -d v0.1.7",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.7", "HEAD:a/pixi.toml") },
		},
		{
			name: "a branch of that name is none",
			do:   func(_ string, git func(...string) string) { git("branch", "v0.1.7/x") },
		},
		{
			name: "a tag that begins alike is none",
			do:   func(_ string, git func(...string) string) { git("tag", "v0.1.70"); git("tag", "v0.1") },
		},
		{
			name:    "a name that git does not allow",
			says:    "git allows no tag a..b/v0.1.7: it has .. or @{ in it",
			next:    "another name",
			archive: independent + pkg("a..b", "0.1.6", ""),
			req:     bump.Request{Only: "a..b"},
		},
		{
			name:    "a name that ends with .lock",
			says:    "git allows no tag a.lock/v0.1.7",
			next:    "another name",
			archive: independent + pkg("a.lock", "0.1.6", ""),
			req:     bump.Request{Only: "a.lock"},
		},
		{
			name: "case only, where files are found whatever their case",
			says: "the tag v0.1.7 cannot be made beside the tag V0.1.7: their names differ in case only",
			do: func(_ string, git func(...string) string) {
				git("tag", "V0.1.7")
				git("config", "core.ignorecase", "true")
			},
		},
		{
			name:    "a folder's case, where files are found whatever their case",
			says:    "the tag a/v0.1.7 cannot be made beside the tag A/v0.1.6",
			archive: independent + pkg("a", "0.1.6", ""),
			req:     bump.Request{Only: "a"},
			do: func(_ string, git func(...string) string) {
				git("tag", "A/v0.1.6")
				git("config", "core.ignorecase", "true")
			},
		},
		{
			name: "case only, elsewhere",
			do: func(_ string, git func(...string) string) {
				git("tag", "V0.1.7")
				git("config", "core.ignorecase", "false")
			},
		},
		{
			name: "a new changelog that is ignored",
			req:  bump.Request{Changelog: true},
			says: "CHANGELOG.md is ignored by git (.gitignore:2: CHANGE*), and a release commits it",
			next: "take it out of there",
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "/.git/\nCHANGE*\n")
			},
		},
		{
			name: "a changelog that is there and ignored",
			req:  bump.Request{Changelog: true},
			says: "CHANGELOG.md is ignored by git",
			next: "git add CHANGELOG.md",
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "*.md\n")
				write(t, root, "CHANGELOG.md", "# Changelog\n")
			},
		},
		{
			name: "one that is ignored but for a line",
			req:  bump.Request{Changelog: true},
			do: func(root string, git func(...string) string) {
				commitFile(t, root, git, ".gitignore", "*.md\n!CHANGELOG.md\n")
			},
		},
		{
			name: "an edit that git was told to pass over",
			says: "a/pixi.toml is changed, and git was told not to look",
			next: "--no-assume-unchanged",
			do: func(root string, git func(...string) string) {
				git("update-index", "--assume-unchanged", "a/pixi.toml")
				write(t, root, "a/pixi.toml", files(t, root)["a/pixi.toml"]+"# mine\n")
			},
		},
		{
			name: "a file that git was told to pass over, unchanged",
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

// A changelog that is a link or a folder, or that has a double, is refused while the plan is made.
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
			name: "a dangling link",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to nowhere",
			next: "it leads nowhere",
		},
		{
			name: "a link out of the workspace",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(root, "CHANGELOG.md")))
			},
			says: "CHANGELOG.md is a link to /etc/passwd",
			next: "put a file of your own in its place, after `git rm CHANGELOG.md`",
		},
		{
			name: "a folder",
			do: func(t *testing.T, root string) {
				require.NoError(t, os.Mkdir(filepath.Join(root, "CHANGELOG.md"), 0o755))
			},
			says: "CHANGELOG.md is not a file",
			next: "move it away",
		},
		{"another case", func(t *testing.T, root string) { write(t, root, "Changelog.md", "# Changelog\n") }, "there is a file Changelog.md", "git mv Changelog.md CHANGELOG.md"},
		{
			name: "both",
			do: func(t *testing.T, root string) {
				write(t, root, "CHANGELOG.md", "# Changelog\n")
				write(t, root, "changelog.MD", "# Changelog\n")
			},
			says: "there is a file changelog.MD",
			next: "keep one of them",
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
			apply(t, root, plan(t, root, bump.Request{To: "patch"}, nil)) // without a changelog it does not matter
		})
	}
}

// What stands in the changelog keeps its line ends, whether the last line has one or not.
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

// Two names that are one to Python are refused.
func TestDoubles(t *testing.T) {
	both := func(one, other string) string {
		project := func(dir, name string) string {
			return fmt.Sprintf("-- %[1]s/pixi.toml --\n[package]\nname = \"%[1]s\"\nversion = \"0.1.6\"\nbuild.backend.name = \"x\"\n-- %[1]s/pyproject.toml --\n[project]\nname = %[2]q\nversion = \"0.1.6\"\n", dir, name)
		}
		return lockstep + project("one", one) + project("two", other)
	}
	for _, names := range [][2]string{{"a-b", "a_b"}, {"a.b", "A-b"}, {"Core", "core"}} {
		require.Contains(t, refused(t, tree(t, both(names[0], names[1])), bump.Request{To: "patch"}), "are one name to Python: rename one of them", names)
	}
	for _, names := range [][2]string{{"a-b", "ab"}, {"core", "core2"}, {"same", "same"}} {
		plan(t, tree(t, both(names[0], names[1])), bump.Request{To: "patch"}, nil)
	}
}
