package gitclone_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// Borrow makes a clone with the commit, its history and its tags from any kind of repository, and does not change the repository.
func TestBorrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *gitrepotest.Laid) string // returns the work tree to clone
		shallow bool
	}{
		{name: "a repository", do: func(l *gitrepotest.Laid) string { return l.Dir }},
		{
			name: "a linked work tree",
			do: func(l *gitrepotest.Laid) string {
				l.Git("worktree", "add", "-q", "-b", "other", l.Out+"/tree")
				return l.Out + "/tree"
			},
		},
		{
			name: "a work tree of a bare repository",
			do: func(l *gitrepotest.Laid) string {
				l.Git("clone", "-q", "--bare", l.Dir, l.Out+"/bare")
				l.Git("-C", l.Out+"/bare", "worktree", "add", "-q", l.Out+"/tree")
				return l.Out + "/tree"
			},
		},
		{
			name: "a shallow one",
			do: func(l *gitrepotest.Laid) string {
				l.Git("clone", "-q", "--depth=1", "file://"+l.Dir, l.Out+"/shallow")
				return l.Out + "/shallow"
			},
			shallow: true,
		},
		{
			name: "a partial one",
			do: func(l *gitrepotest.Laid) string {
				l.Git("config", "uploadpack.allowFilter", "true")
				l.Git("clone", "-q", "--filter=blob:none", "file://"+l.Dir, l.Out+"/partial")
				return l.Out + "/partial"
			},
		},
		{
			name: "one that borrows itself",
			do: func(l *gitrepotest.Laid) string {
				l.Git("clone", "-q", "--shared", l.Dir, l.Out+"/shared")
				l.Git("clone", "-q", "--shared", l.Out+"/shared", l.Out+"/again")
				return l.Out + "/again"
			},
		},
		{
			name: "a clone with a reference repository",
			do: func(l *gitrepotest.Laid) string {
				l.Git("clone", "-q", "--reference", l.Dir, "file://"+l.Dir, l.Out+"/with")
				return l.Out + "/with"
			},
		},
		{
			name: "a SHA-256 repository",
			do: func(l *gitrepotest.Laid) string {
				l.Git("init", "-q", "--object-format=sha256", "-b", "main", l.Out+"/sha")
				gitrepotest.Write(l.T, l.Out+"/sha", "a", "a\n")
				l.Git("-C", l.Out+"/sha", "add", "-A")
				for _, m := range []string{"feat: a", "feat: b"} {
					l.Git("-C", l.Out+"/sha", "commit", "-q", "--allow-empty", "-m", m)
				}
				return l.Out + "/sha"
			},
		},
		{
			name: "packed refs",
			do: func(l *gitrepotest.Laid) string {
				l.Git("gc", "-q")
				l.Git("pack-refs", "--all", "--prune")
				return l.Dir
			},
		},
		{name: "a HEAD on no branch", do: func(l *gitrepotest.Laid) string { l.Git("checkout", "-q", "--detach"); return l.Dir }},
		{
			name: "a thousand tags",
			do: func(l *gitrepotest.Laid) string {
				var stdin strings.Builder
				head := l.Git("rev-parse", "HEAD")
				for i := range 1000 {
					fmt.Fprintf(&stdin, "create refs/tags/v0.%d.0 %s\n", i, head)
				}
				require.NoError(l.T, l.Run.Run(l.T.Context(), command.Cmd{Name: "git", Args: []string{"update-ref", "--stdin"}, Dir: l.Dir, Stdin: strings.NewReader(stdin.String())}))
				return l.Dir
			},
		},
	} {
		for _, named := range []string{"", "with space", "co:lon", "quo'te \"", "$dollar\\", "-dash", "ü"} {
			if named != "" && c.name != "a repository" && c.name != "a partial one" {
				continue
			}
			t.Run(c.name+" "+named, func(t *testing.T) {
				t.Parallel()
				l := gitrepotest.NewLaid(t)
				if named != "" {
					moved := filepath.Join(t.TempDir(), named)
					require.NoError(t, os.Rename(l.Dir, moved))
					real, err := filepath.EvalSymlinks(moved)
					require.NoError(t, err)
					l.Dir = real
				}
				l.Git("tag", "-a", "-m", "v1.0.0", "v1.0.0", "HEAD~1")
				dir := c.do(l)
				state := func() string {
					return l.Git("-C", dir, "show-ref") + l.Git("-C", dir, "status", "--porcelain") + l.Git("-C", dir, "config", "--list")
				}
				before := state()
				repo, err := gitrepo.Open(t.Context(), l.Run, dir)
				require.NoError(t, err)
				head, err := repo.Head(t.Context())
				require.NoError(t, err)
				clone := filepath.Join(t.TempDir(), "the clone")
				require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, head.Commit))
				require.Equal(t, gitrepotest.Tree(t, dir), gitrepotest.Tree(t, clone))
				require.Equal(t, head.Commit, l.Git("-C", clone, "rev-parse", "HEAD"))
				require.Equal(t, l.Git("-C", dir, "tag"), l.Git("-C", clone, "tag"))
				require.Equal(t, l.Git("-C", dir, "log", "--format=%H"), l.Git("-C", clone, "log", "--format=%H"))
				require.Empty(t, l.Git("-C", clone, "status", "--porcelain"))
				require.Equal(t, fmt.Sprint(c.shallow), l.Git("-C", clone, "rev-parse", "--is-shallow-repository"))
				for _, push := range [][]string{{"push", "-q", "origin", "HEAD:refs/heads/of-a-build"}, {"push", "-q", "--tags"}} {
					require.Error(t, l.Run.Run(t.Context(), command.Cmd{Name: "git", Args: push, Dir: clone}), "a hostile build does not push to the original")
				}
				require.Equal(t, before, state())
			})
		}
	}
}

