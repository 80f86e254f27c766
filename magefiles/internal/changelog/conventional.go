package changelog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	// conventional is the first line of a Conventional Commit: type(scope)!: description. Some write the mark before the scope.
	conventional = regexp.MustCompile(`^([A-Za-z][\w-]*)(!?)((?:\([^()]*\))*)(!?): +(\S.*)$`)

	// breaking is a footer, as people write it: in bold, in a list, as a heading, with what breaks below it.
	breaking = regexp.MustCompile("^[^\\pL\\pN\"'`>]*BREAKING[ -]CHANGES?(?:\\([^()]*\\))?[*_]*(?:[ \\t]*:(.*)|[ \\t]+#(.*)|[ \\t!*_]*)$")

	// nothing is what a template's footer says where nothing breaks.
	nothing = regexp.MustCompile(`(?i)^[\s*_]*(?:none|no|nothing|n/a|not applicable)[\s*_.]*$`)

	// mergeSubject is what GitHub, GitLab, Bitbucket and git call a merge, or a squash. The title of what was merged is in the body.
	mergeSubject = regexp.MustCompile(`^Merged? (?:pull request|branch|branches|remote-tracking branch|tag|commit|in) `)

	// titledMerge is the same with the title in it, of Azure and of Gitea.
	titledMerge = regexp.MustCompile(`^(?:Merged PR \d+: (.*)|Merge pull request '(.*)' \(#\d+\) from .*)$`)

	// squashed begins a commit in a message of `git merge --squash`, whose own message is indented.
	squashed = regexp.MustCompile(`^commit [0-9a-f]{40,64}$`)

	number = regexp.MustCompile(` \([#!]\d+\)$`)
)

// breakingWord is in every footer of a breaking change.
const breakingWord = "BREAKING"

// indent is that of the messages which `git merge --squash` lists.
const indent = "    "

// Change is one thing that a commit's message says of it.
type Change struct {
	Kind     string   // "feat", in lower case; "" for a message in another form
	Scopes   []string // as they are written
	Breaking bool
	Text     string
}

// ReadChanges reads the message of a commit: what its subject says, or, of a merge, the title in its body, and then what the subjects
// say that a squash lists as "* feat: …". A footer of a breaking change belongs to the subject above it. There is at least one.
func ReadChanges(subject, body string, merge bool) []Change {
	if !merge && !strings.HasPrefix(subject, "Merge") && !strings.Contains(body, breakingWord) && !strings.Contains(body, "* ") && !strings.Contains(body, "commit ") {
		only, _ := readSubject(subject) // most messages: a history may have many
		return []Change{only}
	}
	lines := readLines(body)
	title := subject
	if _, ok := readSubject(subject); !ok && (merge || mergeSubject.MatchString(subject)) {
		if i := slices.IndexFunc(lines, func(line string) bool { return line != "" }); i >= 0 {
			if _, ok := readSubject(lines[i]); ok {
				title, lines = lines[i], lines[i+1:]
			}
		}
	}
	first, _ := readSubject(title)
	all, at, listed := []Change{first}, 0, false
	for i, line := range lines {
		if strings.HasPrefix(line, "commit ") && squashed.MatchString(line) {
			at, listed = 0, true
			continue
		}
		if text, ok := strings.CutPrefix(line, indent); ok && listed {
			if line = text; i > 0 && lines[i-1] == "" && at == 0 {
				if c, ok := readSubject(text); ok {
					all = append(all, c)
					at = len(all) - 1
				}
				continue
			}
		}
		if text, ok := strings.CutPrefix(line, "* "); ok {
			at = 0
			if c, ok := readSubject(strings.TrimSpace(text)); ok {
				all = append(all, c)
				at = len(all) - 1
				continue
			}
		}
		if breaks(line) {
			all[at].Breaking = true
		}
	}
	return distinct(all)
}

// readLines are the lines of a message, without the code in it.
func readLines(body string) (lines []string) {
	fenced := false
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, " \t\r\n")
		fence := strings.HasPrefix(strings.TrimLeft(line, " "), "```")
		if fenced = fenced != fence; fence || fenced {
			line = ""
		}
		lines = append(lines, line)
	}
	return lines
}

// readSubject reads a line that may be the subject of a Conventional Commit.
func readSubject(line string) (Change, bool) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "Merge") {
		if m := titledMerge.FindStringSubmatch(line); m != nil {
			line = m[1] + m[2]
		}
	}
	if breaks(line) {
		m := breaking.FindStringSubmatch(line)
		if text := strings.TrimSpace(m[1] + m[2]); text != "" {
			line = text
		}
		return Change{Breaking: true, Text: line}, true
	}
	m := conventional.FindStringSubmatch(line)
	if m == nil {
		return Change{Text: line}, false
	}
	return Change{Kind: strings.ToLower(m[1]), Scopes: readScopes(m[3]), Breaking: m[2] != "" || m[4] != "", Text: m[5]}, true
}

// readScopes reads "(core, ui)(api)".
func readScopes(text string) []string {
	if text == "" {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("(),;+&| \t", r) })
}

// breaks reports whether a line is the footer of a breaking change.
func breaks(line string) bool {
	if !strings.Contains(line, breakingWord) {
		return false
	}
	m := breaking.FindStringSubmatch(line)
	return m != nil && !nothing.MatchString(m[1]+m[2])
}

// distinct takes out of a list what it says twice, such as the one commit of a pull request of that title. What any of them says of
// breaking counts.
func distinct(all []Change) []Change {
	at := map[string]int{}
	out := all[:0]
	for _, c := range all {
		i, twice := at[c.Key()]
		if !twice {
			at[c.Key()] = len(out)
			out = append(out, c)
			continue
		}
		out[i].Breaking = out[i].Breaking || c.Breaking
	}
	return out
}

// Key is the same for changes that say the same, with the number of a pull request or without.
func (c Change) Key() string { return c.Kind + ": " + withoutNumber(c.Text) }

// withoutNumber is a subject without the number of a pull request.
func withoutNumber(text string) string {
	if !strings.HasSuffix(text, ")") {
		return text
	}
	return number.ReplaceAllString(text, "")
}

// Line is "- **Breaking:** Description (1a2b3c4)".
func (c Change) Line(hash string) string {
	text := Capitalize(asMarkdown(c.Text))
	switch {
	case c.Breaking:
		text = "**Breaking:** " + text
	case c.Kind == "revert":
		text = "Reverted: " + text
	}
	return fmt.Sprintf("- %s (%s)\n", text, hash)
}

// Capitalize begins a text with a capital letter.
func Capitalize(text string) string {
	_, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:n]) + text[n:]
}
