package bump_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// merge turns a commit into a merge with the given parents, first parent first.
func merge(c bump.Commit, parents ...string) bump.Commit {
	c.Parents = parents
	return c
}

func onto(c bump.Commit, parent string) bump.Commit { return merge(c, parent) }

func blank(c bump.Commit) bump.Commit {
	c.Blank = true
	return c
}

// TestWhatCounts tests which commits count in a workspace at version 1.1.6. Commits are listed newest first.
func TestWhatCounts(t *testing.T) {
	x := func(hash, message string) bump.Commit { return commit(hash, message, "a/x") }
	undo := "Revert \"Merge branch 's'\"\n\nThis reverts commit 0000004, reversing\nchanges made to 0000001."
	undone := []bump.Commit{onto(x("0000005", undo), "0000004"), merge(x("0000004", "Merge branch 's'"), "0000001", "0000003")}
	undone = append(undone, onto(x("0000003", "feat!: two"), "0000002"), onto(x("0000002", "feat: one"), "0000001"), onto(x("0000001", "fix: before"), "0000000"))
	taken := "Revert \"feat: x\"\n\nThis reverts commit 0000001."
	for _, c := range []struct {
		name    string
		commits []bump.Commit
		want    string // "" if no version changes
	}{
		{"a merge whose commits say nothing", []bump.Commit{merge(x("0000002", "feat(a): sparkle (#15)"), "0000000", "0000001"), x("0000001", "wip")}, "1.2.0"},
		{"a merge with the title of the pull request in the body", []bump.Commit{merge(x("0000002", "Merge pull request #15 from s/s\n\nfix: sparkle"), "0000000", "0000001"), x("0000001", "wip")}, "1.1.7"},
		{"a merge that says less than its commits", []bump.Commit{merge(x("0000002", "Merge branch 's'\n\nfix: s"), "0000000", "0000001"), x("0000001", "feat!: x")}, "2.0.0"},
		{"a merge that says nothing", []bump.Commit{merge(x("0000002", "Merge branch 's'"), "0000000", "0000001"), x("0000001", "wip")}, ""},
		{"a commit that changes no file", []bump.Commit{blank(commit("0000001", "fix: start a release"))}, "1.1.7"},
		{"a commit that changes files outside of all packages", []bump.Commit{commit("0000001", "fix: the page", "docs/x")}, ""},
		{"a commit below a folder of the repository alone", []bump.Commit{commit("0000001", "fix: other")}, ""},

		{"a revert of an unreleased commit", []bump.Commit{x("0000002", taken), x("0000001", "feat: x")}, ""},
		{"a revert of a released commit", []bump.Commit{x("0000002", taken)}, "1.1.7"},
		{"a revert of one of two commits", []bump.Commit{x("0000003", taken), x("0000002", "fix: y"), x("0000001", "feat: x")}, "1.1.7"},
		{"a revert by the type", []bump.Commit{x("0000002", "revert: feat: x\n\nRefs: 0000001"), x("0000001", "feat: x")}, ""},
		{"a revert by the title alone", []bump.Commit{x("0000002", "Revert \"feat: x (#14)\" (#15)\n\nReverts acme/acme#14"), x("0000001", "feat: x (#14)")}, ""},
		{"a revert by the subject, because the hash is on another branch", []bump.Commit{x("0000002", "Revert \"feat: x\"\n\nThis reverts commit 9999999."), x("0000001", "feat: x")}, ""},
		{"a revert by the hash, although two subjects are equal", []bump.Commit{x("0000003", taken), x("0000002", "feat: x"), x("0000001", "feat: x")}, "1.2.0"},
		{"a revert of a revert", []bump.Commit{x("0000003", "Reapply \"feat: x\"\n\nThis reverts commit 0000002."), x("0000002", taken), x("0000001", "feat: x")}, "1.2.0"},
		{"a revert of a revert of a released commit", []bump.Commit{x("0000003", "Reapply \"feat: x\"\n\nThis reverts commit 0000002."), x("0000002", taken)}, ""},
		{"a revert of a released revert", []bump.Commit{x("0000003", "Reapply \"feat: x\"\n\nThis reverts commit 0000002.")}, "1.2.0"},
		{"a revert of a revert of a revert", []bump.Commit{x("0000004", "Revert \"Reapply \"feat: x\"\"\n\nThis reverts commit 0000003."), x("0000003", "Reapply \"feat: x\"\n\nThis reverts commit 0000002."), x("0000002", taken), x("0000001", "feat: x")}, ""},
		{"a revert of a chore", []bump.Commit{x("0000002", "Revert \"chore: x\"\n\nThis reverts commit 0000001."), x("0000001", "chore: x")}, ""},
		{"a revert of a merge", undone, "1.1.7"},

		{"a squash", []bump.Commit{x("0000001", "Rework (#14)\n\n* feat!: x\n\n* fix: y")}, "2.0.0"},
		{"a footer without an empty line", []bump.Commit{x("0000001", "fix: x\nBREAKING CHANGE: y")}, "2.0.0"},
		{"a footer under a free subject", []bump.Commit{x("0000001", "Rework (#13)\n\nBREAKING CHANGE: y")}, "2.0.0"},
	} {
		h := history{tags: map[string]string{"v1.1.6": "x"}, commits: map[string][]bump.Commit{"v1.1.6": c.commits}}
		p := plan(t, tree(t, lockstep+pkg("a", "1.1.6", "")+"-- docs/x --\n"), bump.Request{To: "AUTO"}, h)
		require.Equal(t, "auto", p.Request.To)
		if c.want == "" {
			require.Empty(t, p.Packages, c.name)
			require.Contains(t, p.Notes[0], "nothing to release: ", c.name)
			continue
		}
		require.NotEmpty(t, p.Packages, "%s: %v", c.name, p.Notes)
		require.Equal(t, c.want, p.Packages[0].New, c.name)
	}
}

