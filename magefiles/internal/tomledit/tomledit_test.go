package tomledit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const manifest = `[package]
name = "core"
run-dependencies.zcore = "==0.1.7"
"host-dependencies" = {
  hatchling = "*", # a comment inside, as TOML 1.1 allows
  'uv' = { version = "*" },
}

[package.build.target.linux-64]
config = { noarch = true }

[package.build]
build-number = 4

[[package.authors]]
name = "A"
[[package.authors]]
name = "B"

[package.run-dependencies."if(linux)"]
tornado = "*"
`

// Headers, dotted keys and inline tables produce the same tree, in source order.
func TestTree(t *testing.T) {
	doc, err := Parse("pixi.toml", []byte(manifest))
	require.NoError(t, err)
	p := doc.Root.Get("package")

	var keys []string
	for _, m := range p.Members() {
		keys = append(keys, m.Key)
	}
	require.Equal(t, []string{"name", "run-dependencies", "host-dependencies", "build", "authors"}, keys)
	require.Equal(t, "==0.1.7", p.Get("run-dependencies", "zcore").Text())
	require.Equal(t, "*", p.Get("run-dependencies", "if(linux)", "tornado").Text())
	require.Equal(t, "*", p.Get("host-dependencies", "uv", "version").Text())
	require.True(t, p.Get("build", "target", "linux-64", "config", "noarch").True())
	require.Equal(t, "B", p.Get("authors").At(1).Get("name").Text())

	number, ok := p.Get("build", "build-number").Int()
	require.True(t, ok)
	require.EqualValues(t, 4, number)
	require.Equal(t, map[string]any{"hatchling": "*", "uv": map[string]any{"version": "*"}}, p.Get("host-dependencies").Plain())
}

// A table's position is that of its own header, even if a sub-table comes first.
func TestPositions(t *testing.T) {
	doc, err := Parse("pixi.toml", []byte(manifest))
	require.NoError(t, err)
	for _, c := range []struct {
		path         []string
		line, column int
		text         string
	}{
		{[]string{"package"}, 1, 2, ""},
		{[]string{"package", "name"}, 2, 1, `"core"`},
		{[]string{"package", "run-dependencies", "zcore"}, 3, 18, `"==0.1.7"`},
		{[]string{"package", "host-dependencies", "uv"}, 6, 3, `{ version = "*" }`},
		{[]string{"package", "build"}, 12, 10, ""},
		{[]string{"package", "build", "target"}, 9, 16, ""},
		{[]string{"package", "run-dependencies", "if(linux)", "tornado"}, 21, 1, `"*"`},
	} {
		n := doc.Root.Get(c.path...)
		require.NotNil(t, n, c.path)
		require.Equal(t, [2]int{c.line, c.column}, [2]int{n.Line, n.Column}, c.path)
		require.Equal(t, c.text, string(doc.Src[n.Start:n.End]), c.path)
	}
}

func TestByteOrderMarkAndCRLF(t *testing.T) {
	src := "\ufeffa = 1\r\n[t]\r\nx = [\r\n  \"p\", # c\r\n  \"q\"\r\n]\r\n"
	doc, err := Parse("f.toml", []byte(src))
	require.NoError(t, err)
	checkRanges(t, doc, doc.Root)
	require.Equal(t, [2]int{1, 1}, [2]int{doc.Root.Get("a").Line, doc.Root.Get("a").Column})
	q := doc.Root.Get("t", "x").At(1)
	require.Equal(t, `"q"`, src[q.Start:q.End])
	require.Equal(t, [2]int{5, 3}, [2]int{q.Line, q.Column})
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"a = 1\nb c = 2\n", "f.toml:2:3: expected '=' after key"},
		{"a = \"x\n", "f.toml:1:7: "},
		{"a = 1\n[a.b]\n", "f.toml:2:2: a is an integer (line 1), so it cannot contain a table"},
		{"[p]\nx = 1\n[p]\n", "f.toml:3:2: p is defined twice, first in line 1"},
		{"[p]\n\"x y\" = 1\n'x y' = 2\n", `f.toml:3:1: "x y" is defined twice, first in line 2`},
		{"[a.b]\nx = 1\n[a]\nb.y = 2\n", "f.toml:4:1: b is defined twice, first in line 1"},
		{"a = { b = 1 }\na.c = 2\n", "f.toml:2:1: a is defined twice, first in line 1"},
		{"a = 99999999999999999999\n", "f.toml:1:5: 99999999999999999999 is not a valid value: "},
		{"a = \"\xff\"\n", "f.toml:1:6: the file is not UTF-8 text here"},
		{"a = [1, 2", "f.toml:1:9: array is incomplete"},
		{"\ufeffa == 1", "f.toml:1:4: "},
		{"a = 2024-13-01", "f.toml:1:5: 2024-13-01 is not a valid value: "},
	} {
		_, err := Parse("f.toml", []byte(c.src))
		require.ErrorContains(t, err, c.want, "%q", c.src)
	}
}

// Lookups on a nil node return zero values.
func TestNil(t *testing.T) {
	doc, err := Parse("f.toml", []byte("a = 1"))
	require.NoError(t, err)
	n := doc.Root.Get("a", "b").At(3).Get("c")
	require.Nil(t, n)
	_, ok := n.Str()
	require.False(t, ok)
	require.Empty(t, n.Text())
	require.False(t, n.True())
	require.Empty(t, n.Strings())
	require.Empty(t, n.Members())
	require.Nil(t, n.Plain())
	require.False(t, doc.Root.Has("b"))
	require.False(t, n.Is(Table))
}

func TestJoinKey(t *testing.T) {
	key := JoinKey("package", "run-dependencies", "if(matches(python, \"3\"))", "")
	require.Equal(t, `package.run-dependencies."if(matches(python, \"3\"))".""`, key)
	doc, err := Parse("f.toml", []byte(key+" = 1"))
	require.NoError(t, err)
	require.True(t, doc.Root.Has("package", "run-dependencies", "if(matches(python, \"3\"))", ""))
}

// Parsing takes linear time, even for deeply nested and very wide files.
func TestLargeInputs(t *testing.T) {
	start := time.Now()
	deep := "a = " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	wide := strings.Builder{}
	for i := range 20000 {
		fmt.Fprintf(&wide, "[t.k%d]\nv = 'x'\n", i)
	}
	for _, src := range []string{deep, wide.String()} {
		_, err := Parse("f.toml", []byte(src))
		require.NoError(t, err)
	}
	_, err := Parse("f.toml", []byte("a = "+strings.Repeat("[", 20000)))
	require.Error(t, err)
	require.Less(t, time.Since(start), 5*time.Second)
}

func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(manifest)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("pixi.toml", []byte(manifest)); err != nil {
			b.Fatal(err)
		}
	}
}
