package standin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/rights"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
)

func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }

// repository makes a bare repository with three commits on main, another branch at the first commit, and a tag at the second.
func repository(t *testing.T) (remote string, commits []string) {
	t.Helper()
	work := t.TempDir()
	remote = filepath.Join(t.TempDir(), "remote.git")
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	for i, text := range []string{"one", "two", "three"} {
		require.NoError(t, os.WriteFile(filepath.Join(work, "README"), []byte(text), 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(work, "go.mod"), []byte("module x\n\ngo 1.24.1\n"), 0o644))
		git("add", "-A")
		git("commit", "-qm", text)
		switch i {
		case 0:
			git("branch", "old")
		case 1:
			git("tag", "v1")
		}
		commits = append(commits, git("rev-parse", "HEAD"))
	}
	git("clone", "-q", "--bare", work, remote)
	return remote, commits
}

// run runs a job with the given steps, each a line of YAML. It returns their output and the job's leg.
func run(t *testing.T, permissions, ref string, steps ...string) (said string, leg *runner.Leg) {
	t.Helper()
	leg = result(t, permissions, ref, steps...).Jobs[0].Legs[0]
	var b strings.Builder
	for _, s := range leg.Steps {
		for _, line := range s.Log {
			if !strings.HasPrefix(line, "$ ") {
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String(), leg
}

// result runs a job with the given steps and returns the result of the run.
func result(t *testing.T, permissions, ref string, steps ...string) *runner.Result {
	t.Helper()
	return resultWith(t, func(*runner.Config) {}, permissions, ref, steps...)
}

// resultWith is like result, but lets told change the runner's configuration.
func resultWith(t *testing.T, told func(c *runner.Config), permissions, ref string, steps ...string) *runner.Result {
	t.Helper()
	remote, commits := repository(t)
	at := map[string]string{"refs/tags/v1": commits[1], "refs/heads/old": commits[0]}[ref]
	if at == "" {
		ref, at = "refs/heads/main", commits[2]
	}
	text := "on: push\npermissions: " + permissions + "\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - " + strings.Join(steps, "\n      - ") + "\n"
	w, err := file.Read("ci.yml", []byte(text))
	require.NoError(t, err, text)
	config := runner.Config{
		Registries: map[string]string{"ghcr.io": "127.0.0.1:5000", "images.example": "127.0.0.1:5000"},
		Runner:     command.NewSystem(os.Environ(), nil),
		Environ:    []string{"PATH=/usr/bin:/bin", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b"},
		Installed:  os.Getenv("PATH"),
		Dir:        t.TempDir(),
		Files:      fstest.MapFS{},
		Remote:     remote,
		Repository: "octo/tools",
		Actions:    standin.All,
		Token:      func(runner.Asked) (string, error) { return "the-token", nil },
	}
	told(&config)
	r, err := runner.New(config).Run(t.Context(), w, runner.Event{
		Name: "push",
		Ref:  ref,
		SHA:  at,
	}, "")
	require.NoError(t, err)
	return r
}

// Submodules are checked out if the step requests them and the runner has a function for it.
func TestSubmodules(t *testing.T) {
	remote, commits := repository(t)
	for with, want := range map[string]string{"{}": "", "{submodules: false}": "", "{submodules: 'False'}": "", "{submodules: 'TRUE'}": "filled\n", "{submodules: true}": "filled\n", "{submodules: recursive}": "filled\n"} {
		w, err := file.Read("ci.yml", []byte("on: push\npermissions: {contents: read}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"+
			"      - uses: actions/checkout@v4\n        with: "+with+"\n      - run: cat sub/file || true\n"))
		require.NoError(t, err)
		r, err := runner.New(runner.Config{
			Runner:     command.NewSystem(os.Environ(), nil),
			Environ:    []string{"PATH=/usr/bin:/bin"},
			Installed:  os.Getenv("PATH"),
			Dir:        t.TempDir(),
			Files:      fstest.MapFS{},
			Remote:     remote,
			Repository: "octo/tools",
			Actions:    standin.All,
			Submodules: func(_ context.Context, dir string) error {
				if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
					return err
				}
				return os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("filled\n"), 0o644)
			},
		}).Run(t.Context(), w, runner.Event{
			Name: "push",
			Ref:  "refs/heads/main",
			SHA:  commits[2],
		}, "")
		require.NoError(t, err)
		said := strings.Join(r.Jobs[0].Legs[0].Steps[1].Log, "\n") + "\n"
		require.Equal(t, want != "", strings.Contains(said, "filled\n"), "%s: %s", with, said)
		for _, note := range r.Notes {
			require.NotContains(t, note, "is ignored")
		}
	}
}

const look = "run: echo $(git log --oneline | wc -l) $(git tag | wc -l) $(git branch -r | wc -l) $(git symbolic-ref -q --short HEAD || echo detached) $(cat README)"

func TestCheckout(t *testing.T) {
	for name, c := range map[string]struct{ ref, with, then, want string }{
		"a commit deep":                {"", "{}", look, "1 0 1 main three\n"},
		"with history":                 {"", "{fetch-depth: 0}", look, "3 1 2 main three\n"},
		"two deep":                     {"", "{fetch-depth: 2}", look, "2 0 1 main three\n"},
		"tags too":                     {"", "{fetch-tags: true, fetch-depth: 1}", look, "1 1 1 main three\n"},
		"a tag":                        {"refs/tags/v1", "{}", look, "1 1 0 detached two\n"},
		"a tag with history":           {"refs/tags/v1", "{fetch-depth: 0}", look, "2 1 2 detached two\n"},
		"another branch":               {"", "{ref: old}", look, "1 0 1 old one\n"},
		"a tag by its name":            {"", "{ref: v1}", look, "1 1 0 detached two\n"},
		"the hash of the event":        {"", "{ref: '${{ github.sha }}'}", look, "1 0 1 detached three\n"},
		"no such ref":                  {"", "{ref: none}", look, "error: a branch or tag with the name \"none\" could not be found\n"},
		"another repository":           {"", "{repository: octo/other}", look, "error: the repository octo/other is not available here: only the repository of the run can be checked out\n"},
		"in a folder":                  {"", "{path: sub}", "run: cat sub/README", "three"},
		"a folder that leads out":      {"", "{path: ../x}", look, "error: path must be inside the work folder, but ../x is not\n"},
		"fetch-depth is no number":     {"", "{fetch-depth: all}", look, "error: fetch-depth must be a number, but is \"all\"\n"},
		"a misspelled input":           {"", "{fetch-dept: 0}", look, "warning: unexpected input \"fetch-dept\" of actions/checkout"},
		"a push with the right":        {"", "{}", "run: git commit -q --allow-empty -m x && git push -q && echo pushed", "pushed\n"},
		"no push without credential":   {"", "{persist-credentials: false}", "run: git commit -q --allow-empty -m x && git push -q || echo refused", "refused\n"},
		"no push without, in capitals": {"", "{persist-credentials: 'FALSE'}", "run: git commit -q --allow-empty -m x && git push -q || echo refused", "refused\n"},
		"tags too, in capitals":        {"", "{fetch-tags: 'True', fetch-depth: 1}", look, "1 1 1 main three\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, _ := run(t, "{contents: write}", c.ref, "uses: actions/checkout@v4\n        with: "+c.with, c.then)
			require.Contains(t, said, c.want)
		})
	}
	said, _ := run(t, "{contents: read}", "", "uses: actions/checkout@v4", "run: git commit -q --allow-empty -m x && git push -q || echo refused")
	require.Contains(t, said, "refused\n", "a token that reads does not push")
	said, _ = run(t, "{packages: read}", "", "uses: actions/checkout@v4")
	require.Equal(t, "error: the job may not read the repository: its permissions lack contents: read\n", said)
}

// TestHostilePush tries to push, and to install hooks, through the remote in the clone's configuration. A job without write permission cannot change
// anything, but still sees other users' pushes.
func TestHostilePush(t *testing.T) {
	const pushes = `run: |
          u=$(git config remote.origin.url)
          mkdir -p "$u/hooks" && printf '#!/bin/sh\ntouch %s/ran\n' "$PWD" > "$u/hooks/post-receive" && chmod +x "$u/hooks/post-receive"
          git push -q "$u" HEAD:refs/heads/new HEAD:refs/tags/v9 2>&1 || echo refused
          git ls-remote "$u" refs/heads/new refs/tags/v9
          ls ran 2>/dev/null || true`
	const denied = "remote: Permission to octo/tools.git denied to github-actions[bot]."
	for permissions, with := range map[string]string{"{contents: read}": "{}", "{contents: write}": "{persist-credentials: false}", "{contents: read }": "{fetch-depth: 0}"} {
		said, _ := run(t, permissions, "", "uses: actions/checkout@v4\n        with: "+with, pushes)
		require.Contains(t, said, denied, with)
		require.True(t, strings.HasSuffix(said, "refused\n"), said)
	}
}

// TestHostileCheckout checks out through a link that a step made to a folder outside the work folder. No file in that folder is removed.
func TestHostileCheckout(t *testing.T) {
	for name, c := range map[string]struct{ made, path, want string }{
		"on the way":             {"mkdir d && ln -s %s d/l", "d/l/sub", "a link"},
		"the first of the way":   {"ln -s %s l", "l/sub", "a link"},
		"the folder itself":      {"ln -s %s/sub l", "l", ""},
		"the work folder":        {"cd .. && rmdir work && ln -s %s work", "sub", ""},
		"the work folder, whole": {"cd .. && rmdir work && ln -s %s/sub work", ".", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outside := t.TempDir()
			mine := filepath.Join(outside, "sub", "mine")
			require.NoError(t, os.Mkdir(filepath.Dir(mine), 0o755))
			require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o644))
			said, _ := run(t, "{contents: read}", "", "run: "+fmt.Sprintf(c.made, outside), "uses: actions/checkout@v4\n        with: {path: "+c.path+"}", "run: cat "+c.path+"/README")
			require.FileExists(t, mine)
			require.NoFileExists(t, filepath.Join(filepath.Dir(mine), "README"))
			if c.want == "" {
				require.Contains(t, said, "three")
			} else {
				require.Contains(t, said, c.want)
			}
		})
	}
}

