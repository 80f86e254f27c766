package workflows_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
)

// push commits files on top of main, pushes main, and returns what the push starts.
func (l *lab) push(files map[string]string) (workflows.Event, workflows.Started, error) {
	work := filepath.Join(l.t.TempDir(), "work")
	l.git(filepath.Dir(work), "clone", "-q", l.remote, work)
	before := l.git(work, "rev-parse", "HEAD")
	for name, text := range files {
		require.NoError(l.t, os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755))
		require.NoError(l.t, os.WriteFile(filepath.Join(work, name), []byte(text), 0o644))
	}
	l.git(work, "add", "-A")
	l.git(work, "commit", "-q", "-m", "more")
	l.git(work, "push", "-q", "origin", "HEAD:main")
	e := workflows.Event{
		Name:    "push",
		Branch:  "main",
		Before:  before,
		Commit:  l.git(work, "rev-parse", "HEAD"),
		Run:     7,
		Attempt: 1,
	}
	started, err := l.ci.OnPush(l.t.Context(), e)
	return e, started, err
}

// A pushed branch starts the same workflows as on GitHub, depending on branch and paths. Files that `ci:write` did not write are only listed,
// whatever they contain.
func TestThePushOfABranch(t *testing.T) {
	t.Parallel()
	const (
		written = file.Written + "0000. If you change this file, it is not overwritten.\n"
		jobs    = "jobs: {a: {runs-on: ubuntu-24.04, steps: [{run: go tool mage docker:merge app -yes}]}}\n"
	)
	l := newLab(t)
	l.commit(releaseFile(t))
	e, started, err := l.push(map[string]string{
		"app/pixi.toml":                "x",
		".github/workflows/ci.yml":     written + "on: {push: {branches: [main]}}\njobs: {a: {uses: ./.github/workflows/called.yml}}\n",
		".github/workflows/app.yml":    written + "on: {push: {paths: [\"app/**\"]}}\n" + jobs,
		".github/workflows/other.yml":  written + "on: {push: {paths: [\"other/**\"]}}\n" + jobs,
		".github/workflows/pull.yml":   written + "on: pull_request\n" + jobs,
		".github/workflows/called.yml": written + "on: workflow_call\njobs: {a: {runs-on: ubuntu-24.04, environment: staging, steps: [{run: go tool mage deploy:to staging}, {run: go tool mage deploy:to far-away}]}}\n",
		".github/workflows/theirs.yml": "on: push\njobs: {a: {runs-on: [self-hosted], steps: [{uses: somebody/x@v1}]}}\n",
		".github/workflows/broken.yml": "on: push\njobs: 3\n",
		".github/workflows/quiet.yml":  "on: {push: {branches: [dev]}}\n" + jobs,
	})
	require.NoError(t, err)
	require.Equal(t, []string{"app.yml", "ci.yml"}, started.Files)
	require.Equal(t, "2 workflow files: app.yml, ci.yml", started.String())
	require.Len(t, started.Left, 2)
	require.Equal(t, [2]string{"theirs.yml", "because it was not written by `mage ci:write`; `mage ci:run theirs.yml` runs it alone"}, started.Left[1])
	require.Equal(t, "broken.yml", started.Left[0][0])
	require.Contains(t, started.Left[0][1], "cannot be read: .github/workflows/broken.yml:2")
	require.True(t, started.Deploys("staging"), "the called file deploys to this environment")
	require.False(t, started.Deploys("production"))
	require.False(t, started.Deploys("far"), "another environment has a similar name")
	require.True(t, started.Makes("app", "the-app"))
	require.False(t, started.Makes("application", "ap"))

	e.Before = "" // the branch is new, so all of its files count as changed
	starts, why, err := l.ci.Starts(t.Context(), "app.yml", e)
	require.NoError(t, err)
	require.True(t, starts, why)

	_, _, err = l.push(map[string]string{".github/workflows/ci.yml": written + "on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{uses: somebody/x@v1}]}}\n"})
	require.ErrorContains(t, err, "ci.yml:3", "if one of our files cannot be run, the push is refused")
}

