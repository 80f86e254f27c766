package e2e_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackageWithoutVersionIsRefused checks that every target that builds rejects a package if pixi finds no version in its manifests. Both
// toolchains print the same error, which includes the line to add. Targets that only change versions use the tags instead.
func TestPackageWithoutVersionIsRefused(t *testing.T) {
	t.Parallel()
	const python = "[package]\nname = \"extra\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"
	for name, c := range map[string]struct {
		pixi, pyproject, says, line string
		real                        bool
	}{
		"by setuptools-scm":     {python, "[tool.setuptools_scm]\nroot = \"../..\"\n", "packages/extra/pyproject.toml:4:7: extra cannot be built: pixi finds no version of this package: setuptools-scm computes the version from tags", "`version = \"0.1.6\"` below [package] in packages/extra/pixi.toml", true},
		"in the pyproject.toml": {"", "[tool.versioningit]\n[tool.pixi.package.build.backend]\nname = \"pixi-build-python\"\n", "packages/extra/pyproject.toml:4:7: extra cannot be built: pixi finds no version of this package: versioningit computes the version from tags", "`version = \"0.1.6\"` below [tool.pixi.package] in packages/extra/pyproject.toml", false},
		"in a file":             {python, "[tool.hatch.version]\npath = \"about.py\"\n", "packages/extra/about.py:1:16: extra cannot be built: pixi finds no version of this package: pixi does not read packages/extra/about.py", "`version = \"0.1.6\"` below [package] in packages/extra/pixi.toml", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"packages/extra/pyproject.toml": "[project]\nname = \"extra\"\ndynamic = [\"version\"]\n" + c.pyproject, "packages/extra/about.py": "__version__ = \"0.1.6\"\n"}
			if c.pixi != "" {
				files["packages/extra/pixi.toml"] = c.pixi
			}
			r := newReleasing(t, releaseOptions{by: "here", files: files, real: c.real})
			for _, args := range [][]string{{"build:all"}, {"build:package", "extra"}, {"publish", "-yes"}, {"rehearse"}, {"release", "-to=patch", "-yes"}} {
				require.Contains(t, r.refused(1, c.says, args...), c.line, args)
			}
			require.Empty(t, r.onChannel())
			require.Contains(t, r.ok("version:show"), "extra")
			require.Contains(t, r.ok("version:plan", "-to=minor"), "0.1.6 → 0.2.0")
		})
	}
}

// tagsAlone returns the files of a monorepo whose files contain no versions.
func tagsAlone(tools map[string]string) map[string]string {
	files := fromTags(tools)
	for _, name := range []string{"core", "p0001", "p0002"} {
		files["packages/"+name+"/pixi.toml"] = "[package]\nname = \"mono-" + name + "\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"
		pyproject := "packages/" + name + "/pyproject.toml"
		files[pyproject] = strings.ReplaceAll(files[pyproject], "==0.1.6", "")
	}
	return files
}

// TestBumpOfVersionsInTags bumps packages that have their versions only in tags. The bump edits nothing and makes the tag.
func TestBumpOfVersionsInTags(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: tagsAlone(lockstepTools)})
	git(t, r.dir, "tag", "-d", "v0.1.6")
	r.refused(1, "the version of mono-core comes from its last tag (setuptools-scm), but the package has no tag", "version:plan", "-to=minor")
	require.Contains(t, r.ok("version:show"), "no tag yet")
	git(t, r.dir, "tag", "-a", "-m", "", "v1.9.0")
	git(t, r.dir, "checkout", "-q", "-b", "other")
	git(t, r.dir, "commit", "-q", "--allow-empty", "-m", "fix: elsewhere")
	git(t, r.dir, "tag", "v3.0.0") // on another branch
	git(t, r.dir, "checkout", "-q", "main")
	require.Regexp(t, `mono-core +1\.9\.0 `, r.ok("version:show"))
	require.Contains(t, r.ok("version:show", "-json"), `"name": "v1.9.0"`)
	out := r.ok("version:bump", "-to=minor", "-tag", "-yes")
	require.Contains(t, out, "the new version is only a tag; pass -tag to make the tag v1.10.0")
	require.Contains(t, out, "tagged v1.10.0")
	require.Equal(t, git(t, r.dir, "rev-parse", "HEAD"), git(t, r.dir, "rev-parse", "v1.10.0^{commit}"))
	require.Empty(t, git(t, r.dir, "status", "--porcelain"))
}