// A push to a repository that borrows objects sends none of them, and readers of the repository still find all objects. A repository that lacks
// objects does not lend any.
func TestLend(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		of   []string // options for the clone that lends; nil means that the original lends
	}{
		{name: "a whole one"},
		{name: "a shallow one", of: []string{"--depth=1"}},
		{name: "a partial one", of: []string{"--filter=blob:none"}},
		{name: "one that borrows itself", of: []string{"--shared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			l.Git("config", "uploadpack.allowFilter", "true")
			dir := l.Dir
			if c.of != nil {
				dir = filepath.Join(t.TempDir(), "clone")
				l.Git(slices.Concat([]string{"clone", "-q"}, c.of, []string{map[bool]string{true: l.Dir, false: "file://" + l.Dir}[c.of[0] == "--shared"], dir})...)
			}
			repo, err := gitrepo.Open(t.Context(), l.Run, dir)
			require.NoError(t, err)
			bare := filepath.Join(t.TempDir(), "bare")
			l.Git("init", "-q", "--bare", "--template=", "-b", "main", bare)
			l.Git("-C", bare, "config", "receive.shallowUpdate", "true")
			l.Git("-C", bare, "config", "receive.unpackLimit", "1000")
			require.NoError(t, gitclone.Lend(repo, bare))
			l.Git("-C", dir, "push", "-q", bare, "HEAD:refs/heads/main")
			require.Equal(t, c.of == nil, l.Git("-C", bare, "count-objects") == "0 objects, 0 kilobytes")
			l.Git("clone", "-q", "file://"+bare, filepath.Join(t.TempDir(), "of-others"))
			require.Equal(t, l.Git("-C", dir, "rev-parse", "HEAD"), l.Git("-C", bare, "rev-parse", "main"))
		})
	}
}

// A path with a line break is refused with a clear error, because `git rev-parse` prints one path per line.
func TestBorrowALineBreak(t *testing.T) {
	t.Parallel()
	l := gitrepotest.NewLaid(t)
	moved := filepath.Join(t.TempDir(), "line\nbreak")
	require.NoError(t, os.Rename(l.Dir, moved))
	_, err := gitrepo.Open(t.Context(), l.Run, moved)
	require.ErrorContains(t, err, "cannot find the repository of")
	require.Contains(t, fmt.Sprintf("%+v", err), "move the repository to a path without line breaks")
}

// A borrowing clone has its submodules checked out.
func TestBorrowSubmodules(t *testing.T) {
	t.Parallel()
	w := gitrepotest.NewSubmodules(t)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, gitclone.Borrow(t.Context(), w.Repo, clone, w.Git(w.Dir, "rev-parse", "HEAD")))
	require.Equal(t, gitrepotest.Tree(t, w.Dir), gitrepotest.Tree(t, clone))
}

