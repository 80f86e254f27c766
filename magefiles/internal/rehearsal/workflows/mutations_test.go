package workflows_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/pins"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }

// recording is a fake mage for release.yml. It makes the files and outputs that the real targets make, and fails without the inputs that they need.
const recording = `#!/bin/sh
fail() { echo "error: $*" >&2; exit 1; }
case "$*" in
*-digests=) fail "-digests is empty" ;;
esac
from=
for a in "$@"; do
	case $a in
	-from=* | -compare=*) from=${a#*=}; ls "$from"/*.conda >/dev/null 2>&1 || fail "no artifact in $from" ;;
	esac
done
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then echo "this clone is shallow: whether the sources have changed is not known"; fi
mkdir -p output
case "$1 $2" in
build:all*)
	command -v python3 >/dev/null || fail "no Python"
	echo a >output/a.conda
	echo '{}' >output/digests.json
	echo digests=of-the-build >>"$GITHUB_OUTPUT" ;;
"publish -check") command -v python >/dev/null || { python; exit 1; } ;;
"publish -yes")
	case "$*" in *of-the-build*) ;; *) fail "other digests" ;; esac
	[ -n "$ACTIONS_ID_TOKEN_REQUEST_URL" ] || fail "nothing lets this job in: no ID token, no PREFIX_API_KEY"
	case $ACTIONS_ID_TOKEN_REQUEST_URL in *environment:release*) ;; *) fail "403: the publisher is registered for the environment release" ;; esac
	echo '{}' >output/publish.json
	[ -z "$SLOW" ] || sleep "$SLOW"
	echo digests=of-the-upload >>"$GITHUB_OUTPUT" ;;
"publish -verify") case "$*" in *of-the-upload*) ;; *) fail "other digests" ;; esac ;;
*) fail "no target $1" ;;
esac
`

// lab is a test repository in which tags are rehearsed.
type lab struct {
	t      *testing.T
	remote string
	ci     *workflows.CI
}

func newLab(t *testing.T) *lab {
	dir := t.TempDir()
	program := filepath.Join(dir, "magefile")
	commandtest.WriteProgram(t, program, recording)
	l := &lab{t: t, remote: filepath.Join(dir, "remote.git")}
	l.git(dir, "init", "-q", "--bare", "-b", "main", l.remote)
	l.ci = &workflows.CI{Config: workflows.Config{
		Runner:     command.NewSystem(os.Environ(), nil),
		Environ:    os.Environ(),
		Program:    program,
		Dir:        filepath.Join(dir, "ci"),
		Remote:     l.remote,
		Repository: "octo/tools",
		Branch:     "main",
		Variables:  map[string]string{"REBUILD": "off"},
		Git: func(ctx context.Context, args ...string) (string, error) {
			return command.Output(ctx, command.NewSystem(os.Environ(), nil), command.Cmd{
				Name: "git",
				Args: args,
				Dir:  l.remote,
			})
		},
		Grant:  func(string, map[string]string) {},
		Revoke: func(string) {},
		Job: func(claims map[string]any) []string {
			return []string{fmt.Sprintf("ACTIONS_ID_TOKEN_REQUEST_URL=http://x/?%v", claims["sub"]), "ACTIONS_ID_TOKEN_REQUEST_TOKEN=asks-for-an-id-token"}
		},
		Approve: func(context.Context, int64, string) error { return nil },
	}}
	return l
}

