package tomledit

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	tomltest "github.com/toml-lang/toml-test/v2"
)

// Replacing a value keeps its quotes and changes nothing else.
func TestSet(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`a = "0.1.6" # "0.1.6"`, `a = "0.1.7" # "0.1.6"`},
		{`a = '0.1.6'`, `a = '0.1.7'`},
		{"a = \"\"\"0.1.6\"\"\"\r\n", "a = \"\"\"0.1.7\"\"\"\r\n"},
		{"a = '''\n0.1.6'''", "a = '''0.1.7'''"},
		{"\ufeffa={\r\n x = 1, # TOML 1.1\r\n}\r\n\"a\".b='y'\r\n", ""},
		{"\ufeff'a'  =\t\"x\"\t\r\n\r\n\r\nb = 1\r\n", "\ufeff'a'  =\t\"0.1.7\"\t\r\n\r\n\r\nb = 1\r\n"},
		{"a = 12", `a = "0.1.7"`},
	} {
		doc, err := Parse("f.toml", []byte(c.src))
		if c.want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		s, err := doc.Set(doc.Root.Get("a"), "0.1.7")
		require.NoError(t, err)
		got, err := Splices(doc.Src, s)
		require.NoError(t, err)
		require.Equal(t, c.want, string(got))
		back, err := Splices(got, inverse(s)...)
		require.NoError(t, err)
		require.Equal(t, c.src, string(back))
	}
}

func TestSetKinds(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{int64(-3), "-3"},
		{true, "true"},
		{1.0, "1.0"},
		{1e300, "1e+300"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
		{"a\"\\\n\x00é", `"a\"\\\n\u0000é"`},
	} {
		doc, err := Parse("f.toml", []byte("v = 2024-01-01"))
		require.NoError(t, err)
		s, err := doc.Set(doc.Root.Get("v"), c.value)
		require.NoError(t, err)
		require.Equal(t, c.want, s.New)
		again, err := Parse("f.toml", []byte("v = "+s.New))
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(c.value), fmt.Sprint(again.Root.Get("v").Value))
	}
}

// When part of a string is replaced, the rest is kept as written, including escapes and line continuations.
func TestSetText(t *testing.T) {
	for _, c := range []struct{ src, old, want string }{
		{`v = ["core[a]==0.1.6 ; x"]`, "0.1.6", `v = ["core[a]==0.1.7 ; x"]`},
		{`v = ['core == 0.1.6;python_version<"3"']`, "0.1.6", `v = ['core == 0.1.7;python_version<"3"']`},
		{`v = ["\u0063ore\t==0.1.6 \u00e9"]`, "0.1.6", `v = ["\u0063ore\t==0.1.7 \u00e9"]`},
		{"v = [\"\"\"\\\n   core\\\n  ==0.1.6\\\n  \"\"\"]", "0.1.6", "v = [\"\"\"\\\n   core\\\n  ==0.1.7\\\n  \"\"\"]"},
		{"v = ['''\r\ncore==0.1.6''']", "0.1.6", "v = ['''\r\ncore==0.1.7''']"},
		{`v = ["==0.1.\u0036"]`, "0.1.6", `v = ["==0.1.7"]`},
	} {
		doc, err := Parse("f.toml", []byte(c.src))
		require.NoError(t, err)
		n := doc.Root.Get("v").At(0)
		i := strings.Index(n.Text(), c.old)
		s, err := doc.SetText(n, i, i+len(c.old), "0.1.7")
		require.NoError(t, err)
		got, err := Splices(doc.Src, s)
		require.NoError(t, err)
		require.Equal(t, c.want, string(got))
	}
	doc, err := Parse("f.toml", []byte("v = 'x'"))
	require.NoError(t, err)
	s, err := doc.SetText(doc.Root.Get("v"), 1, 1, "it's")
	require.NoError(t, err)
	require.Equal(t, `"xit's"`, s.New, "a text that these quotes cannot represent gets other quotes")
}

func TestSetRefuses(t *testing.T) {
	doc, err := Parse("f.toml", []byte("[t]\na = [1]\ns = 'x'\n"))
	require.NoError(t, err)
	for _, n := range []*Node{nil, doc.Root, doc.Root.Get("t"), doc.Root.Get("t", "a")} {
		_, err := doc.Set(n, "x")
		require.Error(t, err)
	}
	s := doc.Root.Get("t", "s")
	_, err = doc.Set(s, "\xff")
	require.ErrorContains(t, err, "f.toml:3:5: ")
	_, err = doc.Set(s, []string{"x"})
	require.ErrorContains(t, err, "cannot be written")
	_, err = doc.SetText(s, 1, 3, "x")
	require.ErrorContains(t, err, "no text from byte 1 to byte 3")
}