func TestReadOnly(t *testing.T) {
	remote, commits := repository(t)
	door := filepath.Join(t.TempDir(), "a door", "origin.git")
	require.NoError(t, standin.ReadOnly(door, remote, "No."))
	git := func(args ...string) string {
		out, err := exec.Command("git", args...).CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	require.Contains(t, git("ls-remote", door), "refs/tags/v1")
	git("--git-dir="+remote, "update-ref", "refs/heads/later", commits[1])
	require.Contains(t, git("ls-remote", door), commits[1]+"\trefs/heads/later")
	git("--git-dir="+remote, "pack-refs", "--all")
	git("clone", "-q", "--", door, filepath.Join(t.TempDir(), "whole"))
	git("clone", "-q", "--no-local", "--depth=1", "--branch=later", "--", "file://"+door, filepath.Join(t.TempDir(), "clone"))
	out, err := exec.Command("git", "--git-dir="+remote, "push", door, "refs/heads/later:refs/heads/more").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "remote: No.")
	require.NotContains(t, git("ls-remote", remote), "refs/heads/more")
}

func TestArtifacts(t *testing.T) {
	const made = "run: mkdir -p out/sub; echo 1 > out/a.txt; echo 2 > out/sub/b.txt; echo 3 > out/.hidden; chmod +x out/a.txt"
	up := func(with string) string { return "uses: actions/upload-artifact@v4\n        with: " + with }
	down := func(with string) string { return "uses: actions/download-artifact@v4\n        with: " + with }
	const list = "run: cd got && find . -type f | sort | tr '\\n' ' '"
	for name, c := range map[string]struct {
		steps []string
		want  string
	}{
		"a folder is its root":              {[]string{made, up("{name: x, path: out}"), down("{name: x, path: got}"), list}, "./a.txt ./sub/b.txt "},
		"hidden files":                      {[]string{made, up("{name: x, path: out/, include-hidden-files: true}"), down("{name: x, path: got}"), list}, "./.hidden ./a.txt ./sub/b.txt "},
		"hidden files, in capitals":         {[]string{made, up("{name: x, path: out/, include-hidden-files: 'TRUE'}"), down("{name: x, path: got}"), list}, "./.hidden ./a.txt ./sub/b.txt "},
		"one file":                          {[]string{made, up("{name: x, path: out/sub/b.txt}"), down("{name: x, path: got}"), list}, "./b.txt "},
		"patterns":                          {[]string{made, up("{name: x, path: \"out/**/*.txt\\n!out/a.txt\"}"), down("{name: x, path: got}"), list}, "./sub/b.txt "},
		"two paths have a common root":      {[]string{made, up("{name: x, path: \"out/a.txt\\nout/sub\"}"), down("{name: x, path: got}"), list}, "./a.txt ./sub/b.txt "},
		"all, each in a folder":             {[]string{made, up("{name: x, path: out/a.txt}"), up("{name: y, path: out/sub}"), down("{path: got}"), list}, "./x/a.txt ./y/b.txt "},
		"by a pattern, merged":              {[]string{made, up("{name: x-1, path: out/a.txt}"), up("{name: x-2, path: out/sub}"), up("{name: z, path: out}"), down("{path: got, pattern: 'x-*', merge-multiple: true}"), list}, "./a.txt ./b.txt "},
		"modes are lost":                    {[]string{made, up("{path: out/a.txt}"), down("{name: artifact, path: got}"), "run: test -x got/a.txt || echo plain"}, "plain\n"},
		"another name":                      {[]string{made, up("{name: x, path: out}"), down("{name: y}")}, "error: ci.yml:11:22: unable to download artifact(s): artifact not found for name: y (there are: x)\n"},
		"a name twice":                      {[]string{made, up("{name: x, path: out}"), up("{name: x, path: out}")}, "error: this run already has an artifact with the name x (409 Conflict)"},
		"merged, in capitals":               {[]string{made, up("{name: x-1, path: out/a.txt}"), up("{name: x-2, path: out/sub}"), down("{path: got, merge-multiple: 'True'}"), list}, "./a.txt ./b.txt "},
		"a name twice that overwrites":      {[]string{made, up("{name: x, path: out}"), up("{name: x, path: out/sub, overwrite: true}"), down("{name: x, path: got}"), list}, "./b.txt "},
		"nothing, by default":               {[]string{up("{name: x, path: none/*}"), down("{path: got}"), list}, "warning: no files were found with the path: none/*. No artifact is uploaded\n"},
		"nothing is an error":               {[]string{up("{name: x, path: none, if-no-files-found: error}")}, "error: ci.yml:8:31: no files were found with the path: none\n"},
		"nothing is fine":                   {[]string{up("{name: x, path: none, if-no-files-found: ignore}"), "run: echo on"}, "no files were found with the path: none\non\n"},
		"what is neither true nor false":    {[]string{made, up("{path: out, overwrite: error}")}, "error: ci.yml:9:38: the input overwrite of actions/upload-artifact must be true or false, but is \"error\""},
		"retention-days is no number":       {[]string{up("{path: x, retention-days: week}")}, "ci.yml:8:41: retention-days must be a number, but is \"week\""},
		"if-no-files-found is misspelled":   {[]string{up("{path: x, if-no-files-found: fail}")}, "if-no-files-found must be warn, error or ignore, but is \"fail\""},
		"a name that leads out of a folder": {[]string{up("{name: .., path: x}")}, "an artifact cannot be named .., because a download of all artifacts makes a folder for each name"},
		"a name that no file could have":    {[]string{up("{name: a/b, path: x}")}, "error: the name of an artifact must not contain any of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, _ := run(t, "{contents: read}", "", c.steps...)
			require.Contains(t, said, c.want)
		})
	}
}

