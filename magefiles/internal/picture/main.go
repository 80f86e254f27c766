// Picture draws the picture of a rehearsal that is shown in README, from the output of a rehearsal:
//
//	go tool mage rehearse | go run ./magefiles/internal/picture >magefiles/docs/rehearsal.svg
//
// The picture shows the line of each step, and the end of the output: the result, the jobs, what was not rehearsed, and the next step. It omits the
// plan and the list of artifacts, and truncates long lines.
package main

import (
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// command is the first line of the picture. Flags may be appended.
const command = "go tool mage rehearse"

// Dimensions of the picture. letterWidth, lineHeight and margin are in pixels, and columns is in letters.
const (
	letterWidth = 7.8 // approximately, for a monospaced font of 13 pixels
	lineHeight  = 19
	columns     = 118
	margin      = 18
)

func main() {
	said, err := io.ReadAll(os.Stdin)
	if err == nil {
		var picture string
		if picture, err = draw(string(said)); err == nil {
			_, err = os.Stdout.WriteString(picture)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

var (
	marked = regexp.MustCompile(`^( *)([✓✗○→]) (.*)$`)
	// step matches the line of a step: package view pads the name to 26 columns and the time to 6.
	step = regexp.MustCompile(`^(.{26}) ( *<?[0-9][0-9.hms]*|      )(?:  (.*))?$`)
	// next matches the last line. The rehearsal was run with the flags that it shows.
	next = regexp.MustCompile("^→ `mage release(| .*)`$")
)

// chosen returns the lines of a rehearsal's output that are shown in the picture.
func chosen(said string) ([]string, error) {
	lines := strings.Split(strings.TrimRight(said, "\n"), "\n")
	isStep := func(line string) bool {
		m := marked.FindStringSubmatch(line)
		return m != nil && m[1] == "" && step.MatchString(m[3])
	}
	last := -1
	for i, line := range slices.Backward(lines) {
		if isStep(line) {
			last = i
			break
		}
	}
	if last < 0 {
		return nil, fmt.Errorf("expected the output of a rehearsal, but no line shows a step")
	}
	shown := []string{}
	for i, line := range lines {
		isList := strings.HasPrefix(line, "  ") && !strings.HasSuffix(line, ":") && !marked.MatchString(line)
		if isStep(line) || i > last && !isList && !strings.HasPrefix(line, "Report: ") {
			shown = append(shown, line)
		}
	}
	return shown, nil
}

// style has its own background, so that the picture is readable on both light and dark pages.
const style = `<style>
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1f2328;white-space:pre}
.ground{fill:#f6f8fa;stroke:#d1d9e0}.time,.faint,.said{fill:#59636e}.ok{fill:#1a7f37}.bad{fill:#cf222e}.bold{font-weight:600}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#151b23;stroke:#3d444d}.time,.faint,.said{fill:#9198a1}.ok{fill:#3fb950}.bad{fill:#f85149}}
</style>
`

// draw draws a rehearsal's output as an SVG picture.
func draw(said string) (string, error) {
	lines, err := chosen(said)
	if err != nil {
		return "", err
	}
	wide := columns * letterWidth // a variable, because converting a constant to int must not truncate it
	width, height := int(wide)+2*margin, (len(lines)+1)*lineHeight+2*margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	typed := command
	if m := next.FindStringSubmatch(lines[len(lines)-1]); m != nil {
		typed += m[1]
	}
	b.WriteString("<title>A rehearsal: " + html.EscapeString(typed) + "</title>\n" + style)
	fmt.Fprintf(&b, `<rect class="ground" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>`+"\n", width-1, height-1)
	p := pen{out: &b, y: margin + 13}
	p.write(0, "faint", "$")
	p.write(2, "bold", typed)
	for _, line := range lines {
		p.y += lineHeight
		p.line(line)
	}
	return b.String() + "</svg>\n", nil
}

// pen writes text into the picture. y is the baseline of the current line.
type pen struct {
	out io.Writer
	y   int
}

// line writes one line of output, with the colors of package view in a terminal.
func (p pen) line(line string) {
	m := marked.FindStringSubmatch(line)
	if m == nil {
		class := "bold"
		if strings.HasPrefix(line, " ") {
			class = "faint"
		}
		p.write(len(line)-len(strings.TrimLeft(line, " ")), class, line)
		return
	}
	at, class := len(m[1]), map[string]string{"✓": "ok", "✗": "bad"}[m[2]]
	if class == "" {
		class = "faint"
	}
	p.write(at, class, m[2])
	at += 2
	parts := step.FindStringSubmatch(m[3])
	switch {
	case parts != nil && m[1] == "":
		p.write(at, "step", parts[1])
		p.write(at+27+6-utf8.RuneCountInString(strings.TrimSpace(parts[2])), "time", parts[2])
		p.write(at+35, "said", parts[3])
	case m[2] == "→":
		p.write(at, "bold", m[3])
	default:
		p.write(at, "said", m[3])
	}
}

// write writes a text that starts in the given column. A text that does not fit is truncated at a space.
func (p pen) write(column int, class, text string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	if letters := []rune(text); column+len(letters) > columns {
		text = string(letters[:columns-column-1])
		text = strings.TrimRight(text[:max(0, strings.LastIndex(text, " "))], " ,;:") + " …"
	}
	fmt.Fprintf(p.out, `<text class="%s" x="%g" y="%d">%s</text>`+"\n", class, margin+float64(column)*letterWidth, p.y, html.EscapeString(text))
}
