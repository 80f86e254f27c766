package main

import (
	"encoding/xml"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// said is the output of a small rehearsal.
const said = `✓ clone the commit             1.5s  commit a1bc934a7a63: 3 packages
✓ plan                        <0.1s  v0.1.1 of <3> packages
PACKAGE         VERSION
a/pixi.toml
    4 - version = "0.1.0"
✓ agree                              yes
✗ check                        1m3s  stopped here

v0.1.1 is released, at commit 3f40f5f6a417
  a 0.1.1  http://127.0.0.1:1/a
✓ upgrade the downstreams      0.1s  myapp: a 0.1.0 → 0.1.1, ` + "and more and more and more and more and more and more and more and more" + `

a v0.1.1 was rehearsed: 1 package published
  a 0.1.1  a-0.1.1.conda  sha256 12
  release.yml for v0.1.1:
    ✓ build the packages 2.9s  may: contents: read
Not rehearsed:
  ○ images: -full makes them
Report: /x/report.html
→ ` + "`mage release -to=patch`\n"

func TestDraw(t *testing.T) {
	picture, err := draw(said)
	require.NoError(t, err)
	require.Equal(t, []string{
		"$", "go tool mage rehearse -to=patch",
		"✓", "clone the commit", "1.5s", "commit a1bc934a7a63: 3 packages",
		"✓", "plan", "<0.1s", "v0.1.1 of <3> packages",
		"✓", "agree", "yes",
		"✗", "check", "1m3s", "stopped here",
		"✓", "upgrade the downstreams", "0.1s", "myapp: a 0.1.0 → 0.1.1, and more and more and more and more and more and more …",
		"a v0.1.1 was rehearsed: 1 package published",
		"release.yml for v0.1.1:",
		"✓", "build the packages 2.9s  may: contents: read",
		"Not rehearsed:",
		"○", "images: -full makes them",
		"→", "`mage release -to=patch`",
	}, texts(picture, `\w+`))
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			require.NoError(t, err, picture)
		}
	}
	_, err = draw("mage: x\n")
	require.ErrorContains(t, err, "no line shows a step")
}

// texts returns the texts in a picture whose class matches a pattern.
func texts(picture, class string) (found []string) {
	for _, m := range regexp.MustCompile(`<text class="(?:`+class+`)"[^>]*>(.*?)</text>`).FindAllStringSubmatch(picture, -1) {
		found = append(found, html.UnescapeString(m[1]))
	}
	return found
}

// The committed picture matches the current output: the steps in order, the headings at the end, and the jobs of release.yml.
func TestPictureIsCurrent(t *testing.T) {
	const again = "draw magefiles/docs/rehearsal.svg again: the comment of magefiles/internal/picture says how"
	file, err := os.ReadFile("../../docs/rehearsal.svg")
	require.NoError(t, err)
	picture := string(file)
	rehearsal := filepath.Join("..", "rehearsal")
	own := firstArguments(t, filepath.Join(rehearsal, "rehearsal.go"), "step")
	require.Equal(t, []string{"clone the commit", "what was released", "start the world", "upgrade the downstreams"}, own, "the order below needs them in this order")
	want := slices.Concat(own[:3], []string{
		trace.StepPreflight, trace.StepPlan, trace.StepAgree, trace.StepCommit, trace.StepCheck, trace.StepBuild, trace.StepImport,
		trace.StepTag, trace.StepPush, trace.StepPublish, trace.StepVisible, trace.StepVerify, trace.StepHub,
	}, own[3:])
	shown := texts(picture, "step")
	if !slices.Contains(shown, own[1]) {
		want = slices.Delete(want, 1, 2) // when the picture was made, nothing had been released yet
	}
	require.Equal(t, want, shown, again)

	headings := firstArguments(t, filepath.Join(rehearsal, "show.go"), "Heading")
	require.GreaterOrEqual(t, len(headings), 2)
	result := regexp.MustCompile(`^` + regexp.MustCompile(`%s`).ReplaceAllString(regexp.QuoteMeta(strings.TrimSpace(headings[0])), `.+`) + `$`)
	bold := texts(picture, "bold")
	require.Equal(t, strings.Replace(strings.Trim(bold[len(bold)-1], "`"), "mage release", command, 1), bold[0], again)
	require.Regexp(t, result, bold[1], again)
	require.Equal(t, headings[1], bold[2], again)
	require.Regexp(t, "^`mage release -to=", bold[3], again)
	require.Len(t, bold, 4, again)

	release, err := os.ReadFile("../../../.github/workflows/release.yml")
	require.NoError(t, err)
	jobs := 0
	for _, line := range texts(picture, "said") {
		if name, _, ok := strings.Cut(line, "  may: "); ok {
			jobs++
			name = name[:strings.LastIndex(name, " ")] // without the time
			require.Contains(t, string(release), "\n    name: "+name+"\n", again)
		}
	}
	require.Positive(t, jobs)
}

// firstArguments returns the string literals that are the first arguments of calls of a method in a file.
func firstArguments(t *testing.T, file, method string) (found []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == method {
				if text, ok := call.Args[0].(*ast.BasicLit); ok {
					value, err := strconv.Unquote(text.Value)
					require.NoError(t, err)
					found = append(found, value)
				}
			}
		}
		return true
	})
	return found
}