func TestSetups(t *testing.T) {
	uses := func(name, with string) string { return "uses: " + name + "@v4\n        with: " + with }
	checkout := uses("actions/checkout", "{}")
	for name, c := range map[string]struct {
		permissions string
		steps       []string
		want        string
	}{
		"go":                           {"", []string{uses("actions/setup-go", "{go-version: '1.24'}"), "run: go version | cut -d' ' -f1-2"}, "go version\n"},
		"go of a file":                 {"", []string{checkout, "uses: actions/setup-go@v5\n        with: {go-version-file: go.mod}\n        id: go", "run: echo ${{ steps.go.outputs.go-version }}"}, "1.24.1\n"},
		"a file before the checkout":   {"", []string{uses("actions/setup-go", "{go-version-file: go.mod}")}, "is a checkout missing before this step?"},
		"no possible version of go":    {"", []string{uses("actions/setup-go", "{go-version: one}")}, "error: \"one\" is not a valid version of Go\n"},
		"python":                       {"", []string{uses("actions/setup-python", "{python-version: '3.13'}"), "run: python -c 'print(1 + 1)'; which python | grep -c tools"}, "2\n1\n"},
		"python that YAML misreads":    {"", []string{uses("actions/setup-python", "{python-version: 3.10}")}, "GitHub has no Python 3.1 (without quotes, YAML reads 3.10 as the number 3.1)"},
		"no possible version":          {"", []string{uses("actions/setup-python", "{python-version: three}")}, "error: \"three\" is not a valid version of Python\n"},
		"a range of versions":          {"", []string{uses("actions/setup-python", "{python-version: '>=3.11 <3.14'}"), "run: echo on"}, "on\n"},
		"pixi":                         {"", []string{uses("prefix-dev/setup-pixi", "{pixi-version: x.y}")}, "\"x.y\" is not a valid version of pixi"},
		"a cache misses":               {"", []string{"uses: actions/cache@v4\n        with: {key: k, path: p}\n        id: c", "run: echo \"[${{ steps.c.outputs.cache-hit }}]\""}, "nothing is in the cache for k\n[]\n"},
		"a cache that need not hit":    {"", []string{uses("actions/cache", "{key: k, path: p, fail-on-cache-miss: 'FALSE'}")}, "nothing is in the cache for k\n"},
		"a cache that has to hit":      {"", []string{uses("actions/cache", "{key: k, path: p, fail-on-cache-miss: true}")}, "error: the cache has no entry for k"},
		"a login without a secret":     {"", []string{uses("docker/login-action", "{username: me, password: '${{ secrets.MISSING }}'}")}, "error: username and password required"},
		"a login that cannot push":     {"{packages: read}", []string{uses("docker/login-action", "{registry: ghcr.io, username: me, password: '${{ secrets.GITHUB_TOKEN }}'}")}, "warning: the token of this job cannot push to ghcr.io: its permissions lack packages: write\n"},
		"a login that can":             {"{packages: write}", []string{uses("docker/login-action", "{registry: ghcr.io, username: me, password: '${{ github.token }}'}")}, "logged in to 127.0.0.1:5000, which stands in for ghcr.io, as me\n"},
		"a login over a pipe":          {"{packages: write}", []string{"run: mkdir ~/.docker && mkfifo ~/.docker/config.json", uses("docker/login-action", "{registry: ghcr.io, username: me, password: '${{ github.token }}'}")}, "logged in to 127.0.0.1:5000, which stands in for ghcr.io, as me\n"},
		"a login that is stood in for": {"", []string{uses("docker/login-action", "{registry: images.example, username: me, password: x}"), "run: cat ~/.docker/config.json"}, "as me\n{\"auths\":{\"127.0.0.1:5000\""},
		"a login elsewhere":            {"", []string{uses("docker/login-action", "{username: me, password: x}")}, "logged in to docker.io as me (only recorded)\n"},
		"a builder without a value":    {"", []string{uses("docker/setup-buildx-action", "{driver-opts: 'false'}")}, "\"false\" is not an option of a builder: expected NAME=VALUE"},
		"attest without an ID token":   {"{attestations: write}", []string{uses("actions/attest-build-provenance", "{subject-path: x}")}, "error: the job cannot attest: its permissions lack id-token: write\n"},
		"attest without attestations":  {"{id-token: write}", []string{uses("actions/attest", "{subject-path: x}")}, "error: the job cannot attest: its permissions lack attestations: write\n"},
		"attest what is not there":     {"{id-token: write, attestations: write}", []string{uses("actions/attest", "{subject-path: 'x/*'}")}, "error: no file matches subject-path x/*\n"},
		"attest":                       {"{id-token: write, attestations: write}", []string{"run: touch x", uses("actions/attest", "{subject-path: x}")}, "actions/attest is only recorded\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.permissions == "" {
				c.permissions = "{contents: read}"
			}
			said, _ := run(t, c.permissions, "", c.steps...)
			require.Contains(t, said, c.want)
		})
	}
}

