package e2e_test

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// serve starts `targets channel:serve` over a folder with a key until the script ends, and sets PREFIX_SERVER_URL and
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
	ts.Check(err)
	ts.Setenv("PREFIX_SERVER_URL", strings.TrimSpace(first))
}

// noSecret looks for a secret in every file below the script's folder, the script itself and its copy of the
// environment apart: no-secret TEXT.
func noSecret(ts *testscript.TestScript, _ bool, args []string) {
	secret, files := []byte(args[0]), 0
	ts.Check(filepath.WalkDir(ts.Getenv("WORK"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
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