// TestBumpOfIndependentVersionsInTags bumps packages that have their versions only in tags, with separate tags for each package.
func TestBumpOfIndependentVersionsInTags(t *testing.T) {
	t.Parallel()
	files := tagsAlone(apartTools)
	maps.Copy(files, configured("versioning = \"independent\"\n"))
	r := newReleasing(t, releaseOptions{by: "here", files: files})
	for _, tag := range []string{"mono-core/v1.0.0", "mono-p0001/v0.4", "mono-p0002/v2.0.0rc1", "v9"} {
		git(t, r.dir, "tag", tag)
	}
	require.Contains(t, r.ok("version:bump", "-to=patch", "-only=mono-p0001", "-tag", "-yes"), "tagged mono-p0001/v0.4.1")
	require.Contains(t, r.ok("version:bump", "-to=2.0.0", "-only=mono-p0002", "-tag", "-yes"), "tagged mono-p0002/v2.0.0")
	require.Regexp(t, `mono-p0001 +0\.4\.1 `, r.ok("version:show"))
}

// TestPretendedVersions sets a version in the environment of a build. If that version differs from the package's version, the target fails before it
// does anything. A bump updates the variable.
func TestPretendedVersions(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"for all":        "SETUPTOOLS_SCM_PRETEND_VERSION = \"0.1.5\"",
		"for one":        "VCS_VERSIONING_PRETEND_VERSION_FOR_MONO_CORE = \"0.1.5\"",
		"another tool's": "PDM_BUILD_SCM_VERSION = \"0.1.5\"",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			manifest := "packages/core/pixi.toml"
			src, err := os.ReadFile(filepath.Join(r.dir, manifest))
			require.NoError(t, err)
			text := strings.Replace(string(src), "config = {", "config = { env = { "+line+" },", 1)
			write(t, r.dir, manifest, text)
			r.pushAll("fix: a copy that differs")
			for _, args := range [][]string{{"rehearse"}, {"publish", "-yes"}, {"release", "-to=patch", "-yes"}, {"version:show"}} {
				require.Contains(t, r.refused(1, "0.1.5", args...), manifest)
			}
			require.Empty(t, r.onChannel())
			write(t, r.dir, manifest, strings.ReplaceAll(text, "0.1.5", "0.1.6"))
			r.pushAll("fix: it agrees")
			r.ok("release", "-to=patch", "-yes")
			src, err = os.ReadFile(filepath.Join(r.dir, manifest))
			require.NoError(t, err)
			require.Contains(t, string(src), strings.ReplaceAll(line, "0.1.5", "0.1.7"))
		})
	}
}

// TestReleaseWithOutdatedCopies releases packages whose manifests have outdated copies of the version. The release starts from the version of the
// last tag, and another clone recognizes the release.
func TestReleaseWithOutdatedCopies(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: fromTags(lockstepTools)})
	git(t, r.dir, "tag", "-a", "-m", "", "v3.2.0")
	git(t, r.dir, "push", "-q", "origin", "v3.2.0")
	require.Contains(t, r.ok("rehearse"), "mono v3.2.1 was rehearsed")
	out := r.ok("release", "-to=minor", "-yes")
	require.Contains(t, out, "mono-core 3.3.0")
	r.dir = r.newClone()
	require.Contains(t, r.ok("release", "-to=3.3.0", "-yes"), "v3.3.0 is released")
	require.NotContains(t, r.ok("version:plan", "-to=patch"), "has version 3.3.0 according to its last tag")
}
