package view_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/doctor"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

func newView() (*view.View, *bytes.Buffer, *bytes.Buffer) {
	var out, errOut bytes.Buffer
	return &view.View{Out: &out, Err: &errOut}, &out, &errOut
}

// At a terminal, progress is broken between words, and continued lines are indented.
func TestSayFitsTheTerminal(t *testing.T) {
	v, out, errOut := newView()
	v.Breaks, v.Width = true, func() int { return 30 }
	v.Text("    → see how the host is written")
	require.Equal(t, "    → see how the host is\n      written\n", out.String())
	v.Say("going on with %s, which was begun and has not ended", "v0.1.7")
	v.Say("  ▸ waiting for the channel to show it")
	require.Equal(t, `going on with v0.1.7, which
  was begun and has not ended
  ▸ waiting for the channel to
    show it
`, errOut.String())
}

// The output of a child that is one of our programs is wrapped, and its next step is dropped.
func TestInner(t *testing.T) {
	v, _, _ := newView()
	for breaks, want := range map[bool]string{
		true:  "✓ check  1.0s  all is\n    well, and more\nv0.2.0 → v0.3.0\n",
		false: "✓ check  1.0s  all is well, and more\nv0.2.0 → v0.3.0\n",
	} {
		var out bytes.Buffer
		v.Breaks, v.Width = breaks, func() int { return 26 }
		inner := v.Inner(&out)
		for _, part := range []string{"✓ check  1.0s  all is", " well, and more\nv0.2.0 → v0.3.0\n→ `mage", " app:upgrade`\n"} {
			n, err := io.WriteString(inner, part)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.Equal(t, want, out.String())
		for _, part := range []string{"✓ che", "→ `mage"} { // lines of programs that were killed
			_, err := io.WriteString(inner, part)
			require.NoError(t, err)
			require.NoError(t, inner.EndLine())
			require.NoError(t, inner.EndLine())
		}
		require.Equal(t, want+"✓ che\n", out.String())
	}
}

// A line in a tool's log is never mistaken for our next step.
func TestLogShowsAllLines(t *testing.T) {
	v, _, errOut := newView()
	_, err := io.WriteString(v.Log(), "resolving\n→ a package\n")
	require.NoError(t, err)
	require.Equal(t, "resolving\n→ a package\n", errOut.String())
}

// The output of two jobs that write at the same time is shown one after the other.
func TestGroupsAreNotMixed(t *testing.T) {
	v, out, errOut := newView()
	a, b := v.Group("a"), v.Group("b")
	for range 3 {
		_, _ = io.WriteString(a, "from a\n")
		_, _ = io.WriteString(b, "from b\n")
	}
	require.NoError(t, b.Done(nil))
	failed := errors.New("it failed")
	require.Equal(t, failed, a.Done(failed))
	require.Equal(t, "▸ a\n▸ b\n", errOut.String())
	require.Regexp(t, `^── b\nfrom b\nfrom b\nfrom b\n✓ b \(<?[0-9.]+s\)\n── a\nfrom a\nfrom a\nfrom a\n✗ a \(<?[0-9.]+s\)\n$`, out.String())
}

// Under GitHub Actions, a successful group is folded; a failed one is not, and becomes an annotation.
func TestGroupsUnderActions(t *testing.T) {
	v, out, _ := newView()
	v.Actions = true
	good, bad := v.Group("good"), v.Group("bad, very")
	_, _ = io.WriteString(good, "fine\n")
	_, _ = io.WriteString(bad, "wrong\n")
	_ = good.Done(nil)
	_ = bad.Done(errors.New("two\nlines: 100%"))
	require.Regexp(t, `::group::good\n::stop-commands::(\w+)\nfine\n::(\w+)::\n::endgroup::\n✓ good`, out.String())
	require.NotContains(t, out.String(), "::group::bad")
	require.Contains(t, out.String(), "::error title=bad%2C very::two%0Alines: 100%25\n")
}

func TestTableIsAligned(t *testing.T) {
	v, out, _ := newView()
	v.Table([]string{"A", "LONGER"}, [][]string{{"wide cell", "x"}, {"é", ""}})
	require.Equal(t, "A          LONGER\nwide cell  x\né\n", out.String())
}

func TestColors(t *testing.T) {
	v, out, _ := newView()
	require.NoError(t, v.Step("one", func() (string, error) { return "seen", nil }))
	require.NotContains(t, out.String(), "\x1b")
	v.Color = true
	require.Error(t, v.Step("two", func() (string, error) { return "", errors.New("no") }))
	require.Contains(t, out.String(), "\x1b[31m✗\x1b[0m two")
	require.Contains(t, out.String(), "stopped here")
}

func TestGraph(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":        "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"a/pixi.toml":      "[package]\nname = \"a\"\nversion = \"1\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
		"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1\"\n",
		"b/pixi.toml":      "[package]\nname = \"b-2\"\nversion = \"1\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.run-dependencies]\na = \">=1,<2\"\n",
		"b/pyproject.toml": "[project]\nname = \"b-2\"\nversion = \"1\"\n",
		"site/pixi.toml":   "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = []\n[dependencies]\na = \"*\"\nb-2 = \"*\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)

	v, out, _ := newView()
	require.NoError(t, v.Graph(w, "text"))
	require.Equal(t, "a 1\nb-2 1\n  └─ a >=1,<2\nsite (a downstream)\n  ├─ a *\n  └─ b-2 *\n", out.String())
	out.Reset()
	require.NoError(t, v.Graph(w, "mermaid"))
	require.Equal(t, `flowchart LR
  n_a["a 1"]
  n_b_2["b-2 1"]
  n_site(["site"])
  n_b_2 -->|"&gt;=1,&lt;2"| n_a
  n_site -->|"*"| n_a
  n_site -->|"*"| n_b_2
`, out.String())
	out.Reset()
	require.NoError(t, v.Graph(w, "json"))
	require.JSONEq(t, `{
		"nodes": [{"name": "a", "version": "1", "downstream": false}, {"name": "b-2", "version": "1", "downstream": false}, {"name": "site", "version": "", "downstream": true}],
		"edges": [{"from": "b-2", "to": "a", "spec": ">=1,<2", "pin": false}, {"from": "site", "to": "a", "spec": "*", "pin": false}, {"from": "site", "to": "b-2", "spec": "*", "pin": false}]
	}`, out.String())
	out.Reset()
	require.NoError(t, v.Graph(w, "svg"))
	require.Equal(t, 3, strings.Count(out.String(), `class="box`))
	require.Equal(t, 3, strings.Count(out.String(), "</title></path>"))
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
	}
	require.ErrorContains(t, v.Graph(w, "png"), `there is no graph format "png"`)
}

