package view

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// briefFiles limits the number of a plan's files that are shown before it is carried out. The plan itself has all files.
const briefFiles = 40

// Plan prints a change of versions: each package with the reasons, and a diff of each file. `brief` shortens a long plan.
func (v *View) Plan(p *bump.Plan, brief bool) {
	out := bufio.NewWriter(v.Out) // a plan may have thousands of lines
	defer out.Flush()
	v = &View{Out: out, Err: v.Err, Color: v.Color, Width: v.Width, Breaks: v.Breaks}
	v.moves(p.Packages)
	edits := 0
	for i, f := range p.Files {
		edits += len(f.Edits)
		if !brief || i < briefFiles {
			v.diff(f)
		}
	}
	if n := len(p.Files) - briefFiles; brief && n > 0 {
		v.Line("\n… and %s: the plan by itself shows all", operr.Count(n, "more file"))
	}
	if len(p.Files) > 0 {
		v.Heading("\n%s in %s", operr.Count(edits, "edit"), operr.Count(len(p.Files), "file"))
	}
	for _, note := range p.Notes {
		v.Text("%s %s", v.paint(yellow, "note:"), note)
	}
}

// moves prints a row for each package. If many packages make the same move for the same reasons, it prints only the first ones.
func (v *View) moves(moves []bump.Move) {
	const alike = 5
	seen := map[string]int{}
	key := func(m bump.Move) string { return m.Old + " " + m.New + " " + Reasons(m, 3) }
	for _, m := range moves {
		seen[key(m)]++
	}
	var rows [][]string
	shown := map[string]int{}
	for _, m := range moves {
		k := key(m)
		shown[k]++
		name := m.Name
		if m.In != "" {
			name = m.In + ": " + m.Name
		}
		switch {
		case seen[k] <= 2*alike || shown[k] <= alike:
		case shown[k] == alike+1:
			name = fmt.Sprintf("… and %d more", seen[k]-alike)
		default:
			continue
		}
		rows = append(rows, []string{name, m.Old + " → " + m.New, Reasons(m, 3)})
	}
	if rows != nil {
		v.Table([]string{"PACKAGE", "VERSION", "WHY"}, rows)
	}
}

// Reasons returns the reasons for a package's new version, each with at most this many of its commits.
func Reasons(m bump.Move, most int) string {
	var out []string
	for _, r := range m.Why {
		text := r.Text
		for i, c := range r.Commits {
			if i == most {
				text += fmt.Sprintf("; … and %d more", len(r.Commits)-i)
				break
			}
			text += map[bool]string{true: ": ", false: "; "}[i == 0] + c.Subject + " (" + columns.Digest(c.Hash) + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// diff prints a file's edits as a diff.
func (v *View) diff(f bump.File) {
	v.Line("\n%s", v.paint(bold, f.Path))
	for i := 0; i < len(f.Edits); {
		n := 1
		for i+n < len(f.Edits) && f.Edits[i+n].Line == f.Edits[i].Line {
			n++
		}
		for _, h := range hunks(f.Edits[i : i+n]) {
			number := fmt.Sprintf("%5d ", h.line)
			for _, line := range h.before {
				v.printDiffLine(number, red, "- ", line)
				number = "      "
			}
			for _, line := range h.after {
				v.printDiffLine(number, green, "+ ", line)
				number = "      "
			}
		}
		i += n
	}
}

// printDiffLine prints a line of a diff. At a terminal, a line that is too wide is wrapped, and the continuation has no sign.
func (v *View) printDiffLine(number string, color string, sign, line string) {
	rows := []string{line}
	if v.Breaks {
		rows = columns.Chop(Plain(line), v.width()-len(number)-len(sign))
	}
	for _, row := range rows {
		v.Line("%s%s", v.paint(faint, number), v.paint(color, sign+row))
		number, sign = "      ", "  "
	}
}

// hunk holds lines that change together.
type hunk struct {
	line          int // first line in the current file, from 1
	before, after []string
}

// mostCompared limits the pairs of lines that are compared.
const mostCompared = 1 << 22

// hunks returns the lines that the edits of one line change. It omits unchanged lines, because an edit may replace a whole changelog section, most of
// which is unchanged. If there are too many lines to compare, everything from the first to the last change is one hunk.
func hunks(edits []bump.Edit) (out []hunk) {
	before, after := lines(edits)
	now := hunk{line: edits[0].Line}
	if slices.Equal(before, after) { // the plan contradicts itself
		return []hunk{{line: now.line, before: before, after: after}}
	}
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		now.line, before, after = now.line+1, before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	if len(before)*len(after) > mostCompared {
		return []hunk{{line: now.line, before: before, after: after}}
	}
	stay := staying(before, after)
	for i, j := 0, 0; i < len(before) || j < len(after); {
		switch {
		case i < len(before) && j < len(after) && before[i] == after[j]:
			next := now.line + len(now.before) + 1
			if len(now.before)+len(now.after) > 0 {
				out = append(out, now)
			}
			now = hunk{line: next}
			i, j = i+1, j+1
		case i < len(before) && (j == len(after) || stay[i+1][j] >= stay[i][j+1]):
			now.before = append(now.before, before[i])
			i++
		default:
			now.after = append(now.after, after[j])
			j++
		}
	}
	if len(now.before)+len(now.after) > 0 {
		out = append(out, now)
	}
	return out
}

// staying returns a table of the lengths of the longest common subsequence of before[i:] and after[j:].
func staying(before, after []string) [][]int {
	stay := make([][]int, len(before)+1)
	for i := range stay {
		stay[i] = make([]int, len(after)+1)
	}
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(after) - 1; j >= 0; j-- {
			stay[i][j] = max(stay[i+1][j], stay[i][j+1])
			if before[i] == after[j] {
				stay[i][j] = stay[i+1][j+1] + 1
			}
		}
	}
	return stay
}

// `lines` returns the lines that the edits of one line touch, before and after, without trailing CRs.
func lines(edits []bump.Edit) (before, after []string) {
	text, at := edits[0].Text, 0
	var out strings.Builder
	for _, e := range edits {
		begin := e.Col - 1
		if begin < at || begin+len(e.Old) > len(text) {
			continue // the plan is from a file and contradicts itself; it will not be carried out
		}
		out.WriteString(text[at:begin] + e.New)
		at = begin + len(e.Old)
	}
	if text == "" { // the file is new, or the line is after the end of the file
		return nil, splitLines(strings.TrimRight(out.String(), "\r\n"))
	}
	return splitLines(text), splitLines(out.String() + text[at:])
}

func splitLines(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}
