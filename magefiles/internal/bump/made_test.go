package bump_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// `made` calls Store.Made for the first package of the current commit.
func made(t *testing.T, s *bump.Store, repo bump.Past, root string) bump.Made {
	t.Helper()
	w := load(t, root)
	m, err := s.Made(t.Context(), repo, "HEAD", bump.TagOf(w, w.Packages[0]))
	require.NoError(t, err)
	return m
}

// Made finds the commit that raised a version, regardless of the commit's message, the version's location, and later changes.
func TestMade(t *testing.T) {
	const inherited = "-- pixi.toml --\n[workspace]\nname = \"acme\"\nversion = \"0.1.6\"\n-- a/pixi.toml --\n[package]\nname = \"a\"\nversion.workspace = true\nbuild.backend.name = \"x\"\n"
	const pyproject = lockstep + "-- a/pixi.toml --\n[package]\nbuild.backend.name = \"pixi-build-python\"\n-- a/pyproject.toml --\n[project]\nname = \"a\"\nversion = \"0.1.6\"\n" +
		"-- a/src/a/__init__.py --\n__version__ = \"0.1.6\"\n"
	replaced := func(old, text string) func(t *testing.T, root string) {
		return func(t *testing.T, root string) {
			for name, src := range files(t, root) {
				if !strings.HasPrefix(src, "-> ") {
					write(t, root, name, strings.ReplaceAll(src, old, text))
				}
			}
		}
	}
	bumped := replaced("0.1.6", "0.1.7")
	for _, c := range []struct {
		name, archive string
		change        func(t *testing.T, root string)
		from          string
	}{
		{"two packages", two, bumped, "0.1.6"},
		{"a version of the workspace", inherited, bumped, "0.1.6"},
		{"a version of the pyproject.toml", pyproject, bumped, "0.1.6"},
		{"to a pre-release", two, replaced("0.1.6", "0.2.0rc1"), "0.1.6"},
		{"with another changed file", two, func(t *testing.T, root string) { bumped(t, root); write(t, root, "NEWS", "x") }, "0.1.6"},
		{"only another changed file", two, func(t *testing.T, root string) { write(t, root, "NEWS", "x") }, ""},
		{"to a lower version", two, replaced("0.1.6", "0.1.5"), ""},
		{
			name:    "one of two packages",
			archive: two,
			change: func(t *testing.T, root string) {
				write(t, root, "a/pixi.toml", strings.ReplaceAll(files(t, root)["a/pixi.toml"], "0.1.6", "0.1.7"))
			},
			from: "",
		},
		{
			name:    "without the pins",
			archive: two,
			change: func(t *testing.T, root string) {
				bumped(t, root)
				write(t, root, "b/pixi.toml", strings.ReplaceAll(files(t, root)["b/pixi.toml"], `a = "==0.1.7"`, `a = "==0.1.6"`))
			},
			from: "",
		},
		{"a changed line with the same version", two, replaced(`version = "0.1.6"`, `version    = "0.1.6"`), ""},
	} {
		for _, prefix := range []string{"", "below/it"} {
			t.Run(c.name+" "+prefix, func(t *testing.T) {
				archive := c.archive
				if prefix != "" {
					archive = strings.ReplaceAll("\n"+archive, "\n-- ", "\n-- "+prefix+"/")
				}
				root, repo, git := repository(t, archive)
				s := gitStore(repo)
				s.Prefix = prefix
				root = filepath.Join(root, prefix)
				require.False(t, made(t, s, repo, root).Bumped(), "a root commit")
				c.change(t, root)
				git("add", "-A")
				git("commit", "-q", "-m", "whatever")
				at := git("rev-parse", "HEAD")
				git("commit", "-q", "--allow-empty", "-m", "chore(release): v9")
				m := made(t, s, repo, root)
				require.Equal(t, c.from, m.From)
				require.Equal(t, c.from != "", m.Bumped())
				if c.from != "" {
					require.Equal(t, at, m.Commit)
				}
			})
		}
	}
}

// Git settings for blame, a sparse checkout and moved files do not affect the result.
func TestChangelogIgnoresGitSettings(t *testing.T) {
	root, repo, git := repository(t, two)
	s := gitStore(repo)
	_, err := s.Take(t.Context(), plan(t, root, bump.Request{To: "patch"}, nil), repo, bump.Parts{Commit: true})
	require.NoError(t, err)
	at := git("rev-parse", "HEAD")
	write(t, root, ".ignored", at+"\n")
	git("config", "blame.ignoreRevsFile", ".ignored")
	git("config", "blame.markIgnoredLines", "true")
	require.Equal(t, bump.Made{Commit: at, From: "0.1.6"}, made(t, s, repo, root))

	git("mv", "a", "moved")
	write(t, root, "pixi.toml", strings.ReplaceAll(files(t, root)["pixi.toml"], "path = \"a\"", "path = \"moved\""))
	git("commit", "-q", "-am", "refactor: move it")
	require.Equal(t, bump.Made{Commit: at, From: "0.1.6"}, made(t, s, repo, root))

	write(t, root, "moved/pixi.toml", strings.ReplaceAll(files(t, root)["moved/pixi.toml"], "version = ", "version    =    "))
	git("commit", "-q", "-am", "style: another form")
	require.Equal(t, bump.Made{Commit: at, From: "0.1.6"}, made(t, s, repo, root))

	git("sparse-checkout", "set", "--cone", "--sparse-index", "nothing")
	require.NoFileExists(t, filepath.Join(root, "b", "pixi.toml"))
	w, err := s.At(t.Context(), repo, "HEAD")
	require.NoError(t, err)
	require.Len(t, w.Packages, 2)
	w, err = s.At(t.Context(), repo, "v0.1.6")
	require.NoError(t, err)
	require.Equal(t, "0.1.6", w.Packages[0].Version.Text)
}

// A commit without a valid workspace is not a release. A commit that does not exist is an error.
func TestAtNothing(t *testing.T) {
	root, repo, git := repository(t, two)
	s := gitStore(repo)
	require.NoError(t, os.Remove(filepath.Join(root, "pixi.toml")))
	git("commit", "-q", "-am", "gone")
	w, err := s.At(t.Context(), repo, "HEAD")
	require.NoError(t, err)
	require.Nil(t, w)
	write(t, root, "pixi.toml", "[workspace\n")
	git("add", "-A")
	git("commit", "-q", "-m", "broken")
	w, err = s.At(t.Context(), repo, "HEAD")
	require.NoError(t, err)
	require.Nil(t, w)
	_, err = s.At(t.Context(), repo, strings.Repeat("1", 40))
	require.ErrorContains(t, err, "111111111111")
}
