package e2e_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
)

// TestPreflight creates one obstacle at a time, and then several at once. Preflight reports each obstacle with its next step before anything is
// changed.
func TestPreflight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		by   string
		bad  func(r *releasing)
		says string
		next string
	}{
		{name: "changes", bad: func(r *releasing) { write(r.t, r.dir, "stray.txt", "x") }, says: "the work tree has changes: stray.txt", next: "git stash -u"},
		{
			name: "staged",
			bad: func(r *releasing) {
				write(r.t, r.dir, "stray.txt", "x")
				git(r.t, r.dir, "add", "-A")
			},
			says: "the work tree has changes: stray.txt",
		},
		{name: "another branch", bad: func(r *releasing) { git(r.t, r.dir, "switch", "-q", "-c", "side") }, says: "the clone is on the branch side, but releases are made from main", next: "git switch main"},
		{name: "no branch", bad: func(r *releasing) { git(r.t, r.dir, "switch", "-q", "--detach") }, says: "the clone is on no branch"},
		{name: "behind", bad: func(r *releasing) { r.somebodyPushes() }, says: "the clone is behind origin/main", next: "git pull"},
		{name: "no remote", bad: func(r *releasing) { git(r.t, r.dir, "remote", "remove", "origin") }, says: "there is no remote origin", next: "git remote add origin URL"},
		{
			name: "the remote is gone",
			bad: func(r *releasing) {
				git(r.t, r.dir, "remote", "set-url", "origin", filepath.Join(r.dir, "nothing"))
			},
			says: "asking the remote origin",
		},
		{name: "a tag in this clone", bad: func(r *releasing) { git(r.t, r.dir, "tag", "v0.1.7") }, says: "the tag v0.1.7 is in this clone already", next: "git tag -d v0.1.7"},
		{
			name: "a tag on the remote",
			bad: func(r *releasing) {
				git(r.t, r.dir, "push", "-q", "origin", "HEAD:refs/tags/v0.1.7")
			},
			says: "v0.1.7",
		},
		{name: "a conflicting tag in this clone", bad: func(r *releasing) { git(r.t, r.dir, "tag", "v0.1.7/docs") }, says: "the tag v0.1.7 cannot be made beside the tag v0.1.7/docs", next: "git tag -d v0.1.7/docs"},
		{
			name: "a conflicting tag on the remote",
			bad: func(r *releasing) {
				git(r.t, r.dir, "push", "-q", "origin", "HEAD:refs/tags/v0.1.7/docs")
			},
			says: "on the remote origin, the tag v0.1.7 cannot be made beside the tag v0.1.7/docs",
			next: ":refs/tags/v0.1.7/docs",
		},
		{
			name: "a branch of that name there is none, but a link is",
			bad: func(r *releasing) {
				git(r.t, r.dir, "push", "-q", "origin", "HEAD:refs/heads/v0.1.7/docs")
				git(r.t, r.dir, "mv", "CHANGELOG.md", "docs.md")
				require.NoError(r.t, os.Symlink("docs.md", filepath.Join(r.dir, "CHANGELOG.md")))
				git(r.t, r.dir, "add", "-A")
				git(r.t, r.dir, "commit", "-q", "-m", "docs: x")
			},
			says: "CHANGELOG.md is a link to docs.md",
			next: "git mv docs.md CHANGELOG.md",
		},
		{
			name: "an artifact is committed",
			bad: func(r *releasing) {
				write(r.t, r.dir, "output/mono-core-0.1.7-pyh0000000_0.conda", "not built here")
				git(r.t, r.dir, "add", "-f", "output")
				git(r.t, r.dir, "commit", "-q", "-m", "chore: x")
			},
			says: "output/mono-core-0.1.7-pyh0000000_0.conda is committed to git, so it could be published instead of the package that is built here",
			next: "git rm --cached output/mono",
		},
		{
			name: "what publish records is committed",
			bad: func(r *releasing) {
				write(r.t, r.dir, "output/digests.json", "{}")
				git(r.t, r.dir, "add", "-f", "output")
				git(r.t, r.dir, "commit", "-q", "-m", "chore: x")
			},
			says: "output/digests.json is committed",
		},
		{
			name: "a read-only file",
			bad: func(r *releasing) {
				require.NoError(r.t, os.Chmod(filepath.Join(r.dir, "packages", "core", "pixi.toml"), 0o444))
			},
			says: "packages/core/pixi.toml: the file is read-only",
			next: "make the file and its folder writable",
		},
		{
			name: "a double of the changelog",
			bad: func(r *releasing) {
				write(r.t, r.dir, "changelog.md", "# Changelog\n")
				git(r.t, r.dir, "add", "-A")
				git(r.t, r.dir, "commit", "-q", "-m", "docs: x")
			},
			says: "there is a file changelog.md",
			next: "keep one of the two",
		},
		{
			name: "manifests that disagree",
			bad: func(r *releasing) {
				in("packages/p0001/pixi.toml", `version = "0.1.6"`, `version = "0.1.5"`)(r.t, r.dir)
				git(r.t, r.dir, "commit", "-q", "-a", "-m", "x")
			},
			says: "the manifests disagree in ",
			next: "-fixDrift",
		},
		{
			name: "a package that is on conda only",
			bad: func(r *releasing) {
				in("packages/p0001/pixi.toml", `numpy = ">=1.26,<3"`, `age = ">=1"`)(r.t, r.dir)
				git(r.t, r.dir, "commit", "-q", "-a", "-m", "x")
				r.env = command.Setenv(r.env, "PIPELINE_TOOLCHAIN=embedded")
			},
			says: "packages/p0001/pixi.toml:",
			next: "[tool.release.pypi]",
		},
		{
			name: "no toolchain",
			bad: func(r *releasing) {
				r.env = command.Setenv(r.env, "PATH=/usr/bin:/bin", "PIPELINE_TOOLCHAIN=embedded", "HOME="+r.t.TempDir(), "XDG_CACHE_HOME="+r.t.TempDir())
				hidePython(r)
			},
			says: "Python",
			next: "apt-get install python3",
		},
		{
			name: "no Python for a package",
			bad: func(r *releasing) {
				in("packages/p0001/pyproject.toml", `requires-python = ">=3.10"`, `requires-python = ">=3.99"`)(r.t, r.dir)
				git(r.t, r.dir, "commit", "-q", "-a", "-m", "x")
				r.env = command.Setenv(r.env, "PIPELINE_TOOLCHAIN=embedded")
			},
			says: "building mono-p0001: packages/p0001/pyproject.toml:5:1 asks for Python >=3.99",
			next: "PIPELINE_TOOLCHAIN=pixi",
		},
		{
			name: "packages without a common Python",
			bad: func(r *releasing) {
				in("packages/p0001/pyproject.toml", `requires-python = ">=3.10"`, `requires-python = "<3.12"`)(r.t, r.dir)
				in("packages/core/pyproject.toml", `requires-python = ">=3.10"`, `requires-python = ">=3.12"`)(r.t, r.dir)
				git(r.t, r.dir, "commit", "-q", "-a", "-m", "x")
				r.env = command.Setenv(r.env, "PIPELINE_TOOLCHAIN=embedded")
			},
			says: "pyproject.toml:5:1 asks for Python <3.12",
			next: "change these requirements so that one version meets all of them",
		},
		{name: "no channel server", bad: func(r *releasing) { r.env = command.Setenv(r.env, "PREFIX_SERVER_URL=http://127.0.0.1:1") }, says: "http://127.0.0.1:1"},
		{
			name: "the version is on the channel",
			bad: func(r *releasing) {
				r.publishSomething("0.1.7")
			},
			says: "has mono-core-0.1.7-pyh4616a5c_0.conda already",
			next: "pass -to with another version",
		},
		{name: "no credential", by: "here", bad: func(r *releasing) { r.env = command.Unset(r.env, "PREFIX_API_KEY") }, says: "credential", next: "PREFIX_API_KEY"},
		{name: "a wrong key", by: "here", bad: func(r *releasing) { r.env = command.Setenv(r.env, "PREFIX_API_KEY=pfx_wrong") }, says: "does not know the token"},
		{name: "a token of GitHub that makes no release", bad: func(r *releasing) { r.env = command.Setenv(r.env, "GITHUB_TOKEN="+rehearsal.ReaderToken) }, says: "the token's owner may not push"},
		{name: "a wrong token of GitHub", bad: func(r *releasing) { r.env = command.Setenv(r.env, "GITHUB_TOKEN=ghs_wrong") }, says: "GITHUB_TOKEN"},
		{
			name: "nobody to commit as",
			bad: func(r *releasing) {
				git(r.t, r.dir, "config", "--unset", "user.name")
				git(r.t, r.dir, "config", "--unset", "user.email")
				r.env = command.Setenv(command.Unset(r.env, "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"), "GIT_CONFIG_SYSTEM="+os.DevNull)
				git(r.t, r.dir, "config", "user.useConfigOnly", "true")
			},
			says: "git has no name or no email address for your commits",
			next: "git config user.email",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: c.by})
			c.bad(r)
			head, status := git(t, r.dir, "rev-parse", "HEAD"), git(t, r.dir, "status", "--porcelain")
			commits, _ := r.remote()
			out := r.refused(1, c.says, "release", "-to=0.1.7", "-yes")
			require.Contains(t, out, c.next)
			require.NotContains(t, out, "✓ bump")
			require.Equal(t, head, git(t, r.dir, "rev-parse", "HEAD"))
			require.Equal(t, status, git(t, r.dir, "status", "--porcelain"))
			now, _ := r.remote()
			require.Equal(t, commits, now)
			require.Empty(t, r.journalFile(), "nothing was begun")
		})
	}
	t.Run("several", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{})
		write(t, r.dir, "stray.txt", "x")
		git(t, r.dir, "switch", "-q", "-c", "side")
		git(t, r.dir, "tag", "v0.1.7")
		out := r.refused(1, "3 problems prevent the release", "release", "-to=0.1.7", "-yes")
		require.Equal(t, 3, strings.Count(out, "✗ ")-strings.Count(out, "✗ preflight"))
	})
}

