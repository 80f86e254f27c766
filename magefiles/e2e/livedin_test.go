package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// settings contains common git settings, none of which may change a release.
const settings = `[user]
	name = A Person
	email = person@example.invalid
[push]
	default = matching
	followTags = true
	autoSetupRemote = true
	recurseSubmodules = check
[pull]
	rebase = true
[fetch]
	prune = true
	pruneTags = true
	parallel = 4
[merge]
	ff = only
	conflictStyle = diff3
[rebase]
	autoStash = true
	autoSquash = true
[core]
	quotePath = false
	pager = less
	autocrlf = input
	untrackedCache = true
	abbrev = 6
	commentChar = "%"
	editor = false
[color]
	ui = always
[column]
	ui = always
[log]
	date = relative
	decorate = full
	showSignature = true
	follow = true
[diff]
	noprefix = true
	renames = copies
	algorithm = histogram
	external = false
	ignoreSubmodules = all
[status]
	short = true
	relativePaths = false
	showUntrackedFiles = no
[tag]
	sort = -taggerdate
[versionsort]
	suffix = -rc
[commit]
	verbose = true
	status = true
[blame]
	ignoreRevsFile = .git-blame-ignore-revs
	date = short
[init]
	defaultBranch = trunk
[submodule]
	recurse = true
[rerere]
	enabled = true
[help]
	autocorrect = 10
[advice]
	detachedHead = false
[format]
	pretty = oneline
[i18n]
	logOutputEncoding = ISO-8859-1
[gc]
	auto = 1
[checkout]
	defaultRemote = upstream
[safe]
	bareRepository = explicit
[protocol "file"]
	allow = always
[alias]
	commit = status
	push = status
`

// livedIn makes the clone resemble a developer's clone, with worktrees, a submodule next to the packages, hooks that write files, settings, and a
// hundred tags in four formats.
func (r *releasing) livedIn() {
	r.t.Helper()
	gitconfig := filepath.Join(r.t.TempDir(), "gitconfig")
	require.NoError(r.t, os.WriteFile(gitconfig, []byte(settings), 0o644))
	lib := library(r.t, "lib")
	git(r.t, r.dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "lib", lib, "vendor/lib")
	write(r.t, r.dir, ".gitignore", "/output/\n/.pixi/\n*.log\n")
	r.commitAll("chore: a submodule")

	var refs strings.Builder
	head := git(r.t, r.dir, "rev-parse", "HEAD~")
	for i := range 25 {
		for _, format := range []string{"v0.0.%d", "mono-core/v0.0.%d", "release-2020.%d", "0.0.%d"} {
			fmt.Fprintf(&refs, "create refs/tags/"+format+" %s\n", i, head)
		}
	}
	_, err := command.Output(r.t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{
		Name:  "git",
		Args:  []string{"update-ref", "--stdin"},
		Dir:   r.dir,
		Stdin: strings.NewReader(refs.String()),
	})
	require.NoError(r.t, err)
	git(r.t, r.dir, "tag", "of-a-file", "HEAD:pixi.toml")
	git(r.t, r.dir, "tag", "-a", "-m", "a tag of a tag", "of-a-tag", "v0.0.3")
	git(r.t, r.dir, "push", "-q", "origin", "main", "--tags")
	git(r.t, r.dir, "remote", "set-head", "origin", "main")
	git(r.t, r.dir, "worktree", "add", "-q", "-b", "feature", filepath.Join(r.t.TempDir(), "feature"))
	git(r.t, r.dir, "worktree", "add", "-q", "--detach", filepath.Join(r.t.TempDir(), "review"))
	for _, name := range []string{"pre-commit", "post-commit", "post-checkout", "pre-push"} {
		hook(r.t, r.dir+"/.git/hooks", name, "echo "+name+" >> hooks.log")
	}
	hook(r.t, r.dir+"/.git/hooks", "commit-msg", `printf '\nChange-Id: I%s\n' "$(git hash-object "$1")" >> "$1"`)
	r.env = command.Setenv(r.env, "GIT_CONFIG_GLOBAL="+gitconfig)
	r.base = git(r.t, r.dir, "rev-parse", "HEAD")
}

