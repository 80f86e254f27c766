package gitrepo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// A clone that borrows has the commit, its history and its tags, whatever the repository is like, and changes nothing there.
func TestBorrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		do      func(l *laid) string // returns the work tree that the clone is of
		shallow bool
	}{
		{name: "a repository", do: func(l *laid) string { return l.dir }},
		{
			name: "a linked work tree",
			do: func(l *laid) string {
				l.git("worktree", "add", "-q", "-b", "other", l.out+"/tree")
				return l.out + "/tree"
			},
		},
		{
			name: "a work tree of a bare one",
			do: func(l *laid) string {
				l.git("clone", "-q", "--bare", l.dir, l.out+"/bare")
				l.git("-C", l.out+"/bare", "worktree", "add", "-q", l.out+"/tree")
				return l.out + "/tree"
			},
		},
		{
			name: "a shallow one",
			do: func(l *laid) string {
				l.git("clone", "-q", "--depth=1", "file://"+l.dir, l.out+"/shallow")
				return l.out + "/shallow"
			},
			shallow: true,
		},
		{
			name: "a partial one",
			do: func(l *laid) string {
				l.git("config", "uploadpack.allowFilter", "true")
				l.git("clone", "-q", "--filter=blob:none", "file://"+l.dir, l.out+"/partial")
				return l.out + "/partial"
			},
		},
		{
			name: "one that borrows itself",
			do: func(l *laid) string {
				l.git("clone", "-q", "--shared", l.dir, l.out+"/shared")
				l.git("clone", "-q", "--shared", l.out+"/shared", l.out+"/again")
				return l.out + "/again"
			},
		},
		{
			name: "one with a reference",
			do: func(l *laid) string {
				l.git("clone", "-q", "--reference", l.dir, "file://"+l.dir, l.out+"/with")
				return l.out + "/with"
			},
		},
		{
			name: "one with SHA-256",
			do: func(l *laid) string {
				l.git("init", "-q", "--object-format=sha256", "-b", "main", l.out+"/sha")
				write(l.t, l.out+"/sha", "a", "a\n")
				l.git("-C", l.out+"/sha", "add", "-A")
				for _, m := range []string{"feat: a", "feat: b"} {
					l.git("-C", l.out+"/sha", "commit", "-q", "--allow-empty", "-m", m)
				}
				return l.out + "/sha"
			},
		},
		{
			name: "packed",
			do: func(l *laid) string {
				l.git("gc", "-q")
				l.git("pack-refs", "--all", "--prune")
				return l.dir
			},
		},
		{name: "a HEAD on no branch", do: func(l *laid) string { l.git("checkout", "-q", "--detach"); return l.dir }},
		{
			name: "a thousand tags",
			do: func(l *laid) string {
				var stdin strings.Builder
				head := l.git("rev-parse", "HEAD")
				for i := range 1000 {
					fmt.Fprintf(&stdin, "create refs/tags/v0.%d.0 %s\n", i, head)
				}
				require.NoError(l.t, l.run.Run(l.t.Context(), command.Cmd{Name: "git", Args: []string{"update-ref", "--stdin"}, Dir: l.dir, Stdin: strings.NewReader(stdin.String())}))
				return l.dir
			},
		},
	} {
		for _, named := range []string{"", "with space", "co:lon", "quo'te \"", "$dollar\\", "-dash", "ü"} {
			if named != "" && c.name != "a repository" && c.name != "a partial one" {
				continue
			}
			t.Run(c.name+" "+named, func(t *testing.T) {
				t.Parallel()
				l := newLaid(t)
				if named != "" {
					moved := filepath.Join(t.TempDir(), named)
					require.NoError(t, os.Rename(l.dir, moved))
					real, err := filepath.EvalSymlinks(moved)
					require.NoError(t, err)
					l.dir = real
				}
				l.git("tag", "-a", "-m", "v1.0.0", "v1.0.0", "HEAD~1")
				dir := c.do(l)
				state := func() string {
					return l.git("-C", dir, "show-ref") + l.git("-C", dir, "status", "--porcelain") + l.git("-C", dir, "config", "--list")
				}
				before := state()
				repo, err := gitrepo.Open(t.Context(), l.run, dir)
				require.NoError(t, err)
				head, err := repo.Head(t.Context())
				require.NoError(t, err)
				clone := filepath.Join(t.TempDir(), "the clone")
				require.NoError(t, repo.Borrow(t.Context(), clone, head.Commit))
				require.Equal(t, tree(t, dir), tree(t, clone))
				require.Equal(t, head.Commit, l.git("-C", clone, "rev-parse", "HEAD"))
				require.Equal(t, l.git("-C", dir, "tag"), l.git("-C", clone, "tag"))
				require.Equal(t, l.git("-C", dir, "log", "--format=%H"), l.git("-C", clone, "log", "--format=%H"))
				require.Empty(t, l.git("-C", clone, "status", "--porcelain"))
				require.Equal(t, fmt.Sprint(c.shallow), l.git("-C", clone, "rev-parse", "--is-shallow-repository"))
				for _, push := range [][]string{{"push", "-q", "origin", "HEAD:refs/heads/of-a-build"}, {"push", "-q", "--tags"}} {
					require.Error(t, l.run.Run(t.Context(), command.Cmd{Name: "git", Args: push, Dir: clone}), "a hostile build does not push to the original")
				}
				require.Equal(t, before, state())
			})
		}
	}
}