func (l *lab) ask(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func (l *lab) git(dir string, args ...string) string {
	out, err := l.ask(dir, args...)
	require.NoError(l.t, err, "git %v", args)
	return out
}

// commit commits a release.yml on top of another commit, and tags the commit.
func (l *lab) commit(text string, tags ...string) string {
	work := filepath.Join(l.t.TempDir(), "work")
	l.git(filepath.Dir(work), "clone", "-q", l.remote, work)
	l.git(work, "commit", "-q", "--allow-empty", "-m", "one")
	for name, data := range map[string]string{
		"go.mod":                        "module x\n\ngo 1.26.0\n",
		"magefiles/magefile.go":         "package main\n",
		".github/workflows/release.yml": text,
	} {
		require.NoError(l.t, os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755))
		require.NoError(l.t, os.WriteFile(filepath.Join(work, name), []byte(data), 0o644))
	}
	l.git(work, "add", "-A")
	l.git(work, "commit", "-q", "-m", "two")
	for _, tag := range tags {
		l.git(work, "tag", tag)
	}
	l.git(work, append([]string{"push", "-q", "origin", "HEAD:main"}, tags...)...)
	return l.git(work, "rev-parse", "HEAD")
}

// rehearse pushes tags and returns the errors, doubts and skipped jobs that a rehearsal of release.yml reports.
func (l *lab) rehearse(text string, further map[string]string, tags ...string) (said []string) {
	top := fstest.MapFS{".github/workflows/release.yml": {Data: []byte(text)}}
	for name, data := range further {
		top[name] = &fstest.MapFile{Data: []byte(data)}
	}
	if err := workflows.Check(top, "release.yml", nil); err != nil {
		return []string{fmt.Sprintf("%+v", err)}
	}
	said = workflows.Doubts(top, []string{"go.mod"})
	commit := l.commit(text, tags...)
	var reports sync.Map
	var all sync.WaitGroup
	for i, tag := range tags {
		e := workflows.Event{Name: "push", Tag: tag, Tags: len(tags), Commit: commit, Run: int64(i + 1), Attempt: 1}
		starts, why, err := l.ci.Starts(l.t.Context(), "release.yml", e)
		require.NoError(l.t, err)
		if !starts {
			said = append(said, why)
			continue
		}
		all.Go(func() { reports.Store(tag, l.ci.Run(l.t.Context(), "release.yml", e)) })
	}
	all.Wait()
	for _, tag := range tags {
		v, ran := reports.Load(tag)
		if !ran {
			continue
		}
		r := v.(workflows.Report)
		said = append(said, r.Doubts...)
		switch _, kept := r.Artifacts[forge.Recording][publish.RecordingFile]; {
		case r.Err != nil:
			said = append(said, fmt.Sprintf("%+v", r.Err))
		case !kept:
			said = append(said, "a release stops: the run has no artifact "+forge.Recording)
		}
		for _, j := range r.Jobs {
			if j.Conclusion == "skipped" && j.Name != "rebuild" {
				said = append(said, fmt.Sprintf("release.yml:%d the job %s was skipped: %s", j.Line, j.Name, j.Why))
			}
		}
	}
	return said
}

// releaseFile returns this repository's own release.yml.
func releaseFile(t *testing.T) string {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", ".github", "workflows", "release.yml"))
	require.NoError(t, err)
	return string(data)
}

// The unchanged file passes without doubts.
func TestReleaseFile(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.Empty(t, l.rehearse(releaseFile(t), nil, "v1.0.0"))
}

// Jobs do not compile the magefile even if Mage is in a separate module.
func TestReleaseFileBesideAModule(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.Empty(t, l.rehearse(strings.ReplaceAll(releaseFile(t), "go tool mage", "go -C magefiles tool mage -d .."), nil, "v1.0.0"))
}