// The plan lists which commits were counted, and which were not.
func TestTheAccount(t *testing.T) {
	for want, commits := range map[string][]bump.Commit{
		"4 commits since v1.1.6, 1 touches a package: 1 counts": {
			commit("1", "fix: x", "a/x"), commit("2", "fix: y", "docs/y"), commit("3", "feat: y", "README.md"), commit("4", "z", "z"),
		},
		"5 commits since v1.1.6, 5 touch a package: 1 counts, 2 are reverted, or revert commits that were not released, 1 is not a conventional commit, 1 has a type that needs no release, such as docs or chore": {
			commit("1", "fix: x", "a/x"), commit("2", "Revert \"feat: y\"", "a/x"), commit("3", "feat: y", "a/x"), commit("4", "z", "a/z"), commit("5", "docs: z", "a/z"),
		},
		"nothing to release: 0 commits since v1.1.6":                   {},
		"nothing to release: 1 commit since v1.1.6, 0 touch a package": {commit("1", "fix: x", "docs/x")},
	} {
		h := history{tags: map[string]string{"v1.1.6": "x"}, commits: map[string][]bump.Commit{"v1.1.6": commits}}
		require.Equal(t, []string{want}, plan(t, tree(t, lockstep+pkg("a", "1.1.6", "")), bump.Request{To: "auto"}, h).Notes)
	}
}