// colleague commits in another user's clone and returns a command that pushes from there.
func (r *releasing) colleague(name string, prepare func(dir string), push ...string) (command string) {
	r.t.Helper()
	dir := r.newClone()
	git(r.t, dir, "commit", "-q", "--allow-empty", "-m", "feat: by "+name)
	if prepare != nil {
		prepare(dir)
	}
	return fmt.Sprintf("git -C '%s' push -q origin %s", dir, strings.Join(push, " "))
}

// meanwhile makes a script run once in the middle of the release, after all questions and before any push. The function that returns the script is
// called after the release's base commit was pushed.
func (r *releasing) meanwhile(script func() string) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "meanwhile.sh")
	manifest := readFile(r.t, r.dir, "pixi.toml")
	changed := strings.Replace(manifest, `qa = "`, `qa = "sh `+path+` && `, 1)
	require.NotEqual(r.t, manifest, changed)
	write(r.t, r.dir, "pixi.toml", changed)
	r.pushAll("test: something happens meanwhile")
	require.NoError(r.t, os.WriteFile(path, []byte("test -e \"$0.done\" && exit 0\ntouch \"$0.done\"\n"+script()+"\n"), 0o644))
}

// refs returns the refs on the remote.
func (r *releasing) refs() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(git(r.t, r.dir, "--git-dir="+r.world.Remote, "for-each-ref", "--format=%(refname) %(objectname)")) {
		name, object, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[name] = object
	}
	return all
}

