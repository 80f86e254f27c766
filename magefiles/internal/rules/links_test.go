package rules_test

import (
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

var (
	codeSpan  = regexp.MustCompile("`[^`\n]*`")
	linkOf    = regexp.MustCompile(`\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|(?m:^ {0,3}\[[^\]]+\]: *(\S+))|(?:src|srcset|href)="([^"]+)"`)
	atxTitle  = regexp.MustCompile(`(?m)^ {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$`)
	linkText  = regexp.MustCompile(`!?\[([^\]]*)\]\([^)]*\)`)
	emphasis  = regexp.MustCompile(`\*+`)
	ourGitHub = regexp.MustCompile(`^https://github\.com/foopack/foopack/(?:blob|tree)/main/`)
)

// anchors returns the anchors that GitHub generates for a document's headings.
func anchors(text string) map[string]bool {
	found, times := map[string]bool{}, map[string]int{}
	for _, m := range atxTitle.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		title := emphasis.ReplaceAllString(linkText.ReplaceAllString(m[1], "$1"), "")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc):
				return unicode.ToLower(r)
			}
			return -1
		}, title)
		n := times[anchor]
		times[anchor]++
		if n > 0 {
			anchor += "-" + strconv.Itoa(n)
		}
		found[anchor] = true
	}
	return found
}

// links returns the targets of a document's links: inline links, reference links and HTML links.
func links(text string) (targets []string) {
	text = codeSpan.ReplaceAllString(fenced.ReplaceAllString(text, ""), "`")
	for _, m := range linkOf.FindAllStringSubmatch(text, -1) {
		targets = append(targets, m[1]+m[2]+m[3])
	}
	return targets
}

// wrongLink returns what is wrong with a link in the document at path `from`, or "" if the link is valid. `texts` maps paths to documents. `has`
// reports whether a path is a file, or a folder with files.
func wrongLink(from, target string, texts map[string]string, has func(string) bool) string {
	ours := ourGitHub.MatchString(target)
	if !ours && strings.Contains(target, ":") {
		return ""
	}
	file, anchor, _ := strings.Cut(ourGitHub.ReplaceAllString(target, ""), "#")
	switch {
	case !ours && file == "":
		file = from
	case !ours:
		file = path.Join(path.Dir(from), file)
	}
	file = path.Clean(file)
	if !has(file) {
		return "there is no " + file
	}
	if anchor == "" || anchor == "readme" && ours {
		return ""
	}
	if text, ok := texts[file]; ok && !anchors(text)[anchor] {
		return file + " has no heading for #" + anchor
	}
	return ""
}

// Each link in a document points to an existing file of this repository, and to an existing heading of that file. External links are not checked.
func TestLinks(t *testing.T) {
	texts, all := map[string]string{}, newTree(t)
	for file := range all.declared {
		if strings.HasSuffix(file, ".md") && !strings.Contains(file, "/testdata/") {
			texts[file] = read(t, filepath.Join("..", "..", "..", file))
		}
	}
	followed := 0
	for file, text := range texts {
		for _, target := range links(text) {
			followed++
			if wrong := wrongLink(file, target, texts, all.has); wrong != "" {
				t.Errorf("%s links to %s: %s", file, target, wrong)
			}
		}
	}
	require.Greater(t, followed, 100)
}

func TestLinkTargets(t *testing.T) {
	texts := map[string]string{
		"A.md":        "# The `A`: *one*, two_three & [four](x.md)!\n## Twice\n```\n# not this\n```\n## Twice\n### Größe 2\n",
		"docs/B.md":   "# B\n",
		"app/page.js": "",
	}
	require.Equal(t, map[string]bool{"the-a-one-two_three--four": true, "twice": true, "twice-1": true, "größe-2": true}, anchors(texts["A.md"]))
	require.Equal(t, []string{"x.md", "y.png", "z.md#a", "p.svg", "#b"},
		links("[x](x.md) ![y](y.png \"Y\") `[no](no.md)`\n```\n[no](no.md)\n```\n[z]: z.md#a\n<img src=\"p.svg\"> [b](#b)\n"))
	has := func(file string) bool { _, ok := texts[file]; return ok || file == "docs" }
	for link, want := range map[string]string{
		"docs/B.md B.md":               "",
		"docs/B.md ../A.md":            "",
		"docs/B.md ../A.md#twice-1":    "",
		"docs/B.md ../A.md#once":       "A.md has no heading for #once",
		"docs/B.md A.md":               "there is no docs/A.md",
		"docs/B.md #b":                 "",
		"docs/B.md #c":                 "docs/B.md has no heading for #c",
		"A.md docs":                    "",
		"A.md docs/":                   "",
		"A.md ../A.md":                 "there is no ../A.md",
		"A.md https://example.org/x#y": "",
		"A.md mailto:a@example.org":    "",
		"A.md https://github.com/foopack/foopack/blob/main/docs/B.md#b": "",
		"A.md https://github.com/foopack/foopack/tree/main/docs/C.md":   "there is no docs/C.md",
	} {
		from, target, _ := strings.Cut(link, " ")
		require.Equal(t, want, wrongLink(from, target, texts, has), link)
	}
}
