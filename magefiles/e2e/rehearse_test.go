package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rehearsed runs a rehearsal in the clone. The rehearsal must succeed and leave the clone unchanged.
func (r *releasing) rehearsed(args ...string) string {
	r.t.Helper()
	before := r.everything()
	out := r.ok(append([]string{"rehearse"}, args...)...)
	require.Equal(r.t, before, r.everything(), "a rehearsal changes nothing")
	return out
}

// rehearseRefused checks that a rehearsal fails before any embedded servers are started.
func (r *releasing) rehearseRefused(status int, says string, args ...string) {
	r.t.Helper()
	before := r.everything()
	out := r.refused(status, says, append([]string{"rehearse"}, args...)...)
	require.NotContains(r.t, out, "start the world")
	require.NotContains(r.t, out, "what was released")
	require.Equal(r.t, before, r.everything())
}

// everything returns the clone's refs, configuration and changes, and the remote's refs.
func (r *releasing) everything() string {
	r.t.Helper()
	return strings.Join([]string{
		git(r.t, r.dir, "for-each-ref", "--format=%(refname) %(objectname)"),
		git(r.t, r.dir, "symbolic-ref", "--quiet", "HEAD"),
		git(r.t, r.dir, "config", "--list", "--local"),
		git(r.t, r.dir, "status", "--porcelain"),
		git(r.t, r.dir, "worktree", "list"),
		git(r.t, r.world.Remote, "for-each-ref", "--format=%(refname) %(objectname)"),
	}, "\n")
}

// TestRehearseAmongTenReleases makes ten releases and rehearses before and after each of them. All rehearsals succeed, no package needs a stand-in,
// and no tag is built twice.
func TestRehearseAmongTenReleases(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	check := func(out string, released, next int, fresh bool) {
		t.Helper()
		require.Contains(t, out, fmt.Sprintf("mono v0.1.%d was rehearsed", next))
		require.NotContains(t, out, "stands in")
		require.NotContains(t, out, "unfinished")
		how := "kept from an earlier rehearsal"
		if fresh {
			how = "built from the tag"
		}
		require.Contains(t, out, fmt.Sprintf("v0.1.%d: 3 packages, %s", released, how))
	}
	for n := 7; n <= 16; n++ {
		r.commit("fix(core): something", map[string]string{"packages/core/src/mono_core/more.py": fmt.Sprintf("N = %d\n", n)})
		git(t, r.dir, "push", "-q", "origin", "main")
		check(r.rehearsed(), n-1, n, n == 7)
		require.Contains(t, r.ok("release", "-to=patch", "-yes"), fmt.Sprintf("v0.1.%d is released", n))
		check(r.rehearsed(), n, n+1, true)
	}
	out := r.rehearsed("-to=minor", "-publish=ci")
	require.Contains(t, out, "mono v0.2.0 was rehearsed")
	require.Contains(t, out, "sent by CI")
}

// TestRehearseBesideAnotherTool has a release.yml that publishes to PyPI. It is skipped and does not stop the rehearsal. A release.yml that calls
// mage either runs or stops the rehearsal.
func TestRehearseBesideAnotherTool(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "ci"})
	file := func(steps string) {
		r.commit("ci: release", map[string]string{".github/workflows/release.yml": "on: {push: {tags: ['v*']}}\njobs:\n  a:\n    runs-on: [self-hosted]\n    container: python:3\n    steps:\n" + steps})
		git(t, r.dir, "push", "-q", "origin", "main")
	}
	file("      - uses: pypa/gh-action-pypi-publish@release/v1\n")
	out := r.rehearsed()
	require.Contains(t, out, "mono v0.1.7 was rehearsed")
	require.Contains(t, out, "sent by CI")
	require.Contains(t, out, "release.yml of the commit does not call `mage publish` (a release needs ")
	file("      - run: go tool mage publish -yes\n")
	r.rehearseRefused(1, "container is not supported here")
	require.Contains(t, r.rehearsed("-publish=here"), "mono v0.1.7 was rehearsed")
}