// A change to a shared setting counts only for the packages that use it.
func TestSharedSettings(t *testing.T) {
	root := func(numpy, license string) string {
		return "[workspace]\nname = \"w\"\nlicense = \"" + license + "\"\n[workspace.dependencies]\nnumpy = \"" + numpy + "\"\nscipy = \"*\"\n[tasks]\nx = \"" + numpy + "\"\n"
	}
	archive := independent + "[workspace.dependencies]\nnumpy = \">=2\"\nscipy = \"*\"\n" +
		pkg("a", "1.0.0", runs+"numpy = { workspace = true }\n") + pkg("b", "1.0.0", "license.workspace = true\n") +
		pkg("c", "1.0.0", "[package.host-dependencies]\nscipy.workspace = true\n") +
		pkg("d", "1.0.0", "") + "-- d/pyproject.toml --\n[project]\nname = \"d\"\nversion = \"1.0.0\"\nreadme = \"../README.md\"\n[tool.hatch.build.targets.wheel.force-include]\n\"../shared/data\" = \"d/data\"\n" +
		"-- README.md --\n-- shared/data/x --\n"
	archive = strings.Replace(archive, "name = \"acme\"\n", "name = \"acme\"\nlicense = \"MIT\"\n", 1)
	for _, c := range []struct {
		name   string
		commit bump.Commit
		before string
		after  string
		want   []string
	}{
		{"an entry of the pool", commit("1", "fix!: numpy 2", "pixi.toml"), root(">=1", "MIT"), root(">=2", "MIT"), []string{"a"}},
		{"a new entry", commit("1", "feat: scipy", "pixi.toml"), "[workspace]\n[workspace.dependencies]\nnumpy = \">=1\"\n", root(">=1", "MIT"), []string{"b", "c"}},
		{"a field", commit("1", "fix: license", "pixi.toml"), root(">=1", "MIT"), root(">=1", "BSD"), []string{"b"}},
		{"a task", commit("1", "fix: task", "pixi.toml"), root(">=1", "MIT"), root(">=1", "MIT") + "y = \"z\"\n", nil},
		{"a readme", commit("1", "fix: words", "README.md"), "", "", []string{"d"}},
		{"a folder that is packed", commit("1", "fix: data", "shared/data/x"), "", "", []string{"d"}},
		{"a file beside that folder", commit("1", "fix: data", "shared/other"), "", "", nil},
		{"a file of that folder and a file of another package", commit("1", "fix: both", "a/x", "shared/data/y"), "", "", []string{"a", "d"}},
		{"no file, but a scope", blank(commit("1", "fix(c): start a release")), "", "", []string{"c"}},
		{"no file, but two scopes", blank(commit("1", "fix(a, d): start a release")), "", "", []string{"a", "d"}},
		{"no file and no scope", blank(commit("1", "fix: start a release")), "", "", []string{"a", "b", "c", "d"}},
	} {
		h := history{tags: map[string]string{}, commits: map[string][]bump.Commit{}, roots: map[string][2]string{"1": {c.before, c.after}}}
		for _, name := range []string{"a", "b", "c", "d"} {
			h.tags[name+"/v1.0.0"] = "x"
			h.commits[name+"/v1.0.0"] = []bump.Commit{c.commit}
		}
		var got []string
		for _, m := range plan(t, tree(t, archive), bump.Request{To: "auto"}, h).Packages {
			got = append(got, m.Name)
		}
		require.ElementsMatch(t, c.want, got, c.name)
	}
}

