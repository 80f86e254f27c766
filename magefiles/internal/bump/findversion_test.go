package bump_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bump/released"
)

// tagsAlone is a workspace of two packages whose versions exist only in tags.
const tagsAlone = `
-- pixi.toml --
[workspace]
name = "acme"
-- core/pixi.toml --
[package]
build.backend.name = "pixi-build-python"
-- core/pyproject.toml --
[project]
name = "core"
dynamic = ["version"]
[tool.setuptools_scm]
-- ui/pyproject.toml --
[project]
name = "ui"
dynamic = ["version"]
dependencies = ["core"]
[tool.versioningit]
[tool.pixi.package.build.backend]
name = "pixi-build-python"
`

// `apart` returns the archive with independent versions.
func apart(archive string) string {
	return strings.Replace(archive, "name = \"acme\"\n", "name = \"acme\"\n[tool.release]\nversioning = \"independent\"\n", 1)
}

// If the versions of packages exist only in tags, a bump counts from the last tag and edits no file, and a note explains this.
func TestTagsAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		archive     string
		tags        []string
		req         bump.Request
		moves, made string
	}{
		"minor":             {tagsAlone, []string{"v1.3.0", "v1.9", "v1.10.1", "vX", "core/v7"}, bump.Request{To: "minor"}, "core 1.10.1 → 1.11.0: asked, lockstep|ui 1.10.1 → 1.11.0: asked, lockstep", "v1.11.0"},
		"of a pre-release":  {tagsAlone, []string{"v2.0.0rc1", "v1.0.0"}, bump.Request{To: "2.0.0"}, "core 2.0.0rc1 → 2.0.0: asked, lockstep|ui 2.0.0rc1 → 2.0.0: asked, lockstep", "v2.0.0"},
		"one alone":         {apart(tagsAlone), []string{"core/v0.4.0", "ui/v3.0", "v9"}, bump.Request{To: "minor", Only: "core"}, "core 0.4.0 → 0.5.0: asked", "core/v0.5.0"},
		"each from its own": {apart(tagsAlone), []string{"core/v0.4.0", "ui/v3.0", "v9"}, bump.Request{To: "patch"}, "core 0.4.0 → 0.4.1: asked|ui 3.0 → 3.0.1: asked", "core/v0.4.1|ui/v3.0.1"},
		"a copy":            {strings.Replace(tagsAlone, "-- core/pyproject.toml --", "build.config.env.PBR_VERSION = \"1.3.0\"\n-- core/pyproject.toml --", 1), []string{"v1.3.0"}, bump.Request{To: "major"}, "core 1.3.0 → 2.0.0: asked, lockstep|ui 1.3.0 → 2.0.0: asked, lockstep", "v2.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := history{tags: map[string]string{}}
			for _, tag := range c.tags {
				h.tags[tag] = "1"
			}
			p := plan(t, tree(t, c.archive), c.req, h)
			require.Equal(t, c.moves, strings.Join(moves(p), "|"))
			var made []string
			for _, tag := range p.Tags {
				made = append(made, tag.Name)
				require.Empty(t, tag.Package, "the tag names no line of a manifest")
			}
			require.Equal(t, c.made, strings.Join(made, "|"))
			notes := strings.Join(p.Notes, "\n")
			require.Contains(t, notes, "setuptools-scm derives the version of core from the tag, so only copies of the version are edited")
			if name == "a copy" {
				require.Equal(t, []string{"core/pixi.toml:3 1.3.0 → 2.0.0"}, edits(p))
				return
			}
			require.Empty(t, edits(p))
			require.Contains(t, notes, "no file is changed, because the new version is only a tag; pass -tag to make the tag "+strings.Join(made, ", "))
		})
	}
}

// behind is a workspace with copies of the version that are out of date.
const behind = `
-- pixi.toml --
[workspace]
name = "acme"
-- core/pixi.toml --
[package]
name = "core"
version = "0.1.0"
build.backend.name = "pixi-build-python"
build.config.env.SETUPTOOLS_SCM_PRETEND_VERSION = "0.1.0"
-- core/pyproject.toml --
[project]
name = "core"
dynamic = ["version"]
[tool.setuptools_scm]
-- core/src/core/__init__.py --
__version__ = "0.1.0"
-- ui/pyproject.toml --
[project]
name = "ui"
dynamic = ["version"]
dependencies = ["core==0.1.0"]
[tool.hatch.version]
source = "vcs"
[tool.pixi.package]
version = "0.1.0"
build.backend.name = "pixi-build-python"
`

