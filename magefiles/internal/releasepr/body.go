package releasepr

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// text is what a pull request says.
type text struct {
	title string
	body  string // between our marks
	press string // the first line, above all that people wrote; "" where nothing is to be pressed
}

// Between these marks the body is ours, and made anew by each run. What people write outside of them stays.
const begins, ends = "<!-- release plan: made anew by each run; what stands outside of it is kept -->", "<!-- end of the release plan -->"

// press is what a person has to do where a job has opened the pull request.
const press = "**A job opened this, so its checks wait: press “Approve and run” below, once for each time that this changes.**"

// maxBody is how many characters GitHub takes of a body, with room for what people write.
const maxBody = 65_536 - 8_000

func titleOf(o of) string { return "Release " + o.title }

// describe writes down what the plan is.
func (r *proposal) describe(c *clone, plan *bump.Plan, m made) (text, error) {
	t := text{title: titleOf(m.of)}
	if r.ByJob {
		t.press = press
	}
	channel, err := r.Channel(c.w)
	if err != nil {
		return t, err
	}
	var b strings.Builder
	b.WriteString("| package | from | to | why |\n|---|---|---|---|\n")
	for _, move := range plan.Packages {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", move.Name, move.Old, move.New, cell(view.Reasons(move, 5)))
	}
	var pins []string
	for _, f := range plan.Files {
		for _, e := range f.Edits {
			if strings.HasPrefix(e.What, "pin on ") || strings.HasPrefix(e.What, "range on ") {
				pins = append(pins, fmt.Sprintf("- `%s`, line %d: %s: %s → %s\n", f.Path, e.Line, e.What, code(e.Old), code(e.New)))
			}
		}
	}
	if pins != nil {
		b.WriteString("\n### Pins that move\n\n" + strings.Join(pins, ""))
	}
	by := "by CI, once the tag is pushed"
	if c.w.Config.Publish == settings.PublishHere {
		by = "by `mage release`"
	}
	fmt.Fprintf(&b, "\n### Published\n\nOnce this is merged, its commit gets the tag `%s`, and %s these go to <%s>:\n\n", strings.Join(m.of.tags, "`, `"), by, channel)
	for _, move := range plan.Packages {
		fmt.Fprintf(&b, "- `%s` %s\n", move.Name, move.New)
	}
	for _, note := range plan.Notes {
		b.WriteString("\n> " + strings.ReplaceAll(note, "\n", "\n> ") + "\n")
	}
	section := strings.TrimSpace(strings.ReplaceAll(m.section, "\r\n", "\n"))
	if section != "" {
		section = "\n### Changelog\n\nWhat is written into this section of `" + m.file + "` on this branch is kept.\n\n" + section + "\n"
	}
	t.body = cut(unmarked(b.String()+section), maxBody)
	return t, nil
}

// unmarked is a text without our marks, which a changelog may quote: the body would be cut there, and grow with each run.
func unmarked(text string) string {
	return strings.NewReplacer(begins, "release plan", ends, "end of the release plan").Replace(text)
}

// cell is text in a table of Markdown.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "@", "@<!-- -->").Replace(text)
}

// code is a value in a line of Markdown.
func code(value string) string { return "`" + strings.ReplaceAll(value, "`", "'") + "`" }

// cut keeps some characters of a text, and says that there was more.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	kept := string([]rune(text)[:most])
	if i := strings.LastIndex(kept, "\n"); i > most/2 {
		kept = kept[:i]
	}
	return kept + "\n\n… all of it is in the changelog on this branch.\n"
}

// in is the body that a pull request gets which has another one: what people wrote around ours stays.
func (t text) in(body string) string {
	body = strings.ReplaceAll(body, "\r\n", "\n") // as GitHub gives back what was typed there
	before, rest, there := strings.Cut(body, begins)
	_, after, closed := strings.Cut(rest, ends)
	if !there || !closed {
		before, after = body, ""
		if body != "" {
			before += "\n\n"
		}
	}
	before = strings.TrimPrefix(strings.TrimPrefix(before, press), "\n\n")
	if t.press != "" {
		before = t.press + "\n\n" + before
	}
	return before + begins + "\n\n" + strings.TrimSpace(t.body) + "\n\n" + ends + after
}

// isIn reports whether a pull request says it already.
func (t text) isIn(p github.Pull) bool {
	return p.Title == t.title && strings.ReplaceAll(p.Body, "\r\n", "\n") == t.in(p.Body)
}
