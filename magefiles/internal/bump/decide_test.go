package bump_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// pkg returns a package without pyproject.toml.
func pkg(name, version, rest string) string {
	return "-- " + name + "/pixi.toml --\n[package]\nname = \"" + name + "\"\nversion = \"" + version + "\"\nbuild.backend.name = \"pixi-build-cmake\"\n" + rest
}

const (
	lockstep    = "-- pixi.toml --\n[workspace]\nname = \"acme\"\n"
	independent = lockstep + "[tool.release]\nversioning = \"independent\"\n"
	runs        = "[package.run-dependencies]\n"
)

// In lockstep, all packages move, starting from the highest version. Packages with a lower version have drifted.
func TestLockstep(t *testing.T) {
	three := lockstep + pkg("a", "0.1.6", "") + pkg("b", "0.1.6", runs+"a = \"==0.1.6\"\n") + pkg("c", "0.1.6", "")
	for to, want := range map[string]string{"patch": "0.1.7", "minor": "0.2.0", "major": "1.0.0", "0.9.0": "0.9.0", "post": "0.1.6.post1", "1.0.0rc1": "1.0.0rc1"} {
		p := plan(t, tree(t, three), bump.Request{To: to}, nil)
		require.Len(t, p.Packages, 3)
		for _, m := range p.Packages {
			require.Equal(t, want, m.New)
		}
		require.Equal(t, "v"+want, p.Tags[0].Name)
		require.Equal(t, "chore(release): v"+want+"\n", p.Message)
	}
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "0.1.5"}), "0.1.5 is lower than the current version 0.1.6")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "patch", Only: "a"}), "all packages share one version")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "v0.2.0"}), "0.2.0 is accepted")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "v0.2.0"}), "pass -to=0.2.0")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "2"}), "pass -to=2.0.0")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "2rc1"}), "pass -to=2.0.0rc1")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "0.02.0"}), "pass -to=0.2.0")
	require.Contains(t, refused(t, tree(t, three), bump.Request{To: "latest"}), "pass -to=patch, minor")
	require.Contains(t, refused(t, tree(t, three), bump.Request{}), "the new version is unknown")

	same := plan(t, tree(t, three), bump.Request{To: "0.1.6"}, nil)
	require.True(t, same.Empty())
	require.Equal(t, "v0.1.6", same.Tags[0].Name)
}

func TestDriftIsRefusedAndFixed(t *testing.T) {
	root := tree(t, lockstep+pkg("a", "0.1.6", "")+pkg("b", "0.1.5", runs+"a = \"==0.1.4\"\n")+
		"-- b/pyproject.toml --\n[project]\nname = \"b\"\nversion = \"0.1.3\"\n")
	said := refused(t, root, bump.Request{To: "patch"})
	require.Contains(t, said, "the manifests disagree in 3 places; nothing was changed")
	require.Contains(t, said, "b/pixi.toml:3:11: b is at 0.1.5, but other packages are at 0.1.6")
	require.Contains(t, said, "b/pixi.toml:6:1: a is pinned to 0.1.4, but its version is 0.1.6")
	require.Contains(t, said, "b/pyproject.toml:3:11: b has version 0.1.3, but 0.1.5 in b/pixi.toml:3")
	require.Contains(t, said, "-fixDrift")
	require.Contains(t, said, "or let each package have its own version with `versioning = \"independent\"` in [tool.release] of pixi.toml")

	p := plan(t, root, bump.Request{To: "patch", FixDrift: true}, nil)
	require.Equal(t, []string{"a 0.1.6 → 0.1.7: asked, lockstep", "b 0.1.5 → 0.1.7: drift, asked, lockstep"}, moves(p))
	require.Equal(t, []string{
		"a/pixi.toml:3 0.1.6 → 0.1.7", "b/pixi.toml:3 0.1.5 → 0.1.7", "b/pixi.toml:6 0.1.4 → 0.1.7", "b/pyproject.toml:3 0.1.3 → 0.1.7",
	}, edits(p))
	p = plan(t, root, bump.Request{To: "0.1.6", FixDrift: true}, nil)
	require.Equal(t, []string{"b/pixi.toml:3 0.1.5 → 0.1.6", "b/pixi.toml:6 0.1.4 → 0.1.6", "b/pyproject.toml:3 0.1.3 → 0.1.6"}, edits(p))
	apply(t, root, p)
	require.Empty(t, load(t, root).Disagreements())
}

