package github

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// These are GitHub's limits for a release. Text lengths are in characters. The file limits are documented in
// https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases, the others appear in GitHub's responses.
const (
	MaxNotes  = 125_000
	MaxName   = 256 // longest release name
	MaxTag    = 255 // as for git ref names
	MaxAssets = 1000
	MaxAsset  = 2 << 30 // bytes; a file must be smaller
)

// Notes joins the release notes and the rows of the file table, within GitHub's limit. It cuts after a section or a list item. `whole` is the URL of
// the full text; "" if it is not published.
func Notes(text string, rows []string, whole string) string {
	const head = "| file | sha256 |\n|---|---|\n"
	text = strings.TrimSpace(text)
	table := head + strings.Join(rows, "")
	if most := MaxNotes / 2; utf8.RuneCountInString(table) > most {
		kept, left := 0, most-len(head)-100
		for kept < len(rows) && utf8.RuneCountInString(rows[kept]) <= left {
			left -= utf8.RuneCountInString(rows[kept])
			kept++
		}
		table = head + strings.Join(rows[:kept], "") + fmt.Sprintf("\n… and %d more, each with its digest below.\n", len(rows)-kept)
	}
	end := "\n\n" + table
	if len(rows) == 0 {
		end = "\n"
	}
	if utf8.RuneCountInString(text+end) > MaxNotes {
		if whole == "" {
			end = "\n\n…" + end
		} else {
			end = "\n\n… All of it is in [" + whole[strings.LastIndex(whole, "/")+1:] + "](" + whole + ")." + end
		}
		const fence = "\n```"
		text = cutNotes(text, MaxNotes-utf8.RuneCountInString(end)-len(fence))
		if strings.Count("\n"+text, fence)%2 == 1 {
			text += fence
		}
	}
	return strings.TrimSpace(text+end) + "\n"
}

// cutNotes truncates a text to a number of characters, before a heading or otherwise a list item, a line or a character. It keeps at least the first
// half.
func cutNotes(text string, most int) string {
	at := 0
	for range most {
		_, n := utf8.DecodeRuneInString(text[at:])
		at += n
	}
	for _, border := range []string{"\n## ", "\n### ", "\n#### ", "\n- ", "\n* ", "\n\n", "\n"} {
		if i := strings.LastIndex(text[:at], border); i >= at/2 {
			return strings.TrimRight(text[:i], "\n")
		}
	}
	return text[:at]
}

// FilePage returns the web page of a file at a tag.
func (c *Client) FilePage(tag, file string) string {
	host := url.URL{Scheme: c.base.Scheme, Host: strings.TrimPrefix(c.base.Host, "api.")}
	return host.JoinPath(c.repository, "blob", tag, file).String()
}
