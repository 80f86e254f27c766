package view_test

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"github.com/foopack/foopack/magefiles/internal/ptytest"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// If a terminal becomes narrower in the middle of a step, and wider again, the step is shown once, and nothing above it is lost.
func TestResizedInAStep(t *testing.T) {
	t.Parallel()
	if ptytest.Inside(t) {
		v := &view.View{
			Out:    os.Stdout,
			Err:    os.Stderr,
			Color:  true,
			Breaks: true,
			Width: func() int {
				columns, _, err := term.GetSize(2)
				require.NoError(t, err)
				return columns
			},
		}
		v.Text("what stands above")
		end := v.Board(func() [][]string {
			return [][]string{{"HOST", "IS"}, {"one.example.org", "being asked what it runs, and what it has run before"}}
		})
		require.NoError(t, v.Step("check", func() (string, error) {
			v.Heard("one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve")
			_, err := os.Stdin.Read(make([]byte, 1))
			require.Equal(t, io.EOF, err)
			end()
			return "12 passed", nil
		}))
		v.Text("what stands below")
		return
	}
	terminal := ptytest.StartAt(t, 80, ptytest.Self(t))
	at := func(columns int, shows string) (rows []string) {
		terminal.Resize(columns)
		terminal.Expect(shows)
		terminal.Expect(shows) // the first one may have been on its way
		return seen(terminal)
	}
	terminal.Expect("▸ check ")
	at(30, "▸ check ")
	rows := at(100, "three, four")
	require.Len(t, rows, 4, strings.Join(rows, "\n"))
	require.Equal(t, "one.example.org  being asked what it runs, and what it has run before", rows[2])
	require.Regexp(t, `^  ▸ check +[0-9.]+s  one, two`, rows[3])
	at(40, "▸ check ")
	terminal.Type("\x04") // the terminal does not echo this key
	terminal.Expect("what stands below")
	rows = seen(terminal)
	require.Equal(t, "what stands above", rows[0])
	require.Regexp(t, `^✓ check +[0-9.]+s  12$`, rows[1])
	require.Equal(t, []string{"    passed", "what stands below"}, rows[2:4])
}

// `seen` returns what a terminal shows, down to the last row with a text.
func seen(terminal *ptytest.Terminal) []string {
	return strings.Split(strings.TrimRight(strings.Join(terminal.Screen(), "\n"), "\n"), "\n")
}