// A package moves if it is requested, if it pins a package that moves, or if it shares the location of its version with a package that moves.
func TestIndependent(t *testing.T) {
	archive := independent + pkg("core", "0.3.0", "") +
		pkg("ui", "1.2.0", runs+"core = \"==0.3.0\"\n") +
		pkg("site", "2.0.0", "[package.host-dependencies]\nui = \"==1.2.0\"\n") +
		pkg("far", "4.0.0", runs+"core = \">=0.3,<1\"\n") +
		pkg("dev", "5.0.0", "") + "-- dev/pyproject.toml --\n[project]\nname = \"dev\"\nversion = \"5.0.0\"\n[dependency-groups]\ntest = [\"core==0.3.0\"]\n"
	root := tree(t, archive)
	p := plan(t, root, bump.Request{To: "minor", Only: "core"}, nil)
	require.Equal(t, []string{"core 0.3.0 → 0.4.0: asked", "ui 1.2.0 → 1.2.1: dependent", "site 2.0.0 → 2.0.1: dependent"}, moves(p))
	require.Equal(t, []string{
		"core/pixi.toml:3 0.3.0 → 0.4.0",
		"dev/pyproject.toml:5 0.3.0 → 0.4.0", // a dependency group is not part of an artifact, so the version of dev does not change
		"site/pixi.toml:3 2.0.0 → 2.0.1", "site/pixi.toml:6 1.2.0 → 1.2.1",
		"ui/pixi.toml:3 1.2.0 → 1.2.1", "ui/pixi.toml:6 0.3.0 → 0.4.0",
	}, edits(p))
	require.Equal(t, "its requirement on core moves to 0.4.0 (ui/pixi.toml:6)", p.Packages[1].Why[0].Text)
	require.Equal(t, []string{"core/v0.4.0", "ui/v1.2.1", "site/v2.0.1"}, []string{p.Tags[0].Name, p.Tags[1].Name, p.Tags[2].Name})
	require.Equal(t, "chore(release): core 0.4.0, ui 1.2.1, site 2.0.1\n", p.Message)

	p = plan(t, root, bump.Request{To: "rc", Only: "core"}, history{tags: map[string]string{"core/v0.3.0": "1"}})
	require.Equal(t, []string{"core 0.3.0 → 0.3.1rc1: asked", "ui 1.2.0 → 1.2.1rc1: dependent", "site 2.0.0 → 2.0.1rc1: dependent"}, moves(p))
	require.Contains(t, p.Notes[0], "conda has no opt-in")

	require.Contains(t, refused(t, root, bump.Request{To: "1.0.0"}), "pass -only=NAME")
	require.Contains(t, refused(t, root, bump.Request{To: "patch", Only: "cor"}), "did you mean core?")
	require.Len(t, plan(t, root, bump.Request{To: "patch"}, nil).Packages, 5)

	root = tree(t, strings.Replace(independent, "name = \"acme\"\n", "name = \"acme\"\nversion = \"0.3.0\"\n", 1)+
		"-- a/pixi.toml --\n[package]\nname = \"a\"\nversion.workspace = true\nbuild.backend.name = \"x\"\n"+
		"-- b/pixi.toml --\n[package]\nname = \"b\"\nversion.workspace = true\nbuild.backend.name = \"x\"\n"+pkg("c", "1.0.0", runs+"b = \"==0.3.0\"\n"))
	p = plan(t, root, bump.Request{To: "patch", Only: "a"}, nil)
	require.Equal(t, []string{"a 0.3.0 → 0.3.1: asked", "b 0.3.0 → 0.3.1: shared", "c 1.0.0 → 1.0.1: dependent"}, moves(p))
}

