package file

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Read supports everything in this repository's own workflow files.
func TestOurs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", ".github", "workflows", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		w, err := Read(filepath.Base(f), data)
		require.NoError(t, err)
		require.NotEmpty(t, w.Events)
		if w.File != "release.yml" {
			continue
		}
		for _, tag := range []string{"v1.2.0", "foopack-core/v1.2.0"} {
			starts, why := w.StartsForTag(tag)
			require.True(t, starts, why)
		}
		for _, j := range w.Jobs {
			require.Equal(t, j.ID == "upload", j.Permissions.Writes("id-token"), j.ID)
			require.Equal(t, j.ID == "upload", j.Environment == "release", j.ID)
		}
	}
}

const job = "\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make\n"

// Each problem is reported with its position.
func TestProblems(t *testing.T) {
	for text, want := range map[string][]string{
		"":                            {"f.yml:1: the file is empty"},
		"on: push\n\tjobs: {}":        {"f.yml:2: found a tab character that violates indentation"},
		"on: push":                    {"f.yml:1:1: the workflow needs jobs"},
		"on: push\njobs: {}":          nil,
		"on: pus" + job:               {`f.yml:1:5: "pus" is not allowed for on: is it "push"?`},
		"on: [push, 5]" + job:         {`f.yml:1:12: "5" is not allowed for an item of on: use one of`},
		"on: {push: {tag: v*}}" + job: {`f.yml:1:13: there is no key "tag" in push: is it "tags"?`},
		"on: {push: {tags: v*, tags-ignore: w*}}" + job:                       {"f.yml:1:36: tags-ignore cannot be combined with tags: to leave names out, use a pattern with !"},
		"on: {push: {branches: ['!main']}}" + job:                             {"f.yml:1:23: all patterns begin with !"},
		"on: {push: {paths: ['a[', '+b']}}" + job:                             {`f.yml:1:20: "a[" is not a valid pattern: a bracket is empty or not closed`, `"+b" is not a valid pattern: no character precedes +`},
		"on: push\nenvs: {}" + job:                                            {`f.yml:2:1: there is no key "envs" in the workflow: is it "env"?`},
		"on: push\non: push" + job:                                            {`f.yml:2:1: the key "on" is here twice`},
		"on: push\nenv: &e {A: b}\ndefaults: {<<: *e}" + job:                  {"f.yml:3:12: GitHub supports anchors and aliases, but not merge keys"},
		"on: push\npermissions: {id-token: wirte}" + job:                      {`f.yml:2:25: "wirte" is not allowed for id-token: is it "write"?`},
		"on: push\npermissions: {id_token: write}" + job:                      {`there is no key "id_token" in permissions: is it "id-token"?`},
		"on: push\nconcurrency: {group: a, queue: many}" + job:                {`f.yml:2:32: "many" is not allowed for queue: is it "max"?`},
		"on: push\nname: ${{ github.ref }}" + job:                             {"f.yml:2:7: name may not have an expression"},
		"on: push\nrun-name: ${{ secrets.A }}" + job:                          {`f.yml:2:15: the context "secrets" does not exist or is not available here`},
		"on: push\njobs: {a: {runs-on: x, step: []}}":                         {`there is no key "step" in a: is it "steps"?`},
		"on: push\njobs: {a: {steps: []}}":                                    {"f.yml:2:11: a needs runs-on"},
		"on: push\njobs: {1a: {runs-on: x, steps: []}}":                       {`f.yml:2:8: "1a" is not a valid job ID`},
		"on: push\njobs: {a: {runs-on: x, steps: {run: make}}}":               {"f.yml:2:31: steps may not have keys"},
		"on: push\njobs: [a]":                                                 {"f.yml:2:7: jobs may not be a list"},
		"on: push\njobs: {a: {runs-on: x, needs: b, steps: []}}":              {"f.yml:2:31: the job a needs b, which does not exist"},
		"on: push\njobs: {a: {runs-on: x, needs: [a], steps: []}}":            {"f.yml:2:31: the job a never starts, because its needs lead back to itself"},
		"on: push\njobs: {a: {runs-on: x, timeout-minutes: soon, steps: []}}": {`"soon" is not allowed for timeout-minutes`},
		"on: push\njobs: {a: {runs-on: '', steps: []}}":                       {"f.yml:2:21: runs-on is empty"},
		job[1:]: {"f.yml:1:1: the workflow needs on"},
		"on: push" + job + "        if: secrets.A != ''\n":                         {`f.yml:7:13: the context "secrets" does not exist or is not available here`},
		"on: push" + job + "        if: ${{ always() }} && true\n":                 {"f.yml:7:13: a condition with text outside ${{ }} is always true"},
		"on: push" + job + "        if: hashFile('x')\n":                           {`f.yml:7:13: the function "hashFile" does not exist or is not available here`},
		"on: push" + job + "    if: hashFiles('x') != ''\n":                        {`f.yml:7:9: the function "hashFiles" does not exist or is not available here`}, // hashFiles is only available in steps
		"on: push" + job + "        background: true\n":                            {"f.yml:7:21: steps that run in parallel (background) are not supported here"},
		"on: push" + job + "        id: x\n      - {run: make, id: X}\n":           {`f.yml:8:25: an earlier step has the same id "X"`},
		"on: push" + job + "      - run: |\n          one\n          ${{ two }}\n": {`f.yml:9: the context "two" does not exist or is not available here`},
		"on: push" + job + "      - uses: a/b@v1\n        run: make\n":             {`f.yml:8:9: there is no key "run" in an item of steps`},
	} {
		_, err := Read("f.yml", []byte(text))
		if want == nil {
			require.NoError(t, err, text)
			continue
		}
		require.Error(t, err, text)
		for _, w := range want {
			require.ErrorContains(t, err, w, text)
		}
	}
}