// Tags in all common formats are recognized. The plan must not miss a tag, or propose a version that is already released.
func TestTagFormats(t *testing.T) {
	fix := []bump.Commit{commit("1", "fix: x", "a/x")}
	for _, c := range []struct {
		name, at, to string
		tags, others []string
		want         string // a version, or part of an error or a note
	}{
		{"without v", "0.1.0", "auto", []string{"0.1.0"}, nil, "0.1.1"},
		{"in both forms", "0.1.1", "auto", []string{"0.1.0", "v0.1.1"}, nil, "0.1.2"},
		{"manifest behind", "0.1.0", "auto", []string{"v0.1.3"}, nil, "0.1.4"},
		{"manifest behind, its version is tagged", "0.1.0", "auto", []string{"v0.1.0", "v0.1.3"}, nil, "0.1.4"},
		{"manifest far behind, no lower tag", "0.1.0", "auto", []string{"v2.0.0"}, nil, "2.0.1"},
		{"manifest behind, a candidate", "0.1.0", "rc", []string{"v0.1.0", "v0.1.3"}, nil, "0.1.4rc1"},
		{"its tag on another branch", "0.2.0", "auto", []string{"v0.1.0"}, []string{"v0.2.0"}, "its tag v0.2.0 is on a branch"},
		{"its tag on another branch, without v", "0.2.0", "auto", nil, []string{"0.2.0"}, "its tag 0.2.0 is on a branch"},
		{"the next version on another branch", "0.1.0", "auto", []string{"v0.1.0"}, []string{"v0.1.1"}, "which is tagged already: the tag v0.1.1"},
		{"a later version on another branch", "0.1.0", "auto", []string{"v0.1.0"}, []string{"v0.2.0"}, "0.1.1"},
		{"the next candidate on another branch", "0.1.0", "rc", []string{"v0.1.0"}, []string{"v0.1.1rc1"}, "which is tagged already: the tag v0.1.1rc1"},
		{"a patch, manifest behind", "0.1.0", "patch", []string{"v0.1.0", "v0.1.3"}, nil, "0.1.4"},
		{"a patch, manifest behind, without v", "0.1.0", "patch", []string{"0.1.0", "0.1.1"}, nil, "0.1.2"},
		{"a minor, manifest behind", "0.1.0", "minor", []string{"v0.1.3"}, []string{"v0.1.9"}, "0.2.0"},
		{"a patch, its release tagged", "0.2.0rc1", "patch", []string{"v0.2.0"}, nil, "0.2.1"},
		{"a patch, a candidate tagged", "0.1.0", "patch", []string{"v0.1.0", "v0.2.0rc1"}, nil, "0.1.1"},
		{"a patch on another branch", "0.1.0", "patch", []string{"v0.1.0"}, []string{"v0.1.1", "0.1.2"}, "which is tagged already: the tag v0.1.1 is on a branch"},
		{"a minor on another branch", "0.1.0", "minor", nil, []string{"0.2.0"}, "which is tagged already: the tag 0.2.0 is on a branch"},
		{"a major that is merged", "1.2.0", "major", []string{"v1.2.0", "v2.0.0"}, nil, "the tag v2.0.0 is in the history of this branch"},
		{"a post-release on another branch", "0.1.0", "post", []string{"v0.1.0"}, []string{"v0.1.0.post1"}, "which is tagged already: the tag v0.1.0.post1"},
		{"its tag in another form", "0.1.0", "auto", []string{"release-0.1.0"}, nil, "its tag would be v0.1.0; the tag release-0.1.0 has another form"},
		{"its tag in capitals", "0.1.0", "auto", []string{"V0.1.0", "x10.1.0"}, nil, "its tag would be v0.1.0; the tag V0.1.0 has another form"},
		{"its tag with a name, elsewhere", "0.1.0", "auto", nil, []string{"acme-v0.1.0"}, "its tag would be v0.1.0; the tag acme-v0.1.0 has another form"},
		{"tags that end like the version", "0.1.0", "auto", []string{"x10.1.0", "x1.0.1.0"}, nil, "0.1.0 is not released yet (no tag names this version)"},
		{"no tag at all", "0.1.0", "auto", nil, nil, "0.1.0 is not released yet (no tag names this version)"},
		{"tags of something else", "0.1.0", "auto", []string{"docs-1", "release"}, nil, "0.1.0 is not released yet (no tag names this version)"},
	} {
		h := history{tags: map[string]string{}, commits: map[string][]bump.Commit{"": fix}, others: c.others}
		for _, tag := range c.tags {
			h.tags[tag], h.commits[tag] = "x", fix
		}
		for _, tag := range c.others {
			h.commits[tag] = fix
		}
		p, err := bump.New(t.Context(), load(t, tree(t, lockstep+pkg("a", c.at, ""))), bump.Request{To: c.to}, h)
		switch {
		case err != nil:
			require.ErrorContains(t, err, c.want, c.name)
			require.NotEmpty(t, operr.NextOf(err))
		case len(p.Packages) == 0:
			require.Contains(t, strings.Join(p.Notes, "\n"), c.want, c.name)
		default:
			require.Equal(t, c.want, p.Packages[0].New, c.name)
		}
	}
	for to, noted := range map[string]bool{"0.3.0": true, "0.2": true, "0.4.0": false, "0.1.0": false} {
		h := history{tags: map[string]string{"v0.1.0": "1", "0.2.0": "2"}, others: []string{"v0.3.0"}}
		p := plan(t, tree(t, lockstep+pkg("a", "0.1.0", "")), bump.Request{To: to}, h)
		require.Equal(t, noted, strings.Contains(strings.Join(p.Notes, "\n"), "is tagged already, by the tag "), to)
	}
	h := history{tags: map[string]string{"core-v0.3.0": "1", "ui@1.2.0": "2"}, commits: map[string][]bump.Commit{"core-v0.3.0": {commit("1", "feat: x", "core/x")}}}
	p := plan(t, tree(t, independent+pkg("core", "0.3.0", "")+pkg("ui", "1.2.0", "")), bump.Request{To: "auto"}, h)
	require.Equal(t, []string{"core 0.3.0 → 0.4.0: commits"}, moves(p))
	require.Contains(t, p.Notes, "the last tag is core-v0.3.0, and the new tag will be core/v0.4.0: tags of other forms are read, but never made")
}

