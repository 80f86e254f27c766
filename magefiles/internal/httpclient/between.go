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

// CertificateError is the error for a server certificate that is not trusted. A retry will not fix it.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string {
	return "the server's certificate is not accepted: " + e.Err.Error()
}

func (e *CertificateError) Unwrap() error { return e.Err }

// Cure returns the next step, which does not depend on the request.
func (e *CertificateError) Cure() string {
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	switch {
	case errors.As(e.Err, &name):
		return "correct the address, because the certificate is for another server; or find out whether a proxy answers at this address"
	case errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired:
		return "check this machine's clock (`date`); if the time is right, have the server's certificate renewed"
	case runtime.GOOS == "darwin":
		return "make macOS trust the certificate authority: `security add-trusted-cert -k ~/Library/Keychains/login.keychain-db FILE`; SSL_CERT_FILE and REQUESTS_CA_BUNDLE have no effect on macOS"
	}
	return "if your organization has its own certificate authority, set SSL_CERT_FILE to a PEM file with the authority's certificate (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE and PIP_CERT are only for other programs)"
}

// certificate returns a CertificateError if the chain has a certificate error from Go. It returns nil if there is none, or if the chain already has a
// CertificateError.
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

// ProxyError is the error for a request that a proxy refused.
type ProxyError struct {
	Proxy  string // host and port
	Host   string // requested host
	Status int    // the proxy's response
	Login  bool   // a name was sent to the proxy
}

func (e *ProxyError) Error() string {
	switch {
	case e.Status == http.StatusProxyAuthRequired && e.Login:
		return fmt.Sprintf("the proxy %s rejected the configured name and password (HTTP 407)", e.Proxy)
	case e.Status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("the proxy %s requires a name and a password (HTTP 407)", e.Proxy)
	}
	return fmt.Sprintf("the proxy %s refused the connection to %s: HTTP %d %s", e.Proxy, e.Host, e.Status, http.StatusText(e.Status))
}

// Cure returns the next step, which does not depend on the request.
func (e *ProxyError) Cure() string {
	if e.Status == http.StatusProxyAuthRequired {
		return fmt.Sprintf("write the name and password into HTTPS_PROXY (or HTTP_PROXY): http://NAME:PASSWORD@%s, with special characters as %%XX; or connect without the proxy: NO_PROXY=%s", e.Proxy, e.Host)
	}
	if e.Status >= http.StatusInternalServerError {
		return fmt.Sprintf("check that the proxy in HTTPS_PROXY (or HTTP_PROXY) works and can reach %s, or connect without the proxy: NO_PROXY=%s", e.Host, e.Host)
	}
	return fmt.Sprintf("have %s allowed on the proxy in HTTPS_PROXY (or HTTP_PROXY), or connect without the proxy: NO_PROXY=%s", e.Host, e.Host)
}

// Final reports whether a retry would give the same error, as for a certificate, a proxy's refusal, or a redirect that is not followed.
func Final(err error) bool {
	var proxy *ProxyError
	var unaccepted *CertificateError
	if errors.As(err, &proxy) {
		return proxy.Status < 500 && proxy.Status != http.StatusRequestTimeout && proxy.Status != http.StatusTooManyRequests
	}
	return errors.As(err, &unaccepted) || certificate(err) != nil || errors.Is(err, ErrRedirect)
}

// ofProxy is the OnProxyConnectResponse of a transport. Without it, Go's error has only the text of the proxy's status.
func ofProxy(_ context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	host, _, _ := strings.Cut(asked.Host, ":")
	return &ProxyError{Proxy: proxy.Host, Host: host, Status: answer.StatusCode, Login: proxy.User != nil}
}

// throughProxy is a transport that recognizes a proxy's own responses. Without TLS, a proxy that refuses a request responds instead of the server.
type throughProxy struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t throughProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.Transport.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusProxyAuthRequired || t.Proxy == nil {
		return answer, err
	}
	proxy, _ := t.Proxy(r) // the transport found a proxy for this request a moment ago
	if proxy == nil {
		return answer, nil
	}
	answer.Body.Close()
	return nil, &ProxyError{Proxy: proxy.Host, Host: r.URL.Hostname(), Status: answer.StatusCode, Login: proxy.User != nil}
}