// A tool is missing until the job installs it, unless it is on PATH anyway.
func TestMissingTool(t *testing.T) {
	said, leg := run(t, "{}", "", "run: command -v go || echo none", "uses: actions/setup-go@v5", "run: command -v go | sed 's,.*/tools/,,'")
	require.True(t, leg.Steps[1].StandIn)
	if !strings.HasPrefix(said, "none\n") {
		t.Skip("this machine has a Go in /usr/bin: there is no job without one")
	}
	require.Equal(t, "none\ngo/bin/go\n", said)
}

// Inputs that the real action silently ignores are reported with their lines.
func TestDoubts(t *testing.T) {
	const made = "run: mkdir -p out; echo 1 > out/a.conda"
	for name, c := range map[string]struct {
		steps []string
		want  []string
	}{
		"all patterns mean something": {[]string{made, "uses: actions/upload-artifact@v4\n        with:\n          path: |\n            out/*.conda\n            out/a*"}, nil},
		"one of several does not":     {[]string{made, "uses: actions/upload-artifact@v4\n        with:\n          path: |\n            out/*.conda\n            out/*.whl"}, []string{"ci.yml:12: no file of the artifact matches out/*.whl"}},
		"a password in the file":      {[]string{"uses: docker/login-action@v4\n        with: {registry: ghcr.io, username: me, password: me}"}, []string{"ci.yml:8:59: the password for ghcr.io is not a secret: the file contains it, or everyone knows it"}},
		"a token for another one":     {[]string{"uses: docker/login-action@v4\n        with: {registry: quay.io, username: me, password: '${{ github.token }}'}"}, []string{"ci.yml:8:26: the token of a job is a password for ghcr.io, not for quay.io"}},
		"neither true nor false":      {[]string{"uses: actions/checkout@v4\n        with: {persist-credentials: 'yes'}"}, []string{"ci.yml:8:37: the input persist-credentials of actions/checkout is neither true nor false, and counts as false: \"yes\""}},
		"no artifact of a pattern":    {[]string{"uses: actions/download-artifact@v4\n        with:\n          pattern: dist-*"}, []string{"ci.yml:9:20: no artifact matches dist-* (existing artifacts: )"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := result(t, "{contents: read}", "", c.steps...)
			require.Equal(t, runner.Success, r.Conclusion)
			var got []string
			for _, d := range r.Doubts {
				got = append(got, d.Error())
			}
			require.Equal(t, c.want, got)
		})
	}
}