// Problems are always reported in file order.
func TestProblemOrder(t *testing.T) {
	for range 20 {
		_, err := Read("f.yml", []byte("on: {push: {paths-ignore: x, paths: y, tags-ignore: x, tags: y, branches-ignore: x, branches: y}}"+job))
		require.Equal(t, []string{"f.yml:1:27", "f.yml:1:53", "f.yml:1:82"}, regexp.MustCompile(`f\.yml:\d+:\d+`).FindAllString(err.Error(), -1))
	}
}

// An anchor may be used many times. An alias that refers to itself, or aliases that expand exponentially, are stopped by a limit.
func TestAliases(t *testing.T) {
	w, err := Read("f.yml", []byte("on: push\nenv: &e {A: b}\njobs:\n  a: &a\n    runs-on: x\n    env: *e\n    steps: [{run: make}]\n  b: *a\n"))
	require.NoError(t, err)
	require.Equal(t, []string{"make"}, w.Jobs[1].Runs)

	bomb := "on: push\njobs:\n  a:\n    runs-on: x\n    strategy:\n      matrix:\n        a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n"
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		last := "*a" + string(n[0]-1)
		bomb += "        a" + n + ": &a" + n + " [" + strings.Repeat(last+", ", 9) + last + "]\n"
	}
	_, err = Read("f.yml", []byte(bomb))
	require.ErrorContains(t, err, "too large to check")
	for _, without := range []string{"&a [*a]", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)} {
		_, err = Read("f.yml", []byte("on: push\njobs:\n  a:\n    runs-on: x\n    strategy: {matrix: {a: "+without+"}}\n"))
		require.ErrorContains(t, err, "too large to check", without)
	}
}

func TestRights(t *testing.T) {
	w, err := Read("f.yml", []byte(`on: {push: , workflow_dispatch: }
permissions: write-all
jobs:
  all: {runs-on: x, steps: []}
  some: {runs-on: x, permissions: {contents: write}, steps: []}
  none: {runs-on: x, permissions: {}, needs: some, environment: {name: production}, steps: []}
  called: {uses: ./.github/workflows/b.yml, needs: [some, none]}
`))
	require.NoError(t, err)
	require.Equal(t, []string{"push", "workflow_dispatch"}, []string{w.Events[0].Name, w.Events[1].Name})
	for i, want := range []bool{true, false, false, true} {
		require.Equal(t, want, w.Jobs[i].Permissions.Writes("id-token"), w.Jobs[i].ID)
	}
	require.True(t, w.Jobs[1].Permissions.Writes("contents"))
	require.Equal(t, "production", w.Jobs[2].Environment)
	require.Equal(t, []string{"some", "none"}, w.Jobs[3].Needs)
	w, err = Read("f.yml", []byte("on: push"+job))
	require.NoError(t, err)
	require.False(t, w.Jobs[0].Permissions.Writes("id-token"), "no setting gives it")
}