// A lock file contains the packages' requirements, but not their versions.
func TestLockFile(t *testing.T) {
	const lock = "-- pixi.lock --\nversion: 7\n"
	stale := []string{"pixi.lock has the old requirements, and `pixi install --locked` will refuse the file: run `mage lock`"}
	for _, c := range []struct {
		archive string
		req     bump.Request
		notes   []string
	}{
		{lockstep + pkg("a", "0.1.6", "") + pkg("b", "0.1.6", runs+"a = \"==0.1.6\"\n") + lock, bump.Request{To: "patch"}, stale},
		{lockstep + pkg("a", "0.1.6", "") + pkg("b", "0.1.6", runs+"a = \"==0.1.6\"\n"), bump.Request{To: "patch"}, []string{}},
		{lockstep + pkg("a", "0.1.6", "") + pkg("b", "0.1.6", runs+"a = \">=0.1,<1\"\n") + lock, bump.Request{To: "patch"}, []string{}},
		{lockstep + pkg("a", "0.1.6", "") + pkg("b", "0.1.6", runs+"a = \">=0.1,<0.2\"\n") + lock, bump.Request{To: "minor", Raise: true}, stale},
	} {
		require.Equal(t, c.notes, plan(t, tree(t, c.archive), c.req, nil).Notes, c.archive)
	}
}

// A range that admits the new version is not changed. Any other range is an error, or is raised if requested.
func TestRanges(t *testing.T) {
	root := tree(t, lockstep+"[dependencies]\na = \">=0.1,<0.2\"\n"+pkg("a", "0.1.6", "")+
		pkg("b", "0.1.6", runs+"a = \">=0.1.6, <1\"\n[package.run-constraints]\na = \"0.1.*\"\n")+
		"-- b/pyproject.toml --\n[project]\nname = \"b\"\nversion = \"0.1.6\"\ndependencies = ['A [x] (~=0.1.6) ; os_name == \"nt\"']\n"+
		"[tool.poetry.dependencies]\na = \"^0.1\"\n")
	require.Len(t, plan(t, root, bump.Request{To: "patch"}, nil).Files, 3)
	said := refused(t, root, bump.Request{To: "minor"})
	require.Contains(t, said, "the new version is outside 4 ranges; nothing was changed")
	require.Contains(t, said, "b/pixi.toml:8:1: a 0.1.* does not admit 0.2.0")
	require.Contains(t, said, "-ranges=raise")

	p := plan(t, root, bump.Request{To: "minor", Raise: true}, nil)
	require.Equal(t, []string{
		"a/pixi.toml:3 0.1.6 → 0.2.0", "b/pixi.toml:3 0.1.6 → 0.2.0", "b/pixi.toml:8 0.1.* → 0.2.*",
		"b/pyproject.toml:3 0.1.6 → 0.2.0", "b/pyproject.toml:4 ~=0.1.6 → ~=0.2.0", "b/pyproject.toml:6 ^0.1 → ^0.2",
		"pixi.toml:4 >=0.1,<0.2 → >=0.2.0,<0.3",
	}, edits(p))
	apply(t, root, p)

	root = tree(t, lockstep+pkg("a", "0.1.6", "")+pkg("b", "0.1.6", runs+"a = \">=0.1,!=0.1.7\"\n"))
	said = refused(t, root, bump.Request{To: "patch", Raise: true})
	require.Contains(t, said, `does not admit 0.1.7, even with a higher lower bound`)
	root = tree(t, lockstep+pkg("a", "0.1.6", "")+pkg("b", "0.1.6", runs+"a = \"(>=0.1|<0.1)\"\n"))
	require.Contains(t, refused(t, root, bump.Request{To: "patch"}), "is not a range of versions")
}

func commit(hash, message string, paths ...string) bump.Commit {
	subject, body, _ := strings.Cut(message, "\n")
	return bump.Commit{Hash: hash, Subject: subject, Body: body, Paths: paths}
}