// somebodyPushes pushes a commit from another clone.
func (r *releasing) somebodyPushes() {
	other := r.newClone()
	git(r.t, other, "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "--allow-empty", "-m", "fix: faster")
	git(r.t, other, "push", "-q", "origin", "main")
}

// publishSomething publishes packages at a version that the release is about to publish.
func (r *releasing) publishSomething(version string) {
	other := r.newClone()
	x := exec.Command(filepath.Join(compiled, "targets"), "version:bump", "-to="+version, "-commit", "-yes")
	x.Dir, x.Env = other, r.env
	out, err := x.CombinedOutput()
	require.NoError(r.t, err, "%s", out)
	x = exec.Command(filepath.Join(compiled, "targets"), "publish", "-yes")
	x.Dir, x.Env = other, r.env
	out, err = x.CombinedOutput()
	require.NoError(r.t, err, "%s", out)
}

// hidePython replaces every python on PATH with a program that is not Python.
func hidePython(r *releasing) {
	dir := r.t.TempDir()
	for _, name := range []string{"python3", "python", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"} {
		require.NoError(r.t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nexit 127\n"), 0o755))
	}
	r.env = command.Unset(r.env, "RUNNER_TOOL_CACHE", "AGENT_TOOLSDIRECTORY", "UV_PYTHON_INSTALL_DIR", "XDG_DATA_HOME")
	r.env = command.Setenv(r.env, "PATH="+dir+":/usr/bin:/bin")
}

// TestNothingIrreversible makes each step fail in turn. Nothing irreversible happens, the version remains unused, and the release can be completed
// once the cause is fixed.
func TestNothingIrreversible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		by     string
		breaks func(r *releasing)
		mends  func(r *releasing)
		says   string
		local  bool // nothing was pushed or uploaded
	}{
		{
			name:   "bump and commit",
			says:   "the hook says no",
			local:  true,
			breaks: func(r *releasing) { hook(r.t, r.dir+"/.git/hooks", "pre-commit", "echo the hook says no >&2; exit 1") },
			mends:  func(r *releasing) { hook(r.t, r.dir+"/.git/hooks", "pre-commit", "exit 0") },
		},
		{
			name:  "check",
			says:  "qa",
			local: true,
			breaks: func(r *releasing) {
				write(r.t, r.dir, "fail-qa", "x")
				git(r.t, r.dir, "add", "-A")
				git(r.t, r.dir, "commit", "-q", "-m", "fix: break it")
			},
			mends: func(r *releasing) {
				git(r.t, r.dir, "rm", "-q", "fail-qa")
				git(r.t, r.dir, "commit", "-q", "-m", "fix: mend it")
			},
		},
		{
			name:  "build: a pin is lost",
			says:  "mono-core ==0.1.7",
			local: true,
			breaks: func(r *releasing) {
				r.standin.Behave(pixitest.Behavior{Drop: map[string][]string{"mono-p0001": {"mono-core"}}})
			},
			mends: func(r *releasing) { r.standin.Behave(pixitest.Behavior{}) },
		},
		{
			name:  "tag",
			says:  "tagging v0.1.7",
			local: true,
			breaks: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "reference-transaction", "test \"$1\" = prepared && grep -q refs/tags/v0.1.7 && echo no tags today >&2 && exit 1; exit 0")
			},
			mends: func(r *releasing) { hook(r.t, r.dir+"/.git/hooks", "reference-transaction", "exit 0") },
		},
		{
			name:  "push",
			says:  "no pushes today",
			local: true,
			breaks: func(r *releasing) {
				hook(r.t, r.world.Remote+"/hooks", "pre-receive", "echo no pushes today >&2; exit 1")
			},
			mends: func(r *releasing) { hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 0") },
		},
		{
			name:   "publish: half of the packages",
			by:     "here",
			says:   "publish",
			breaks: func(r *releasing) { r.refuseUploads("mono-p0002") },
			mends:  func(r *releasing) { r.refuseUploads("") },
		},
		{
			name:   "GitHub release",
			by:     "here",
			says:   "GitHub release",
			breaks: func(r *releasing) { r.breakHub(true) },
			mends:  func(r *releasing) { r.breakHub(false) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: c.by})
			c.breaks(r)
			out, status := r.mage("release", "-to=patch", "-yes")
			require.Equal(t, 1, status, out)
			require.Contains(t, out, c.says)
			if c.local {
				commits, tags := r.remote()
				require.Equal(t, []string{r.base}, commits)
				require.Empty(t, tags)
				require.Empty(t, r.onChannel())
			}
			if c.name != "bump and commit" { // a release that fails in this step leaves nothing unfinished
				require.Contains(t, r.refused(3, "is unfinished", "release", "-to=2.0.0", "-yes"), "nothing was changed")
			}
			c.mends(r)
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
			if c.name != "check" { // the fix for check adds commits
				r.released("0.1.7")
			}
		})
	}
}

