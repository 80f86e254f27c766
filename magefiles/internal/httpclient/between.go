package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
)

// CertificateError says that a server's certificate is not accepted. It stays so, however often it is asked.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string { return "its certificate is not accepted: " + e.Err.Error() }

func (e *CertificateError) Unwrap() error { return e.Err }

// Cure is what to do, whatever was asked for.
func (e *CertificateError) Cure() string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(e.Err, &name):
		return "correct the address: the certificate is another server's; or see what answers there, which may be a proxy"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return "see what this machine takes for the time (`date`), and have the server's certificate renewed"
	case runtime.GOOS == "darwin":
		return "have macOS trust the authority: `security add-trusted-cert -k ~/Library/Keychains/login.keychain-db FILE`; neither SSL_CERT_FILE nor REQUESTS_CA_BUNDLE is read there"
	}
	return "where the authority is your organization's, set SSL_CERT_FILE to a PEM file that has its certificate (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and PIP_CERT are other programs')"
}

// certificate is the error of a certificate in a chain; nil where there is none.
func certificate(err error) error {
	var known *CertificateError
	var verification *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var roots x509.SystemRootsError
	switch {
	case errors.As(err, &known):
		return nil
	case errors.As(err, &verification):
		return &CertificateError{Err: verification.Err}
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &name), errors.As(err, &roots):
		return &CertificateError{Err: err}
	}
	return nil
}

// ProxyError says that a proxy did not let a request through.
type ProxyError struct {
	Proxy  string // host and port
	Host   string // that was asked for
	Status int    // what the proxy answered
	Login  bool   // a name was sent to the proxy
}

func (e *ProxyError) Error() string {
	switch {
	case e.Status == http.StatusProxyAuthRequired && e.Login:
		return fmt.Sprintf("the proxy %s does not take the name and password for it (HTTP 407)", e.Proxy)
	case e.Status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("the proxy %s wants a name and a password (HTTP 407)", e.Proxy)
	}
	return fmt.Sprintf("the proxy %s does not let us through to %s: HTTP %d %s", e.Proxy, e.Host, e.Status, http.StatusText(e.Status))
}

// Cure is what to do, whatever was asked for.
func (e *ProxyError) Cure() string {
	if e.Status == http.StatusProxyAuthRequired {
		return fmt.Sprintf("put them into HTTPS_PROXY (or HTTP_PROXY): http://NAME:PASSWORD@%s, with %%XX for what an address cannot have; or name %s in NO_PROXY", e.Proxy, e.Host)
	}
	if e.Status >= http.StatusInternalServerError {
		return fmt.Sprintf("see whether the proxy that HTTPS_PROXY (or HTTP_PROXY) names is well and reaches %s, or go past it: NO_PROXY=%s", e.Host, e.Host)
	}
	return fmt.Sprintf("have %s allowed on the proxy that HTTPS_PROXY (or HTTP_PROXY) names, or go past it: NO_PROXY=%s", e.Host, e.Host)
}

// Final reports whether asking again gives the same: a certificate, a proxy's refusal, or a redirect that is not followed.
func Final(err error) bool {
	var proxy *ProxyError
	var unaccepted *CertificateError
	if errors.As(err, &proxy) {
		return proxy.Status < 500 && proxy.Status != http.StatusRequestTimeout && proxy.Status != http.StatusTooManyRequests
	}
	return errors.As(err, &unaccepted) || certificate(err) != nil || errors.Is(err, ErrRedirect)
}

// ofProxy is the OnProxyConnectResponse of a transport: Go's own error has the proxy's words alone.
func ofProxy(_ context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	host, _, _ := strings.Cut(asked.Host, ":")
	return &ProxyError{Proxy: proxy.Host, Host: host, Status: answer.StatusCode, Login: proxy.User != nil}
}

// throughProxy tells the answers of a proxy that no server gives: without TLS, a proxy answers in the server's place.
type throughProxy struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t throughProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.Transport.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusProxyAuthRequired || t.Proxy == nil {
		return answer, err
	}
	proxy, _ := t.Proxy(r) // it found one for this request a moment ago
	if proxy == nil {
		return answer, nil
	}
	answer.Body.Close()
	return nil, &ProxyError{Proxy: proxy.Host, Host: r.URL.Hostname(), Status: answer.StatusCode, Login: proxy.User != nil}
}