// An App token has the permissions that the step requests, or all permissions if it requests none.
func TestAppToken(t *testing.T) {
	const step = "uses: actions/create-github-app-token@v3\n        with: {client-id: x, private-key: '${{ github.token }}'"
	for with, want := range map[string]string{
		", permission-contents: write, permission-issues: read, permission-pull-requests: ''}": "contents: write, issues: read",
		"}": "*",
	} {
		asked := rights.Grant{}
		r := resultWith(t, func(c *runner.Config) {
			c.AppToken = func(of map[string]string) (string, error) {
				asked = of
				return "of-the-app", nil
			}
		}, "{}", "", step+with)
		require.Equal(t, runner.Success, r.Conclusion, with)
		if want != "*" {
			require.Equal(t, want, asked.String())
			require.Empty(t, r.Doubts)
			continue
		}
		for _, right := range []string{"contents", "pull-requests", "packages", "actions"} {
			require.True(t, asked.Writes(right), right)
		}
		require.Len(t, r.Doubts, 1)
		require.ErrorContains(t, r.Doubts[0], "ci.yml:7:9: the token gets all permissions of the App")
	}
}

// If there is no pixi, the step succeeds, and the result says what is used instead.
func TestNoPixi(t *testing.T) {
	if _, err := exec.LookPath("pixi"); err == nil {
		t.Skip("this machine has a pixi")
	}
	r := result(t, "{contents: read}", "", "uses: prefix-dev/setup-pixi@v0.9.3")
	require.Equal(t, runner.Success, r.Conclusion)
	require.Contains(t, strings.Join(r.Notes, "\n"), "this machine has no pixi, so the pipeline uses its embedded toolchain instead")
}

