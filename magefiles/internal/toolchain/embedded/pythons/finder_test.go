package pythons

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// machine is a directory tree with stand-ins for interpreters, which record their runs.
type machine struct {
	t    *testing.T
	root string
	path []string // folders on PATH
}

func newMachine(t *testing.T, path ...string) *machine {
	m := &machine{t: t, root: t.TempDir()}
	for _, p := range path {
		m.path = append(m.path, filepath.Join(m.root, p))
	}
	return m
}

// script writes a program.
func (m *machine) script(file, body string) {
	commandtest.WriteProgram(m.t, filepath.Join(m.root, file), "#!/bin/sh\necho "+file+" >>"+filepath.Join(m.root, "runs")+"\n"+body+"\n")
}

// python writes a stand-in interpreter. Deviations from a standard one are given as "key=value".
func (m *machine) python(file, version string, differs ...string) {
	is := map[string]string{"path": filepath.Join(m.root, file), "implementation": "cpython", "level": "final", "flags": "-", "wide": "True", "pip": "True"}
	for _, kv := range differs {
		k, v, _ := strings.Cut(kv, "=")
		is[k] = v
	}
	m.script(file, fmt.Sprintf("printf '%%s\\n' %s %s %s %s %s %s %s", is["path"], version, is["implementation"], is["level"], is["flags"], is["wide"], is["pip"]))
}

// The Python selected for a job is preferred to newer ones on the runner if it satisfies the requirements. Otherwise the newest is chosen.
func TestTheChosenPython(t *testing.T) {
	m := newMachine(t, "toolcache/Python/3.11.9/x64/bin", "usr/bin")
	for _, v := range []string{"3.11.9", "3.12.7", "3.13.1"} {
		minor := v[:4]
		m.python("toolcache/Python/"+v+"/x64/bin/python"+minor, v)
		m.link("toolcache/Python/"+v+"/x64/bin/python3", "python"+minor)
	}
	m.python("usr/bin/python3", "3.12.3")
	f := m.finder()
	f.places.Chosen = filepath.Join(m.root, "toolcache/Python/3.11.9/x64")
	takesAll := func(Interpreter) bool { return true }
	got, ok, err := f.findNewest(t.Context(), nil, takesAll)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "3.11.9", got.Version)
	asks, err := Read(nil, condaSays(">=3.12"))
	require.NoError(t, err)
	got, _, err = f.findNewest(t.Context(), asks, takesAll)
	require.NoError(t, err)
	require.Equal(t, "3.13.1", got.Version)
	got, _, err = f.findNewest(t.Context(), nil, func(p Interpreter) bool { return p.Version != "3.11.9" })
	require.NoError(t, err)
	require.Equal(t, "3.13.1", got.Version)

	unchosen := m.finder()
	got, _, err = unchosen.findNewest(t.Context(), nil, takesAll)
	require.NoError(t, err)
	require.Equal(t, "3.13.1", got.Version)
	unchosen.places.Chosen = filepath.Join(m.root, "gone")
	got, _, err = unchosen.findNewest(t.Context(), nil, takesAll)
	require.NoError(t, err)
	require.Equal(t, "3.13.1", got.Version)
}

// note records a run of a program that cannot record its own runs.
func (m *machine) note(file string) {
	require.NoError(m.t, os.WriteFile(filepath.Join(m.root, "runs"), []byte(file+"\n"), 0o644))
}

func (m *machine) link(file, to string) {
	path := filepath.Join(m.root, file)
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(m.t, os.Symlink(to, path))
}

