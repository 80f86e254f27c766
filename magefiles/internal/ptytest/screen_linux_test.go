package ptytest

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRender(t *testing.T) {
	at := func(columns int) []size { return []size{{from: 0, columns: columns}} }
	for name, c := range map[string]struct {
		said  string
		sizes []size
		want  []string
	}{
		"lines":                  {"one\r\ntwo\r\n", at(10), []string{"one", "two", ""}},
		"a wide line":            {"abcdefgh", at(3), []string{"abc", "def", "gh"}},
		"as wide as it is":       {"abc\r\nd", at(3), []string{"abc", "d"}},
		"written over":           {"  working\r\x1b[Kdone", at(20), []string{"done"}},
		"colors":                 {"\x1b[32m✓\x1b[0m well", at(20), []string{"✓ well"}},
		"a board":                {"a\r\nb\r\x1b[K\x1b[A\x1b[Kc", at(20), []string{"c", ""}},
		"tabs":                   {"a\tb", at(20), []string{"a       b"}},
		"narrower":               {"one\r\nabcdabcd", []size{{from: 0, columns: 4}, {from: 9, columns: 2}}, []string{"on", "e", "ab", "cd", "ab", "cd"}},
		"wider":                  {"abcdef\r\ng", []size{{from: 0, columns: 4}, {from: 9, columns: 8}}, []string{"abcdef", "g"}},
		"written on":             {"one\r\nabcd\x1b[Ke\rf", []size{{from: 0, columns: 4}, {from: 9, columns: 2}}, []string{"on", "e", "ab", "cd", "f"}},
		"at the end":             {"abcd", []size{{from: 0, columns: 4}, {from: 4, columns: 2}}, []string{"ab", "cd"}},
		"taken away in two rows": {"one\r\nabcd\r\x1b[K\x1b[A\x1b[Kt", []size{{from: 0, columns: 5}, {from: 9, columns: 3}}, []string{"one", "t", ""}},
		"a live line that wraps": {"abcdef\r\x1b[K", at(4), []string{"abcd", ""}}, // what is above the last row stays visible
	} {
		got, err := render(c.said, c.sizes)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	for _, said := range []string{"\x1b[2J", "\x1b]0;title\a", "\x1b", "\x1b["} {
		_, err := render(said, nil)
		require.ErrorContains(t, err, "does not support", said)
	}
}

// A program sees how wide its terminal is, and that the width has changed.
func TestResize(t *testing.T) {
	terminal := StartAt(t, 40, exec.Command("sh", "-c", `stty size; read answer; stty size`))
	terminal.Expect("40 40")
	terminal.Resize(120)
	terminal.Type("\n")
	terminal.Expect("40 120")
	_, code := terminal.End()
	require.Zero(t, code)
	require.Equal(t, "40 120", terminal.Screen()[2])
}