// Each mistake that has broken a release is reported with its line.
func TestMutations(t *testing.T) {
	file := releaseFile(t)
	checkout, known := pins.Find("actions/checkout")
	require.True(t, known)
	// in returns the position of the first occurrence of a text after another text.
	in := func(after, text string) int {
		at := strings.Index(file, after)
		require.GreaterOrEqual(t, at, 0, after)
		i := strings.Index(file[at:], text)
		require.GreaterOrEqual(t, i, 0, text)
		return at + i
	}
	for name, c := range map[string]struct {
		after, from, to string
		line            string // text in the line of the mutated file that the message should name
		behind          string // text of the mutated file that precedes `line`
		want            string
		also            [2]string // second replacement: old text, new text
		tags            []string
	}{
		"id-token is removed": {
			after:  "\n  upload:",
			from:   "      id-token: write # the channel's trusted publishing\n",
			to:     "",
			line:   "contents: read # to check out the repository\n",
			behind: "\n  upload:",
			want:   "(permissions in line %d)",
		},
		"id-token is the workflow's, and the job has permissions": {
			after:  "\n  upload:",
			from:   "      id-token: write # the channel's trusted publishing\n",
			to:     "",
			line:   "contents: read # to check out the repository\n",
			behind: "\n  upload:",
			also:   [2]string{"\npermissions:\n", "\npermissions:\n  id-token: write\n"},
			want:   "(permissions in line %d)",
		},
		"invalid pattern of tags": {after: "\non:", from: `["v*", "*/v*"]`, to: `["release-*"]`, line: "release-*", want: "release.yml:%d starts for tags that match release-*"},
		"a filter of paths": {
			after: "\non:",
			from:  "  workflow_dispatch:",
			to:    "  pull_request:\n    paths: [\"no-such/**\"]\n  workflow_dispatch:",
			line:  "no-such",
			want:  "release.yml:%d:13: no file of the commit matches no-such/**",
		},
		"a secret that is misspelled": {
			after: "\n  verify:",
			from:  "DIGESTS: ${{ needs.upload",
			to:    "PREFIX_API_KEY: ${{ secrets.PREFIX_APY_KEY }}\n          DIGESTS: ${{ needs.upload",
			line:  "PREFIX_APY",
			want:  "release.yml:%d:27: secrets.PREFIX_APY_KEY is empty if there is no secret with this name: is it PREFIX_API_KEY?",
		},
		"an output that is misspelled":         {after: "\n  import:", from: "needs.build.outputs.digests", to: "needs.build.outputs.digest", line: "outputs.digest }}", want: "release.yml:%d:20: the job build has no output digest: is it digests?"},
		"an output of a step, misspelled":      {after: "\n  build:", from: "steps.build.outputs.digests", to: "steps.build.outputs.digest", line: "steps.build.outputs.digest }}", want: "release.yml:%d:16: the output digests of the job build is empty"},
		"a need that is misspelled":            {after: "\n  verify:", from: "needs: upload", to: "needs: uplaod", line: "uplaod", want: "release.yml:%d:12: the job verify needs uplaod, which does not exist"},
		"a need that is dropped":               {after: "\n  upload:", from: "needs: [build, rebuild, import]", to: "needs: [build, rebuild]", line: "if: >-\n      !cancelled() && needs.build", want: "release.yml:%d:9: the job upload does not list import in its needs"},
		"a need that is dropped from the last": {after: "\n  verify:", from: "    needs: upload\n", to: "", line: "if: ${{ !cancelled() && needs.upload", want: "release.yml:%d:9: the job verify does not list upload in its needs"},
		"a key of a matrix": {
			after: "\n  import:",
			from:  "    steps:",
			to:    "    strategy: {matrix: {python: [\"3.13\"]}}\n    env: {PYTHON: \"${{ matrix.pyhton }}\"}\n    steps:",
			line:  "pyhton",
			want:  "release.yml:%d:19: the matrix of the job import has no key pyhton: is it python?",
		},
		"fetch-depth: 1 where history is read": {after: "\n  build:", from: "fetch-depth: 0", to: "fetch-depth: 1", line: "fetch-depth: 1", want: "release.yml:%d:24: the checkout has no history (fetch-depth: 1), but a step uses the history"},
		"a glob that matches nothing":          {after: "\n  build:", from: "output/*.conda", to: "dist/*.conda", line: "dist/*.conda", want: "release.yml:%d: no file of the artifact matches dist/*.conda"},
		"all globs match nothing":              {after: "\n  upload:", from: "path: output/publish.json", to: "path: output/published.json", line: "published.json", want: "release.yml:%d:17: no files were found with the path: output/published.json"},
		"an action without a stand-in": {
			after: "\n  upload:",
			from:  "      - uses: actions/download-artifact",
			to:    "      - uses: somebody/notify@v1\n      - uses: actions/download-artifact",
			line:  "somebody/notify",
			want:  `release.yml:%d:15: there is no stand-in for the action somebody/notify`,
		},
		"if: failure() where always() is meant": {after: "\n  verify:", from: "if: ${{ !cancelled() && needs.upload.result == 'success' }}", to: "if: failure()", line: "if: failure()", want: "its condition is not met (line %d)"},
		"a tool that the job does not install":  {after: "\n  upload:", from: "      - id: upload\n", to: "      - run: no-such-tool --version\n      - id: upload\n", line: "no-such-tool", want: "no-such-tool is not on PATH: no step of the job before line %d installs it, and GitHub's machine does not have it"},
		"an artifact under another name":        {after: "\n  upload:", from: "          name: packages\n", to: "          name: package\n", line: "name: package\n", want: "release.yml:%d:17: unable to download artifact(s): artifact not found for name: package (there are: packages)"},
		"cancel-in-progress, and two tags": {
			after: "\nconcurrency:",
			from:  "release-${{ github.ref }} # in one group for all tags, a third run would cancel the waiting run\n  cancel-in-progress: false",
			to:    "release\n  cancel-in-progress: true",
			line:  "cancel-in-progress: true",
			want:  "release.yml:%d:23: cancel-in-progress cancels a run in the middle of publishing",
			tags:  []string{"v1.0.0", "a/v1.0.0"},
		},
		"permissions: {} on the job": {after: "\n  upload:", from: "    permissions:\n      contents: read # to check out the repository\n      id-token: write # the channel's trusted publishing\n", to: "    permissions: {}\n", line: "permissions: {}", want: "the job may: none (permissions in line %d)"},
		"the environment is removed": {after: "\n  upload:", from: "    environment: release # registered with the channel's trusted publisher: a tag with another workflow gets no token\n", to: "", line: "  upload:", want: "no environment (the job is in line %d)"},
		"the checkout is removed":    {after: "\n  verify:", from: "      - uses: " + checkout.Use() + "\n        with:\n          fetch-depth: 0\n          persist-credentials: false\n", to: "", line: "uses: actions/setup-go", behind: "\n  verify:", want: "release.yml:%d: the step"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := in(c.after, c.from)
			mutant := file[:at] + c.to + file[at+len(c.from):]
			mutant = strings.Replace(mutant, c.also[0], c.also[1], 1)
			begin := strings.Index(mutant, c.behind)
			i := strings.Index(mutant[begin:], c.line)
			require.GreaterOrEqual(t, i, 0, c.line)
			want := fmt.Sprintf(c.want, 1+strings.Count(mutant[:begin+i], "\n"))
			if c.tags == nil {
				c.tags = []string{"v1.0.0"}
			}
			said := strings.Join(newLab(t).rehearse(mutant, map[string]string{"go.mod": ""}, c.tags...), "\n")
			require.Contains(t, said, want, said)
		})
	}
}

// If a called job requests more permissions than its caller has, the file is rejected before anything runs.
func TestCalledJobWithTooManyPermissions(t *testing.T) {
	t.Parallel()
	const called = "on: {workflow_call: }\njobs:\n  push:\n    permissions:\n      packages: write\n    runs-on: ubuntu-24.04\n    steps: [{run: go tool mage publish}]\n"
	const caller = "on: push\npermissions: {contents: read}\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n"
	said := newLab(t).rehearse(caller, map[string]string{".github/workflows/called.yml": called}, "v1.0.0")
	require.Contains(t, strings.Join(said, "\n"), "called.yml:4:5: the job push requests the permissions packages: write, but the job that calls this file has contents: read (.github/workflows/release.yml:5), so GitHub does not start the run")
}
