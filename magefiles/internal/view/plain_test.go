package view_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// attacks lists texts that a terminal or a runner would interpret.
var attacks = map[string]string{
	"color":      "\x1b[31mred\x1b[0m",
	"clear":      "\x1b[2J\x1b[H",
	"title":      "\x1b]0;owned\x07",
	"hyperlink":  "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
	"clipboard":  "\x1b]52;c;cm0gLXJm\x07",
	"CSI of C1":  "\u009b31m",
	"back":       "good\rbad",
	"backspaces": "good\b\b\b\bbad",
	"direction":  "user\u202egnp.exe",
	"command":    "::add-mask::x",
	"indented":   "  ::error::x",
	"second":     "one\n::set-output name=a::b",
	"old form":   "text ##[command]x",
}

// obeys returns the attacks that a text still contains.
var obeys = regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f\u0080-\u009f\u202a-\u202e\u2066-\u2069]|(?m:^\\s*::)|##\\[")

// TestHostileTextIsShown writes untrusted text by every method of View, with and without colors.
func TestHostileTextIsShown(t *testing.T) {
	for name, attack := range attacks {
		require.NotRegexp(t, obeys, view.Plain(attack), name)
		require.Equal(t, view.Plain(attack), view.Plain(view.Plain(attack)), name)
		for _, color := range []bool{false, true} {
			var out bytes.Buffer
			v := &view.View{Out: &out, Err: &out, Color: color}
			v.Say("%s", attack)
			v.Say("%v and %+v", errors.New(attack), operr.New(attack, "%s", attack).WithDetail(attack))
			v.Line("%q %-9s %v", attack, attack, []string{attack})
			v.Heading("%s", attack)
			v.Table([]string{"A", attack}, [][]string{{attack, "b"}})
			_ = v.Step(attack, func() (string, error) { return attack, nil })
			v.ShowSkipped(attack, attack)
			v.Once(attack + map[bool]string{true: "1", false: "2"}[color])
			g := v.Group(attack)
			_, _ = io.WriteString(g, "a child\n")
			_ = g.Done(errors.New(attack))
			v.Ask(attack)
			ours := regexp.MustCompile("\x1b\\[[0-9;]+m").ReplaceAllString(out.String(), "")
			require.NotRegexp(t, obeys, ours, name)
			if name == "color" {
				require.NotContains(t, out.String(), "\x1b[31mred")
			}
		}
	}
}

// TestHostileChild checks that a child's output is shown as text with only its colors, and that a CI runner executes no command in it.
func TestHostileChild(t *testing.T) {
	for name, attack := range attacks {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: io.Discard, Color: true}
		g := v.Group("child")
		_, _ = io.WriteString(g, attack+"\x1b[1mbold\x1b[0m\xff\n")
		_ = g.Done(nil)
		text := out.String()
		require.Contains(t, text, "\x1b[1mbold")
		require.NotRegexp(t, regexp.MustCompile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f\u0080-\u009f\u202a-\u202e]|\x1b[^\\[]|\x1b\\[[0-9;]*[^0-9;m]"), text, name)
	}
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: io.Discard, Actions: true}
	g := v.Group("child")
	_, _ = io.WriteString(g, "::error::no\n::00000000::\n::add-mask::x\n")
	_ = g.Done(nil)
	m := regexp.MustCompile(`(?s)::stop-commands::(\w{20,})\n(.*)::(\w+)::\n::endgroup::`).FindStringSubmatch(out.String())
	require.NotNil(t, m, out.String())
	require.Equal(t, m[1], m[3])
	require.NotContains(t, m[2], m[1])
	require.Contains(t, m[2], "::add-mask::x")
	require.Equal(t, "50%\n", strings.TrimPrefix(childLine("10%\r20%\r50%\r\n"), "── child\n"))
}

func childLine(text string) string {
	var out bytes.Buffer
	v := &view.View{Out: &out, Err: io.Discard}
	g := v.Group("child")
	_, _ = io.WriteString(g, text)
	_ = g.Done(nil)
	return out.String()[:strings.Index(out.String(), "✓")]
}
