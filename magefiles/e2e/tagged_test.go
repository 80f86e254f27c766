package e2e_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/monorepotest"
)

// fromTags returns the files that differ in a monorepo of three packages whose wheels get their versions from tags, each by another tool. tools
// contains the tools' manifest tables, by package.
func fromTags(tools map[string]string) map[string]string {
	backends := map[string]string{
		"core": `[build-system]
requires = ["setuptools>=77", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"
`,
		"p0001": `[build-system]
requires = ["hatchling>=1.27", "hatch-vcs>=0.4"]
build-backend = "hatchling.build"

[tool.hatch.version]
source = "vcs"

[tool.hatch.build.hooks.vcs]
version-file = "src/mono_p0001/_version.py"
`,
		"p0002": `[build-system]
requires = ["setuptools>=77", "versioningit>=3"]
build-backend = "setuptools.build_meta"
`,
	}
	files := map[string]string{}
	for name, text := range monorepotest.Files(3, "0.1.6") {
		of := strings.Split(name, "/")
		switch {
		case of[0] != "packages":
		case strings.HasSuffix(name, "pyproject.toml"):
			text = regexp.MustCompile(`(?m)^version = .*\n`).ReplaceAllString(text, "dynamic = [\"version\"]\n")
			text, _, _ = strings.Cut(text, "[build-system]")
			files[name] = text + backends[of[1]] + "\n" + tools[of[1]]
		case strings.HasSuffix(name, "__init__.py"):
			files[name] = "from importlib.metadata import version\n\n__version__ = version(\"mono-" + of[1] + "\")\n"
		}
	}
	return files
}

// lockstepTools has the tools' tables for one tag that applies to all packages.
var lockstepTools = map[string]string{
	"core":  "[tool.setuptools_scm]\nroot = \"../..\"\nversion_file = \"src/mono_core/_version.py\"\n",
	"p0001": "[tool.hatch.version.raw-options]\nroot = \"../..\"\nfallback_version = \"0.0.0\"\n",
	"p0002": "[tool.versioningit]\ndefault-version = \"0.0.0\"\n\n[tool.versioningit.write]\nfile = \"src/mono_p0002/_version.py\"\n",
}

// apartTools has the tools' tables for separate tags per package.
var apartTools = map[string]string{
	"core": `[tool.setuptools_scm]
root = "../.."
tag_regex = "^mono-core/v(?P<version>.*)$"
git_describe_command = ["git", "describe", "--dirty", "--tags", "--long", "--match", "mono-core/v*"]
`,
	"p0001": `[tool.hatch.version.raw-options]
root = "../.."
tag_regex = "^mono-p0001/v(?P<version>.*)$"
git_describe_command = "git describe --dirty --tags --long --match mono-p0001/v*"
`,
	"p0002": `[tool.versioningit.vcs]
method = "git"
match = ["mono-p0002/v*"]

[tool.versioningit.tag2version]
regex = "^mono-p0002/v(?P<version>.*)$"
`,
}

// wheelVersion returns the version in the wheel metadata of an artifact.
func (r *releasing) wheelVersion(stem string) string {
	r.t.Helper()
	return regexp.MustCompile(`(?m)^Version: (.*)$`).FindStringSubmatch(r.packedFile(stem, ".dist-info/METADATA"))[1]
}

// TestVersionsFromTags releases packages whose wheels get their versions from tags, by three tools. The wheels have the version of the release,
// although its tag is made after the build. The tools write to tracked version files, and the work tree remains clean.
func TestVersionsFromTags(t *testing.T) {
	t.Parallel()
	files := fromTags(lockstepTools)
	for _, name := range []string{"core", "p0001", "p0002"} {
		files["packages/"+name+"/src/mono_"+name+"/_version.py"] = "# made by the build\n"
	}
	r := newReleasing(t, releaseOptions{by: "here", real: true, files: files})
	git(t, r.dir, "tag", "nightly-2026.1.1") // neither this tag on the commit nor other tags below it count
	git(t, r.dir, "tag", "-a", "-m", "", "v9.9.9rc1")

	require.Contains(t, r.ok("rehearse"), "mono v0.1.7 was rehearsed")
	out := r.ok("release", "-to=minor", "-yes")
	for _, name := range []string{"mono-core", "mono-p0001", "mono-p0002"} {
		require.Equal(t, "0.2.0", r.wheelVersion(name+"-0.2.0"), name)
		require.Contains(t, out, name+" 0.2.0")
	}
	require.Empty(t, git(t, r.dir, "status", "--porcelain", "--ignored", "--", "packages"))
	require.Contains(t, r.rehearsed(), "mono v0.2.1 was rehearsed")
}

// TestIndependentVersionsFromTags releases three packages at three versions from one commit, with separate tags for each package.
func TestIndependentVersionsFromTags(t *testing.T) {
	t.Parallel()
	files := fromTags(apartTools)
	for name, text := range configured("versioning = \"independent\"\n") {
		files[name] = text
	}
	r := newReleasing(t, releaseOptions{by: "here", real: true, files: files})
	r.ok("release", "-to=minor", "-only=mono-p0001", "-yes")
	r.ok("release", "-to=major", "-only=mono-p0002", "-yes")
	write(t, r.dir, "packages/core/src/mono_core/more.py", "MORE = 1\n")
	write(t, r.dir, "packages/p0001/src/mono_p0001/more.py", "MORE = 1\n")
	write(t, r.dir, "packages/p0002/src/mono_p0002/more.py", "MORE = 1\n")
	r.pushAll("feat: more in all")
	require.Contains(t, r.ok("rehearse"), "was rehearsed")
	r.ok("release", "-to=patch", "-yes")
	require.Equal(t, "0.1.7", r.wheelVersion("mono-core-0.1.7"))
	require.Equal(t, "0.2.1", r.wheelVersion("mono-p0001-0.2.1"))
	require.Equal(t, "1.0.1", r.wheelVersion("mono-p0002-1.0.1"))
}