// A tag may begin with the name of a package's folder, if that name is unique.
func TestTagsWithAFolderName(t *testing.T) {
	two := func(dir, other, called string) string {
		return independent + strings.Replace(pkg("acme-core", "0.3.0", ""), "acme-core/", dir+"/", 1) + strings.Replace(pkg(called, "1.2.0", ""), called+"/", other+"/", 1)
	}
	for _, c := range []struct{ archive, tag, want, said string }{
		{two("libs/core", "libs/ui", "acme-ui"), "core-v0.3.0", "0.4.0", "the last tag is core-v0.3.0, and the new tag will be acme-core/v0.4.0"},
		{two("libs/core", "libs/ui", "acme-ui"), "core@0.3.0", "0.4.0", "the last tag is core@0.3.0"},
		{two("libs/core", "libs/ui", "acme-ui"), "core/v0.5.0", "0.6.0", "but the tag core/v0.5.0 is newer: the next version is counted from the tag"},
		{two("libs/core", "libs/ui", "acme-ui"), "core-0.3.0", "", "the tag core-0.3.0 has another form"},
		{two("libs/core", "libs/ui", "core"), "core-v0.3.0", "", "0.3.0 is not released yet (no tag names this version)"},
		{two("libs/core", "more/core", "acme-ui"), "core-v0.3.0", "", "0.3.0 is not released yet (no tag names this version)"},
	} {
		feat := commit("1", "feat: x", "libs/core/x")
		h := history{tags: map[string]string{c.tag: "1"}, commits: map[string][]bump.Commit{c.tag: {feat}, "": {feat}}}
		p := plan(t, tree(t, c.archive), bump.Request{To: "auto"}, h)
		require.Contains(t, strings.Join(p.Notes, "\n"), c.said, c.tag)
		if c.want == "" {
			require.Empty(t, p.Packages, c.tag)
			continue
		}
		require.Equal(t, []string{"acme-core 0.3.0 → " + c.want + ": commits"}, moves(p))
	}
	h := history{tags: map[string]string{}, others: []string{"core@0.3.1"}}
	_, err := bump.New(t.Context(), load(t, tree(t, two("libs/core", "libs/ui", "acme-ui"))), bump.Request{To: "patch", Only: "acme-core"}, h)
	require.ErrorContains(t, err, "the tag core@0.3.1 is on a branch")
}

// A package that moves because of another package must not get a released version, either. The version that an error proposes has no tag.
func TestDependentsDoNotGetAReleasedVersion(t *testing.T) {
	archive := independent + pkg("core", "1.0.0", "") + pkg("ui", "1.0.0", runs+"core = \"==1.0.0\"\n")
	for _, c := range []struct{ merged, others, want string }{
		{"", "", "core 1.0.0 → 1.0.1: asked ui 1.0.0 → 1.0.1: dependent"},
		{"ui/v1.0.1", "", "core 1.0.0 → 1.0.1: asked ui 1.0.0 → 1.0.2: dependent"},
		{"", "ui/v1.0.1 ui-v1.0.2 core/v9.0.0", "the next version would be 1.0.1, which is tagged already: the tag ui/v1.0.1 is on a branch"},
		{"", "core@1.0.1", "the tag core@1.0.1 is on a branch"},
	} {
		h := history{tags: map[string]string{}, others: strings.Fields(c.others)}
		if c.merged != "" {
			h.tags[c.merged] = "x"
		}
		p, err := bump.New(t.Context(), load(t, tree(t, archive)), bump.Request{To: "patch", Only: "core"}, h)
		if err == nil {
			require.Equal(t, c.want, strings.Join(moves(p), " "))
			continue
		}
		require.ErrorContains(t, err, c.want)
		if len(h.others) > 1 {
			require.Contains(t, operr.NextOf(err), "-to=1.0.3")
		}
	}
	for to, reads := range map[string]bool{"auto": true, "Rc": true, "dev": true, "patch": false, "post": false, "1.2.0": false, "": false} {
		require.Equal(t, reads, bump.Request{To: to}.ReadsCommits(), to)
	}
}

// NoChangelog takes precedence, and no changelog is written.
func TestWithoutAChangelog(t *testing.T) {
	h := history{tags: map[string]string{"v0.1.6": "x"}, commits: map[string][]bump.Commit{"v0.1.6": {commit("1", "fix: x", "a/x")}}}
	for _, c := range []struct {
		req     bump.Request
		written bool
	}{
		{bump.Request{To: "auto"}, true},
		{bump.Request{To: "AUTO"}, true},
		{bump.Request{To: "auto", NoChangelog: true}, false},
		{bump.Request{To: "patch", NoChangelog: true}, false},
	} {
		p := plan(t, tree(t, lockstep+pkg("a", "0.1.6", "")), c.req, h)
		require.Equal(t, c.written, p.Request.Changelog)
		require.Equal(t, c.written, strings.Contains(strings.Join(edits(p), "\n"), "CHANGELOG.md"), "%+v", c.req)
	}
}
