package view

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostileReport checks that texts from steps, files and servers are escaped: no tags, scripts, control characters or bidi characters.
func TestHostileReport(t *testing.T) {
	hostile := "<script>alert(1)</script>\u202egnp.exe\x1b]8;;https://evil.example\x07 \x00\"onload='x'"
	dir := t.TempDir()
	require.NoError(t, WriteReport(dir, Report{
		Title:     hostile,
		Commit:    hostile,
		Error:     hostile,
		Steps:     []ReportStep{{Name: hostile, Event: "done", Evidence: hostile + "\n" + hostile}},
		Artifacts: [][]string{{hostile, "1", hostile, "", ""}},
		Missing:   [][2]string{{hostile, hostile}},
	}, map[string]string{"said": hostile}))
	page, err := os.ReadFile(filepath.Join(dir, ReportPage))
	require.NoError(t, err)
	require.NotContains(t, string(page), "<script>alert")
	for _, r := range "\u202e\x1b\x07\x00" {
		require.NotContains(t, string(page), string(r), "%q", r)
	}
	require.Contains(t, string(page), `\u202egnp.exe`)
}

// TestHostileGraph checks that names and requirements are escaped: the picture is valid XML, and the diagram has one line for each node and edge.
func TestHostileGraph(t *testing.T) {
	for _, spec := range []string{"==1\n  click n_a call(evil)", "\x1b[31m<b>\"]", "1\u202e\x00</text><script>x</script>", "&#x3c;script\r\n%%{init: {}}%%"} {
		columns, edges := [][]node{{{name: "a"}}, {{name: spec, version: spec}}}, []edge{{from: "a", to: spec, spec: spec}}
		picture := xml.NewDecoder(strings.NewReader(graphSVG(columns, edges)))
		for {
			token, err := picture.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, "%q", spec)
			if start, ok := token.(xml.StartElement); ok {
				require.NotEqual(t, "script", start.Name.Local)
			}
		}
		var out bytes.Buffer
		(&View{Out: &out, Err: &out}).graphMermaid(columns, edges)
		require.Equal(t, 4, strings.Count(out.String(), "\n"), out.String())
		require.NotContains(t, out.String(), "<")
		require.NotContains(t, out.String(), "\u202e")
	}
}