// A path with a line break is refused in a sentence: git tells its lines apart by them.
func TestBorrowALineBreak(t *testing.T) {
	t.Parallel()
	l := newLaid(t)
	moved := filepath.Join(t.TempDir(), "line\nbreak")
	require.NoError(t, os.Rename(l.dir, moved))
	_, err := gitrepo.Open(t.Context(), l.run, moved)
	require.ErrorContains(t, err, "finding the repository of")
	require.Contains(t, fmt.Sprintf("%+v", err), "give it a path without line breaks")
}

// A clone that borrows has its submodules.
func TestBorrowSubmodules(t *testing.T) {
	t.Parallel()
	w := newSubmodules(t)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, w.repo.Borrow(t.Context(), clone, w.git(w.dir, "rev-parse", "HEAD")))
	require.Equal(t, tree(t, w.dir), tree(t, clone))
}

// The tags that a release makes are alone on the commit, as it makes them, and those elsewhere stay.
func TestTagAlone(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct {
		name string
		do   func(l *laid)
		tag  gitrepo.Tag // v1.2.0 where it has no name
		says string      // of the tag, where it is not made
	}{
		{name: "none", do: func(*laid) {}},
		{name: "a lightweight one", do: func(l *laid) { l.git("tag", "v1.1.0") }},
		{
			name: "an annotated one, a candidate and others",
			do: func(l *laid) {
				l.git("tag", "-a", "-m", "x", "v1.2.0rc1")
				l.git("tag", "core/v3.0.0")
				l.git("tag", "nightly")
			},
		},
		{
			name: "tags of tags",
			do: func(l *laid) {
				l.git("tag", "-a", "-m", "x", "inner")
				l.git("tag", "-a", "-m", "x", "middle", "inner")
				l.git("tag", "-a", "-m", "x", "outer", "middle")
			},
		},
		{
			name: "packed ones",
			do: func(l *laid) {
				l.git("tag", "-a", "-m", "x", "v1.1.0")
				l.git("tag", "v1.1.1")
				l.git("pack-refs", "--all")
			},
		},
		{name: "its name elsewhere in history", do: func(l *laid) { l.git("tag", "-a", "-m", "old", "v1.2.0", "HEAD~1") }},
		{
			name: "hostile names",
			do: func(l *laid) {
				l.git("tag", "--", "a$b")
				l.git("tag", "ü/é")
				l.git("tag", "a;b")
				l.git("tag", "HEAD")
				l.git("update-ref", "refs/tags/-dash", "HEAD")
			},
		},
		{
			name: "signatures asked for",
			do: func(l *laid) {
				for _, s := range []string{"tag.gpgSign", "tag.forceSignAnnotated", "commit.gpgSign"} {
					l.git("config", "--file", l.out+"/config", s, "true")
				}
				l.git("config", "--file", l.out+"/config", "gpg.program", "false")
			},
		},
		{name: "a message of several lines", tag: gitrepo.Tag{Message: "Release 1.2.0\n\n# not a comment\n  indented\n\n\nlast\n\n"}, do: func(*laid) {}},
		{name: "a message with an odd comment character", tag: gitrepo.Tag{Message: "R\n\n;x\n#y\n"}, do: func(l *laid) { l.git("config", "--file", l.out+"/config", "core.commentChar", ";") }},
		{name: "an empty message", tag: gitrepo.Tag{Message: ""}, do: func(*laid) {}},
		{name: "its own, there already", tag: gitrepo.Tag{Message: "another\n"}, do: func(l *laid) { l.git("tag", "-a", "-m", "as released", "v1.2.0") }, says: "as released"},
		{name: "one with a prefix", tag: gitrepo.Tag{Name: "core/v1.2.0", Message: "x\n"}, do: func(l *laid) { l.git("tag", "other/v1.2.0") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			l.git("tag", "v0.9.0", "HEAD~1")
			c.do(l)
			nameless := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+l.out+"/config"), nil) // git does not know who commits
			repo, err := gitrepo.Open(t.Context(), nameless, l.dir)
			require.NoError(t, err)
			head, err := repo.Head(t.Context())
			require.NoError(t, err)
			clone := filepath.Join(t.TempDir(), "clone")
			require.NoError(t, repo.Borrow(t.Context(), clone, head.Commit))
			there, err := gitrepo.Open(t.Context(), nameless, clone)
			require.NoError(t, err)
			before := l.git("show-ref")
			tag := c.tag
			if tag.Name == "" {
				tag.Name = "v1.2.0"
			}
			tag.Date = date
			require.NoError(t, there.TagAlone(t.Context(), head.Commit, tag))
			require.Equal(t, before, l.git("show-ref"), "the person's repository stays as it is")
			require.Equal(t, tag.Name, l.git("-C", clone, "tag", "--points-at", "HEAD"))
			require.ElementsMatch(t, []string{"v0.9.0", tag.Name}, strings.Fields(l.git("-C", clone, "tag")))
			require.Equal(t, head.Commit, l.git("-C", clone, "rev-parse", "refs/tags/"+tag.Name+"^{commit}"))
			require.Equal(t, "v0.9.0", l.git("-C", clone, "describe", "--tags", "HEAD~1"))
			require.Equal(t, tag.Name, l.git("-C", clone, "describe"))
			object := l.git("-C", clone, "cat-file", "tag", "refs/tags/"+tag.Name)
			if c.says != "" {
				require.Contains(t, object, c.says)
				return
			}
			require.Contains(t, object, "tagger a <a@example.invalid> 1772600767 +0000")
			_, message, _ := strings.Cut(object+"\n", "\n\n")
			require.Equal(t, strings.TrimRight(tag.Message, "\n"), strings.TrimRight(message, "\n"))
			require.Empty(t, l.git("-C", clone, "status", "--porcelain"))
		})
	}
}

