package git

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// cured is the error of a git that talked to a remote, with a cure where something between here and the remote is at fault. It stays so:
// such an error is not a passing one.
func cured(err error) (_ error, stays bool) {
	said := strings.ToLower(operr.DetailOf(err))
	switch {
	case !strings.Contains(said, "unable to access"): // else it may be a hook that speaks
	case strings.Contains(said, "certificate problem"), strings.Contains(said, "certificate verification failed"), strings.Contains(said, "unable to get local issuer"):
		return operr.Cured("where the authority is your organization's, give git a PEM file that has its certificate: GIT_SSL_CAINFO, or "+
			"`git config --global http.sslCAInfo FILE` (SSL_CERT_FILE is for what is not git)", err), true
	case strings.Contains(said, "http code 407"), strings.Contains(said, "response 407"), strings.Contains(said, "error: 407"), strings.Contains(said, "proxy authentication required"):
		return operr.Cured("the proxy that git goes through wants a name and a password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, or http.proxy of git; "+
			"NO_PROXY goes past it", err), true
	case strings.Contains(said, "from proxy after connect"), strings.Contains(said, "could not resolve proxy"), strings.Contains(said, "connect tunnel failed"):
		return operr.Cured("see whether the proxy of HTTPS_PROXY, or of http.proxy of git, is up and lets the remote through, or name the remote's host in NO_PROXY", err), false
	}
	return err, false
}
