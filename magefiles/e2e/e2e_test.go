package e2e_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/magefile/mage/mage"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
	// A child process compiles the targets into the magefile. This import makes go test's cache notice when they change.
	_ "github.com/foopack/foopack/magefiles/targets"
)

var update = flag.Bool("update", false, "write what scripts compare with")

// compiled is the folder of the compiled magefile, which scripts run as `targets`. repo is the root of this repository.
var compiled, repo string

func TestMain(m *testing.M) {
	status, err := compileAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func compileAndRun(m *testing.M) (int, error) {
	err := flag.Set("test.parallel", "4") // parallel tests spend most of their time waiting for other programs and for disks
	if err != nil {
		return 1, err
	}
	flag.Parse()
	if repo, err = filepath.Abs("../.."); err != nil {
		return 1, err
	}
	if compiled, err = os.MkdirTemp("", "e2e-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(compiled)
	if err := compile(filepath.Join(compiled, "targets")); err != nil {
		return 1, err
	}
	return max(m.Run(), argvtest.Look(argv())), nil
}

// argv returns the path of the file in which the compiled magefiles record their command lines.
func argv() string { return filepath.Join(compiled, "argv") }

// compile compiles this repository's magefile.
func compile(to string) error {
	magefile, err := os.ReadFile(filepath.Join(repo, "magefiles", "magefile.go"))
	if err != nil {
		return err
	}
	return compileMagefile(magefile, to)
}

// compileMagefile compiles a magefile in a separate module, because Mage writes a temporary file next to the magefile. In this repository, linters
// would read that file, and it would break another mage that runs at the same time.
func compileMagefile(magefile []byte, to string) error {
	dir, err := os.MkdirTemp("", "e2e-module-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	mod, sum, err := otherModule()
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{"go.mod": mod, "go.sum": sum, "magefile.go": magefile} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	var out bytes.Buffer
	ldflags := "-X 'github.com/foopack/foopack/magefiles/internal/command.RecordTo=" + argv() + "'"
	status := mage.Invoke(mage.Invocation{Dir: dir, WorkDir: dir, CompileOut: to, Stdout: &out, Stderr: &out, GoCmd: "go", CacheDir: compiled, Ldflags: ldflags})
	if status != 0 {
		return fmt.Errorf("compiling the magefile: %s", out.String())
	}
	return nil
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    status,
			"git-repo":  gitRepo,
			"repo":      copyRepo,
			"built":     copyBuilt,
			"go-mod":    goMod,
			"serve":     serve,
			"no-secret": noSecret,

			"digests-of": digestsOf,
		},
	})
}

// setup lets scripts use the user's caches, but not the user's configuration or choice of toolchain.
func setup(e *testscript.Env) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	e.Setenv("XDG_CACHE_HOME", cache)
	for _, name := range []string{"GOMODCACHE", "GOCACHE", "GOPROXY", "GOFLAGS", "GONOSUMDB", "GONOSUMCHECK", "GOSUMDB", "GOPATH"} {
		value, err := goEnv(name)
		if err != nil {
			return err
		}
		e.Setenv(name, value)
	}
	for _, kv := range os.Environ() {
		if k, v, _ := strings.Cut(kv, "="); strings.HasPrefix(k, "PIP_") || strings.HasPrefix(k, "UV_") || strings.HasPrefix(k, "SSL_") ||
			strings.HasSuffix(strings.ToLower(k), "_proxy") || strings.HasPrefix(k, "PYENV_") {
			e.Setenv(k, v)
		}
	}
	e.Setenv("PATH", compiled+string(filepath.ListSeparator)+os.Getenv("PATH"))
	e.Setenv("REPO", repo)
	e.Setenv("COMPILED", compiled)
	e.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		e.Setenv("GIT_"+who+"_NAME", "a tester")
		e.Setenv("GIT_"+who+"_EMAIL", "tester@example.invalid")
		e.Setenv("GIT_"+who+"_DATE", "2026-01-02T03:04:06Z")
	}
	return nil
}

// goEnv returns the value of a `go env` variable.
func goEnv(name string) (string, error) {
	out, err := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out)), err
}

// status runs a command and checks its exit status. Example: `status 2 targets build:package nothing`.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [argument ...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// gitRepo makes a folder into a repository and commits everything in it: git-repo DIR.
func gitRepo(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	for _, argv := range [][]string{{"init", "-q", "-b", "main", dir}, {"-C", dir, "add", "-A"}, {"-C", dir, "commit", "-q", "-m", "feat: first"}} {
		ts.Check(ts.Exec("git", argv...))
	}
}

// copyRepo copies testdata/repos/NAME, which several scripts start from, to the folder NAME, and makes it a git repository: repo NAME.
func copyRepo(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(filepath.Join(repo, "magefiles", "e2e", "testdata", "repos", args[0]))))
	gitRepo(ts, neg, args)
}

// built caches the repositories that copyBuilt copies. The first script that needs a repository builds it.
var built sync.Map // of func() error

// copyBuilt is like copyRepo, but the packages are already built and recorded: built NAME. Each repository is built once for all scripts.
func copyBuilt(ts *testscript.TestScript, _ bool, args []string) {
	from := filepath.Join(compiled, "built", args[0])
	once, _ := built.LoadOrStore(args[0], sync.OnceValue(func() error {
		if err := os.CopyFS(from, os.DirFS(filepath.Join(repo, "magefiles", "e2e", "testdata", "repos", args[0]))); err != nil {
			return err
		}
		gitRepo(ts, false, []string{from})
		return ts.Exec("sh", "-c", `cd "$0" && exec targets build:all`, from)
	}))
	ts.Check(once.(func() error)())
	ts.Check(ts.Exec("cp", "-a", from, ts.MkAbs(args[0])))
}

// goMod makes a folder a module that gets the targets from this repository: go-mod DIR.
func goMod(ts *testscript.TestScript, _ bool, args []string) {
	mod, sum, err := otherModule()
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644))
	ts.Check(os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
}

// otherModule returns the go.mod and go.sum of another repository that uses a release of these targets. The release is replaced with this work tree.
func otherModule() (mod, sum []byte, err error) {
	ours, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		return nil, nil, err
	}
	theirs := strings.Replace(string(ours), "module github.com/foopack/foopack", "module example.org/other", 1) +
		"\nrequire github.com/foopack/foopack v0.0.0\nreplace github.com/foopack/foopack => " + repo + "\n"
	sum, err = os.ReadFile(filepath.Join(repo, "go.sum"))
	return []byte(theirs), sum, err
}
