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

// text is the title and body of a pull request.
type text struct {
	title string
	body  string // the part between the markers
	press string // first line, above any text that people wrote; "" if nothing must be pressed
}

// These markers enclose the part of the body that each run rewrites. Text outside of them is kept.
const begins, ends = "<!-- release plan: made anew by each run; what stands outside of it is kept -->", "<!-- end of the release plan -->"

// press tells people what to do if a CI job opened the pull request.
const press = "**A job opened this, so its checks wait: press “Approve and run” below, once for each time that this changes.**"

// maxBody is GitHub's limit for a body in characters, minus a reserve for text that people add.
const maxBody = 65_536 - 8_000

func titleOf(o of) string { return "Release " + o.title }

// describe returns the text of a pull request for a plan.
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
	by := "then CI"
	if c.w.Config.Publish == settings.PublishHere {
		by = "`mage release`"
	}
	fmt.Fprintf(&b, "\n### Published\n\nAfter this is merged, its commit gets the tag `%s`, and %s publishes these packages to <%s>:\n\n", strings.Join(m.of.tags, "`, `"), by, channel)
	for _, move := range plan.Packages {
		fmt.Fprintf(&b, "- `%s` %s\n", move.Name, move.New)
	}
	for _, note := range plan.Notes {
		b.WriteString("\n> " + strings.ReplaceAll(note, "\n", "\n> ") + "\n")
	}
	section := strings.TrimSpace(strings.ReplaceAll(m.section, "\r\n", "\n"))
	if section != "" {
		section = "\n### Changelog\n\nYour edits of this section of `" + m.file + "` on this branch are kept.\n\n" + section + "\n"
	}
	t.body = cut(removeMarks(b.String()+section), maxBody)
	return t, nil
}

// removeMarks removes our markers from a text, such as a changelog that quotes them. Otherwise the next run would take these for the real ones, and
// the body would grow with each run.
func removeMarks(text string) string {
	return strings.NewReplacer(begins, "release plan", ends, "end of the release plan").Replace(text)
}

// cell escapes text for a Markdown table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "@", "@<!-- -->").Replace(text)
}

// code formats a value as Markdown code.
func code(value string) string { return "`" + strings.ReplaceAll(value, "`", "'") + "`" }

// cut truncates a text to at most `most` characters, with a note that there was more.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	kept := string([]rune(text)[:most])
	if i := strings.LastIndex(kept, "\n"); i > most/2 {
		kept = kept[:i]
	}
	return kept + "\n\n… the changelog on this branch has the whole text.\n"
}

// `insertInto` returns the given body with our part replaced. Text that people wrote around it is kept.
func (t text) insertInto(body string) string {
	body = strings.ReplaceAll(body, "\r\n", "\n") // GitHub returns CRLF for text that was typed there
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

// isIn reports whether a pull request already has this text.
func (t text) isIn(p github.Pull) bool {
	return p.Title == t.title && strings.ReplaceAll(p.Body, "\r\n", "\n") == t.insertInto(p.Body)
}
