package protocol

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The cases follow the source of actions/runner (FileCommandManager) and its tests.
func TestPairs(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"\n\n":                     "",
		"A=b":                      "[A|b]",
		"A=b\nB=c\n":               "[A|b][B|c]",
		"A==b=\n":                  "[A|=b=]",
		"A=\n":                     "[A|]",
		"A=b<<c\n":                 "[A|b<<c]",
		" A = b \n":                "[ A | b ]",
		"A<<E\nE\n":                "[A|]",
		"A<<E\n\nE\n":              "[A|]",
		"A<<E\n\n\nE\n":            "[A|\n]",
		"A<<E\none\ntwo=2\nE\nB=3": "[A|one\ntwo=2][B|3]",
		"A<<E\none\nE":             "[A|one]",
		"A<<E=F\none\nE=F\n":       "[A|one]",
		"A<<<<E\none\n<<E\n":       "[A|one]",
		"A<<E\nE \n E\nE\n":        "[A|E \n E]",
		"A<<E\none\r\nE\n":         "[A|one\r]",
	} {
		pairs, err := Pairs(text)
		require.NoError(t, err, "%q", text)
		got := ""
		for _, p := range pairs {
			got += "[" + p.Name + "|" + p.Value + "]"
		}
		require.Equal(t, want, got, "%q", text)
	}
	for text, want := range map[string]string{
		"A":                `invalid format "A"`,
		"A=b\nB":           `invalid format "B"`,
		"=b":               "the name must not be empty",
		"<<E\nx\nE\n":      "neither the name nor the delimiter may be empty",
		"A<<\nx\n":         "neither the name nor the delimiter may be empty",
		"A<<E\none":        `matching delimiter not found "E"`,
		"A<<E\noneE\n":     `matching delimiter not found "E"`,
		"A<<E\none\nE\r\n": `matching delimiter not found "E"`,
		"A<<E":             `matching delimiter not found "E"`,
	} {
		_, err := Pairs(text)
		require.ErrorContains(t, err, want, "%q", text)
	}
}

func TestPaths(t *testing.T) {
	require.Equal(t, []string{"/a", " b"}, Paths("/a\n\r\n\n b\r\n"))
	require.Empty(t, Paths(""))
}

// The cases follow the source of actions/runner (ActionCommand).
func TestCommands(t *testing.T) {
	for line, want := range map[string]string{
		"::error::m":                              "error map[] m",
		"  ::ERROR file=a.py,line=3::m":           "error map[file:a.py line:3] m",
		"::warning title=A%2CB%3A,col=::a%0Ab%25": "warning map[title:A,B:] a\nb%",
		"::error file=a=b, line=2::":              "error map[ line:2 file:a=b] ",
		"::add-mask::a::b":                        "add-mask map[] a::b",
		"x ##[group]y%5D%3B":                      "group map[] y];",
		"##[error file=a;line=2]m":                "error map[file:a line:2] m",
		"x ::error::m":                            "",
		"::error":                                 "",
		"::":                                      "",
		"##[error":                                "",
	} {
		c, is := ParseCommand(line)
		require.Equal(t, want != "", is, line)
		if is {
			require.Equal(t, want, fmt.Sprint(c.Name, " ", c.Properties, " ", c.Data), line)
		}
	}
}

// No output of a step causes a panic: it is parsed or rejected. A pair that is written as documented is parsed back.
func FuzzPairs(f *testing.F) {
	for _, s := range []string{"A=b", "A<<E\nx\nE\n", "A<<E\n", "=<<", "\n=\n<<\n"} {
		f.Add(s, "value")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		before, err := Pairs(text)
		for _, p := range before {
			require.NotEmpty(t, p.Name)
			require.NotContains(t, p.Name, "\n")
		}
		if err != nil || strings.Contains("\n"+value+"\n", "\nEND\n") {
			return
		}
		got, err := Pairs(strings.TrimSuffix(text, "\n") + "\nNAME<<END\n" + value + "\nEND\n")
		require.NoError(t, err)
		require.Equal(t, append(before, Pair{Name: "NAME", Value: value}), got)
	})
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{"::error file=a,line=1::m%0A", "##[error a=b;c]x", "::::", "##[]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, is := ParseCommand(line)
		if is {
			require.Equal(t, strings.ToLower(c.Name), c.Name)
		}
	})
}