// TestRehearseAfterABumpWithoutARelease has the previous version on the channel and a bumped version that is not released.
func TestRehearseAfterABumpWithoutARelease(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	r.ok("version:bump", "-to=0.2.0", "-commit", "-yes")
	out := r.rehearsed("-to=0.2.0")
	require.Contains(t, out, "v0.1.6: 3 packages, built from the tag")
	require.Contains(t, out, "the versions are in the manifests already")
	require.Contains(t, out, "mono v0.2.0 was rehearsed")
	require.Contains(t, r.rehearsed(), "mono v0.2.1 was rehearsed")

	// If 0.2.0 has a local tag that is not pushed, as after `version:bump -tag`, it counts as released, because another clone may have pushed the
	// tag.
	git(t, r.dir, "tag", "-a", "-m", "v0.2.0", "v0.2.0")
	out = r.rehearsed()
	require.Contains(t, out, "v0.2.0: 3 packages, built from the tag")
	require.Contains(t, out, "mono v0.2.1 was rehearsed")
}

// TestRehearseWithANewPackage adds a package at the same version as all others. The last release did not include it.
func TestRehearseWithANewPackage(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.ok("release", "-to=patch", "-yes")
	r.commit("feat: another package", map[string]string{
		"packages/late/pixi.toml":                 "[package]\nname = \"mono-late\"\nversion = \"0.1.7\"\n\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\nconfig = { noarch = true }\n",
		"packages/late/pyproject.toml":            "[project]\nname = \"mono-late\"\nversion = \"0.1.7\"\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
		"packages/late/src/mono_late/__init__.py": "",
	})
	git(t, r.dir, "push", "-q", "origin", "main")
	out := r.rehearsed()
	require.Contains(t, out, "v0.1.7: 3 packages, built from the tag")
	require.Contains(t, out, "mono v0.1.8 was rehearsed: 4 packages")
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
}

// TestRehearseAfterARemovedPackage removes or renames a package that was in the last release. That release still counts as complete.
func TestRehearseAfterARemovedPackage(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *releasing){
		"one is removed": func(r *releasing) {
			git(t, r.dir, "rm", "-rq", "packages/p0002")
			r.commit("feat!: no p0002", map[string]string{"app/pixi.toml": strings.Replace(readFile(t, r.dir, "app/pixi.toml"), "mono-p0002 = \"==0.1.6\"\n", "", 1)})
		},
		"one is renamed": func(r *releasing) {
			files := map[string]string{}
			for _, name := range []string{"app/pixi.toml", "packages/p0002/pixi.toml", "packages/p0002/pyproject.toml"} {
				files[name] = strings.Replace(readFile(t, r.dir, name), "mono-p0002", "mono-other", 1)
			}
			git(t, r.dir, "mv", "packages/p0002/src/mono_p0002", "packages/p0002/src/mono_other")
			r.commit("feat!: p0002 is other", files)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			change(r)
			git(t, r.dir, "push", "-q", "origin", "main")
			for _, how := range []string{"built from the tag", "kept from an earlier rehearsal"} {
				out := r.rehearsed("-to=minor")
				require.Contains(t, out, "v0.1.6: 3 packages, "+how)
				require.Contains(t, out, "mono v0.2.0 was rehearsed")
			}
		})
	}
}

