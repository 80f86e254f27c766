package httpclient

import (
	"html"
	"net/http"
	"regexp"
	"strings"
)

var (
	beginsPage = regexp.MustCompile(`(?is)^\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*(?:<!doctype\s+html|<html|<head|<title)\b`)
	pageWithin = regexp.MustCompile(`(?i)<!doctype\s+html|<html\b`)
	titleOf    = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	headingOf  = regexp.MustCompile(`(?is)<h1[^>]*>(.*?)</h1`)
	tag        = regexp.MustCompile(`(?s)<[^>]*>`)
)

// mostPage is how much of a page is looked at, in bytes: its title stands at the beginning.
const mostPage = 64 << 10

// IsPage reports whether an answer is a page of HTML, which is for people and from a proxy more often than from a server of packages.
func IsPage(text string) bool { return beginsPage.MatchString(text[:min(len(text), mostPage)]) }

// Blocks reports whether an answer is a page of HTML that refuses. A proxy's or a firewall's is one; servers of packages, and GitHub's API,
// refuse in text or in JSON.
func Blocks(status int, text string) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		return IsPage(text)
	}
	return false
}

// BlockedNext is what to do about a page that refuses.
const BlockedNext = "a page answered, and not the server: a proxy or a firewall before it seems to block it. Have the server allowed there; where HTTPS_PROXY (or HTTP_PROXY) names the proxy, NO_PROXY goes past it"

// title is what a page of HTML says in a line: its title, or its first heading.
func title(page string) string {
	page = page[:min(len(page), mostPage)]
	for _, part := range []*regexp.Regexp{titleOf, headingOf} {
		if m := part.FindStringSubmatch(page); m != nil {
			if text := strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(m[1], " "))); text != "" {
				return text
			}
		}
	}
	return "a page of HTML without a title"
}
