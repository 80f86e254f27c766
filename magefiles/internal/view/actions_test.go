package view_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// Findings of tools are annotated, up to GitHub's limit, and the rest is counted. Outside of GitHub, no annotations are written.
func TestAnnotations(t *testing.T) {
	for _, actions := range []bool{true, false} {
		view.Begin()
		v, out, _ := newView()
		v.Actions = actions
		v.Lookup = func(path string) (string, bool) { return path, path == "a.py" }
		g := v.Group("lint")
		for n := range 12 {
			fmt.Fprintf(g, "a.py:%d:1: E1 bad\x1b]0;x\x07\n", n+1)
		}
		_ = g.Done(errors.New("it failed"))
		if !actions {
			require.NotContains(t, out.String(), "::error")
			continue
		}
		require.Contains(t, out.String(), "\n::error title=lint::it failed\n::error file=a.py,line=1,col=1::E1 bad\\x1b]0;x\\x07\n")
		require.Equal(t, 10, strings.Count(out.String(), "::error"), out)
		require.Contains(t, out.String(), "\n3 more annotations are in the log above: GitHub shows only 10 for each step\n")
		v.Annotate(errors.New("lint: it failed"))
		require.Equal(t, 10, strings.Count(out.String(), "::error"), "the error is annotated already")
	}
}

// A target's error is annotated at its file and line. Standard output has only the JSON object.
func TestAnnotate(t *testing.T) {
	for message, want := range map[string]string{
		"pixi.toml:3: no such key": "::error file=pixi.toml,line=3::no such key\n",
		"two\nlines":               "::error::two%0Alines\n",
	} {
		view.Begin()
		v, out, errs := newView()
		v.Lookup = func(path string) (string, bool) { return path, true }
		v.Annotate(errors.New(message))
		require.Empty(t, errs.String())
		v.Actions = true
		v.Annotate(errors.New(message))
		require.Equal(t, want, errs.String())
		require.Empty(t, out.String())
	}
}

// The step summary is a table of what was done. Markup in its texts is escaped.
func TestSummary(t *testing.T) {
	view.Begin()
	v, _, _ := newView()
	file := filepath.Join(t.TempDir(), "summary")
	require.NoError(t, os.WriteFile(file, []byte("# before\n"), 0o600))
	v.Summary = view.AppendTo(file)
	require.NoError(t, v.Step("build", func() (string, error) { return "a-1.conda sha256:12 | <img src=x>\n@you [x](y)", nil }))
	v.ShowSkipped("sign", "no key")
	v.AddMade("a-1.conda", "sha256 12")
	g := v.Group("image app")
	require.NoError(t, g.Step("push", func() (string, error) { return "", nil }))
	_ = g.Done(errors.New("it failed"))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Regexp(t, `^# before

\|   \| step \| time \| evidence \|
\|---\|---\|---\|---\|
\| ✓ \| build \| &#60;0&#46;1s \| a&#45;1&#46;conda sha256&#58;12 &#124; &#60;img src=x&#62; &#64;you &#91;x&#93;&#40;y&#41; \|
\| ○ \| sign \|  \| skipped&#58; no key \|
\| ◆ \| a&#45;1&#46;conda \|  \| sha256 12 \|
\| ✓ \| image app&#58; push \| &#60;0&#46;1s \|  \|
\| ✗ \| image app \| &#60;0&#46;1s \|  \|
$`, string(text))
	require.Nil(t, view.AppendTo(""))
	_, err = view.AppendTo(filepath.Join(file, "x")).Write(nil)
	require.Error(t, err)
	v.Summary = view.AppendTo(filepath.Join(file, "x")) // the file is not writable, which is not an error
	v.ShowSkipped("sign", "no key")
}

// Without a summary, nothing is kept.
func TestNoSummary(t *testing.T) {
	view.Begin()
	v := &view.View{Out: io.Discard, Err: &bytes.Buffer{}}
	v.ShowSkipped("sign", "no key")
	var later bytes.Buffer
	v.Summary = &later
	v.ShowSkipped("sign", "no key")
	require.Contains(t, later.String(), "| step |")
}
