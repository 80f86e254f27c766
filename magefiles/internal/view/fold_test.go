package view_test

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// Under GitHub Actions the output of a running step is folded under its name, and its line is below. A step without output has no fold. No fold is
// inside another fold, whatever other code the step calls.
func TestStepsFoldUnderActions(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(v *view.View) error
		want string
	}{
		"it says nothing":       {func(*view.View) error { return nil }, "✓ build"},
		"it says something":     {func(v *view.View) error { v.Say("one"); v.Line("two"); return nil }, "::group::build\none\ntwo\n::endgroup::\n✓ build"},
		"it fails":              {func(v *view.View) error { v.Text("one"); return io.EOF }, "::group::build\none\n::endgroup::\n✗ build"},
		"it has a table":        {func(v *view.View) error { v.Table(nil, [][]string{{"a"}}); return nil }, "::group::build\na\n::endgroup::\n✓ build"},
		"its end is not folded": {func(v *view.View) error { v.Say("one"); v.Unfold(); v.Line("two"); return nil }, "::group::build\none\n::endgroup::\ntwo\n✓ build"},
		"only for the summary":  {func(v *view.View) error { v.AddMade("a", "b"); return nil }, "✓ build"},
		"a step in it": {
			f: func(v *view.View) error {
				return v.Step("inner", func() (string, error) { v.Say("one"); return "", nil })
			},
			want: "::group::build\none\n✓ inner",
		},
		"a group in it": {
			f: func(v *view.View) error {
				g := v.Group("inner")
				_, err := io.WriteString(g, "one\n")
				_ = g.Done(nil)
				return err
			},
			want: "::group::build\n▸ inner\n── inner\n::stop-commands::",
		},
	} {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: &out, Actions: true}
		err := v.Step("build", func() (string, error) { return "", c.f(v) })
		require.Equal(t, name == "it fails", err != nil)
		require.True(t, strings.HasPrefix(out.String(), c.want), "%s:\n%s", name, out.String())
		depth := 0
		for line := range strings.Lines(out.String()) {
			switch {
			case strings.HasPrefix(line, "::group::"):
				depth++
			case strings.HasPrefix(line, "::endgroup::"):
				depth--
			}
			require.Contains(t, []int{0, 1}, depth, "%s:\n%s", name, out.String())
		}
		require.Zero(t, depth, name)
		out.Reset()
		v.Actions = false
		_ = v.Step("build", func() (string, error) { return "", c.f(v) })
		require.NotContains(t, out.String(), "group::", "folds are only for GitHub")
	}
}

// pipes holds the two pipes that GitHub's runner reads. Order is only guaranteed within a pipe.
type pipes struct{ out, err bytes.Buffer }

// A runner reads two pipes, so all fold markers must be in the same pipe, and each begin marker must be followed by its end marker. If standard
// output has a JSON object, the markers are on standard error.
func TestFoldsAreInOnePipe(t *testing.T) {
	folds := func(json bool) (p pipes) {
		v := &view.View{Out: &p.out, Err: &p.err, Actions: true}
		if json {
			v.Out = v.Err
		}
		log := v.Log() // the log of a toolchain, created before the first step
		require.NoError(t, v.Step("step", func() (string, error) {
			v.Say("one")
			_, err := io.WriteString(log, "logged\n")
			return "", err
		}))
		require.NoError(t, v.Group("group").Done(nil))
		v.Say("two")
		return p
	}
	p := folds(false)
	require.Empty(t, p.err.String())
	require.Regexp(t, `^::group::step\none\nlogged\n::endgroup::\n(?s:.*)::group::group\n::endgroup::\n`, p.out.String())
	p = folds(true)
	require.Empty(t, p.out.String())
	require.Contains(t, p.err.String(), "::endgroup::")
}

// A panic in a step is shown below its fold, not in it.
func TestAPanicEndsTheFold(t *testing.T) {
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: &out, Actions: true}
	require.Panics(t, func() { _ = v.Step("build", func() (string, error) { v.Say("one"); panic("two") }) })
	require.Equal(t, "::group::build\none\n::endgroup::\n", out.String())
}

// Each group is written in one piece, even if it belongs to another view of this process. (Each target that is a dependency has its own view.)
func TestGroupsOfSeveralViewsAreWhole(t *testing.T) {
	var out apart
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			g := (&view.View{Out: &out, Err: io.Discard, Actions: true}).Group("group")
			_ = g.Done(nil)
		})
	}
	all.Wait()
	for _, whole := range strings.SplitAfter(strings.TrimSuffix(out.String(), "\n"), "(0.0s)\n") {
		require.True(t, strings.HasPrefix(whole, "::group::group\n::endgroup::\n✓ group"), out.String())
	}
}

// `apart` yields to other goroutines after each write.
type apart struct {
	mu sync.Mutex
	b  strings.Builder
}

func (a *apart) Write(p []byte) (int, error) {
	defer runtime.Gosched()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.b.Write(p)
}

func (a *apart) String() string { return a.b.String() }