// Post steps run after all other steps, in reverse order of the actions, whether or not the steps succeeded.
func TestPostSteps(t *testing.T) {
	steps := []string{
		"uses: actions/checkout@v4",
		"uses: docker/login-action@v3\n        with: {registry: ghcr.io, username: me, password: '${{ github.token }}'}",
		"uses: actions/cache@v4\n        with: {key: k, path: p}",
		"run: git remote get-url --push origin; cat ~/.docker/config.json; mkdir p; touch p/x; git remote set-url --add origin elsewhere",
	}
	said, leg := run(t, "{contents: write, packages: write}", "", steps...)
	require.Equal(t, runner.Success, leg.Conclusion)
	require.Contains(t, said, "remote.git\n{\"auths\":{\"127.0.0.1:5000\":{\"auth\":\"bWU6")
	var names []string
	for _, s := range leg.Steps[4:] {
		names = append(names, s.Name)
		require.True(t, s.StandIn)
	}
	require.Equal(t, []string{"Post Run actions/cache@v4", "Post Run docker/login-action@v3", "Post Run actions/checkout@v4"}, names)
	require.Contains(t, said, "the cache k would be saved\nlogged out\n")
	require.Equal(t, 8, leg.Steps[5].Line, "that of the step")

	said, leg = run(t, "{contents: write, packages: write}", "", append(steps[:3:3], "run: exit 1")...)
	require.Equal(t, runner.Failure, leg.Conclusion)
	require.Contains(t, said, "logged out\n")
	require.NotContains(t, said, "would be saved", "a job that failed saves nothing")
	said, leg = run(t, "{contents: write, packages: write}", "", steps[2])
	require.Equal(t, runner.Success, leg.Conclusion)
	require.Contains(t, said, "warning: there is nothing at the path of the cache: p\n")
}