// TestReleaseInALivedInRepository releases in variations of such a clone. Each release either succeeds, with one more commit and tag on the
// remote and every file once on the channel, or stops with an error and a next step. If it stops, the remote and the channel are unchanged, and `mage
// undo` restores the clone.
func TestReleaseInALivedInRepository(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(r *releasing)
		stops  string   // part of the error; "" if the release succeeds
		theirs []string // refs that colleagues push in the meantime
	}{
		"as it is": {},
		"from a linked worktree": {change: func(r *releasing) {
			git(r.t, r.dir, "switch", "-q", "-c", "elsewhere")
			dir := filepath.Join(r.t.TempDir(), "linked here")
			git(r.t, r.dir, "worktree", "add", "-q", dir, "main")
			r.dir = dir
		}},
		"with a git folder elsewhere": {change: func(r *releasing) {
			git(r.t, r.dir, "submodule", "--quiet", "deinit", "-f", "vendor/lib") // git cannot move a submodule to another git folder
			git(r.t, r.dir, "init", "-q", "--separate-git-dir="+filepath.Join(r.t.TempDir(), "git folder"))
		}},
		"in a clone that borrows objects": {change: func(r *releasing) {
			dir := filepath.Join(r.t.TempDir(), "borrows")
			git(r.t, r.dir, "clone", "-q", "--shared", r.dir, dir)
			git(r.t, dir, "remote", "set-url", "origin", r.world.Remote)
			r.dir = dir
		}},
		"in a sparse checkout without the application": {
			change: func(r *releasing) {
				git(r.t, r.dir, "sparse-checkout", "set", "--cone", "packages")
			},
			stops: "app/pixi.toml",
		},
		"in a sparse checkout without a package": {
			change: func(r *releasing) {
				git(r.t, r.dir, "sparse-checkout", "set", "--cone", "packages/core", "packages/p0002", "app")
			},
			stops: "packages/p0001",
		},
		"without the submodule's files": {change: func(r *releasing) {
			git(r.t, r.dir, "submodule", "--quiet", "deinit", "-f", "vendor/lib")
		}},
		"with a change in the submodule": {
			change: func(r *releasing) {
				write(r.t, r.dir, "vendor/lib/file.py", "X = 2\n")
			},
			stops: "vendor/lib",
		},
		"a hook formats a file and adds it": {change: func(r *releasing) {
			hook(r.t, r.dir+"/.git/hooks", "pre-commit", "echo '# formatted' >> packages/core/src/mono_core/__init__.py; git add packages/core/src/mono_core/__init__.py")
		}},
		"a hook changes a file and does not add it": {
			change: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "pre-commit", "echo '# formatted' >> packages/core/pyproject.toml")
			},
			stops: "packages/core/pyproject.toml",
		},
		"a hook refuses the message": {
			change: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "commit-msg", `grep -q "^JIRA-" "$1" || { echo "no ticket in: $(head -1 "$1")" >&2; exit 1; }`)
			},
			stops: "no ticket in: ",
		},
		"a hook refuses the push": {
			change: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "echo 'not on a Friday' >&2; exit 1")
			},
			stops: "not on a Friday",
		},
		"a key that is not there": {
			change: func(r *releasing) {
				git(r.t, r.dir, "config", "commit.gpgsign", "true")
				git(r.t, r.dir, "config", "gpg.program", "/no/such/gpg")
			},
			stops: "/no/such/gpg",
		},
		"two colleagues push other branches and tags": {
			change: func(r *releasing) {
				r.meanwhile(func() string {
					return r.colleague("one", func(dir string) { git(r.t, dir, "tag", "nightly") }, "HEAD:refs/heads/one", "nightly") + " && " +
						r.colleague("two", func(dir string) { git(r.t, dir, "tag", "-a", "-m", "x", "v7.0.0") }, "HEAD:refs/heads/two", "v7.0.0")
				})
			},
			theirs: []string{"refs/heads/one", "refs/tags/nightly", "refs/heads/two", "refs/tags/v7.0.0"},
		},
		"a colleague pushes to main": {
			change: func(r *releasing) {
				r.meanwhile(func() string { return r.colleague("one", nil, "HEAD:refs/heads/main") })
			},
			stops:  "nothing of v0.1.7 was pushed",
			theirs: []string{"refs/heads/main"},
		},
		"a colleague pushes the same tag": {
			change: func(r *releasing) {
				r.meanwhile(func() string {
					return r.colleague("one", func(dir string) { git(r.t, dir, "tag", "-a", "-m", "mine", "v0.1.7") }, "v0.1.7")
				})
			},
			stops:  "because origin has the tag v0.1.7 now",
			theirs: []string{"refs/tags/v0.1.7"},
		},
		"a colleague was faster": {
			change: func(r *releasing) {
				shell(r.t, r.colleague("one", nil, "HEAD:refs/heads/main"))
			},
			stops: "the clone is behind origin/main",
		},
		"a tag is in the way of the tag's name": {
			change: func(r *releasing) {
				git(r.t, r.dir, "tag", "v0.1.7/rc")
			},
			stops: "v0.1.7/rc",
		},
		"the remote refuses tags": {
			change: func(r *releasing) {
				hook(r.t, r.world.Remote+"/hooks", "update", `case $1 in refs/tags/*) echo "tags are made by robots" >&2; exit 1; esac`)
			},
			stops: "tags are made by robots",
		},
		"the remote refuses main": {
			change: func(r *releasing) {
				hook(r.t, r.world.Remote+"/hooks", "update", `case $1 in refs/heads/main) echo "main is protected" >&2; exit 1; esac`)
			},
			stops: "main is protected",
		},
		"on no branch": {
			change: func(r *releasing) {
				git(r.t, r.dir, "switch", "-q", "--detach")
			},
			stops: "the clone is on no branch",
		},
		"in the middle of a merge without changes": {
			change: func(r *releasing) {
				git(r.t, r.dir, "branch", "-q", "theirs", "feature")
				git(r.t, r.dir, "worktree", "add", "-q", filepath.Join(r.t.TempDir(), "theirs"), "theirs")
				git(r.t, r.dir, "update-ref", "MERGE_HEAD", git(r.t, r.dir, "commit-tree", "-p", "theirs", "-m", "x", "theirs^{tree}"))
			},
			stops: "git is in the middle of a merge",
		},
		"git was killed, and its lock is there": {
			change: func(r *releasing) {
				write(r.t, r.dir, ".git/index.lock", "")
			},
			stops: "index.lock",
		},
		"with a file that is staged": {
			change: func(r *releasing) {
				write(r.t, r.dir, "staged.txt", "x\n")
				git(r.t, r.dir, "add", "staged.txt")
			},
			stops: "staged.txt",
		},
		"with something in the stash": {change: func(r *releasing) {
			write(r.t, r.dir, "packages/core/pixi.toml", "x\n")
			git(r.t, r.dir, "stash", "-q")
		}},
		"a remote of another name": {change: func(r *releasing) {
			manifest := strings.Replace(readFile(r.t, r.dir, "pixi.toml"), "[tool.release]\n", "[tool.release]\nremote = \"up.stream\"\n", 1)
			r.commit("chore: another name", map[string]string{"pixi.toml": manifest})
			git(r.t, r.dir, "push", "-q", "origin", "main")
			git(r.t, r.dir, "remote", "rename", "origin", "up.stream")
			r.base = git(r.t, r.dir, "rev-parse", "HEAD")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.livedIn()
			if c.change != nil {
				c.change(r)
			}
			if c.stops != "" {
				r.stops(c.stops, c.theirs)
			} else {
				r.goesThrough(c.theirs)
			}
		})
	}
}