// No tags are wanted, or several; and the commit is by someone whose name git would not take.
func TestTagAloneSeveral(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Jane Doe", "<>", " . , ", "\"", "Ünï \\", "a\nb"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLaid(t)
			raw := l.git("cat-file", "commit", "HEAD")
			shown := strings.NewReplacer("\n", " ", "<", "", ">", "").Replace(name)
			raw = strings.Replace(raw, "committer a <a@example.invalid>", "committer "+shown+" <>", 1)
			commit, err := command.Output(t.Context(), l.run, command.Cmd{Name: "git", Args: []string{"hash-object", "-t", "commit", "-w", "--stdin", "--literally"}, Dir: l.dir, Stdin: strings.NewReader(raw + "\n")})
			require.NoError(t, err)
			l.git("reset", "-q", "--hard", commit)
			l.git("tag", "v1.0.0")
			repo, err := gitrepo.Open(t.Context(), l.run, l.dir)
			require.NoError(t, err)
			require.NoError(t, repo.TagAlone(t.Context(), commit, gitrepo.Tag{Name: "a/v1", Message: "a\n"}, gitrepo.Tag{Name: "b/v2", Message: "b\n"}))
			require.Equal(t, "a/v1\nb/v2", l.git("tag"))
			require.NoError(t, repo.TagAlone(t.Context(), commit))
			require.Empty(t, l.git("tag"))
		})
	}
}
