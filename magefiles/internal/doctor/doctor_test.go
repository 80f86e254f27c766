package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/doctor"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// machine returns a doctor for a folder of files, all known to git, on a machine with git and programs, each a shell script.
func machine(t *testing.T, files, programs map[string]string) doctor.Doctor {
	t.Helper()
	root, bin := t.TempDir(), t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	for name, script := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	git, err := command.LookPath("git", os.Environ())
	require.NoError(t, err)
	require.NoError(t, os.Symlink(git, filepath.Join(bin, "git")))
	runner := command.NewSystem(command.Setenv(os.Environ(), "PATH="+bin), nil)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
	}
	d := doctor.Doctor{
		Runner:    runner,
		Environ:   runner.Environ(),
		Dir:       root,
		NoPythons: errors.New("there is no cache folder"),
		Channel:   func(context.Context) []doctor.Finding { return nil },
	}
	if d.Workspace, d.NoWorkspace = workspace.Load(root); d.NoWorkspace != nil {
		d.Workspace = nil
	}
	return d
}

// `of` returns the finding about `what`.
func of(t *testing.T, findings []doctor.Finding, what string) doctor.Finding {
	t.Helper()
	for _, f := range findings {
		if f.What == what {
			return f
		}
	}
	require.Fail(t, "nothing was said of "+what, "%v", findings)
	return doctor.Finding{}
}

// `said` reports whether there is a finding about `what`.
func said(findings []doctor.Finding, what string) bool {
	for _, f := range findings {
		if strings.HasPrefix(f.What, what) {
			return true
		}
	}
	return false
}

const root = "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n"

// A program is found by the first line of its output. If it fails or does not exist, it is missing. Python is needed if pixi is missing.
func TestPrograms(t *testing.T) {
	for name, c := range map[string]struct {
		programs map[string]string
		pixi     string
		fatal    string
	}{
		"nothing":            {nil, "", "1 thing that every target needs is missing"},
		"pixi":               {map[string]string{"pixi": "echo pixi 9.9\necho more"}, "pixi 9.9", ""},
		"a pixi that breaks": {map[string]string{"pixi": "echo pixi 9.9\nexit 3"}, "", "1 thing that every target needs is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := machine(t, map[string]string{"pixi.toml": root}, c.programs).Examine(t.Context())
			found, path, _ := strings.Cut(of(t, findings, "pixi").Found, " (")
			require.Equal(t, c.pixi, found)
			require.Equal(t, c.pixi != "", strings.HasSuffix(path, "/pixi)"), "doctor prints the path of the pixi that is used")
			require.Contains(t, of(t, findings, "git").Found, "git version")
			require.Contains(t, of(t, findings, "Python").For, "(there is no cache folder)")
			if err := doctor.Missing(findings); c.fatal == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.fatal)
			}
		})
	}
}

// Outside of a workspace only the workspace is missing: there is no finding about anything that a workspace would have.
func TestWithoutAWorkspace(t *testing.T) {
	findings := machine(t, nil, map[string]string{"pixi": "echo pixi 9.9"}).Examine(t.Context())
	require.True(t, of(t, findings, "a pixi workspace").Required)
	for _, what := range []string{"pixi.lock", "the digest", "Chromium", "workspace", "conda names"} {
		require.False(t, said(findings, what), what)
	}
	require.ErrorContains(t, doctor.Missing(findings), "1 thing")
}