// `runs` returns the programs that were run, in order.
func (m *machine) runs() []string {
	data, err := os.ReadFile(filepath.Join(m.root, "runs"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(m.t, err)
	return strings.Fields(string(data))
}

// finder returns a finder for this machine.
func (m *machine) finder() *Finder {
	env := []string{"PATH=" + strings.Join(m.path, string(os.PathListSeparator))}
	f := New(Config{
		Runner:  command.NewSystem(env, nil),
		Environ: env,
		Places: Places{
			UV:    filepath.Join(m.root, "uv"),
			Pyenv: filepath.Join(m.root, "home/.pyenv/versions"),
			Tools: []string{"", filepath.Join(m.root, "toolcache")},
		},
		Say: func(string, ...any) {},
	})
	f.patience = 5 * time.Second
	return f
}

func (m *machine) asks(specs ...string) []Ask {
	var entries []manifest.Dependency
	for _, s := range specs {
		entries = append(entries, condaSays(s))
	}
	asks, err := Read(nil, entries...)
	require.NoError(m.t, err)
	return asks
}

func (m *machine) choose(specs ...string) (string, error) {
	p, err := m.finder().Choose(m.t.Context(), "x", m.asks(specs...))
	if err != nil {
		return "", err
	}
	file, err := filepath.Rel(m.root, p.Path)
	require.NoError(m.t, err)
	return file + " " + p.Version, nil
}

// TestFind checks that interpreters are found in every location, and that the newest is chosen.
func TestFind(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(m *machine)
		asks  []string
		want  string
		runs  []string
	}{
		{
			name: "by a version's name",
			build: func(m *machine) {
				m.python("bin/python3.11", "3.11.7")
				m.python("bin/python3.12", "3.12.1")
			},
			asks: nil,
			want: "bin/python3.12 3.12.1",
			runs: []string{"bin/python3.12"},
		},
		{
			name: "a Python whose name has a wrong version is not run",
			build: func(m *machine) {
				m.python("bin/python3.13", "3.13.0")
				m.python("bin/python3.12", "3.12.1")
				m.python("bin/python3.11", "3.11.7")
				m.python("bin/python3.10", "3.10.13")
				m.python("bin/python3.15", "3.15.0")
			},
			asks: []string{"<3.13"},
			want: "bin/python3.12 3.12.1",
			runs: []string{"bin/python3.12"},
		},
		{
			name: "a name without a version may be any",
			build: func(m *machine) {
				m.python("bin/python3", "3.13.1")
				m.python("bin/python3.12", "3.12.1")
			},
			asks: nil,
			want: "bin/python3 3.13.1",
			runs: []string{"bin/python3"},
		},
		{
			name: "a python that is older than its name suggests",
			build: func(m *machine) {
				m.python("bin/python", "3.10.13")
				m.python("bin/python3.11", "3.11.2")
			},
			asks: nil,
			want: "bin/python3.11 3.11.2",
			runs: []string{"bin/python", "bin/python3.11"},
		},
		{
			name: "a link tells the version",
			build: func(m *machine) {
				m.python("bin/python3.11", "3.11.7")
				m.link("bin/python3", "python3.11")
				m.link("bin/python", "python3")
			},
			asks: nil,
			want: "bin/python3.11 3.11.7",
			runs: []string{"bin/python3.11"},
		},
		{
			name: "uv's own",
			build: func(m *machine) {
				m.python("bin/python3.11", "3.11.7")
				m.python("uv/cpython-3.12.7-linux-x86_64-gnu/bin/python3.12", "3.12.7")
				m.python("uv/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13", "3.13.2")
				m.link("uv/cpython-3.13-linux-x86_64-gnu", "cpython-3.13.2-linux-x86_64-gnu")
			},
			asks: nil,
			want: "uv/cpython-3.13.2-linux-x86_64-gnu/bin/python3.13 3.13.2",
			runs: nil,
		},
		{
			name: "pyenv's versions",
			build: func(m *machine) {
				m.python("home/.pyenv/versions/3.12.1/bin/python3.12", "3.12.1")
				m.python("home/.pyenv/versions/3.12.10/bin/python3.12", "3.12.10")
				m.python("home/.pyenv/versions/3.12.9/bin/python3.12", "3.12.9")
			},
			asks: nil,
			want: "home/.pyenv/versions/3.12.10/bin/python3.12 3.12.10",
			runs: []string{"home/.pyenv/versions/3.12.10/bin/python3.12"},
		},
		{
			name: "a runner's tool cache",
			build: func(m *machine) {
				m.python("bin/python3.11", "3.11.7")
				m.python("toolcache/Python/3.12.4/x64/bin/python3.12", "3.12.4")
				m.python("toolcache/Python/3.13.1/x64/bin/python3.13", "3.13.1")
			},
			asks: []string{"3.12"},
			want: "toolcache/Python/3.12.4/x64/bin/python3.12 3.12.4",
			runs: []string{"toolcache/Python/3.12.4/x64/bin/python3.12"},
		},
		{
			name: "of equal versions, the one on PATH",
			build: func(m *machine) {
				m.python("bin/python3.12", "3.12.4")
				m.python("toolcache/Python/3.12.4/x64/bin/python3.12", "3.12.4")
			},
			asks: nil,
			want: "bin/python3.12 3.12.4",
			runs: []string{"bin/python3.12"},
		},
		{
			name: "of one minor version, the newer one elsewhere",
			build: func(m *machine) {
				m.python("bin/python3.12", "3.12.4")
				m.python("toolcache/Python/3.12.5/x64/bin/python3.12", "3.12.5")
			},
			asks: nil,
			want: "toolcache/Python/3.12.5/x64/bin/python3.12 3.12.5",
			runs: nil,
		},
		{
			name: "of equal names, the first on PATH",
			build: func(m *machine) {
				m.python("bin/python3.12", "3.12.4")
				m.python("usr/python3.12", "3.12.5")
			},
			asks: nil,
			want: "bin/python3.12 3.12.4",
			runs: []string{"bin/python3.12"},
		},
		{
			name: "the base interpreter of a virtual environment",
			build: func(m *machine) {
				m.python("bin/python3", "3.12.4", "path="+filepath.Join(m.root, "base/python3.12"))
				m.python("base/python3.12", "3.12.4")
			},
			asks: nil,
			want: "base/python3.12 3.12.4",
			runs: []string{"bin/python3"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMachine(t, "bin", "usr")
			c.build(m)
			got, err := m.choose(c.asks...)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			if c.runs != nil {
				require.Equal(t, c.runs, m.runs())
			}
		})
	}
}

// TestPassedOver checks that newer but unusable interpreters are skipped. If none is usable, the error lists them all.
func TestPassedOver(t *testing.T) {
	for _, c := range []struct {
		name, why string
		bad       func(m *machine, file string)
	}{
		{"a shim of a version that is not selected", "does not run", func(m *machine, file string) { m.script(file, "echo 'pyenv: not found' >&2; exit 127") }},
		{"fails", "does not run", func(m *machine, file string) { m.script(file, "exit 1") }},
		{"hangs", "no answer in 5s", func(m *machine, file string) { m.script(file, "exec /bin/sleep 600") }},
		{"says something else", "does not run", func(m *machine, file string) { m.script(file, "echo Python 3.13.0") }},
		{
			name: "cannot be started",
			why:  "does not run",
			bad: func(m *machine, file string) {
				commandtest.WriteProgram(m.t, filepath.Join(m.root, file), "\x7fELF for another machine")
				m.note(file)
			},
		},
		{"PyPy", "pypy", func(m *machine, file string) { m.python(file, "3.13.0", "implementation=pypy") }},
		{"free-threaded", "free-threaded", func(m *machine, file string) { m.python(file, "3.13.0", "flags=t") }},
		{"free-threaded debug", "free-threaded", func(m *machine, file string) { m.python(file, "3.13.0", "flags=td") }},
		{"debug", "a debug build", func(m *machine, file string) { m.python(file, "3.13.0", "flags=d") }},
		{"32 bit", "32 bit", func(m *machine, file string) { m.python(file, "3.13.0", "wide=False") }},
		{"a release candidate", "a pre-release", func(m *machine, file string) { m.python(file, "3.13.0", "level=candidate") }},
	} {
		for _, file := range []string{"bin/python3.13", "bin/python3", "home/.pyenv/versions/3.13.0/bin/python3.13"} {
			t.Run(c.name+", "+file, func(t *testing.T) {
				t.Parallel()
				m := newMachine(t, "bin")
				c.bad(m, file)
				m.python("bin/python3.11", "3.11.7")
				f := m.finder()
				got, err := f.Choose(t.Context(), "x", m.asks(">=3.11"))
				require.NoError(t, err)
				require.Equal(t, filepath.Join(m.root, "bin/python3.11"), got.Path)
				_, err = f.Choose(t.Context(), "x", m.asks(">=3.12"))
				require.ErrorContains(t, err, "pixi.toml:9:1 asks for Python >=3.12; installed: 3.11.7 ("+got.Path+")")
				require.ErrorContains(t, err, c.why)
				require.ErrorContains(t, err, file)
				require.Len(t, m.runs(), 2)
			})
		}
	}
}

// TestShims checks that interpreters behind a version manager's shims are found. pyenv's shims are not run.
func TestShims(t *testing.T) {
	m := newMachine(t, "opt/pyenv/shims", "usr")
	for _, name := range []string{"python", "python3", "python3.12", "python3.13"} {
		m.script("opt/pyenv/shims/"+name, "exit 127")
	}
	m.python("opt/pyenv/versions/3.12.1/bin/python3.12", "3.12.1")
	m.python("usr/python3.13", "3.13.1")
	got, err := m.choose()
	require.NoError(t, err)
	require.Equal(t, "usr/python3.13 3.13.1", got)
	got, err = m.choose("<3.13")
	require.NoError(t, err)
	require.Equal(t, "opt/pyenv/versions/3.12.1/bin/python3.12 3.12.1", got)
	require.Equal(t, []string{"usr/python3.13", "opt/pyenv/versions/3.12.1/bin/python3.12"}, m.runs())

	// The shims of asdf are a single program with many names.
	m = newMachine(t, "asdf/shims", "usr")
	m.script("asdf/manager", `case "$0" in *3.13) exit 126;; esac; printf '%s\n' `+filepath.Join(m.root, "real/python3.12")+` 3.12.3 cpython final - True True`)
	m.link("asdf/shims/python3.12", "../manager")
	m.link("asdf/shims/python3.13", "../manager")
	m.python("usr/python3.11", "3.11.2")
	got, err = m.choose()
	require.NoError(t, err)
	require.Equal(t, "real/python3.12 3.12.3", got)
}

// TestAskedOnce checks that no interpreter is run twice, however many searches there are.
func TestAskedOnce(t *testing.T) {
	m := newMachine(t, "bin")
	m.script("bin/python3.13", "exit 1")
	m.python("bin/python3.12", "3.12.1", "pip=False")
	m.python("bin/python3.11", "3.11.7")
	f := m.finder()
	p, err := f.ForTools(t.Context())
	require.NoError(t, err)
	require.Equal(t, "3.11.7", p.Version, "the tools need pip, which Debian has in a separate package")
	for range 3 {
		p, err = f.Choose(t.Context(), "x", nil)
		require.NoError(t, err)
		require.Equal(t, "3.12.1", p.Version)
	}
	_, err = f.Choose(t.Context(), "x", m.asks(">=3.13"))
	require.ErrorContains(t, err, "no installed Python fits")
	require.Equal(t, []string{"bin/python3.13", "bin/python3.12", "bin/python3.11"}, m.runs())
}

// The tools are not tested with 3.14, which may be used for tasks and builds.
func TestToolsHaveTheirOwnPython(t *testing.T) {
	m := newMachine(t, "bin")
	m.python("bin/python3.14", "3.14.1")
	f := m.finder()
	_, err := f.ForTools(t.Context())
	require.ErrorContains(t, err, "needs Python 3.11 to 3.13, but only other Pythons were found (3.14.1 (")
	m.python("bin/python3.13", "3.13.1")
	f = m.finder()
	tools, err := f.ForTools(t.Context())
	require.NoError(t, err)
	require.Equal(t, "3.13.1", tools.Version)
	tasks, err := f.Choose(t.Context(), "x", nil)
	require.NoError(t, err)
	require.Equal(t, "3.14.1", tasks.Version)
}

// Ctrl-C while an interpreter hangs ends the search, and no result is cached for that interpreter.
func TestCtrlCDuringASearch(t *testing.T) {
	m := newMachine(t, "bin")
	m.script("bin/python3.13", "while :; do :; done")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() {
		for len(m.runs()) == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		cancel(why)
	}()
	f := m.finder()
	f.patience = time.Hour
	_, err := f.Choose(ctx, "x", nil)
	require.ErrorIs(t, err, why)
	require.False(t, f.candidates[0].asked)
}
