package view_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

func onePlan() *bump.Plan {
	line := `dependencies = ["a==0.1.9", "b==0.1.9"]`
	return &bump.Plan{
		Packages: []bump.Move{{
			Name: "a",
			Old:  "0.1.9",
			New:  "0.1.10",
			Why: []bump.Reason{
				{Kind: bump.ByCommit, Text: "a patch version", Commits: []bump.Commit{{Hash: "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", Subject: "fix: x"}, {Hash: "2", Subject: "y"}, {Hash: "3", Subject: "z"}, {Hash: "4", Subject: "w"}}},
				{Kind: bump.Lockstep, Text: "all packages have one version"},
			},
		}, {In: "app", Name: "a", Old: "0.1.9", New: "0.1.10"}},
		Files: []bump.File{
			{Path: "CHANGELOG.md", Edits: []bump.Edit{{Line: 3, Col: 1, New: "## [0.1.10]\n\n- x\n"}}},
			{
				Path: "b/pyproject.toml",
				Edits: []bump.Edit{
					{Line: 7, Col: 21, Old: "0.1.9", New: "0.1.10", Text: line},
					{Line: 7, Col: 33, Old: "0.1.9", New: "0.1.10", Text: line},
					{Line: 9, Col: 12, Old: "0.1.9", New: "0.1.10", Text: `version = "0.1.9"`},
				},
			},
		},
		Notes: []string{"look out"},
	}
}

// All edits of a line are one line of the diff. A block shows the lines that it adds.
func TestPlan(t *testing.T) {
	v, out, _ := newView()
	v.Plan(onePlan(), false)
	require.Equal(t, `PACKAGE  VERSION         WHY
a        0.1.9 → 0.1.10  a patch version: fix: x (1a2b3c4d5e6f); y (2); z (3); … and 1 more; all packages have one version
app: a   0.1.9 → 0.1.10

CHANGELOG.md
    3 + ## [0.1.10]
      + 
      + - x

b/pyproject.toml
    7 - dependencies = ["a==0.1.9", "b==0.1.9"]
      + dependencies = ["a==0.1.10", "b==0.1.10"]
    9 - version = "0.1.9"
      + version = "0.1.10"

4 edits in 2 files
note: look out
`, out.String())
	v.Color = true
	out.Reset()
	v.Plan(onePlan(), false)
	require.Contains(t, out.String(), "\x1b[31m- version = \"0.1.9\"\x1b[0m\n")
	require.Contains(t, out.String(), "\x1b[32m+ version = \"0.1.10\"\x1b[0m\n")
}

// At a terminal, a long line of the diff is wrapped. The continuation has no sign. Elsewhere it is one line.
func TestAPlanFitsTheTerminal(t *testing.T) {
	v, out, _ := newView()
	v.Breaks, v.Width = true, func() int { return 40 }
	v.Plan(onePlan(), false)
	require.Contains(t, out.String(), `
b/pyproject.toml
    7 - dependencies = ["a==0.1.9", `+`
        "b==0.1.9"]
      + dependencies = ["a==0.1.10", `+`
        "b==0.1.10"]
    9 - version = "0.1.9"
`)
	for _, line := range strings.Split(out.String(), "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), 40, line)
	}
}

// If a whole section is replaced, the diff has only the added and removed lines.
func TestPlanOfAReplacedSection(t *testing.T) {
	for end, name := range map[string]string{"\n": "LF", "\r\n": "CRLF"} {
		text := func(lines ...string) string { return strings.Join(lines, end) }
		old := text("", "", "### Added", "", "- one", "- two", "", "### Fixed", "", "- three", "", "")
		edit := bump.Edit{
			Line: 6,
			Col:  len("## [Unreleased]") + 1,
			Old:  old,
			New:  text("", "", "## [0.1.2] - 2026-01-02", "", "### Added", "", "- one", "- two", "- new", "", "### Fixed", "", "- three", "", ""),
			Text: "## [Unreleased]" + old + "## [0.1.1]",
		}
		v, out, _ := newView()
		v.Plan(&bump.Plan{Files: []bump.File{{Path: "CHANGELOG.md", Edits: []bump.Edit{edit}}}}, false)
		require.Equal(t, `
CHANGELOG.md
    8 + ## [0.1.2] - 2026-01-02
      + 
   12 + - new

1 edit in 1 file
`, out.String(), name)
	}
}

// A section that is too long to be compared is shown whole, from the first line that changes to the last.
func TestPlanOfALongSection(t *testing.T) {
	var before, after []string
	for i := range 3000 {
		before, after = append(before, fmt.Sprint("- a", i)), append(after, fmt.Sprint("- b", i))
	}
	old, is := strings.Join(before, "\n"), strings.Join(after, "\n")
	v, out, _ := newView()
	v.Plan(&bump.Plan{Files: []bump.File{{Path: "f", Edits: []bump.Edit{{Line: 1, Col: 1, Old: old, New: is, Text: old}}}}}, false)
	require.Equal(t, 3000, strings.Count(out.String(), " - - a"))
	require.Equal(t, 3000, strings.Count(out.String(), " + - b"))
}

// If a thousand packages make the same move, only a few are shown. If the plan is about to be carried out, so are only a few of its files.
func TestLongPlan(t *testing.T) {
	p := &bump.Plan{}
	for i := range 1000 {
		p.Packages = append(p.Packages, bump.Move{Name: fmt.Sprint("p", i), Old: "1", New: "2"})
		p.Files = append(p.Files, bump.File{Path: fmt.Sprint("f", i), Edits: []bump.Edit{{Line: 1, Col: 1, Old: "1", New: "2", Text: "1"}}})
	}
	v, out, _ := newView()
	v.Plan(p, true)
	require.Contains(t, out.String(), "p4              1 → 2\n… and 995 more  1 → 2\n")
	require.Contains(t, out.String(), "… and 960 more files: the plan by itself shows all")
	require.Less(t, strings.Count(out.String(), "\n"), 200)
	out.Reset()
	v.Plan(p, false)
	require.Contains(t, out.String(), "\nf999\n")
}

// A plan that contradicts itself is shown as far as possible.
func TestBrokenPlan(t *testing.T) {
	v, out, _ := newView()
	v.Plan(&bump.Plan{Files: []bump.File{{Path: "f", Edits: []bump.Edit{{Line: 1, Col: 99, Old: "x", Text: "short"}, {Line: 2, Col: 0, Old: "x", Text: "short"}}}}}, false)
	require.Contains(t, out.String(), "- short\n")
}
