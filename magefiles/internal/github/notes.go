package github

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// What GitHub takes of a release. The texts are in characters: https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases
// has the files, its answers the rest.
const (
	MaxNotes  = 125_000
	MaxName   = 256 // of the release
	MaxTag    = 255 // as git's own names of refs
	MaxAssets = 1000
	MaxAsset  = 2 << 30 // bytes; less than that
)

// Notes puts the notes of a release and the rows of the table of its files together, as long as GitHub takes them. What is cut is cut at
// the end of a section, or of an entry of a list, and whole says where all of it is; "" is nowhere.
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

// cutNotes cuts a text to some characters: before a heading, or else an entry of a list, a line or a character. The first half stays.
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

// FilePage is where people read a file as a tag has it.
func (c *Client) FilePage(tag, file string) string {
	host := url.URL{Scheme: c.base.Scheme, Host: strings.TrimPrefix(c.base.Host, "api.")}
	return host.JoinPath(c.repository, "blob", tag, file).String()
}