// When a branch's workflow runs, targets that only check the sources are skipped and pass, and the report says so. Everything else runs.
func TestChecksAreNotRepeated(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.commit(releaseFile(t))
	e, started, err := l.push(map[string]string{".github/workflows/ci.yml": file.Written + "0. If you change this file, it is not overwritten.\n" + `on: push
permissions: {contents: read}
jobs:
  a:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-go@v5
        with: {go-version: stable}
      - run: go tool mage -v rehearse -full
      - run: go tool mage qa:package "$PACKAGE"
      - run: go tool mage build:all
      - run: test "$(git branch --show-current) ${{ github.event.before }} $FURTHER" = "main ` + "BEFORE" + ` more"
`})
	require.NoError(t, err)
	require.Equal(t, []string{"ci.yml"}, started.Files)
	e.Further = []string{"FURTHER=more"}
	report := l.ci.Run(t.Context(), "ci.yml", e)
	require.ErrorContains(t, report.Err, "ci.yml:14: the step", "only the last call fails, because no commit is called BEFORE")
	var said []string
	for _, left := range workflows.ListLeftOut([]*workflows.Report{&report}, false) {
		said = append(said, left[0])
	}
	require.Contains(t, said, "`mage qa:package` in line 12, `mage rehearse` in line 11 of ci.yml")
}

// An argument that equals a target's name is still an argument, and the target before it runs.
func TestATargetsNameAsAnArgument(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "magefile")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\necho \"ran $*\"\n"), 0o755))
	l := newLab(t)
	l.ci.Program = program
	l.commit(releaseFile(t))
	lines := []string{
		"tool mage docker:image check -push", "tool mage own lint", "tool mage build:all check", "tool mage -t 5m check", "-C . tool mage -d . build:package lint",
		"-C . tool mage -d . qa:package lint",
	}
	text := "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - uses: actions/setup-go@v5\n        with: {go-version: stable}\n      - run: mkdir magefiles\n"
	for _, line := range lines {
		text += "      - run: go " + line + "\n"
	}
	e, _, err := l.push(map[string]string{".github/workflows/ci.yml": text})
	require.NoError(t, err)
	report := l.ci.Run(t.Context(), "ci.yml", e)
	require.NoError(t, report.Err)
	var said []string
	for _, s := range report.Jobs[0].Steps[2:] {
		said = append(said, s.Log[len(s.Log)-1])
	}
	require.Equal(t, []string{
		"ran docker:image check -push", "ran own lint", "notice: mage check", "notice: mage check", "ran build:package lint", "notice: mage qa:package",
	}, said)
}

// The secrets that a run uses are recorded, because an image registry accepts them as passwords.
func TestSecretsOfARunAreRecorded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.commit(releaseFile(t))
	e, _, err := l.push(map[string]string{".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    environment: images\n    steps:\n" +
		"      - run: echo \"$P\"\n        env: {P: \"${{ secrets.REGISTRY_PASSWORD }}\"}\n"})
	require.NoError(t, err)
	const password = "stand-in-for-registry_password-of-images"
	require.False(t, l.ci.IsSecret(password))
	require.NoError(t, l.ci.Run(t.Context(), "ci.yml", e).Err)
	require.True(t, l.ci.IsSecret(password))
	require.False(t, l.ci.IsSecret(""))
}

// A job cannot use a program of this machine that is neither on GitHub's runner image nor installed by a step of the job.
func TestToolOfThisMachine(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for _, name := range []string{"made-here", "helm"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"), 0o755))
	}
	l := newLab(t)
	l.ci.Environ = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	l.commit(releaseFile(t))
	e, _, err := l.push(map[string]string{".github/workflows/ci.yml": "on: push\njobs:\n  a:\n    runs-on: ubuntu-22.04\n    steps:\n      - run: helm\n      - run: made-here\n"})
	require.NoError(t, err)
	report := l.ci.Run(t.Context(), "ci.yml", e)
	require.ErrorContains(t, report.Err, "ci.yml:7: the step")
	require.Contains(t, fmt.Sprintf("%+v", report.Err), "made-here is not on PATH: no step of the job before line 7 installs it, and GitHub's machine does not have it")
}