// Doctor looks for lock files, digests and browsers if the workspace needs them.
func TestWorkspace(t *testing.T) {
	files := map[string]string{
		"pixi.toml":                root,
		"pixi.lock":                "version: 6\n",
		"app/pixi.toml":            strings.NewReplacer(`"w"`, `"app"`, `channels = []`, `channels = ["https://prefix.dev/w"]`).Replace(root) + "[dependencies]\nlib = \"==1.0.0\"\nplaywright = \"*\"\n",
		"lib/pixi.toml":            "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
		"app/Dockerfile":           "ARG V=1\nFROM a:1\nFROM b:$V\n",
		"tools/dev.Dockerfile":     "FROM a:1 AS x\nCOPY --from=c /x /x\nFROM x\n",
		".github/workflows/ci.yml": "jobs:\n  a:\n    container: d:1\n    services: {db: {image: e}}\n    steps:\n      - uses: docker://f:1\n",
		"notes.md":                 "FROM a:1\n",
	}
	d := machine(t, files, map[string]string{"google-chrome": ""})
	d.Readable = []string{"~/.netrc", "an agent of ssh's"}
	findings := d.Examine(t.Context())
	require.Equal(t, "there", of(t, findings, "pixi.lock of the workspace").Found)
	require.Empty(t, of(t, findings, "pixi.lock of app").Found)
	require.Equal(t, "google-chrome", filepath.Base(of(t, findings, "Chromium").Found))
	pins := of(t, findings, "the digest of 7 images")
	require.Contains(t, pins.For, ": .github/workflows/ci.yml, app/Dockerfile, tools/dev.Dockerfile")
	readable := of(t, findings, "tasks and builds could read")
	require.Equal(t, "~/.netrc, an agent of ssh's", readable.Found)
	require.True(t, readable.Careful)

	delete(files, "pixi.lock")
	delete(files, ".github/workflows/ci.yml")
	delete(files, "app/Dockerfile")
	delete(files, "tools/dev.Dockerfile")
	files["app/pixi.toml"] = strings.Replace(files["app/pixi.toml"], "playwright", "plays", 1)
	findings = machine(t, files, nil).Examine(t.Context())
	require.Contains(t, of(t, findings, "pixi.lock of the workspace, app").Get, "mage lock") // one line for all manifests that lack it
	for _, what := range []string{"the digest", "Chromium", "tasks and builds"} {
		require.False(t, said(findings, what), what)
	}
}

// interpreters is a Pythons with one interpreter for the tools, and given uses.
type interpreters struct {
	err  error
	uses []embedded.Use
}

func (p interpreters) Python(context.Context) (pythons.Interpreter, error) {
	return pythons.Interpreter{Version: "3.13.1", Path: "/usr/bin/python3"}, p.err
}
func (p interpreters) Uses(context.Context) ([]embedded.Use, error) { return p.uses, nil }

// There is one line for each Python, with everything that runs on it, and one line for each reason why a Python is missing. A missing Python is fatal
// only if a package needs it, and pixi is not installed.
func TestPythons(t *testing.T) {
	at := pythons.Interpreter{Version: "3.12.4", Path: "/opt/3.12"}
	none := func(u embedded.Use) embedded.Use {
		u.Err = errors.New(u.String() + ": nothing fits <3.9")
		return u
	}
	uses := []embedded.Use{
		{Manifest: "pixi.toml", Environment: "default", Python: at},
		{Manifest: "pixi.toml", Environment: "docs", Python: at},
		none(embedded.Use{Manifest: "app/pixi.toml", Environment: "old"}),
		{Package: "lib", Python: at},
	}
	for name, c := range map[string]struct {
		uses     []embedded.Use
		programs map[string]string
		what     string
		required bool
	}{
		"an environment":             {uses, nil, "a Python for app/pixi.toml old", false},
		"a package":                  {append(uses, none(embedded.Use{Package: "core"})), nil, "a Python for app/pixi.toml old; building core", true},
		"a package, and pixi builds": {append(uses, none(embedded.Use{Package: "core"})), map[string]string{"pixi": "echo pixi 9.9"}, "a Python for app/pixi.toml old; building core", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := machine(t, map[string]string{"pixi.toml": root}, c.programs)
			d.Pythons = interpreters{uses: c.uses}
			findings := d.Examine(t.Context())
			require.Equal(t, "3.13.1 at /usr/bin/python3", of(t, findings, "Python").Found)
			require.Equal(t, "/opt/3.12, for pixi.toml default, docs; building lib", of(t, findings, "Python 3.12.4").Found)
			missing := of(t, findings, c.what)
			require.Contains(t, missing.For, "(nothing fits <3.9)")
			require.Equal(t, c.required, missing.Required)
		})
	}
	d := machine(t, map[string]string{"pixi.toml": root}, nil)
	d.Pythons = interpreters{err: errors.New("too old"), uses: uses}
	require.False(t, said(d.Examine(t.Context()), "Python 3"))
}
