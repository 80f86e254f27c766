package uv

import (
	"errors"
	"regexp"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// troubles are what pip and uv say where not the requirements are at fault, but this machine, or the way to the index: the first that is
// found counts. No commit puts it right, whatever the installation was for.
var troubles = sync.OnceValue(func() []trouble {
	return []trouble{
		{
			says: regexp.MustCompile(`(?i)initialize cache at`),
			next: "set UV_CACHE_DIR, or XDG_CACHE_HOME, to a folder that can be written",
		},
		{
			says: regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`),
			next: "make room on the disk; XDG_CACHE_HOME and UV_CACHE_DIR name other folders for what is kept, and TMPDIR for what is not",
		},
		{
			says: regexp.MustCompile(`(?i)invalid peer certificate|certificate[ _]verify[ _]failed|UnknownIssuer|self[- ]signed certificate`),
			next: "where the authority is your organization's, set SSL_CERT_FILE to a PEM file that has its certificate: uv reads no REQUESTS_CA_BUNDLE and no PIP_CERT",
		},
		{
			says: regexp.MustCompile(`(?i)proxy authentication required|\b407\b|proxy authorization required`),
			next: "the proxy that HTTPS_PROXY (or HTTP_PROXY) names wants a name and a password: http://NAME:PASSWORD@HOST:PORT; or name the index's host in NO_PROXY",
		},
		{
			says: regexp.MustCompile(`(?i)tunnel error|cannot connect to proxy|ProxyError|proxy connect`),
			next: "see whether the proxy that HTTPS_PROXY (or HTTP_PROXY) names is up and lets the index through, or name the index's host in NO_PROXY; " + reachable,
		},
		{
			says: regexp.MustCompile(`(?i)error sending request|dns error|tcp connect error|client error \(Connect\)|connection (?:refused|reset)|timed out|` +
				`name resolution|nodename nor servname|name or service not known|network is unreachable|no route to host|Max retries exceeded|NewConnectionError|` +
				`network (?:connectivity )?(?:is|was) disabled|error decoding response body|HTTP status server error|ReadTimeoutError|ConnectTimeoutError|` +
				`\(from versions: none\)`), // pip, of a project that the index has, where it was told to try no more
			next: reachable,
		},
		{
			says: regexp.MustCompile(`HTTP status client error \((?:401|403)\b|\b(?:401|403) (?:Client )?Error|status code: 40[13]`),
			next: "see what the index has against this: UV_DEFAULT_INDEX (or PIP_INDEX_URL) names it, and may have the name and the password; a firewall may answer in its place",
		},
	}
})

type trouble struct {
	says *regexp.Regexp
	next string
}

// reachable is what to do where nothing answers.
const reachable = "a mirror of PyPI is named by UV_DEFAULT_INDEX (pip's own, PIP_INDEX_URL or pip.conf, is taken where uv has none), a proxy by HTTPS_PROXY; " +
	"without a network, run it once where the index can be reached: what is installed is kept"

// explain says what to do when an installation failed; the tool's own last lines tell why. One that was stopped has said nothing of it.
func explain(err error, doing string) error {
	if err == nil {
		return nil
	}
	if command.WasStopped(err) {
		return operr.New("", "%s: %w", doing, err)
	}
	var exit *command.ExitError
	if !errors.As(err, &exit) {
		return operr.New(reachable, "%s: %w", doing, err)
	}
	return operr.New("see the lines above; "+reachable, "%s: %w", doing, cure(exit)).WithDetail(exit.Tail)
}

// cure returns the error of a pip or uv that ended, with the cure of what is at fault, where its words tell.
func cure(exit *command.ExitError) error {
	for _, t := range troubles() {
		if t.says.MatchString(exit.Tail) {
			return operr.Cured(t.next, exit)
		}
	}
	return exit
}
