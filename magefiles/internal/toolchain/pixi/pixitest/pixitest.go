// Package pixitest puts a stand-in for pixi on the PATH of a test. It prints recorded output of pixi 0.77.0 (package transcripts), builds real
// .conda files from the manifests, and can simulate known failures of pixi.
package pixitest

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// Behavior describes how the stand-in deviates from a successful pixi. Packages are identified by conda name.
type Behavior struct {
	Version string // version that --version prints; defaults to 0.77.0

	StaleLock bool   // pixi.lock is out of date
	LockSays  string // transcript of a failed lock, which every lock prints
	Killed    bool   // killed by SIGTERM during run, publish and install
	Python    string // interpreter that install "installs", without packages; "" creates an environment with packages from local channels

	Versions map[string]string   // packages built with another version, as if they came from a stale cache
	Drop     map[string][]string // names omitted from a package's depends
	Add      map[string][]string // match specs added to a package's depends
	Skip     []string            // packages whose file is reported as already existing
	NoOutput []string            // packages that produce no file
	Foreign  []string            // additional packages that were not requested
	Made     map[string]Made     // packages built as something other than a noarch package with one module
}

// Made describes a built package.
type Made struct {
	Subdir string            // "" means noarch
	Noarch string            // as in index.json; "" means none
	Files  map[string]string // contents
}

// Call is a recorded call of the stand-in.
type Call struct {
	Args []string
	Dir  string
	Env  []string // variables that start with PIXI_, SOURCE_DATE_EPOCH, SETUPTOOLS_SCM_ or PBR_
}

// Standin is a folder that contains the stand-in as `pixi`.
type Standin struct {
	Dir string
	t   testing.TB
}

const standin = "github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest/standin"

// program is the compiled stand-in. It is compiled once per test binary.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "pixitest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	env := command.Setenv(os.Environ(), "GOFLAGS=-buildvcs=false") // the stand-in's sources are compiled for the tests anyway
	_, err = command.Output(context.Background(), command.NewSystem(env, nil), command.Cmd{
		Name: "go",
		Args: []string{"build", "-ldflags=-s -w", "-o", filepath.Join(dir, "pixi"), standin},
	})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "pixi"))
})

// Install writes the stand-in to a temporary folder of the test.
func Install(t testing.TB, b Behavior) *Standin {
	t.Helper()
	s := &Standin{Dir: t.TempDir(), t: t}
	data, err := program()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "pixi"), data, 0o755))
	s.Behave(b)
	return s
}

// Behave changes the behavior.
func (s *Standin) Behave(b Behavior) {
	s.t.Helper()
	text, err := json.MarshalIndent(b, "", "  ")
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(filepath.Join(s.Dir, BehaviorFile), text, 0o644))
}

// BehaviorFile and CallsFile are next to the program. The first contains the behavior, and the second one line of JSON per call.
const (
	BehaviorFile = "behaviour.json"
	CallsFile    = "calls.jsonl"
)

// Env returns an environment with the stand-in first on PATH.
func (s *Standin) Env(environ []string) []string {
	path, _ := command.Getenv(environ, "PATH")
	return command.Setenv(environ, "PATH="+s.Dir+string(os.PathListSeparator)+path)
}

// Calls returns the calls so far.
func (s *Standin) Calls() []Call {
	s.t.Helper()
	f, err := os.Open(filepath.Join(s.Dir, CallsFile))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(s.t, err)
	defer f.Close()
	var calls []Call
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var c Call
		require.NoError(s.t, json.Unmarshal(lines.Bytes(), &c))
		calls = append(calls, c)
	}
	return calls
}

// Commands returns the command lines of the calls so far, without the program name.
func (s *Standin) Commands() []string {
	s.t.Helper()
	var out []string
	for _, c := range s.Calls() {
		out = append(out, strings.Join(c.Args, " "))
	}
	return out
}