// After TagAlone the commit has only the tags of the release, exactly as a release makes them. Tags on other commits are kept.
func TestTagAlone(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct {
		name string
		do   func(l *gitrepotest.Laid)
		tag  gitrepo.Tag // defaults to the name v1.2.0
		says string      // expected contents of a tag that is kept
	}{
		{name: "none", do: func(*gitrepotest.Laid) {}},
		{name: "a lightweight one", do: func(l *gitrepotest.Laid) { l.Git("tag", "v1.1.0") }},
		{
			name: "an annotated tag, a candidate and others",
			do: func(l *gitrepotest.Laid) {
				l.Git("tag", "-a", "-m", "x", "v1.2.0rc1")
				l.Git("tag", "core/v3.0.0")
				l.Git("tag", "nightly")
			},
		},
		{
			name: "tags of tags",
			do: func(l *gitrepotest.Laid) {
				l.Git("tag", "-a", "-m", "x", "inner")
				l.Git("tag", "-a", "-m", "x", "middle", "inner")
				l.Git("tag", "-a", "-m", "x", "outer", "middle")
			},
		},
		{
			name: "packed tags",
			do: func(l *gitrepotest.Laid) {
				l.Git("tag", "-a", "-m", "x", "v1.1.0")
				l.Git("tag", "v1.1.1")
				l.Git("pack-refs", "--all")
			},
		},
		{name: "its name elsewhere in history", do: func(l *gitrepotest.Laid) { l.Git("tag", "-a", "-m", "old", "v1.2.0", "HEAD~1") }},
		{
			name: "hostile names",
			do: func(l *gitrepotest.Laid) {
				l.Git("tag", "--", "a$b")
				l.Git("tag", "ü/é")
				l.Git("tag", "a;b")
				l.Git("tag", "HEAD")
				l.Git("update-ref", "refs/tags/-dash", "HEAD")
			},
		},
		{
			name: "tags must be signed",
			do: func(l *gitrepotest.Laid) {
				for _, s := range []string{"tag.gpgSign", "tag.forceSignAnnotated", "commit.gpgSign"} {
					l.Git("config", "--file", l.Out+"/config", s, "true")
				}
				l.Git("config", "--file", l.Out+"/config", "gpg.program", "false")
			},
		},
		{name: "a message of several lines", tag: gitrepo.Tag{Message: "Release 1.2.0\n\n# not a comment\n  indented\n\n\nlast\n\n"}, do: func(*gitrepotest.Laid) {}},
		{name: "a message with an odd comment character", tag: gitrepo.Tag{Message: "R\n\n;x\n#y\n"}, do: func(l *gitrepotest.Laid) { l.Git("config", "--file", l.Out+"/config", "core.commentChar", ";") }},
		{name: "an empty message", tag: gitrepo.Tag{Message: ""}, do: func(*gitrepotest.Laid) {}},
		{name: "its own, there already", tag: gitrepo.Tag{Message: "another\n"}, do: func(l *gitrepotest.Laid) { l.Git("tag", "-a", "-m", "as released", "v1.2.0") }, says: "as released"},
		{name: "one with a prefix", tag: gitrepo.Tag{Name: "core/v1.2.0", Message: "x\n"}, do: func(l *gitrepotest.Laid) { l.Git("tag", "other/v1.2.0") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			l.Git("tag", "v0.9.0", "HEAD~1")
			c.do(l)
			nameless := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+l.Out+"/config"), nil) // git has no identity
			repo, err := gitrepo.Open(t.Context(), nameless, l.Dir)
			require.NoError(t, err)
			head, err := repo.Head(t.Context())
			require.NoError(t, err)
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, head.Commit))
			there, err := gitrepo.Open(t.Context(), nameless, clone)
			require.NoError(t, err)
			before := l.Git("show-ref")
			tag := c.tag
			if tag.Name == "" {
				tag.Name = "v1.2.0"
			}
			tag.Date = date
			require.NoError(t, gitclone.TagAlone(t.Context(), there, head.Commit, tag))
			require.Equal(t, before, l.Git("show-ref"), "the person's repository stays as it is")
			require.Equal(t, tag.Name, l.Git("-C", clone, "tag", "--points-at", "HEAD"))
			require.ElementsMatch(t, []string{"v0.9.0", tag.Name}, strings.Fields(l.Git("-C", clone, "tag")))
			require.Equal(t, head.Commit, l.Git("-C", clone, "rev-parse", "refs/tags/"+tag.Name+"^{commit}"))
			require.Equal(t, "v0.9.0", l.Git("-C", clone, "describe", "--tags", "HEAD~1"))
			require.Equal(t, tag.Name, l.Git("-C", clone, "describe"))
			object := l.Git("-C", clone, "cat-file", "tag", "refs/tags/"+tag.Name)
			if c.says != "" {
				require.Contains(t, object, c.says)
				return
			}
			require.Contains(t, object, "tagger a <a@example.invalid> 1772600767 +0000")
			_, message, _ := strings.Cut(object+"\n", "\n\n")
			require.Equal(t, strings.TrimRight(tag.Message, "\n"), strings.TrimRight(message, "\n"))
			require.Empty(t, l.Git("-C", clone, "status", "--porcelain"))
		})
	}
}

// TagAlone accepts no tags or several, and a commit whose committer name git would refuse.
func TestTagAloneSeveral(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Jane Doe", "<>", " . , ", "\"", "Ünï \\", "a\nb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := gitrepotest.NewLaid(t)
			raw := l.Git("cat-file", "commit", "HEAD")
			shown := strings.NewReplacer("\n", " ", "<", "", ">", "").Replace(name)
			raw = strings.Replace(raw, "committer a <a@example.invalid>", "committer "+shown+" <>", 1)
			commit, err := command.Output(t.Context(), l.Run, command.Cmd{Name: "git", Args: []string{"hash-object", "-t", "commit", "-w", "--stdin", "--literally"}, Dir: l.Dir, Stdin: strings.NewReader(raw + "\n")})
			require.NoError(t, err)
			l.Git("reset", "-q", "--hard", commit)
			l.Git("tag", "v1.0.0")
			repo, err := gitrepo.Open(t.Context(), l.Run, l.Dir)
			require.NoError(t, err)
			require.NoError(t, gitclone.TagAlone(t.Context(), repo, commit, gitrepo.Tag{Name: "a/v1", Message: "a\n"}, gitrepo.Tag{Name: "b/v2", Message: "b\n"}))
			require.Equal(t, "a/v1\nb/v2", l.Git("tag"))
			require.NoError(t, gitclone.TagAlone(t.Context(), repo, commit))
			require.Empty(t, l.Git("tag"))
		})
	}
}
