package taskrun

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// place is the context of a word, which determines the values that variables in it may have.
type place int

const (
	argument   place = iota // the word may become several arguments
	assignment              // the word is not split, but pixi's shell expands file patterns in it
	single                  // the word must not be split by either shell: an exported value, a redirection target
	quoted                  // the word is in double quotes
)

// use is a variable that occurs in a word, or, if assigned is set, a value that the script assigns to a variable.
type use struct {
	name     string
	place    place
	assigned bool
	value    string
	composed bool // whether the value is composed of other variables and therefore unknown
}

// word checks the parts of a word.
func (w *walker) word(word *syntax.Word, p place) {
	if len(word.Parts) == 0 {
		return
	}
	for i, part := range word.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			w.walkLiteral(part, word, i, p)
		case *syntax.SglQuoted:
			if part.Dollar {
				w.refuse("has $'…'")
			}
		case *syntax.DblQuoted:
			w.walkQuoted(part)
		case *syntax.ParamExp:
			w.param(part, p)
		case *syntax.CmdSubst:
			w.substitution(part, word, p)
		default:
			w.refuse("has %s", printWord(word))
		}
	}
}

// Characters that a backslash escapes in both shells.
const (
	escapesBare   = " $`\"()~;&|<>"
	escapesQuoted = "$`\""
)

func (w *walker) walkLiteral(l *syntax.Lit, word *syntax.Word, i int, p place) {
	text := l.Value
	w.backslashes(text, escapesBare)
	if strings.HasPrefix(text, "~") && (i > 0 || text != "~" && !strings.HasPrefix(text, "~/") || text == "~" && len(word.Parts) > 1) {
		w.refuse("has %s: only ~ and ~/… stand for the home folder", printWord(word))
	} else if strings.HasPrefix(text, "~") {
		w.uses = append(w.uses, use{name: "HOME", place: p})
	}
	if p == assignment && strings.Contains(text, ":~") {
		w.refuse("has ~ after a colon")
	}
	if brace.MatchString(text) || strings.Contains(text, "{") && len(word.Parts) > 1 {
		w.refuse("has %s, an expansion of braces", printWord(word))
	}
	if strings.ContainsAny(text, "*?[") && text != "[" {
		w.glob(text, word, p)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsSpace(r) }) {
		w.refuse("has a special blank, which not every shell reads as a blank: %s", printWord(word))
	}
}

var brace = regexp.MustCompile(`\{.*(,|\.\.).*\}`)

func (w *walker) backslashes(text, escapes string) {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		if i++; i >= len(text) || !strings.Contains(escapes, text[i:i+1]) {
			w.refuse(`has \%s, which the shells read differently`, text[i:min(i+1, len(text))])
			return
		}
	}
}