// `stops` checks that a release stops with an error and a next step while colleagues push some refs. Everything else must be unchanged, or undo must
// be able to restore it.
func (r *releasing) stops(says string, theirs []string) {
	r.t.Helper()
	clone, want := r.mine(), r.refs()
	out, status := r.mage("release", "-to=patch", "-yes")
	require.Contains(r.t, []int{1, 3}, status, out)
	require.Contains(r.t, out, "Error: ")
	require.Contains(r.t, out, "→ ")
	require.Contains(r.t, out, says)
	require.Empty(r.t, r.onChannel())
	after := r.refs()
	for _, ref := range theirs {
		require.NotEmpty(r.t, after[ref])
		require.NotEqual(r.t, want[ref], after[ref], ref)
		want[ref] = after[ref]
	}
	require.Equal(r.t, want, after)
	r.takenBack(clone)
}

// goesThrough checks that a release adds one commit and one tag to the remote, besides what colleagues push, and each file once to the channel.
func (r *releasing) goesThrough(theirs []string) {
	r.t.Helper()
	want := r.refs()
	require.Contains(r.t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
	after := r.refs()
	for _, ref := range append([]string{"refs/heads/main", "refs/tags/v0.1.7"}, theirs...) {
		require.NotEmpty(r.t, after[ref], ref)
		want[ref] = after[ref]
	}
	require.Equal(r.t, want, after)
	remote := func(args ...string) string { return git(r.t, r.world.Remote, args...) }
	require.Equal(r.t, r.base, remote("rev-parse", "main^"), "one commit more")
	require.Equal(r.t, after["refs/heads/main"], remote("rev-parse", "v0.1.7^{commit}"))
	if r.has(".git/hooks/commit-msg") {
		require.Contains(r.t, remote("log", "-1", "--format=%B", "main"), "Change-Id: I")
	}
	require.Len(r.t, r.onChannel(), 3)
	require.Empty(r.t, git(r.t, r.dir, "status", "--porcelain"))
}

// `mine` returns the state of the user's clone, except files written by hooks.
func (r *releasing) mine() []string {
	return []string{
		git(r.t, r.dir, "rev-parse", "HEAD"),
		git(r.t, r.dir, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags"),
		git(r.t, r.dir, "config", "--list", "--local"),
		git(r.t, r.dir, "status", "--porcelain"),
		git(r.t, r.dir, "stash", "list"),
	}
}

// takenBack undoes the release, if it has changed anything, and checks that the clone is back in its earlier state.
func (r *releasing) takenBack(clone []string) {
	r.t.Helper()
	if !slices.Equal(clone, r.mine()) {
		if r.has(".git/hooks/pre-push") { // a hook that blocks pushes would also block undo
			_ = os.Remove(filepath.Join(r.dir, ".git/hooks/pre-push"))
		}
		git(r.t, r.dir, "checkout", "-q", "--", "packages") // unstaged changes made by a hook would block undo
		r.ok("undo", "-yes")
	}
	require.Equal(r.t, clone, r.mine())
}

func (r *releasing) has(name string) bool {
	_, err := os.Stat(filepath.Join(r.dir, name))
	return err == nil
}

func shell(t testing.TB, script string) {
	t.Helper()
	_, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: "sh", Args: []string{"-c", script}})
	require.NoError(t, err)
}