// The tag determines the version. The manifests have copies of it, which may be out of date.
func TestOutdatedCopies(t *testing.T) {
	t.Parallel()
	h := history{tags: map[string]string{"v0.1.0": "1", "v3.2.0": "2", "v4.0.0rc1": "3"}}
	root := tree(t, behind)
	p := plan(t, root, bump.Request{To: "patch"}, h)
	require.Equal(t, []string{"core 3.2.0 → 3.2.1: asked, lockstep", "ui 3.2.0 → 3.2.1: asked, lockstep"}, moves(p))
	require.Equal(t, []string{
		"core/pixi.toml:3 0.1.0 → 3.2.1", "core/pixi.toml:5 0.1.0 → 3.2.1", "core/src/core/__init__.py:1 0.1.0 → 3.2.1",
		"ui/pyproject.toml:4 0.1.0 → 3.2.1", "ui/pyproject.toml:8 0.1.0 → 3.2.1",
	}, edits(p))
	require.Contains(t, p.Notes, "core/pixi.toml:3:11: core has version 3.2.0 according to its last tag; the copy 0.1.0 in this file changes now")
	apply(t, root, p)
	require.Empty(t, load(t, root).Disagreements())

	_, err := bump.New(t.Context(), load(t, tree(t, behind)), bump.Request{To: "3.1.9"}, h)
	require.ErrorContains(t, err, "3.1.9 is lower than the current version 3.2.0")
}

// A bump of one package does not change another package's copies, unless FixDrift is set.
func TestOutdatedCopiesOfIndependentVersions(t *testing.T) {
	t.Parallel()
	h := history{tags: map[string]string{"core/v3.2.0": "1", "v9": "2"}}
	root := tree(t, apart(behind))
	p := plan(t, root, bump.Request{To: "minor", Only: "ui"}, h)
	require.Equal(t, []string{"ui 0.1.0 → 0.2.0: asked"}, moves(p))
	require.Equal(t, []string{"ui/pyproject.toml:8 0.1.0 → 0.2.0"}, edits(p))
	require.Contains(t, strings.Join(p.Notes, "\n"), "core has version 3.2.0 according to its last tag; the copy 0.1.0 in this file stays, unless -fixDrift is passed")

	p = plan(t, root, bump.Request{To: "minor", Only: "ui", FixDrift: true}, h)
	require.Contains(t, edits(p), "core/pixi.toml:3 0.1.0 → 3.2.0")
	require.Contains(t, edits(p), "ui/pyproject.toml:4 0.1.0 → 3.2.0")
}

// A copy that is ahead of the last tag was bumped, but not tagged yet.
func TestCopyAheadOfTheTag(t *testing.T) {
	t.Parallel()
	root := tree(t, behind)
	for name, c := range map[string]struct {
		tags map[string]string
		to   string
		want string
	}{
		"no tag":                       {nil, "patch", "v0.1.1"},
		"an older one":                 {map[string]string{"v0.0.9": "1"}, "minor", "v0.2.0"},
		"it is asked for":              {map[string]string{"v0.0.9": "1"}, "0.1.0", "v0.1.0"},
		"a pre-release of a later one": {map[string]string{"v0.2.0rc1": "1", "v0.0.9": "2"}, "minor", "v0.2.0"},
	} {
		p := plan(t, root, bump.Request{To: c.to}, history{tags: c.tags})
		require.Equal(t, c.want, p.Tags[0].Name, name)
	}
	require.Equal(t, "v0.1.1", plan(t, root, bump.Request{To: "patch"}, nil).Tags[0].Name, "outside of git")
	require.Contains(t, refused(t, tree(t, tagsAlone), bump.Request{To: "patch"}),
		"core/pyproject.toml:4:7: the version of core comes from its last tag (setuptools-scm), but there is no git repository")
}

// unreadable is a history that cannot be read.
type unreadable struct{ history }

func (unreadable) MergedTags(context.Context) (map[string]string, error) {
	return nil, errors.New("no such repository")
}

// TestUnversioned checks that the error contains the missing line, with the current version of the package.
func TestUnversioned(t *testing.T) {
	t.Parallel()
	const sentence = "core/pyproject.toml:4:7: core cannot be built: pixi finds no version of this package: setuptools-scm computes the version from tags"
	root := tree(t, apart(tagsAlone))
	for name, c := range map[string]struct {
		history  released.Merged
		core, ui string
	}{
		"tagged":     {history{tags: map[string]string{"core/v1.2.0": "1", "core/v1.10.0": "2", "v7": "3"}}, "1.10.0", "0.1.0"},
		"no tags":    {history{}, "0.1.0", "0.1.0"},
		"no git":     {nil, "0.1.0", "0.1.0"},
		"unreadable": {unreadable{}, "0.1.0", "0.1.0"},
	} {
		w := load(t, root)
		found := released.FindUnversioned(t.Context(), w, w.Order(), c.history)
		require.Len(t, found, 2, name)
		require.EqualError(t, found[0], sentence)
		require.Equal(t, "add the line `version = \""+c.core+"\"` below [package] in core/pixi.toml; later bumps change that line", found[0].Next)
		require.Contains(t, found[1].Next, "`version = \""+c.ui+"\"` below [tool.pixi.package] in ui/pyproject.toml")
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "core/pixi.toml"), []byte("[package]\nversion = \"1\"\nbuild.backend.name = \"pixi-build-python\"\n"), 0o644))
	w := load(t, root)
	require.Len(t, released.FindUnversioned(t.Context(), w, w.Order(), nil), 1)
	require.Empty(t, released.FindUnversioned(t.Context(), w, w.Order()[:1], nil))
}
