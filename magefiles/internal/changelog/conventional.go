package changelog

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	// conventional matches the first line of a Conventional Commit: type(scope)!: description. A mark before the scope is also accepted.
	conventional = regexp.MustCompile(`^([A-Za-z][\w-]*)(!?)((?:\([^()]*\))*)(!?): +(\S.*)$`)

	// breaking matches a breaking change footer in the various forms that occur: in bold, in a list, as a heading, or with the description below
	// it.
	breaking = regexp.MustCompile("^[^\\pL\\pN\"'`>]*BREAKING[ -]CHANGES?(?:\\([^()]*\\))?[*_]*(?:[ \\t]*:(.*)|[ \\t]+#(.*)|[ \\t!*_]*)$")

	// nothing matches the value of an empty footer such as "BREAKING CHANGE: none", which comes from commit templates.
	nothing = regexp.MustCompile(`(?i)^[\s*_]*(?:none|no|nothing|n/a|not applicable)[\s*_.]*$`)

	// mergeSubject matches the subject that GitHub, GitLab, Bitbucket and git use for a merge or squash. The title of the merged change is in the
	// body.
	mergeSubject = regexp.MustCompile(`^Merged? (?:pull request|branch|branches|remote-tracking branch|tag|commit|in) `)

	// titledMerge matches merge subjects of Azure and Gitea, which contain the title.
	titledMerge = regexp.MustCompile(`^(?:Merged PR \d+: (.*)|Merge pull request '(.*)' \(#\d+\) from .*)$`)

	// squashed matches the first line of each commit in a message written by `git merge --squash`. The original commit message is indented.
	squashed = regexp.MustCompile(`^commit [0-9a-f]{40,64}$`)

	number = regexp.MustCompile(` \([#!]\d+\)$`)
)

// breakingWord is contained in every breaking change footer.
const breakingWord = "BREAKING"

// indent is the indentation of messages listed by `git merge --squash`.
const indent = "    "

// Change is one change described in a commit message.
type Change struct {
	Kind     string   // type in lower case, such as "feat"; "" if not a Conventional Commit
	Scopes   []string // scopes as written
	Breaking bool
	Text     string
}

// ReadChanges parses a commit message. The first change is the subject, or for a merge, the title in its body. It is followed by the subjects
// that a squash lists as "* feat: …". A breaking change footer applies to the subject above it. The result is never empty.
func ReadChanges(subject, body string, merge bool) []Change {
	if !merge && !strings.HasPrefix(subject, "Merge") && !strings.Contains(body, breakingWord) && !strings.Contains(body, "* ") && !strings.Contains(body, "commit ") {
		only, _ := readSubject(subject) // fast path: most messages have only a subject, and histories can be long
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

// readLines returns the lines of a message without code blocks.
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

// readSubject parses a line as the subject of a Conventional Commit.
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

// readScopes parses "(core, ui)(api)".
func readScopes(text string) []string {
	if text == "" {
		return nil
	}
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("(),;+&| \t", r) })
}

// breaks reports whether a line is a breaking change footer.
func breaks(line string) bool {
	if !strings.Contains(line, breakingWord) {
		return false
	}
	m := breaking.FindStringSubmatch(line)
	return m != nil && !nothing.MatchString(m[1]+m[2])
}

// distinct removes duplicates, for example a pull request and its only commit with the same title. If either is breaking, the one that is kept is
// marked as breaking.
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

// Key returns a key that is equal for equivalent changes, regardless of a pull request number.
func (c Change) Key() string { return c.Kind + ": " + withoutNumber(c.Text) }

// withoutNumber removes a pull request number from the end of a subject.
func withoutNumber(text string) string {
	if !strings.HasSuffix(text, ")") {
		return text
	}
	return number.ReplaceAllString(text, "")
}

// listedHash is the length of commit hashes in the changelog.
const listedHash = 7

// Line returns "- **Breaking:** Description (1a2b3c4)". `hash` is the full commit hash.
func (c Change) Line(hash string) string {
	text := Capitalize(escapeMarkdown(c.Text))
	switch {
	case c.Breaking:
		text = "**Breaking:** " + text
	case c.Kind == "revert":
		text = "Reverted: " + text
	}
	return fmt.Sprintf("- %s (%s)\n", text, hash[:min(len(hash), listedHash)])
}

// Capitalize converts the first letter to upper case.
func Capitalize(text string) string {
	_, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:n]) + text[n:]
}