// A step that needs a user's decision ends the release with exit status 3, even if its error is wrapped in others, and says how to continue. Here
// someone moves the tag during the push.
func TestDecisionInsideARelease(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hooks := filepath.Join(r.world.Remote, "hooks")
	theirs := git(t, r.dir, "commit-tree", "-p", r.base, "-m", "theirs", r.base+"^{tree}")
	git(t, r.dir, "push", "-q", "origin", theirs+":refs/heads/theirs")
	hook(t, hooks, "post-receive", "git update-ref refs/tags/v0.1.7 "+theirs)
	out := r.refused(3, "v0.1.7 at ", "release", "-to=patch", "-yes")
	require.Contains(t, out, "→ find out which commit is right; then `mage release` continues from here")
	require.NotContains(t, out, "✓ push")
	require.Empty(t, r.onChannel(), "nothing is sent of what may be somebody else's")
	r.refused(3, "v0.1.7 is unfinished, and a bump would change its versions;", "version:bump", "-to=patch", "-yes")
	require.Contains(t, r.refused(2, `"foo" is not a version`, "release", "-to=foo", "-yes"), "→ pass -to=patch, minor, major, auto, rc, or a version")

	require.NoError(t, os.Remove(filepath.Join(hooks, "post-receive")))
	r.refused(1, "and does not belong to this release", "release", "-yes")
	git(t, r.dir, "push", "-q", "--force", "origin", "v0.1.7")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
	r.released("0.1.7")
}

