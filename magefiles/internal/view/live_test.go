package view_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// screen emulates a terminal, one line at a time. Erased text is not shown.
type screen struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// raw returns everything that was written.
func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

var colors = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// `lines` returns the lines that are visible now.
func (s *screen) lines() []string {
	lines := strings.Split(colors.ReplaceAllString(s.raw(), ""), "\n")
	for i, line := range lines {
		if at := strings.LastIndex(line, "\r\x1b[K"); at >= 0 {
			lines[i] = line[at+len("\r\x1b[K"):]
		}
	}
	return lines
}

func newScreen(width int) (*view.View, *screen) {
	s := &screen{}
	return &view.View{Out: s, Err: s, Color: true, Width: func() int { return width }}, s
}

// A step that takes longer than a second shows its time and its child's last line in place, and erases both at the end.
func TestLiveLineOfAStep(t *testing.T) {
	t.Parallel()
	v, s := newScreen(60)
	require.NoError(t, v.Step("check", func() (string, error) {
		v.Heard("collecting \x1b[31m12\x1b[0m of\t40\x07 items, and much more than fits into a line of sixty columns")
		require.Eventually(t, func() bool { return len(s.lines()[0]) > 0 }, 20*time.Second, 10*time.Millisecond)
		require.Regexp(t, `^  ▸ check +[0-9.]+s  collecting 12 of 40 i`, s.lines()[0])
		require.NotContains(t, s.raw(), "\x07")
		require.Less(t, len([]rune(s.lines()[0])), 60)
		v.Say("a line")
		require.Equal(t, "a line", s.lines()[0], "other output replaces the live line")
		require.Eventually(t, func() bool { return strings.HasPrefix(s.lines()[1], "  ▸ check") }, 20*time.Second, 10*time.Millisecond)
		return "12 passed", nil
	}))
	require.Len(t, s.lines(), 3)
	require.Regexp(t, `^✓ check +[0-9.]+s  12 passed$`, s.lines()[1])
	require.Empty(t, s.lines()[2])
}

// Without a live line, a long step reports its progress repeatedly, but never the same text twice.
func TestLongStepReportsProgress(t *testing.T) {
	defer view.SetSayAgain(50 * time.Millisecond)()
	v, s := newScreen(80)
	v.Color = false
	said := func(times int) func() bool {
		return func() bool { return strings.Count(s.raw(), "▸") >= times }
	}
	require.NoError(t, v.Step("check", func() (string, error) {
		require.Eventually(t, said(1), 20*time.Second, 10*time.Millisecond)
		v.Heard("\x1b[32mtests/test_a.py  12%\x1b[0m")
		require.Eventually(t, said(2), 20*time.Second, 10*time.Millisecond)
		time.Sleep(200 * time.Millisecond)
		v.Heard("tests/test_b.py  24%")
		require.Eventually(t, said(3), 20*time.Second, 10*time.Millisecond)
		return "705 passed", nil
	}))
	require.Regexp(t, `^  ▸ check …\n  ▸ check … [0-9.]+s  tests/test_a.py 12%\n  ▸ check … [0-9.]+s  tests/test_b.py 24%\n✓ check +[0-9.]+s  705 passed\n$`, s.raw())
}

// Output from others also replaces the live line.
func TestOtherOutputBesideTheLiveLine(t *testing.T) {
	t.Parallel()
	v, s := newScreen(80)
	require.NoError(t, v.Step("check", func() (string, error) {
		require.Eventually(t, func() bool { return len(s.lines()[0]) > 0 }, 20*time.Second, 10*time.Millisecond)
		fmt.Fprintln(v.Log(), "installing 12 requirements")
		require.Equal(t, "installing 12 requirements", s.lines()[0])
		return "", nil
	}))
}

// While a question is open, no progress is reported, with or without a terminal. The same is true while a child has the terminal for a question.
func TestNoProgressDuringAQuestion(t *testing.T) {
	for name, ask := range map[string]func(v *view.View, s *screen){
		"ours": func(v *view.View, s *screen) {
			answered := v.Ask("Release v0.2.0? [y/N] ")
			time.Sleep(1500 * time.Millisecond)
			last := s.lines()[len(s.lines())-1]
			require.Equal(t, "Release v0.2.0? [y/N] ", last)
			answered()
		},
		"a child's": func(v *view.View, s *screen) {
			require.Eventually(t, func() bool { return !v.Color || len(s.lines()[0]) > 0 }, 20*time.Second, 10*time.Millisecond)
			free := view.Hold()
			defer free()
			_, _ = s.Write([]byte("Enter passphrase: "))
			time.Sleep(600 * time.Millisecond)
			require.True(t, strings.HasSuffix(s.raw(), "Enter passphrase: "))
			require.NotContains(t, s.lines()[len(s.lines())-1], "agree")
		},
	} {
		for _, color := range []bool{true, false} {
			v, s := newScreen(80)
			v.Color = color
			require.NoError(t, v.Step("agree", func() (string, error) {
				ask(v, s)
				return "yes", nil
			}), name)
			require.Contains(t, strings.Join(s.lines(), "\n"), "✓ agree", name)
		}
	}
}