// glob rejects file patterns that the two shells expand differently.
func (w *walker) glob(text string, word *syntax.Word, p place) {
	for _, c := range []struct {
		bad  bool
		what string
	}{
		{p != argument, "a pattern in a place for one word"},
		{!onlyLits(word), "a pattern with quotes or variables in it"},
		{strings.Contains(text, "**"), "**"},
		{strings.Contains(text, `\`), "a pattern with a backslash"},
		{strings.Contains(text, "[^") || strings.Contains(text, "[["), "a character class that the two shells read differently"},
		{strings.HasSuffix(text, "/"), "a pattern that ends in /"},
		{dots.MatchString(text), "a pattern with . or .. as a folder, or for hidden files"},
	} {
		if c.bad {
			w.refuse("has %s: %s", printWord(word), c.what)
			return
		}
	}
}

func onlyLits(word *syntax.Word) bool {
	return !slices.ContainsFunc(word.Parts, func(p syntax.WordPart) bool { _, ok := p.(*syntax.Lit); return !ok })
}

var dots = regexp.MustCompile(`(^|/)(\.\.?(/|$)|\.[^/]*[*?\[])`)

func (w *walker) walkQuoted(q *syntax.DblQuoted) {
	if q.Dollar {
		w.refuse(`has $"…"`)
	}
	for _, part := range q.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			w.backslashes(part.Value, escapesQuoted)
			if strings.HasPrefix(part.Value, "~") {
				w.refuse("has ~ at the beginning of double quotes, which pixi's shell expands")
			}
		case *syntax.ParamExp:
			w.param(part, quoted)
		case *syntax.CmdSubst:
			w.refuse("has $(…) in double quotes, where pixi's shell joins the lines of the output")
		default:
			w.refuse("has %s in double quotes", printWord(&syntax.Word{Parts: []syntax.WordPart{part}}))
		}
	}
}

func (w *walker) param(e *syntax.ParamExp, p place) {
	text := printWord(&syntax.Word{Parts: []syntax.WordPart{e}})
	name := ""
	if e.Param != nil {
		name = e.Param.Value
	}
	switch {
	case !e.Short:
		w.refuse("has %s, which is plain text to pixi's shell: write $%s", text, name)
	case name == "?" && w.commands <= 1:
		w.refuse("has $? before anything has run")
	case name == "?":
	case !syntax.ValidName(name):
		w.refuse("has %s", text)
	case name == "PIXI_EXE":
		w.refuse("needs pixi itself ($PIXI_EXE)")
	case slices.Contains(special, name) && name != "PWD":
		w.refuse("has %s, which pixi's shell does not know", text)
	default:
		w.uses = append(w.uses, use{name: name, place: p})
	}
}

func (w *walker) substitution(c *syntax.CmdSubst, word *syntax.Word, p place) {
	switch {
	case p != argument || len(word.Parts) > 1:
		w.refuse("has $(…) that is not a separate word")
	case c.Backquotes:
		w.refuse("has `…`: write $(…)")
	case c.TempFile || c.ReplyVar:
		w.refuse("has %s", printWord(word))
	}
	w.stmts(c.Stmts, false)
}

// checkValues refuses the step if shells would split or trim a variable's value differently.
func (s *step) checkValues(env []string) {
	for _, u := range s.uses {
		if u.assigned {
			continue
		}
		value, set := command.Getenv(env, u.name)
		switch {
		case u.name == "PWD":
			value = s.dir
		case u.name == "HOME" && !set:
			s.refuse("needs $HOME, which is not set")
		}
		values := []string{value}
		for _, other := range s.uses {
			switch {
			case !other.assigned || other.name != u.name:
			case !other.composed:
				values = append(values, other.value)
			case u.place == single:
				s.refuse("uses $%s in a place for one word, but its value is composed of other variables", u.name)
			}
		}
		if i := slices.IndexFunc(values, func(v string) bool { return !isPlain(v, u.place) }); i >= 0 {
			s.refuse("uses $%s, whose value %q the two shells would split differently", u.name, values[i])
		}
	}
}

// isPlain reports whether both shells handle a variable's value in the same way in the given context.
func isPlain(value string, p place) bool {
	if strings.HasPrefix(value, " ") || strings.HasSuffix(value, " ") || strings.Contains(value, "  ") {
		return false
	}
	if p == quoted {
		return true
	}
	if strings.ContainsAny(value, "\t\r\n*?[\\") {
		return false
	}
	return p != single || !strings.Contains(value, " ")
}

// readStatic returns the value of a word that contains no expansions.
func readStatic(word *syntax.Word) (string, bool) {
	if word == nil {
		return "", true
	}
	var b strings.Builder
	for _, part := range flatten(word.Parts) {
		switch part := part.(type) {
		case *syntax.Lit:
			b.WriteString(strings.ReplaceAll(part.Value, `\`, ""))
		case *syntax.SglQuoted:
			b.WriteString(part.Value)
		default:
			return "", false
		}
	}
	return b.String(), true
}

// flatten replaces double-quoted parts with their contents.
func flatten(parts []syntax.WordPart) []syntax.WordPart {
	var out []syntax.WordPart
	for _, part := range parts {
		if q, ok := part.(*syntax.DblQuoted); ok {
			out = append(out, q.Parts...)
			continue
		}
		out = append(out, part)
	}
	return out
}

func firstLit(word *syntax.Word) (string, bool) {
	if word == nil || len(word.Parts) == 0 {
		return "", false
	}
	l, ok := word.Parts[0].(*syntax.Lit)
	if !ok {
		return "", false
	}
	return l.Value, true
}

func hasSlash(word *syntax.Word) bool {
	for _, part := range flatten(word.Parts) {
		if l, ok := part.(*syntax.Lit); ok && strings.Contains(l.Value, "/") {
			return true
		}
	}
	return false
}

// printWord returns the source text of a word, truncated if it is long.
func printWord(word *syntax.Word) string {
	var b strings.Builder
	if err := syntax.NewPrinter().Print(&b, word); err != nil {
		return fmt.Sprintf("a word (%v)", err)
	}
	if r := []rune(b.String()); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return b.String()
}