// TestRehearseTheRestOfAnUnfinishedRelease rehearses the rest of a real release that stopped at various points. The output says so.
func TestRehearseTheRestOfAnUnfinishedRelease(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by   string
		stop func(r *releasing) // makes the release stop
		goes func(r *releasing) // removes the cause
		said string
	}{
		"before the tag": {
			by:   "ci",
			stop: func(r *releasing) { r.commit("test: break", map[string]string{"fail-qa": ""}) },
			goes: func(r *releasing) {
				git(r.t, r.dir, "rm", "-q", "fail-qa")
				git(r.t, r.dir, "commit", "-q", "-m", "fix: it")
			},
			said: "✓ build",
		},
		"refused by the remote": {
			by:   "here",
			stop: func(r *releasing) { hook(r.t, r.world.Remote+"/hooks", "pre-receive", "echo not today; exit 1") },
			goes: func(r *releasing) { hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 0") },
			said: "✓ push",
		},
		"half uploaded": {
			by:   "here",
			stop: func(r *releasing) { r.refuseUploads("mono-p0001") },
			goes: func(r *releasing) { r.refuseUploads("") },
			said: "the files of v0.1.7 that the real channel already has",
		},
		"pushed, and published by nobody": {
			by:   "ci",
			stop: func(r *releasing) { r.refuseUploads("mono-core") },
			goes: func(r *releasing) { r.refuseUploads("") },
			said: "the files of v0.1.7 that the real channel already has",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: c.by})
			c.stop(r)
			r.refused(1, "", "release", "-to=patch", "-yes")
			if name == "before the tag" { // the cause is part of the commit that is rehearsed
				c.goes(r)
				c.goes = func(*releasing) {}
			}
			out := r.rehearsed()
			require.Contains(t, out, "the release of v0.1.7 is unfinished here, and its continuation is rehearsed")
			require.Contains(t, out, "continuing v0.1.7, which is unfinished")
			require.Contains(t, out, "mono v0.1.7 was rehearsed")
			require.Contains(t, out, c.said)
			r.rehearseRefused(3, "the release of v0.1.7 is unfinished, but -to=minor asks for another release", "-to=minor")
			c.goes(r)
			if c.by == "ci" && name != "before the tag" {
				return // the CI run has failed and is not retried
			}
			require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
			require.Contains(t, r.rehearsed(), "mono v0.1.8 was rehearsed")
		})
	}
}

// TestRehearseOnAMaintenanceBranch releases from a branch that matches a pattern.
func TestRehearseOnAMaintenanceBranch(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	config := strings.Replace(readFile(t, r.dir, "pixi.toml"), "[tool.release]\n", "[tool.release]\nbranch = [\"main\", \"0.*\"]\n", 1)
	r.commit("chore: maintain", map[string]string{"pixi.toml": config})
	git(t, r.dir, "push", "-q", "origin", "main", "main:refs/heads/0.1")
	require.Contains(t, r.ok("release", "-to=minor", "-yes"), "v0.2.0 is released")

	git(t, r.dir, "switch", "-q", "-c", "0.1", "origin/0.1")
	out := r.rehearsed()
	require.Contains(t, out, "v0.1.6: 3 packages, built from the tag")
	require.Contains(t, out, "✓ push")
	require.Contains(t, out, "origin/0.1 and the tags at")
	require.Contains(t, out, "mono v0.1.7 was rehearsed")
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
	require.Contains(t, r.rehearsed(), "mono v0.1.8 was rehearsed")

	// A version that is already released from another branch is free on the embedded servers. The report names its tag.
	require.Contains(t, r.rehearsed("-to=0.2.0"), "○ whether the tag v0.2.0 is free: the tag exists")
	git(t, r.dir, "switch", "-q", "main")
	require.Contains(t, r.rehearsed(), "mono v0.2.1 was rehearsed")
}

// TestRehearseIndependentVersions rehearses one of several packages, as `release -only` releases it.
func TestRehearseIndependentVersions(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	config := strings.Replace(readFile(t, r.dir, "pixi.toml"), "[tool.release]\n", "[tool.release]\nversioning = \"independent\"\n", 1)
	r.commit("chore: each its own", map[string]string{"pixi.toml": config})
	git(t, r.dir, "push", "-q", "origin", "main")
	require.Contains(t, r.rehearsed("-only=mono-p0001"), "mono mono-p0001/v0.1.7 was rehearsed")
	require.Contains(t, r.ok("release", "-to=patch", "-only=mono-p0001", "-yes"), "mono-p0001/v0.1.7 is released")
	require.Contains(t, r.ok("release", "-to=minor", "-only=mono-p0002", "-yes"), "mono-p0002/v0.2.0 is released")

	out := r.rehearsed("-only=mono-core")
	require.Contains(t, out, "mono-p0001/v0.1.7: 1 package, built from the tag")
	require.Contains(t, out, "mono-p0002/v0.2.0: 1 package, built from the tag")
	require.Contains(t, out, "mono-core/v0.1.7")
	r.rehearseRefused(2, `no package named "nothing"`, "-only=nothing")
}