// A step in a group has the same line as any other, in the group's output.
func TestStepOfAGroup(t *testing.T) {
	v, out, _ := newView()
	g := v.Group("image")
	require.NoError(t, g.Step("build", func() (string, error) { return "all of it", nil }))
	require.ErrorIs(t, g.Step("verify", func() (string, error) { return "x", io.EOF }), io.EOF)
	require.Empty(t, out.String())
	_ = g.Done(io.EOF)
	require.Regexp(t, `^── image\n✓ build +<0\.1s  all of it\n✗ verify +<0\.1s  stopped here\n✗ image`, out.String())
}

func TestFindings(t *testing.T) {
	v, out, _ := newView()
	findings := []view.Finding{
		{What: "git", Found: "git 2", For: "all", Get: "x"},
		{What: "python", For: "building", Get: "install it", Required: true},
		{What: "pixi", For: "locking", Get: "fetch it"},
		{What: "a channel", For: "publishing", Get: "see why", Unknown: "no answer"},
	}
	v.Findings(findings)
	require.Equal(t, "✓ git: git 2\n✗ python is missing, for building\n    → install it\n○ pixi is missing, for locking\n    → fetch it\n"+
		"○ a channel could not be checked, for publishing: no answer\n    → see why\n", out.String())
	require.ErrorContains(t, doctor.Missing(findings), "1 thing that every target needs is missing")
}

// A requirement on a version replaces an earlier requirement by path, which has no version, and two downstreams with one name are kept apart.
func TestGraphOfPinsAndNames(t *testing.T) {
	const build = "[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n"
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":         "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"a/pixi.toml":       "[package]\nname = \"a\"\nversion = \"1\"\n" + build,
		"b/pixi.toml":       "[package]\nname = \"b\"\nversion = \"1\"\n" + build + "[package.host-dependencies]\na = { path = \"../a\" }\n[package.run-dependencies]\na = \"==1\"\n[package.run-constraints]\na = \">=0\"\n",
		"x/one/pixi.toml":   "[workspace]\nname = \"simple\"\nchannels = [\"https://prefix.dev/w\"]\nplatforms = []\n[dependencies]\na = \"==0.1\"\n",
		"x/two/pixi.toml":   "[workspace]\nname = \"simple\"\nchannels = [\"https://repo.prefix.dev/w/\"]\nplatforms = []\n[dependencies]\na = \">=0.2\"\n",
		"x/three/pixi.toml": "[workspace]\nname = \"b\"\nchannels = [\"w\"]\nplatforms = []\n[dependencies]\na = \"*\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	v, out, _ := newView()
	require.NoError(t, v.Graph(w, "text"))
	require.Equal(t, "a 1\nb 1\n  └─ a ==1\nsimple (x/one) (a downstream)\n  └─ a ==0.1\nb (x/three) (a downstream)\n  └─ a *\nsimple (x/two) (a downstream)\n  └─ a >=0.2\n", out.String())
}

// A step that asks a question shows no time. It shows no line if the answer was no.
func TestAStepThatAsks(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"yes": {nil, "Go? ✓ agree                              yes\n"},
		"no":  {errors.New("no"), "Go? "},
	} {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: &out}
		err := v.Step("agree", func() (string, error) {
			v.Ask("Go? ")()
			return "yes", c.err
		})
		require.Equal(t, c.err, err, name)
		require.Equal(t, c.want, out.String(), name)
	}
}