func TestSplicesRefuse(t *testing.T) {
	_, err := Splices([]byte("abc"), Splice{Start: 1, Old: "b", New: "x"}, Splice{Start: 0, Old: "ab", New: "y"})
	require.ErrorContains(t, err, "two edits")
	_, err = Splices([]byte("abc"), Splice{Start: 1, Old: "c", New: "x"})
	require.ErrorContains(t, err, `expected "c" at offset 1`)
	_, err = Splices([]byte("abc"), Splice{Start: 2, Old: "cd", New: "x"})
	require.Error(t, err)
	got, err := Splices([]byte("abc"), Splice{
		Start: 3,
		Old:   "",
		New:   "d",
	}, Splice{
		Start: 0,
		Old:   "",
		New:   "_",
	}, Splice{
		Start: 1,
		Old:   "b",
		New:   "",
	})
	require.NoError(t, err)
	require.Equal(t, "_acd", string(got))
}

// Every scalar in every valid file of the TOML test suite can be set and restored, without changing anything else.
func TestSetSuite(t *testing.T) {
	for _, name := range suiteFiles(t, "valid/") {
		t.Run(name, func(t *testing.T) {
			src, err := fs.ReadFile(tomltest.TestCases(), name)
			require.NoError(t, err)
			for i := range scalars(parseOK(t, src).Root) {
				editOne(t, src, i, "it's \"0.1.7\"\n\\é")
				editOne(t, src, i, "0.1.7")
			}
		})
	}
}

// FuzzSet checks that in any valid document an edit changes exactly one value, and that its inverse restores the original bytes.
func FuzzSet(f *testing.F) {
	for _, name := range suiteFiles(f, "valid/") {
		src, err := fs.ReadFile(tomltest.TestCases(), name)
		require.NoError(f, err)
		f.Add(src, uint(3), "0.1.7", uint(0), uint(1))
	}
	f.Add([]byte("a = [\"core==0.1.6\", 'x']\r\n[t]\nb = { c = \"\"\"\\\n x\"\"\" }\n"), uint(2), "it's", uint(0), uint(1))
	f.Fuzz(func(t *testing.T, src []byte, which uint, text string, begin, end uint) {
		doc, err := Parse("fuzz.toml", src)
		if err != nil {
			return
		}
		all := scalars(doc.Root)
		if len(all) == 0 {
			return
		}
		i := int(which % uint(len(all)))
		if !utf8.ValidString(text) {
			_, err := doc.Set(all[i], text)
			require.Error(t, err)
			return
		}
		editOne(t, src, i, text)
		value, ok := all[i].Str()
		if !ok {
			return
		}
		from := int(begin % uint(len(value)+1))
		to := from + int(end%uint(len(value)-from+1))
		if !utf8.ValidString(value[:from] + text + value[to:]) {
			return // would split a character
		}
		s, err := doc.SetText(all[i], from, to, text)
		require.NoError(t, err)
		requireOnly(t, src, i, s, value[:from]+text+value[to:])
	})
}

func parseOK(t testing.TB, src []byte) *Document {
	doc, err := Parse("f.toml", src)
	require.NoError(t, err, "%q", src)
	return doc
}

// scalars returns all nodes that can be set, in tree order.
func scalars(n *Node) []*Node {
	if n.Kind != Table && n.Kind != Array {
		return []*Node{n}
	}
	var out []*Node
	for _, c := range n.Children {
		out = append(out, scalars(c)...)
	}
	return out
}

func editOne(t testing.TB, src []byte, i int, text string) {
	doc := parseOK(t, src)
	s, err := doc.Set(scalars(doc.Root)[i], text)
	require.NoError(t, err)
	requireOnly(t, src, i, s, text)
}

// requireOnly applies one edit, and requires that only one value changes and that the inverse restores the original bytes.
func requireOnly(t testing.TB, src []byte, i int, s Splice, want string) {
	edited, err := Splices(src, s)
	require.NoError(t, err)
	before, after := parseOK(t, src), parseOK(t, edited)
	require.Equal(t, want, scalars(after.Root)[i].Text())
	a, b := scalars(before.Root)[i], scalars(after.Root)[i]
	a.Value, a.Kind, b.Value, b.Kind = nil, String, nil, String
	require.Equal(t, fmt.Sprint(before.Root.Plain()), fmt.Sprint(after.Root.Plain()))
	restored, err := Splices(edited, inverse(s)...)
	require.NoError(t, err)
	require.Equal(t, string(src), string(restored))
}

// inverse returns the splices that undo Splices, byte for byte.
func inverse(splices ...Splice) []Splice {
	out := make([]Splice, 0, len(splices))
	shift := 0
	for _, s := range sortSplices(splices) {
		out = append(out, Splice{Start: s.Start + shift, Old: s.New, New: s.Old})
		shift += len(s.New) - len(s.Old)
	}
	return out
}
