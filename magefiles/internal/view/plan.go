package view

import (
	"bufio"
	"fmt"
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
		before, after := lines(f.Edits[i : i+n])
		for _, all := range [][]string{before, after} {
			for n, line := range all {
				all[n] = strings.TrimRight(line, "\r")
			}
		}
		number := fmt.Sprintf("%5d ", f.Edits[i].Line)
		for _, line := range before {
			v.changed(number, red, "- ", line)
			number = "      "
		}
		for _, line := range after {
			v.changed(number, green, "+ ", line)
			number = "      "
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

// lines returns what the edits of one line make of it. An edit of many lines, as of a changelog, shows what it adds.
func lines(edits []bump.Edit) (before, after []string) {
	first := edits[0]
	if strings.Contains(first.New, "\n") {
		return nil, strings.Split(strings.Trim(first.New, "\r\n"), "\n")
	}
	text, at := first.Text, 0
	var out strings.Builder
	for _, e := range edits {
		begin := e.Col - 1
		if begin < at || begin+len(e.Old) > len(text) {
			continue // a plan from a file that does not fit itself; it will not be carried out
		}
		out.WriteString(text[at:begin] + e.New)
		at = begin + len(e.Old)
	}
	return strings.Split(text, "\n"), strings.Split(out.String()+text[at:], "\n")
}