// The size of the bump comes from the commits since the last tag that touch a package.
func TestAuto(t *testing.T) {
	three := func(at string) string {
		return lockstep + pkg("a", at, "") + pkg("b", at, "") + "-- app/pixi.toml --\n[workspace]\nname = \"app\"\n[dependencies]\na = \"==0.1.6\"\n"
	}
	for _, c := range []struct {
		name, at string
		commits  []bump.Commit
		want     string
	}{
		{"fix", "0.1.6", []bump.Commit{commit("1", "fix: x", "a/src/x.py")}, "0.1.7"},
		{"feat", "0.1.6", []bump.Commit{commit("1", "fix: x", "a/x"), commit("2", "feat(ui): y", "b/y")}, "0.2.0"},
		{"breaking before 1.0 is a minor", "0.1.6", []bump.Commit{commit("1", "refactor!: x", "a/x")}, "0.2.0"},
		{"a footer makes a commit breaking", "1.1.6", []bump.Commit{commit("1", "fix: x\nmore\n\nBREAKING CHANGE: y", "a/x")}, "2.0.0"},
		{"perf and revert are patches", "0.1.6", []bump.Commit{commit("1", "Perf: x", "a/x"), commit("2", "revert: y", "b/y")}, "0.1.7"},
		{"a file outside of all packages does not count", "0.1.6", []bump.Commit{commit("1", "feat: x", "app/x", "README.md", "docs/x")}, ""},
		{"other types", "0.1.6", []bump.Commit{commit("1", "docs: x", "a/x"), commit("2", "mend it", "b/y")}, ""},
		{"a candidate becomes the release", "0.2.0rc2", []bump.Commit{commit("1", "feat: x", "a/x")}, "0.2.0"},
		{"a fix does not change a candidate of a minor", "0.2.0rc2", []bump.Commit{commit("1", "fix: x", "a/x")}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			last := "v0.1.6"
			if c.at[0] == '1' {
				last = "v1.1.6"
			}
			h := history{tags: map[string]string{last: "x", "v0.2.0rc1": "y", "v9.0.0": "above"}, commits: map[string][]bump.Commit{last: c.commits}}
			p := plan(t, tree(t, three(c.at)), bump.Request{To: "auto", Date: "2026-11-23"}, h)
			if c.want == "" {
				require.Empty(t, p.Packages)
				require.Len(t, p.Notes, 1)
				return
			}
			require.Equal(t, c.want, p.Packages[0].New)
		})
	}
	p := plan(t, tree(t, three("0.1.6")), bump.Request{To: "auto"}, history{tags: map[string]string{"v0.1.6": "x"}, commits: map[string][]bump.Commit{"v0.1.6": {commit("1", "mend it", "b/y")}}})
	require.Equal(t, []string{"nothing to release: 1 commit since v0.1.6, 1 touches a package: 1 is not a conventional commit"}, p.Notes)
	require.Empty(t, p.Tags)

	p = plan(t, tree(t, three("0.1.6")), bump.Request{To: "auto"}, history{commits: map[string][]bump.Commit{"": {commit("1", "feat: x", "b/y")}}})
	require.Equal(t, []string{"0.1.6 is not released yet (no tag names this version), and its release will include 1 commit"}, p.Notes)
	require.Equal(t, "v0.1.6", p.Tags[0].Name)

	require.Contains(t, refused(t, tree(t, three("0.1.6")), bump.Request{To: "auto"}), "there is no git repository")
}

// Each package moves according to its own commits, and has its own reason.
func TestAutoIndependent(t *testing.T) {
	root := tree(t, independent+pkg("core", "0.3.0", "")+pkg("ui", "1.2.0", runs+"core = \"==0.3.0\"\n")+pkg("far", "1.0.0", ""))
	h := history{
		tags: map[string]string{"core/v0.3.0": "1", "ui/v1.2.0": "2", "far/v1.0.0": "3"},
		commits: map[string][]bump.Commit{
			"core/v0.3.0": {commit("aaa", "feat: x", "core/x"), commit("bbb", "fix: y", "ui/y")},
			"ui/v1.2.0":   {}, "far/v1.0.0": {commit("ccc", "docs: z", "far/z")},
		},
	}
	p := plan(t, root, bump.Request{To: "auto", Date: "2026-11-23"}, h)
	require.Equal(t, []string{"core 0.3.0 → 0.4.0: commits", "ui 1.2.0 → 1.2.1: dependent"}, moves(p))
	require.Equal(t, "a minor version, by 1 commit since core/v0.3.0", p.Packages[0].Why[0].Text)
	require.Equal(t, "aaa", p.Packages[0].Why[0].Commits[0].Hash)
	apply(t, root, p)
	require.Equal(t, `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## [Unreleased]

## 2026-11-23

### core 0.4.0

- X (aaa)

### ui 1.2.1

- Its requirement on core moves to 0.4.0 (ui/pixi.toml:6).
`, files(t, root)["CHANGELOG.md"])
	h.commits["core/v0.3.0"] = nil
	p = plan(t, tree(t, independent+pkg("core", "0.3.0", "")), bump.Request{To: "auto"}, h)
	require.Empty(t, p.Packages)
	require.Contains(t, p.Notes[0], "nothing to release")
}