// TestAccidents reproduces accidents that have used up version numbers in other projects. Each is detected before the tag is made, and the version
// can be released once the cause is fixed. (TestNothingIrreversible covers a partial upload.)
func TestAccidents(t *testing.T) {
	t.Parallel()
	task := func(qa string) map[string]string {
		return map[string]string{"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + "\n[tasks]\nqa = " + qa + "\n\n[tool.release]\npublish = \"ci\"\n"}
	}
	good := task(`"true"`)
	for _, c := range []struct {
		name   string
		files  map[string]string
		breaks func(r *releasing)
		says   string
		status int // 0 means 1
	}{
		{
			name: "a wrong flag of the builder",
			says: "unexpected argument '--target-dir' found",
			breaks: func(r *releasing) {
				dir := r.t.TempDir()
				write(r.t, dir, "pixi", fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = publish ]; then echo \"error: unexpected argument '--target-dir' found\" >&2; exit 2; fi\nexec %s/pixi \"$@\"\n", r.standin.Dir))
				require.NoError(r.t, os.Chmod(filepath.Join(dir, "pixi"), 0o755))
				path, _ := command.Getenv(r.env, "PATH")
				r.env = command.Setenv(r.env, "PATH="+dir+":"+path)
			},
		},
		{name: "a tool that is missing", files: task(`"no-such-uploader --version"`), says: "no-such-uploader"},
		{
			name: "a glob that matches nothing",
			says: "mono-core",
			breaks: func(r *releasing) {
				r.standin.Behave(pixitest.Behavior{NoOutput: []string{"mono-core"}})
			},
		},
		{
			name:   "a setting that refers to itself",
			status: 2,
			says:   "the address of the channel server is not an http or https URL",
			breaks: func(r *releasing) {
				r.env = command.Setenv(r.env, "PREFIX_SERVER_URL=${{ env.PREFIX_SERVER_URL }}")
			},
		},
		{name: "an escaped $ in a task", files: task(`"test \\$HOME = $HOME"`), says: "the task qa"},
		{
			name: "an artifact of the wrong version",
			says: `its version is "0.1.6" and not "0.1.7"`,
			breaks: func(r *releasing) {
				r.standin.Behave(pixitest.Behavior{Versions: map[string]string{"mono-core": "0.1.6"}})
			},
		},
		{
			name: "a tag that names another version",
			says: "",
			breaks: func(r *releasing) {
				// Someone pushes a tag by hand, without a release. The CI must refuse it.
				git(r.t, r.dir, "push", "-q", "origin", "HEAD:refs/tags/v9.9.9")
				waitFor(r.t.(*testing.T), "CI", func() bool { return len(r.world.Jobs()) > 0 })
				require.Contains(r.t, r.world.Jobs()[0].Log, "the tag v9.9.9 started this run, but the tags of the versions in the manifests are: v0.1.6")
				require.Empty(r.t, r.onChannel())
				git(r.t, r.dir, "push", "-q", "origin", ":refs/tags/v9.9.9")
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{files: c.files})
			env := r.env
			if c.breaks != nil {
				c.breaks(r)
			}
			if c.says != "" {
				r.refused(max(1, c.status), c.says, "release", "-to=patch", "-yes")
			}
			commits, tags := r.remote()
			require.Equal(t, []string{r.base}, commits)
			require.Empty(t, tags)
			require.Empty(t, r.onChannel())
			r.env = env
			r.standin.Behave(pixitest.Behavior{})
			if c.files != nil {
				for name, text := range good {
					write(t, r.dir, name, text)
				}
				git(t, r.dir, "commit", "-q", "-a", "-m", "fix: mend it")
			}
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
		})
	}
}

