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

// mostPage limits how many bytes of a page are searched for its title, which is near the start.
const mostPage = 64 << 10

// IsPage reports whether a response is HTML. An HTML page usually comes from a proxy, not from a package server.
func IsPage(text string) bool { return beginsPage.MatchString(text[:min(len(text), mostPage)]) }

// Blocks reports whether a response is an HTML error page, as sent by proxies and firewalls. Package servers and GitHub's API send errors as text or
// JSON.
func Blocks(status int, text string) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		return IsPage(text)
	}
	return false
}

// BlockedNext is the next step for a response that Blocks matches.
const BlockedNext = "the answer is a web page, so a proxy or a firewall seems to block the server. Have the server allowed on the proxy or firewall; if the proxy is set in HTTPS_PROXY (or HTTP_PROXY), you can add the server to NO_PROXY"

// title returns the title of an HTML page, or its first heading, on one line.
func title(page string) string {
	page = page[:min(len(page), mostPage)]
	for _, part := range []*regexp.Regexp{titleOf, headingOf} {
		if m := part.FindStringSubmatch(page); m != nil {
			if text := strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(m[1], " "))); text != "" {
				return text
			}
		}
	}
	return "an HTML page without a title"
}
