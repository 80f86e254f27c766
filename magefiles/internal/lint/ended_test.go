package lint_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lint"
	"github.com/foopack/foopack/magefiles/internal/lint/linttest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// The test stops every job before its first child process, and while each of its child processes runs. The job reports why it was stopped, starts no
// other child process, and leaves no files.
func TestJobStoppedAtEachChild(t *testing.T) {
	root := t.TempDir()
	for file, text := range map[string]string{
		"pixi.toml":               "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"go.mod":                  "module example.org/w\n",
		"magefiles/lint.mod":      "module example.org/w\n",
		"magefiles/lint.txt":      "",
		"magefiles/magefile.go":   "//go:build mage\n\npackage main\n",
		".github/workflows/x.yml": aWorkflow,
		"run.sh":                  "#!/bin/sh\n",
		"Dockerfile":              "FROM scratch\nRUN true\n",
		"bin/shellcheck":          "",
	} {
		write(t, root, file, text)
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	for name, job := range map[string]func(lint.Linter, context.Context) error{
		"Go":       lint.Linter.Go,
		"Files":    lint.Linter.Files,
		"Format":   lint.Linter.Format,
		"Versions": lint.Linter.Versions,
		"Test":     lint.Linter.Test,
	} {
		t.Run(name, func(t *testing.T) {
			for at := 0; ; at++ {
				ctx, end := context.WithCancelCause(t.Context())
				children := &ending{at: at, end: end}
				if at == 0 {
					end(errEnded)
				}
				l := linttest.Linter(w, &view.View{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
				l.Runner = children
				l.Programs = func(context.Context, string, string) (string, error) {
					return filepath.Join(root, "bin"), context.Cause(ctx)
				}
				err := job(l, ctx)
				left, globErr := filepath.Glob(filepath.Join(root, manifest.PixiDir, "*"))
				require.NoError(t, globErr)
				require.Empty(t, left, "ended at child %d", at)
				if children.started < at { // the job has fewer child processes: nothing stopped it
					return
				}
				require.Equal(t, at, children.started)
				if name == "Test" { // there is nothing to fix
					require.Empty(t, operr.NextOf(err), "ended at child %d", at)
				}
				if name != "Versions" { // Versions starts no child
					require.ErrorIs(t, err, errEnded, "ended at child %d", at)
				}
			}
		})
	}
}

var errEnded = errors.New("ended")

// ending is a runner whose child processes succeed, until one of them is stopped together with the job. Like command.System, the runner then starts
// no other child process.
type ending struct {
	at, started int
	end         context.CancelCauseFunc
}

func (e *ending) Run(ctx context.Context, c command.Cmd) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if e.started++; e.started == e.at {
		e.end(errEnded)
		return context.Cause(ctx)
	}
	if c.Stdout != nil && c.Name == "git" {
		_, _ = c.Stdout.Write([]byte(".github/workflows/x.yml\x00run.sh\x00Dockerfile\x00"))
	}
	if last := c.Args[len(c.Args)-1]; strings.HasPrefix(last, "-compile=") { // Mage keeps the file that it has generated
		dir := filepath.Dir(strings.TrimPrefix(last, "-compile="))
		return os.WriteFile(filepath.Join(dir, "mage_output_file.go"), []byte("//x\n\npackage main\n"), 0o600)
	}
	return nil
}
