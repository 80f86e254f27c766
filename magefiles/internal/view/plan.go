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

// briefFiles is how many files of a plan are shown where it is about to be carried out; all of them are in the plan.
const briefFiles = 40

// Plan prints a change of versions: each package with the reasons, and a diff of each file. brief leaves out most of a
// long one.
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
		v.Heading("\n%s, %s", operr.Count(edits, "edit"), operr.Count(len(p.Files), "file"))
	}
	for _, note := range p.Notes {
		v.Text("%s %s", v.paint(yellow, "note:"), note)
	}
}

// moves prints a row for each package. Of many that move alike for the same reasons, the first ones stand for all.
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

// Reasons are why a package moves, each with so many of the commits that ask for it.
func Reasons(m bump.Move, most int) string {
	var out []string
	for _, r := range m.Why {
		text := r.Text
		for i, c := range r.Commits {
			if i == most {
				text += fmt.Sprintf("; … and %d more", len(r.Commits)-i)
				break
			}
			text += map[bool]string{true: ": ", false: "; "}[i == 0] + c.Subject + " (" + c.Hash + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// diff prints a file's edits: each line that changes, as it is and as it will be.
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
				v.changed(number, red, "- ", line)
				number = "      "
			}
			for _, line := range h.after {
				v.changed(number, green, "+ ", line)
				number = "      "
			}
		}
		i += n
	}
}

// changed prints a line of a diff. At a terminal one that is too wide goes on below, without a sign.
func (v *View) changed(number string, color string, sign, line string) {
	rows := []string{line}
	if v.Breaks {
		rows = columns.Chop(Plain(line), v.width()-len(number)-len(sign))
	}
	for _, row := range rows {
		v.Line("%s%s", v.paint(faint, number), v.paint(color, sign+row))
		number, sign = "      ", "  "
	}
}

// hunk is lines that change together.
type hunk struct {
	line          int // of the first one, from 1, as the file is
	before, after []string
}

// mostCompared is of how many pairs of lines, at most, it is asked whether they are the same.
const mostCompared = 1 << 22

// hunks are the lines that the edits of one line change, without those that stay as they are: the section of a changelog that is replaced as a whole
// has most of what was there. Where there are too many to be compared, all lines between the first and the last change are one hunk.
func hunks(edits []bump.Edit) (out []hunk) {
	before, after := lines(edits)
	now := hunk{line: edits[0].Line}
	if slices.Equal(before, after) { // the plan does not fit itself
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

// staying is a table: at i and j, how many lines of before[i:] can stay in after[j:].
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

// lines are those that the edits of one line are in, and what becomes of them, without the CR of a line's end.
func lines(edits []bump.Edit) (before, after []string) {
	text, at := edits[0].Text, 0
	var out strings.Builder
	for _, e := range edits {
		begin := e.Col - 1
		if begin < at || begin+len(e.Old) > len(text) {
			continue // a plan from a file that does not fit itself; it will not be carried out
		}
		out.WriteString(text[at:begin] + e.New)
		at = begin + len(e.Old)
	}
	if text == "" { // a new file, or behind the end of one
		return nil, splitLines(strings.TrimRight(out.String(), "\r\n"))
	}
	return splitLines(text), splitLines(out.String() + text[at:])
}

func splitLines(text string) []string {
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
}
