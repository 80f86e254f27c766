package view

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// thing matches an item in a comma-separated list of packages or artifacts: a name, optionally with a version, a new version, or a digest.
var thing = lazyregexp.New(`^(?:[\w./-]+: )?[A-Za-z_][\w.-]*(?: v?\d\S*(?: → \S+)?)?(?: [0-9a-f]{12})?$`)

// beginsThing matches the start of the last item, after which the sentence continues.
var beginsThing = lazyregexp.New(`^(?:[\w./-]+: )?[A-Za-z_][\w.-]*(?: |$)`)

// goesOn matches the start of a part that continues the sentence and is not an item.
var goesOn = lazyregexp.New(`^(?:and|as|by|from|in|not|of|or|there|which|with) `)

// things splits evidence that is a list into lines: one for each item, and one for each other part. It returns nil if the evidence is not a list.
func things(evidence string) (lines []string) {
	several := false
	for _, line := range strings.Split(evidence, "\n") {
		for _, part := range strings.Split(line, "; ") {
			all := strings.Split(part, ", ")
			n := 0
			for n < len(all)-1 && thing().MatchString(all[n]) && beginsThing().MatchString(all[n+1]) && !goesOn().MatchString(all[n+1]) {
				n++
			}
			if n == 0 {
				lines = append(lines, part)
				continue
			}
			several = true
			lines = append(append(lines, all[:n]...), strings.Join(all[n:], ", "))
		}
	}
	if !several {
		return nil
	}
	return lines
}

// stepLine matches the line of a successful step, as another program of ours writes it without a terminal.
var stepLine = lazyregexp.New(`^(✓ .+? +(?:<?[\d.]+s|\d+m\d\ds|\d+h\d\dm))  (.+)$`)

// formatListed returns a step with its evidence as a list below it. It returns "" if v is not a terminal or the evidence is not a list.
func (v *View) formatListed(head, evidence string) string {
	lines := things(evidence)
	if !v.Breaks || lines == nil {
		return ""
	}
	text := strings.TrimRight(head, " ") + "\n"
	for _, line := range lines {
		text += v.broken("    "+line, 6) + "\n"
	}
	return text
}
