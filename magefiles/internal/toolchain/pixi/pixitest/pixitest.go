// Package pixitest puts a stand-in for pixi on a test's PATH. It answers in the words of the recorded pixi 0.77.0
// (package transcripts), makes real .conda files from the manifests that it finds, and can be told to go wrong in the
// ways that pixi is known to.
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

// Behavior says how the stand-in differs from a pixi with which all goes well. Packages are named by their conda name.
type Behavior struct {
	Version string // what --version says; "" is 0.77.0

	StaleLock bool   // pixi.lock does not fit the manifest
	LockSays  string // the transcript of a lock that fails, with which every lock answers
	Killed    bool   // ends by SIGTERM in the middle of run, publish and install
	Python    string // the interpreter that install "installs", without packages; "" is one of its own, with those of channels on this machine

	Versions map[string]string   // packages that come out with another version: an old one out of a cache
	Drop     map[string][]string // names that are missing from a package's depends
	Add      map[string][]string // match specs that stand in a package's depends beyond the manifest
	Skip     []string            // packages of which pixi says that their file is there already
	NoOutput []string            // packages that produce nothing
	Foreign  []string            // packages that come out beyond those asked for
	Made     map[string]Made     // packages that come out as something else than a noarch package with one module
}

// Made is what comes out of a package.
type Made struct {
	Subdir string            // "" is noarch
	Noarch string            // as in index.json; "" is none
	Files  map[string]string // the payload
}

// Call is one call of the stand-in.
type Call struct {
	Args []string
	Dir  string
	Env  []string // PIXI_, SOURCE_DATE_EPOCH, SETUPTOOLS_SCM_ and PBR_
}

// Standin is a folder with the stand-in in it, as `pixi`.
type Standin struct {
	Dir string
	t   testing.TB
}

const standin = "github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest/standin"

// program is the stand-in, compiled once for a test binary.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "pixitest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	env := command.Setenv(os.Environ(), "GOFLAGS=-buildvcs=false") // what it is made of is compiled for the tests anyway
	_, err = command.Output(context.Background(), command.NewSystem(env, nil), command.Cmd{
		Name: "go",
		Args: []string{"build", "-ldflags=-s -w", "-o", filepath.Join(dir, "pixi"), standin},
	})
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, "pixi"))
})

// Install puts the stand-in into a folder of the test's.
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
	require.NoError(s.t, os.WriteFile(filepath.Join(s.Dir, BehaviourFile), text, 0o644))
}

// BehaviourFile and CallsFile stand beside the program: what it is told, and a line of JSON for each call.
const (
	BehaviourFile = "behaviour.json"
	CallsFile     = "calls.jsonl"
)

// Env is an environment with the stand-in first on PATH.
func (s *Standin) Env(environ []string) []string {
	path, _ := command.Getenv(environ, "PATH")
	return command.Setenv(environ, "PATH="+s.Dir+string(os.PathListSeparator)+path)
}

// Calls are the calls so far.
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

// Commands are the command lines of the calls so far, without the program.
func (s *Standin) Commands() []string {
	s.t.Helper()
	var out []string
	for _, c := range s.Calls() {
		out = append(out, strings.Join(c.Args, " "))
	}
	return out
}