// TestConcurrentReleasesInOneClone starts two releases in one clone. One succeeds; the other fails with an error and changes nothing.
func TestConcurrentReleasesInOneClone(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	one, oneSaid := r.start("release", "-to=patch", "-yes")
	two, twoSaid := r.start("release", "-to=patch", "-yes")
	require.NoError(t, one.Start())
	require.NoError(t, two.Start())
	_ = one.Wait()
	_ = two.Wait()
	codes := []int{one.ProcessState.ExitCode(), two.ProcessState.ExitCode()}
	require.ElementsMatch(t, []int{0, 3}, codes, "%s\n%s", oneSaid, twoSaid)
	loser := oneSaid.String()
	if codes[1] == 3 {
		loser = twoSaid.String()
	}
	require.Contains(t, loser, "another release is under way here, locked by process ")
	r.released("0.1.7")
}

// TestReleaseOfAnotherClone requests a version that another clone has tagged but not published. The version does not count as released, and this
// clone continues the release after a pull. After a later release, the version counts as released.
func TestReleaseOfAnotherClone(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	behind, first := r.newClone(), r.dir
	r.refuseUploads("mono-p0001")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	r.dir = behind
	git(t, behind, "fetch", "-q", "--tags")
	for _, to := range []string{"0.1.7", "patch", "minor"} {
		r.refused(1, "the clone is behind origin/main", "release", "-to="+to, "-yes")
	}
	r.refuseUploads("")
	git(t, behind, "pull", "-q")
	require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released, at commit ")
	r.released("0.1.7")
	require.Contains(t, r.ok("release", "-to=0.1.8", "-yes"), "v0.1.8 is released, at commit ")
	require.Contains(t, r.ok("release", "-to=v0.1.7", "-yes"), "v0.1.7 is released: ")

	r.dir = first // this clone's journal does not record that the release is complete
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7")
}