// The cases are the examples in GitHub's documentation of patterns, and cases that follow from its rules.
func TestPatterns(t *testing.T) {
	for pattern, names := range map[string]struct{ yes, no []string }{
		"feature/*":             {[]string{"feature/my-branch"}, []string{"feature/beta-a/my-branch", "feature"}},
		"feature/**":            {[]string{"feature/beta-a/my-branch", "feature/"}, []string{"features/x"}},
		"releases/mona-the-cat": {[]string{"releases/mona-the-cat"}, []string{"releases/mona-the-cat2"}},
		"*":                     {[]string{"main", ""}, []string{"all/the/branches"}},
		"**":                    {[]string{"all/the/branches"}, nil},
		"*feature":              {[]string{"mona-feature", "feature"}, []string{"feature-mona"}},
		"v2*":                   {[]string{"v2", "v2.0"}, []string{"v1", "v2/x"}},
		"v[12].[0-9]+.[0-9]+":   {[]string{"v1.10.1", "v2.0.0"}, []string{"v3.0.0", "v1..1"}},
		"**.js":                 {[]string{"js/index.js", "index.js"}, []string{"index.jsx"}},
		"**/docs/**":            {[]string{"docs/hello.md", "dir/docs/my-file.txt"}, []string{"mydocs/x"}},
		"**/*-post.md":          {[]string{"my-post.md", "path/their-post.md"}, nil},
		"*.jsx?":                {[]string{"page.js", "page.jsx"}, []string{"page.jsxx"}},
		"v\\*":                  {[]string{"v*"}, []string{"v1"}},
		"a.b":                   {[]string{"a.b"}, []string{"axb"}},
	} {
		for _, n := range names.yes {
			require.True(t, matches([]string{pattern}, n), "%s %s", pattern, n)
		}
		for _, n := range names.no {
			require.False(t, matches([]string{pattern}, n), "%s %s", pattern, n)
		}
	}
	require.False(t, matches([]string{"releases/**", "!releases/**-alpha"}, "releases/beta/3-alpha"))
	require.True(t, matches([]string{"releases/**", "!releases/**-alpha", "releases/x-alpha"}, "releases/x-alpha"), "the last one decides")
}

func TestTags(t *testing.T) {
	for on, want := range map[string]string{
		"push":                                          "",
		"[workflow_dispatch, push]":                     "",
		"workflow_dispatch":                             "f.yml:1 does not start for pushes",
		"{push: {tags: ['v*', '*/v*']}}":                "",
		"{push: {paths: [docs/**]}}":                    "", // path filters do not apply to tags
		"{push: {tags: 'v*'}}":                          "f.yml:1 starts for tags that match v*, but the tag core/v1.0.0 does not (* does not match /)",
		"{push: {tags: ['**', '!core/*']}}":             "f.yml:1 starts for tags that match **, !core/*, but the tag core/v1.0.0 does not (* does not match /)",
		"{push: {tags-ignore: ['**']}}":                 "f.yml:1 ignores the tag core/v1.0.0",
		"{push: {tags-ignore: ['w**']}}":                "",
		"{push: {branches: ['**']}}":                    "f.yml:1 has filters only for branches, so it starts for no tag",
		"{push: {branches-ignore: [x]}}":                "f.yml:1 has filters only for branches, so it starts for no tag",
		"{push: {branches: [main], tags: ['core/v*']}}": "",
	} {
		w, err := Read("f.yml", []byte("on: "+on+job))
		require.NoError(t, err, on)
		starts, why := w.StartsForTag("core/v1.0.0")
		require.Equal(t, want == "", starts, on)
		require.Equal(t, want, why, on)
	}
}

// A condition decides whether a job runs if its value is known at a tag. Otherwise the job runs.
func TestConditions(t *testing.T) {
	for condition, want := range map[string]bool{
		"github.ref_type == 'tag'":                                  true,
		"github.ref == 'refs/heads/main'":                           false,
		"startsWith(github.ref, 'refs/tags/core/v')":                true,
		"github.repository_owner != 'team'":                         false,
		"github.event_name == 'push' && github.repository == 'x/y'": false,
		"failure()":                   false,
		"!cancelled()":                true,
		"needs.build.result == 'x'":   true,
		"vars.RELEASE == 'yes'":       true,
		"inputs.release == 'yes'":     true,
		"github.actor == 'a' || true": true,
	} {
		w, err := Read("f.yml", []byte("on: push\njobs:\n  a:\n    runs-on: x\n    if: \""+condition+"\"\n    steps: []\n"))
		require.NoError(t, err, condition)
		require.Equal(t, want, w.Jobs[0].RunsForTag("team/repo", "core/v1.0.0"), condition)
	}
}

// No input causes a panic, and each problem has a line number.
func FuzzRead(f *testing.F) {
	f.Add("on: push" + job)
	f.Add("on: {push: {tags: ['!v[*', &a x]}}\njobs: {a: *a, b: {if: '${{', needs: [b]}}")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := Read("f.yml", []byte(text))
		if err == nil {
			w.StartsForTag("v1")
		} else {
			require.Regexp(t, `^f\.yml:[0-9]+`, err.Error())
		}
	})
}

// A file from an untrusted source may have thousands of jobs, each of which needs the next one.
func TestAChainOfJobs(t *testing.T) {
	var b strings.Builder
	b.WriteString("on: push\njobs:\n")
	const n = 6000
	for i := range n {
		fmt.Fprintf(&b, "  j%d: {runs-on: x, needs: j%d, steps: [{run: x}]}\n", i, i+1)
	}
	fmt.Fprintf(&b, "  j%d: {runs-on: x, steps: [{run: x}]}\n", n)
	begin := time.Now()
	_, err := Read("release.yml", []byte(b.String()))
	require.NoError(t, err)
	require.Less(t, time.Since(begin), 3*time.Second)
}
