package uv

import (
	"errors"
	"regexp"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// troubles lists messages of pip and uv about problems with this machine or the network, as opposed to the requirements. The first match is used.
// These problems cannot be fixed by a commit, whatever was being installed.
var troubles = sync.OnceValue(func() []trouble {
	return []trouble{
		{
			says: regexp.MustCompile(`(?i)initialize cache at`),
			next: "set UV_CACHE_DIR, or XDG_CACHE_HOME, to a writable folder",
		},
		{
			says: regexp.MustCompile(`(?i)no space left on device|disk quota exceeded`),
			next: "free space on the disk, or set XDG_CACHE_HOME and UV_CACHE_DIR (for caches) and TMPDIR (for temporary files) to folders on another disk",
		},
		{
			says: regexp.MustCompile(`(?i)invalid peer certificate|certificate[ _]verify[ _]failed|UnknownIssuer|self[- ]signed certificate`),
			next: "if your organization has its own certificate authority, set SSL_CERT_FILE to a PEM file with the certificate of this authority (uv reads neither REQUESTS_CA_BUNDLE nor PIP_CERT)",
		},
		{
			says: regexp.MustCompile(`(?i)proxy authentication required|\b407\b|proxy authorization required`),
			next: "add the name and the password for the proxy to HTTPS_PROXY (or HTTP_PROXY): http://NAME:PASSWORD@HOST:PORT; or name the index's host in NO_PROXY",
		},
		{
			says: regexp.MustCompile(`(?i)tunnel error|cannot connect to proxy|ProxyError|proxy connect`),
			next: "check whether the proxy in HTTPS_PROXY (or HTTP_PROXY) is running and forwards requests to the index, or name the index's host in NO_PROXY; " + reachable,
		},
		{
			says: regexp.MustCompile(`(?i)error sending request|dns error|tcp connect error|client error \(Connect\)|connection (?:refused|reset)|timed out|` +
				`name resolution|nodename nor servname|name or service not known|network is unreachable|no route to host|Max retries exceeded|NewConnectionError|` +
				`network (?:connectivity )?(?:is|was) disabled|error decoding response body|HTTP status server error|ReadTimeoutError|ConnectTimeoutError|` +
				`\(from versions: none\)`), // pip prints this for a project in the index after it was told not to retry
			next: reachable,
		},
		{
			says: regexp.MustCompile(`HTTP status client error \((?:401|403)\b|\b(?:401|403) (?:Client )?Error|status code: 40[13]`),
			next: "correct the address, the name and the password of the index in UV_DEFAULT_INDEX (or PIP_INDEX_URL); if they are correct, a firewall may have refused the request instead of the index",
		},
	}
})

type trouble struct {
	says *regexp.Regexp
	next string
}

// reachable is the next step if the index is unreachable.
const reachable = "set UV_DEFAULT_INDEX to a mirror of PyPI (if unset, PIP_INDEX_URL or pip.conf is used), or set HTTPS_PROXY to a proxy; " +
	"to work without a network later, run this command once while the index can be reached, because installed packages are kept"

// explain adds a next step and the tool's last lines, which contain the reason, to the error of a failed installation. If the installation was
// interrupted, there is no next step, because nothing is wrong.
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
	return operr.New("read the lines above; "+reachable, "%s: %w", doing, cure(exit)).WithDetail(exit.Tail)
}

// cure returns the error of a failed pip or uv, with a next step if its output matches a known problem.
func cure(exit *command.ExitError) error {
	for _, t := range troubles() {
		if t.says.MatchString(exit.Tail) {
			return operr.AddCure(t.next, exit)
		}
	}
	return exit
}
