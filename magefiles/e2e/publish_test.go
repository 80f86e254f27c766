package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// serve starts `targets channel:serve` for a folder, with an API key. The server runs until the script ends. serve sets PREFIX_SERVER_URL and
// PREFIX_API_KEY: serve DIR KEY [FLAG ...].
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve DIR KEY [FLAG ...]")
	}
	ts.Setenv("PREFIX_API_KEY", args[1])
	x := exec.Command(filepath.Join(compiled, "targets"), append([]string{"channel:serve", "-dir=" + ts.MkAbs("../"+args[0])}, args[2:]...)...)
	x.Dir = ts.MkAbs(".")
	x.Env = append(os.Environ(), "PREFIX_API_KEY="+args[1])
	log, err := os.Create(ts.MkAbs("../serve.log"))
	ts.Check(err)
	x.Stderr = log
	out, err := x.StdoutPipe()
	ts.Check(err)
	ts.Check(x.Start())
	ts.Defer(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_, _ = io.Copy(io.Discard, out)
		_ = x.Wait()
		log.Close()
	})
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		said, _ := os.ReadFile(log.Name())
		ts.Fatalf("channel:serve did not say where it listens: %v: %s", err, said)
	}
	ts.Setenv("PREFIX_SERVER_URL", strings.TrimSpace(first))
}

// digestsOf sets DIGESTS to the last "digests" line in a job's output file, and NOTHING to the same value with an empty list of files: digests-of
// FILE.
func digestsOf(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if value, ok := strings.CutPrefix(line, "digests="); ok {
			ts.Setenv("DIGESTS", strings.TrimSpace(value))
			before, _, _ := strings.Cut(value, `"files":[`)
			ts.Setenv("NOTHING", before+`"files":[]}`)
		}
	}
}

// noSecret checks that no file below the script's folder contains a secret, except the script and its copy of the environment: no-secret TEXT.
func noSecret(ts *testscript.TestScript, _ bool, args []string) {
	secret, files := []byte(args[0]), 0
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // the server is rewriting its indexes
		}
		if err != nil {
			return err
		}
		files++
		if bytes.Contains(data, secret) {
			ts.Fatalf("%s holds the secret", path)
		}
		return nil
	}))
	if files < 10 {
		ts.Fatalf("only %d files were looked at", files)
	}
}

// TestPublishAsksTheUser runs publish at a terminal. After the answer "no" nothing changes. After the answer "yes" publish uploads the packages.
func TestPublishAsksTheUser(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for name, text := range onePackage {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	const key = "pfx_key_of_a_person"
	url, _ := startServer(t, root, t.TempDir(), key)
	python := pythontest.Interpreter(t).Path
	ask := func(answer string) (string, int) {
		r := pythontest.Run(t, python, atTerminal, []string{
			"PIPELINE_TOOLCHAIN=embedded", "SOURCE_DATE_EPOCH=1767323046", "PREFIX_SERVER_URL=" + url, "PREFIX_API_KEY=" + key,
		}, root, answer, filepath.Join(compiled, "targets"), "publish")
		return r.Stdout, r.Code
	}
	said, code := ask("n")
	require.Contains(t, strings.ReplaceAll(said, "\r", ""), "An upload is final.\nUpload 1 artifact to "+url+"/w? [y/N]")
	require.Equal(t, 3, code, said)
	said, code = ask("yes")
	require.Zero(t, code, said)
	require.Contains(t, said, "w has:")
}

// atTerminal runs a program at a pseudo-terminal, answers its question, and prints its output.
const atTerminal = `
import os, pty, sys
folder, answer, *argv = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.chdir(folder)
    os.execv(argv[0], argv)
said, answered = b"", False
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    said += data
    if not answered and b"[y/N]" in said:
        answered = True
        os.write(fd, answer.encode() + b"\n")
_, status = os.waitpid(pid, 0)
os.write(1, said)
os._exit(os.waitstatus_to_exitcode(status))
`

// onePackage is a workspace with one package.
var onePackage = map[string]string{
	"pixi.toml":               "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n[tasks]\ntest = \"echo tested\"\n",
	"lib/pixi.toml":           "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
	"lib/pyproject.toml":      "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
	"lib/src/lib/__init__.py": "",
}