// mageLeft appears in the output if a target takes more than five seconds to stop, as on a busy machine. Mage then exits immediately, as if killed.
const mageLeft = "stopped at once, without cleaning up"

// TestCtrlC interrupts a release, which stops at a safe point and says how to continue. Nothing prevents it from continuing.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	x, out := r.start("release", "-to=patch", "-yes")
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, x.Start())
	waitFor(t, "the release to begin", func() bool { return r.journalLines() > 4 })
	status := r.ok("status")
	require.Regexp(t, `the release of v0\.1\.7 is running \(process \d+ since \S+\)`, status)
	require.NotContains(t, status, "not finished")
	require.NotContains(t, status, "`mage undo`", "it would be refused")
	require.NoError(t, syscall.Kill(-x.Process.Pid, syscall.SIGINT))
	_ = x.Wait()
	require.Equal(t, 130, x.ProcessState.ExitCode(), "%s", out)
	require.NotContains(t, out.String(), "mage targets, waiting")
	if !strings.Contains(out.String(), mageLeft) {
		require.Contains(t, out.String(), "stopped by a signal (interrupt), at a safe point")
		require.Contains(t, out.String(), "→ `mage release` continues from here")
		status = r.ok("status")
		require.Contains(t, status, "v0.1.7 is unfinished since ")
		require.NotContains(t, status, "failed: stopped by a signal")
	}
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
	r.released("0.1.7")
}

// TestUndo undoes a release at every stage. Once the first file is uploaded, undo is refused.
func TestUndo(t *testing.T) {
	t.Parallel()
	for _, private := range accesses {
		t.Run(cmp.Or(string(private), "public"), func(t *testing.T) { undoOf(t, private) })
	}
}

func undoOf(t *testing.T, private login) {
	t.Run("local", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{private: private})
		hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
		_, status := r.mage("release", "-to=patch", "-yes")
		require.Equal(t, 1, status)
		require.Equal(t, "v0.1.7", git(t, r.dir, "tag", "--list", "v0.1.7"))
		r.refused(3, "there is no terminal to ask at", "undo")
		require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 was undone\n→ fix the problem, then `mage release -to=patch`\n")
		require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
		r.untouched()
		r.undone("local")
		r.refused(1, "there is nothing to undo", "undo", "-yes")
		hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 0")
		require.NoError(t, os.RemoveAll(filepath.Join(r.dir, ".git", "pixi-release", "releases")))
		r.ok("release", "-to=patch", "-yes")
		r.released("0.1.7")
	})
	t.Run("committed, and then edited", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{private: private})
		r.standin.Behave(pixitest.Behavior{NoOutput: []string{"mono-core"}})
		_, status := r.mage("release", "-to=patch", "-yes")
		require.Equal(t, 1, status)
		require.NotEqual(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
		r.edit()
		require.Contains(t, r.ok("status"), "v0.1.7 is unfinished since ")
		require.NotContains(t, r.refused(1, "the work tree has changes", "release"), "no terminal", "it is found before the question")
		require.Contains(t, r.refused(1, "v0.1.7 cannot be undone while you have uncommitted changes in pixi.toml; nothing was changed", "undo", "-yes"), "`git stash`")
		git(t, r.dir, "checkout", "-q", "pixi.toml")
		require.Contains(t, r.ok("undo", "-yes"), "removed the commit")
		r.untouched()
	})
	t.Run("pushed", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{by: "here", private: private})
		r.refuseUploads("mono-core")
		_, status := r.mage("release", "-to=patch", "-yes")
		require.Equal(t, 1, status)
		require.Contains(t, readFile(t, r.journalFile()), `"result":{"refused":true}`) // none of its files is on the channel
		r.refused(3, "its tag is removed from the remote, and its commit is reverted on main", "undo")
		require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 was undone")
		commits, tags := r.remote()
		require.Empty(t, tags)
		require.Len(t, commits, 3, "the commit and the one that undoes it")
		require.Empty(t, git(t, r.dir, "diff", r.base, "HEAD"))
		require.Equal(t, commits[0], git(t, r.dir, "rev-parse", "HEAD"))
		r.undone("pushed, and reverted")
	})
	t.Run("uploaded", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{by: "here", private: private})
		r.refuseUploads("mono-p0002")
		_, status := r.mage("release", "-to=patch", "-yes")
		require.Equal(t, 1, status)
		before := r.onChannel()
		require.NotEmpty(t, before)
		require.NotContains(t, readFile(t, r.journalFile()), `"refused":true`)
		out := r.refused(3, "v0.1.7 cannot be undone", "undo")
		require.Contains(t, out, "/api/v1/delete/mono/noarch/mono-core-0.1.7-pyh4616a5c_0.conda")
		out = r.ok("undo", "-yes")
		require.Contains(t, out, "This is the next patch, v0.1.8")
		require.Equal(t, before, r.onChannel())
		r.undone("given up")
		r.refuseUploads("")
		require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
	})
}