// TestRehearseAfterAReleaseThatCannotBeBuilt has a last release that cannot be built. The rehearsal says so, uses stand-ins, and succeeds.
func TestRehearseAfterAReleaseThatCannotBeBuilt(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]map[string]string{
		"a manifest that cannot be read":   {"packages/core/pixi.toml": "[package\n"},
		"a manifest that is not there yet": {"pixi.toml": ""},
		"a build that fails":               {"packages/core/pyproject.toml": "[project]\nname = \"mono-core\"\nversion = \"0.1.6\"\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.nothing\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fails := name == "a build that fails"
			r := newReleasing(t, releaseOptions{real: fails})
			good := map[string]string{}
			for file := range broken {
				good[file] = readFile(t, r.dir, file)
			}
			r.commit("chore: as it was once", broken)
			git(t, r.dir, "tag", "-f", "-a", "-m", "v0.1.6", "v0.1.6")
			r.commit("chore: as it is today", good)
			out := r.rehearsed()
			require.Contains(t, out, "v0.1.6: 3 packages")
			require.Contains(t, out, "○ mono-core 0.1.6 as it was released: this package could not be built from v0.1.6")
			require.Contains(t, out, "mono v0.1.7 was rehearsed")
			if fails { // only this package could not be built
				require.Equal(t, 1, strings.Count(out, "as it was released"))
				return
			}
			require.NotContains(t, r.rehearsed(), "kept from an earlier rehearsal", "what stands in is not kept")
		})
	}
}

// TestRehearseReportsErrorsBeforeItStartsServers checks that a rehearsal reports all errors that can be found in manifests, tags and flags at once,
// before any embedded servers are started.
func TestRehearseReportsErrorsBeforeItStartsServers(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{1, "0.0.1 is lower than the current version 0.1.6", []string{"-to=0.0.1"}},
		{1, "nothing to release: 0 commits since v0.1.6", []string{"-to=auto"}},
		{2, "", []string{"-to=one.two"}},
		{2, "omit -only", []string{"-only=mono-core"}},
		{2, "pass -publish=here or -publish=ci", []string{"-publish=nobody"}},
		{2, "pass -ranges=raise", []string{"-ranges=lower"}},
	} {
		r.rehearseRefused(c.status, c.says, c.args...)
	}
	manifest := readFile(t, r.dir, "packages/p0001/pixi.toml")
	r.commit("fix: drift", map[string]string{"packages/p0001/pixi.toml": strings.Replace(manifest, "==0.1.6", "==0.1.5", 1)})
	r.rehearseRefused(1, "packages/p0001/pixi.toml:", "-to=patch")
	git(t, r.dir, "reset", "-q", "--hard", "HEAD~")
	r.commit("feat: compile", map[string]string{"packages/core/pixi.toml": strings.Replace(readFile(t, r.dir, "packages/core/pixi.toml"), "noarch = true", "noarch = false", 1)})
	r.rehearseRefused(1, "mono-core", "-to=patch")
	git(t, r.dir, "reset", "-q", "--hard", "HEAD~")
	r.withSubmodule("packages/core/src/mono_core/vendored")
	git(t, r.dir, "submodule", "--quiet", "deinit", "-f", "--all")
	require.NoError(t, os.RemoveAll(filepath.Join(r.dir, ".git", "modules")))
	git(t, r.dir, "config", "--file", ".gitmodules", "submodule.packages/core/src/mono_core/vendored.url", "https://127.0.0.1:1/nothing")
	r.commitAll("chore: its address is gone")
	r.rehearseRefused(1, "packages/core/src/mono_core/vendored is a submodule", "-to=patch")
	entries, err := os.ReadDir(filepath.Join(r.dir, "output", "rehearsal"))
	require.NoError(t, err)
	for _, e := range entries {
		require.NotContains(t, []string{"clone", "world", "past", "past.built", "tmp", "hooks"}, e.Name(), "it is swept")
	}
}
