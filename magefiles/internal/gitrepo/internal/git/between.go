package git

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// addCure adds a next step to a git error if a proxy or a certificate caused it. `stays` reports whether a retry would fail in the same way.
func addCure(err error) (_ error, stays bool) {
	said := strings.ToLower(operr.DetailOf(err))
	switch {
	case !strings.Contains(said, "unable to access"): // otherwise the text may be a hook's output
	case strings.Contains(said, "certificate problem"), strings.Contains(said, "certificate verification failed"), strings.Contains(said, "unable to get local issuer"):
		return operr.AddCure("if your organization has its own certificate authority, set GIT_SSL_CAINFO to a PEM file with the certificate of that authority, or run "+
			"`git config --global http.sslCAInfo FILE` (git does not read SSL_CERT_FILE)", err), true
	case strings.Contains(said, "http code 407"), strings.Contains(said, "response 407"), strings.Contains(said, "error: 407"), strings.Contains(said, "proxy authentication required"):
		return operr.AddCure("the proxy asks git for a name and a password: set HTTPS_PROXY, or http.proxy of git, to http://NAME:PASSWORD@HOST:PORT; "+
			"git reaches the hosts in NO_PROXY without the proxy", err), true
	case strings.Contains(said, "from proxy after connect"), strings.Contains(said, "could not resolve proxy"), strings.Contains(said, "connect tunnel failed"):
		return operr.AddCure("check that the proxy in HTTPS_PROXY, or in http.proxy of git, runs and lets git reach the remote; or add the remote's host to NO_PROXY", err), false
	}
	return err, false
}