// afterUndo has the text and the JSON that status prints after each kind of undo.
var afterUndo = map[string]struct{ says, json string }{
	"local": {
		says: "v0.1.7: undone: nothing of it is left in this clone\n→ `mage release -to=patch`\n",
		json: `"end": "undone",\s+"steps": \[\]\s+\}`,
	},
	"pushed, and reverted": {
		says: "v0.1.7: undone: its tags are gone, and main has the earlier versions again; the commit HEAD^ and its revert HEAD stay in the history\n→ `mage release -to=patch`\n",
		json: `"end": "undone",\s+"steps": \[\],\s+"stays": \{\s+"branch": "main",\s+"commit": "HEAD^\w+",\s+"reverted": "HEAD\w+",\s+"versions": false\s+\}\s+\}`,
	},
	"landed by a pull request": {
		says: "v0.1.7: undone: its tags are gone, and main still has its versions (commit HEAD)\n→ `mage release -to=0.1.7` releases it after all\n",
		json: `"end": "undone",\s+"steps": \[\],\s+"stays": \{\s+"branch": "main",\s+"commit": "HEAD\w+",\s+"versions": true\s+\}\s+\}`,
	},
	"given up": {
		says: "v0.1.7: abandoned\n",
		json: `"end": "abandoned",\s+"steps": \[\s+\{`,
	},
}

// undone checks the output of status after an undo.
func (r *releasing) undone(way string) {
	r.t.Helper()
	last := strings.Fields(git(r.t, r.dir, "log", "-2", "--format=%H"))
	want, at := afterUndo[way], strings.NewReplacer("HEAD^", last[len(last)-1][:12], "HEAD", last[0][:12])
	require.Contains(r.t, r.ok("status"), at.Replace(want.says), way)
	require.Regexp(r.t, at.Replace(want.json), r.ok("status", "-json"), way)
}

// TestStatus checks that status reports the progress of an unfinished release from the journal, the remote and the channel, even in a clone without a
// journal.
func TestStatus(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	require.Contains(t, r.ok("status"), "no release was begun in this clone")
	r.refuseUploads("mono-p0002")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	out := r.ok("status")
	require.Contains(t, out, "v0.1.7 is unfinished since ")
	require.Regexp(t, `✓ push +origin/main and the tags at [0-9a-f]{12}\n`, out)
	require.Regexp(t, `✗ publish +failed: `, out)
	require.Regexp(t, `○ GitHub release +to do\n`, out)
	r.edit()
	require.Contains(t, r.ok("status"), "v0.1.7 is unfinished since ")
	r.dir = r.newClone()
	require.Contains(t, r.ok("status"), "v0.1.7 is tagged on the remote but not complete")
	require.Contains(t, r.refused(3, "the release of v0.1.7 is unfinished", "release", "-to=minor", "-yes"), "nothing was changed")
	r.refuseUploads("")
	require.Contains(t, r.ok("release", "-yes"), "continuing the release")
	r.released("0.1.7")

	env := r.env
	r.env = command.Setenv(r.env, "PREFIX_SERVER_URL=http://127.0.0.1:1")
	r.edit()
	require.Contains(t, r.ok("status"), "v0.1.7: released")
	r.env, r.dir = env, r.newClone()
	git(t, r.dir, "remote", "remove", "origin")
	require.Contains(t, r.ok("status"), "no release was begun in this clone, and it is not known whether the remote has a tag")
}