// A pre-release leads to the release that the commits require.
func TestPreReleases(t *testing.T) {
	h := history{tags: map[string]string{"v1.1.4": "x"}, commits: map[string][]bump.Commit{"v1.1.4": {commit("1", "feat: x", "a/x")}}}
	for _, c := range []struct{ at, to, want string }{
		{"1.1.4", "rc", "1.2.0rc1"},
		{"1.2.0rc1", "rc", "1.2.0rc2"},
		{"1.2.0rc1", "patch", "1.2.0"},
		{"1.1.4", "alpha", "1.2.0a1"},
		{"1.1.5rc1", "rc", "1.2.0rc1"},
		{"1.1.4", "dev", "1.2.0.dev1"},
		{"1.2.0b2", "rc", "1.2.0rc1"},
	} {
		p := plan(t, tree(t, lockstep+pkg("a", c.at, "")), bump.Request{To: c.to}, h)
		require.Equal(t, c.want, p.Packages[0].New, "%s %s", c.at, c.to)
		require.Equal(t, strings.ContainsAny(c.want, "abrcdev"), len(p.Notes) == 1, "a pre-release comes with a warning")
	}
	// Without git, a pre-release belongs to the next patch version.
	require.Equal(t, "1.1.5rc1", plan(t, tree(t, lockstep+pkg("a", "1.1.4", "")), bump.Request{To: "rc"}, nil).Packages[0].New)
	require.Contains(t, refused(t, tree(t, lockstep+pkg("a", "1.2.0rc1", "")), bump.Request{To: "b"}), "1.2.0rc1 comes after 1.2.0b1")
}

// The text under Unreleased moves to the section of the release. All other lines are unchanged.
func TestChangelog(t *testing.T) {
	const before = `# Changelog

Preamble.

## [Unreleased]

By hand.

### b

- Written by hand.

## [0.1.5] - 2025-01-01

- Old.
`
	h := history{
		tags: map[string]string{"v0.1.6": "x"},
		commits: map[string][]bump.Commit{"v0.1.6": {
			commit("1111111", "fix(b): mend it", "b/x"), commit("2222222", "feat!: äh", "a/x", "b/x"), commit("3333333", "chore: x", "a/x"), commit("4444444", "revert: y", "a/x"),
		}},
	}
	const after = `# Changelog

Preamble.

## [Unreleased]

## [0.1.7] - 2026-11-23

By hand.

### b

- Written by hand.
- **Breaking:** Äh (2222222)
- Mend it (1111111)

### a

- **Breaking:** Äh (2222222)
- Reverted: Y (4444444)

## [0.1.5] - 2025-01-01

- Old.
`
	req := bump.Request{To: "patch", Changelog: true, Date: "2026-11-23"}
	for _, ext := range []string{"", ".crlf"} {
		root := tree(t, lockstep+pkg("a", "0.1.6", "")+pkg("b", "0.1.6", "")+"-- CHANGELOG.md"+ext+" --\n"+before)
		apply(t, root, plan(t, root, req, h))
		want := after
		if ext != "" {
			want = "\ufeff" + strings.ReplaceAll(after, "\n", "\r\n")
		}
		require.Equal(t, want, files(t, root)["CHANGELOG.md"])
	}
	for before, after := range map[string]string{
		"# C\n\n## 1.0\n\n- x\n":     "# C\n\n## [0.1.7] - 2026-11-23\n\nNo change of note.\n\n## 1.0\n\n- x\n",
		"# C\n\n## [unreleased]\n":   "# C\n\n## [unreleased]\n\n## [0.1.7] - 2026-11-23\n\nNo change of note.\n",
		"# C":                        "# C\n\n## [0.1.7] - 2026-11-23\n\nNo change of note.\n",
		"## Unreleased\n\n- only me": "## Unreleased\n\n## [0.1.7] - 2026-11-23\n\n- only me\n",
	} {
		root := tree(t, lockstep+pkg("a", "0.1.6", ""))
		write(t, root, "CHANGELOG.md", before)
		apply(t, root, plan(t, root, req, history{}))
		require.Equal(t, after, files(t, root)["CHANGELOG.md"])
	}
}