// A live line is never wider than the terminal. Otherwise, erasing it after the terminal became narrower would also erase the row above.
func TestWidthOfALiveLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"  ▸ check …": 11, "日本": 4, "a → b": 5, "": 0} {
		begin, wide := view.Cut(text, 80)
		require.Equal(t, text, begin)
		require.Equal(t, want, wide, text)
	}
	begin, wide := view.Cut("▸ 日本", 4)
	require.Equal(t, "▸ ", begin, "there is room for a mark of two columns")
	require.Equal(t, 2, wide)
}

// The characters that a terminal shows for a Ctrl-C are removed with the live line, but not after a question, and not while a child has the terminal.
func TestCtrlCEchoIsErased(t *testing.T) {
	v, s := newScreen(80)
	typed := func() []string {
		_, _ = s.Write([]byte("^C"))
		v.ClearInterrupt()
		return s.lines()
	}
	require.NoError(t, v.Step("check", func() (string, error) {
		require.Eventually(t, func() bool { return len(s.lines()[0]) > 0 }, 20*time.Second, 10*time.Millisecond)
		require.Equal(t, []string{""}, typed())
		return "", nil
	}))
	answered := v.Ask("Release v0.2.0? [y/N]")
	require.Equal(t, "Release v0.2.0? [y/N] ^C", typed()[1])
	answered()
	require.Equal(t, "", typed()[1])
	free := view.Hold()
	require.Equal(t, "^C", typed()[1])
	free()
	v.Color = false
	require.Equal(t, "^C^C", typed()[1])
}

// If two steps run, the live line of the one that was begun last is shown.
func TestProgressInAStep(t *testing.T) {
	t.Parallel()
	v, s := newScreen(80)
	require.NoError(t, v.Step("publish", func() (string, error) {
		require.Eventually(t, func() bool { return strings.Contains(s.lines()[0], "publish") }, 20*time.Second, 10*time.Millisecond)
		p := v.Progress()
		p.Begin(2, 2000)
		p.ShowSent("a.conda", 500, 1000)
		require.Eventually(t, func() bool { return strings.Contains(s.lines()[0], "a.conda 50%") }, 20*time.Second, 10*time.Millisecond)
		p.Done("a.conda", nil)
		require.Contains(t, s.lines()[0], "✓ a.conda (1 of 2 files, 500 B of 2.0 kB)")
		p.End()
		require.Eventually(t, func() bool { return strings.Contains(s.lines()[1], "publish") }, 20*time.Second, 10*time.Millisecond)
		return "", nil
	}))
	require.Contains(t, s.lines()[1], "✓ publish")
}

// shown returns what a terminal shows of the written text, line by line.
func shown(raw string) (lines []string) {
	lines, at := []string{""}, 0
	for text := colors.ReplaceAllString(raw, ""); text != ""; {
		switch rest, found := strings.CutPrefix(text, "\x1b[A"); {
		case found:
			at, text = at-1, rest
		case strings.HasPrefix(text, "\x1b[K"):
			lines[at], text = "", text[len("\x1b[K"):]
		case text[0] == '\r':
			text = text[1:]
		case text[0] == '\n':
			if at++; at == len(lines) {
				lines = append(lines, "")
			}
			text = text[1:]
		default:
			lines[at], text = lines[at]+text[:1], text[1:]
		}
	}
	return lines
}

// A board is updated in place, above the step's live line. Other output is written above the board. The board is erased when it ends.
func TestABoardIsUpdatedInPlace(t *testing.T) {
	t.Parallel()
	v, s := newScreen(40)
	var now atomic.Pointer[[][]string]
	set := func(rows ...[]string) { now.Store(&rows) }
	set([]string{"HOST", "NOW"}, []string{"a", "gate"}, []string{"somewhere", "start, and much more than there is room for"})
	sees := func(want ...string) {
		t.Helper()
		require.Eventually(t, func() bool { return slices.Equal(want, shown(s.raw())) }, 20*time.Second, 10*time.Millisecond, "%q", shown(s.raw()))
	}
	end := v.Board(func() [][]string { return *now.Load() })
	sees("HOST       NOW", "a          gate", "somewhere  start, and much more than th")
	set([]string{"HOST", "NOW"}, []string{"a", "switch ✓"}, []string{"b", ""})
	sees("HOST  NOW", "a     switch ✓", "b")
	v.Say("a line")
	sees("a line", "HOST  NOW", "a     switch ✓", "b")
	many := [][]string{{"HOST"}}
	for range 50 {
		many = append(many, []string{"x"})
	}
	set(many...)
	require.Eventually(t, func() bool { return slices.Contains(shown(s.raw()), "  and 35 more") }, 20*time.Second, 10*time.Millisecond)
	set([]string{"HOST", "NOW"}, []string{"a", "watch"})
	require.NoError(t, v.Step("watch", func() (string, error) {
		require.Eventually(t, func() bool { return strings.Contains(strings.Join(shown(s.raw()), "\n"), "a     watch\n  ▸ watch") }, 20*time.Second, 10*time.Millisecond)
		return "on 1 host", nil
	}))
	end()
	lines := shown(s.raw())
	require.Equal(t, "a line", lines[0])
	require.Regexp(t, `^✓ watch .* on 1 host$`, lines[1])
	require.Empty(t, strings.Join(lines[2:], ""))
	v.Color = false
	before := s.raw()
	v.Board(func() [][]string { return many })()
	require.Equal(t, before, s.raw())
}