// The artifacts of a release are kept, whatever the check tasks leave in the release's clone: a file that git does not ignore, or a version that a
// tool writes into a tracked file.
func TestBuiltOnce(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]string{
		"a new file":           "echo here >left",
		"a changed file":       "echo changed >>CHANGELOG.md",
		"a deleted file":       "rm CHANGELOG.md",
		"a new file in output": "mkdir -p output && echo here >output/left",
	} {
		t.Run(name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{
				by: "here",
				files: map[string]string{
					"pixi.toml": monorepotest.Files(3, "0.1.6")["pixi.toml"] + "\n[tasks]\nqa = \"" + left + "\"\n\n[tool.release]\npublish = \"here\"\n",
				},
			})
			r.refuseUploads("mono-p0002")
			_, status := r.mage("release", "-to=patch", "-yes")
			require.Equal(t, 1, status)
			built := func() (found []string) {
				files, err := filepath.Glob(filepath.Join(r.dir, "output/release/clone/output/*.conda"))
				require.NoError(t, err)
				for _, file := range files {
					st, err := os.Stat(file)
					require.NoError(t, err)
					found = append(found, file+" of "+st.ModTime().String())
				}
				return found
			}
			before := built()
			require.Len(t, before, 3)
			require.NotContains(t, r.ok("status"), "the state now is unknown")
			require.Equal(t, before, built())
			r.refuseUploads("")
			require.Regexp(t, `✓ build +\S+  there already: mono-core`, r.ok("release", "-yes"))
			require.Equal(t, before, built())
			require.NotContains(t, r.ok("status"), "the state now is unknown")
			r.released("0.1.7")
		})
	}
}

// edit adds a comment to a manifest.
func (r *releasing) edit() {
	file := filepath.Join(r.dir, "pixi.toml")
	text, err := os.ReadFile(file)
	require.NoError(r.t, err)
	require.NoError(r.t, os.WriteFile(file, append(text, "# edited\n"...), 0o644))
}

// gate is a proxy in front of the embedded servers that rejects requests chosen by the test.
type gate struct {
	refuses atomic.Pointer[func(r *http.Request) bool]
}

func (g *gate) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuses := g.refuses.Load(); refuses != nil && (*refuses)(r) {
			http.Error(w, `{"message": "not today"}`, http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuseUploads makes uploads of a package's files fail; "" stops that.
func (r *releasing) refuseUploads(name string) {
	refuses := func(q *http.Request) bool {
		if name == "" || q.Method != http.MethodPost || !strings.HasPrefix(q.URL.Path, "/api/v1/upload/") {
			return false
		}
		body, err := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(body))
		return err == nil && bytes.Contains(body, []byte(`filename="`+name+"-"))
	}
	r.gate.refuses.Store(&refuses)
}

// breakHub makes GitHub reject the creation of releases, or accept it again.
func (r *releasing) breakHub(broken bool) {
	refuses := func(q *http.Request) bool {
		return broken && q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/releases")
	}
	r.gate.refuses.Store(&refuses)
}

// If a hook refused a release's commit, plain `release` proposes the same release again until its plan is agreed to, however often it stops before
// that. An unanswered question does not lose the requested version.
func TestReleaseWhoseCommitWasRefused(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	hook(t, r.dir+"/.git/hooks", "pre-commit", "exit 1")
	r.refused(1, "`mage release` continues from here", "release", "-to=minor", "-yes")
	require.NoError(t, os.Remove(r.dir+"/.git/hooks/pre-commit"))
	r.untouched()
	r.refused(3, "there is no terminal to ask at", "release")
	write(t, r.dir, "pixi.toml", readFile(t, r.dir, "pixi.toml")+"\n")
	r.refused(1, "the work tree has changes", "release", "-yes")
	git(t, r.dir, "checkout", "-q", "pixi.toml")
	require.Contains(t, r.ok("release", "-yes"), "v0.2.0 is released")
	r.released("0.2.0")
	r.refused(2, "no release is unfinished", "release", "-yes")
}
