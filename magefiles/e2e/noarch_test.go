package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// member returns the manifest of an additional package in the monorepo, with the given build table.
func member(name, build string) map[string]string {
	return map[string]string{"packages/" + name + "/pixi.toml": "[package]\nname = \"" + name + "\"\nversion = \"0.1.6\"\n[package.build]\n" + build}
}

// A release or publish rejects a platform-specific package by name before it builds, commits or uploads anything. build:package still builds the
// package.
func TestPlatformSpecificPackageIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, build, says, fix string }{
		{"clib", `backend = { name = "pixi-build-cmake", version = "*" }`, "clib cannot be published: it is built for one platform (by pixi-build-cmake)", "noarch = true"},
		{"tool", `backend = { name = "pixi-build-rust", version = "*" }`, "tool cannot be published: it is built for one platform (by pixi-build-rust)", "machine of each platform"},
		{"fast", "backend = { name = \"our-backend\" }\n[package.build.target.linux-64.config]\nnoarch = false", "fast cannot be published: it is built for one platform (config.noarch is false for linux-64)", "packages/fast/pixi.toml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here", files: member(c.name, c.build)})
			for _, args := range [][]string{{"release", "-to=patch", "-yes"}, {"publish", "-yes"}} {
				out := r.refused(1, c.says, args...)
				require.Contains(t, out, c.fix)
				require.Empty(t, r.onChannel())
			}
			r.untouched()
			for _, call := range r.standin.Commands() {
				require.NotContains(t, call, "publish")
			}
			r.ok("build:package", c.name)
		})
	}
	t.Run("two", func(t *testing.T) {
		files := member("one", `backend = { name = "pixi-build-r" }`)
		for name, text := range member("two", `backend = { name = "pixi-build-mojo" }`) {
			files[name] = text
		}
		r := newReleasing(t, releaseOptions{by: "here", files: files})
		for _, args := range [][]string{{"release", "-to=patch", "-yes"}, {"publish", "-yes"}} {
			out := r.refused(1, "one cannot be published", args...)
			require.Contains(t, out, "two cannot be published")
		}
	})
}

// If the manifest does not show that a package is platform-specific, the artifact does. In that case nothing is uploaded or tagged.
func TestPlatformSpecificArtifactIsRefused(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: member("odd", `backend = { name = "our-backend", version = "*" }`)})
	r.standin.Behave(pixitest.Behavior{Made: map[string]pixitest.Made{"odd": {Subdir: workspace.HostPlatform(), Files: map[string]string{"lib/libodd.so": "x"}}}})
	out := r.refused(1, workspace.HostPlatform()+"/odd-0.1.6-pyh4616a5c_0.conda cannot be published: only noarch packages can be published, because other packages need a build for each platform; nothing was sent", "publish", "-yes")
	require.Contains(t, out, "if the package has no compiled code, build it as noarch")
	require.Empty(t, r.onChannel())
	out = r.refused(1, "odd-0.1.7-pyh4616a5c_0.conda cannot be published", "release", "-to=patch", "-yes")
	require.NotContains(t, out, "✓ tag")
	require.Empty(t, r.onChannel())
	_, tags := r.remote()
	require.Empty(t, tags)
	r.ok("undo", "-yes")
}

// A package without Python modules is installed but not imported.
func TestPackageWithoutModulesIsNotImported(t *testing.T) {
	t.Parallel()
	files := member("data", `backend = { name = "our-backend", version = "*" }`)
	for name, text := range member("all-of-it", "backend = { name = \"our-backend\", version = \"*\" }\n[package.run-dependencies]\ndata = \"==0.1.6\"\nmono-core = \"==0.1.6\"") {
		files[name] = text
	}
	behavior := pixitest.Behavior{Made: map[string]pixitest.Made{
		"data":      {Noarch: "generic", Files: map[string]string{"share/data/table.csv": "1,2\n", "share/data/make.py": "raise SystemExit('imported')\n"}},
		"all-of-it": {Noarch: "generic", Files: map[string]string{}},
	}}
	r := newReleasing(t, releaseOptions{by: "here", files: files})
	r.standin.Behave(behavior)
	require.Contains(t, r.ok("publish", "-yes"), "3 packages; 2 packages without Python modules installed")

	r = newReleasing(t, releaseOptions{by: "here", files: files})
	r.standin.Behave(behavior)
	out := r.ok("release", "-to=patch", "-yes")
	require.Contains(t, out, "mono-core 0.1.7, mono-p0001 0.1.7, mono-p0002 0.1.7; imported from")
	require.Contains(t, out, "data 0.1.7, all-of-it 0.1.7 installed in")
}
