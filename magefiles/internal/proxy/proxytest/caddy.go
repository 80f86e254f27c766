package proxytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// Program compiles Caddy at the version pinned in magefiles/caddy.mod, once per machine. This takes some minutes.
func Program(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	require.NoError(t, err)
	top := filepath.Dir(strings.TrimSpace(string(out)))
	mod, err := os.ReadFile(filepath.Join(top, "magefiles", "caddy.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(top, "magefiles", "caddy.sum"))
	require.NoError(t, err)
	return filepath.Join(pythontest.Once(t, "caddy", func(dir string) {
		t.Logf("compiling Caddy in %s", dir)
		x := exec.Command("go", "build", "-modfile=magefiles/caddy.mod", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "github.com/caddyserver/caddy/v2/cmd/caddy")
		x.Dir = top
		x.Env = append(os.Environ(), "CGO_ENABLED=0") // static, for images without a C library
		out, err := x.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}, mod, sum), "caddy")
}

// Caddy starts the real Caddy.
func Caddy(t testing.TB, places proxy.Places, config string) (reload func(t testing.TB, config string)) {
	t.Helper()
	program := Program(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "caddy.json")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	env := append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	x := exec.Command(program, "run", "--config", file)
	x.Env, x.Stdout, x.Stderr = env, log, log
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		time.AfterFunc(5*time.Second, func() { _ = x.Process.Kill() })
		_ = x.Wait()
		log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s", text)
		}
	})
	require.Eventually(t, func() bool { return ask(fresh, "GET", "http://"+places.Listen+"/", nil).err == nil }, time.Minute, 50*time.Millisecond)
	return func(t testing.TB, config string) {
		t.Helper()
		require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
		x := exec.Command(program, "reload", "--config", file, "--address", places.Admin)
		x.Env = env
		out, err := x.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
