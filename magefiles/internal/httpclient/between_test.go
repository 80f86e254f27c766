package httpclient_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// certified starts a server with its own certificate, and returns the pool that knows the certificate.
func certified(t *testing.T, name string, until time.Time) (address string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		DNSNames:              []string{name},
		NotBefore:             until.Add(-time.Hour),
		NotAfter:              until,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots = x509.NewCertPool()
	roots.AddCert(cert)
	return s.URL, roots
}

// An untrusted certificate is not retried, and the next step depends on the reason.
func TestCertificates(t *testing.T) {
	cure := "SSL_CERT_FILE"
	if runtime.GOOS == "darwin" {
		cure = "security add-trusted-cert"
	}
	for name, c := range map[string]struct {
		of    string
		until time.Time
		known bool
		says  string
		cure  string
	}{
		"unknown authority": {"127.0.0.1", time.Now().Add(time.Hour), false, "signed by unknown authority", cure},
		"another name":      {"elsewhere.example", time.Now().Add(time.Hour), true, "the server's certificate is not accepted", "another server"},
		"expired":           {"127.0.0.1", time.Now().Add(-time.Minute), true, "expired", "`date`"},
	} {
		address, roots := certified(t, c.of, c.until)
		transport := http.DefaultTransport.(*http.Transport).Clone()
		if c.known {
			transport.TLSClientConfig = &tls.Config{RootCAs: roots}
		}
		_, err := (&http.Client{Transport: transport}).Get(address)
		require.True(t, httpclient.Final(err), name)
		err = httpclient.Plain(err)
		require.ErrorContains(t, err, c.says, name)
		require.True(t, httpclient.Final(err), name)
		require.Equal(t, err, httpclient.Plain(err), "the error is not wrapped twice")
		around := operr.New("see whether it can be reached", "reading: %w", fmt.Errorf("a second time: %w", err))
		require.Contains(t, operr.NextOf(around), c.cure, name)
		require.Contains(t, fmt.Sprintf("%+v", around), c.cure, name)
	}
	require.False(t, httpclient.Final(io.ErrUnexpectedEOF))
	require.False(t, httpclient.Final(nil))
}

// through returns a client of ours that goes through a proxy.
func through(t *testing.T, proxy string) *http.Client {
	t.Helper()
	u, err := url.Parse(proxy)
	require.NoError(t, err)
	return &http.Client{Transport: httpclient.TransportThrough(http.ProxyURL(u))}
}

// A proxy's refusal is attributed to the proxy, for HTTP and for HTTPS.
func TestProxies(t *testing.T) {
	code := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	require.NoError(t, err)
	for _, c := range []struct {
		status    int
		user, to  string
		says, how string
		final     bool
	}{
		{407, "", "https://conda.example/x", "the proxy " + u.Host + " requires a name and a password (HTTP 407)", "http://NAME:PASSWORD@" + u.Host, true},
		{407, "", "http://conda.example/x", "the proxy " + u.Host + " requires a name and a password (HTTP 407)", "NO_PROXY", true},
		{407, "me:secretword@", "https://conda.example:8443/", "rejected the configured name and password (HTTP 407)", "HTTPS_PROXY", true},
		{403, "", "https://conda.example/x", "the proxy " + u.Host + " refused the connection to conda.example: HTTP 403 Forbidden", "NO_PROXY=conda.example", true},
		{503, "", "https://conda.example/x", "refused the connection to conda.example: HTTP 503", "NO_PROXY=conda.example", false},
	} {
		code = c.status
		_, err := through(t, "http://"+c.user+u.Host).Get(c.to)
		err = httpclient.Plain(err)
		require.ErrorContains(t, err, c.says)
		require.NotContains(t, err.Error(), "secretword")
		require.Contains(t, operr.CureOf(err), c.how)
		require.Equal(t, c.final, httpclient.Final(err))
	}
	code = http.StatusForbidden
	answer, err := through(t, s.URL).Get("http://conda.example/x")
	require.NoError(t, err, "without TLS, the response may be the server's own")
	require.Equal(t, code, answer.StatusCode)

	s.Close()
	_, err = through(t, s.URL).Get("https://conda.example/x")
	err = httpclient.Plain(err)
	require.EqualError(t, err, u.Host+" cannot be reached: connection refused")
	require.Contains(t, operr.CureOf(err), u.Host+" is the proxy in HTTPS_PROXY")
	require.False(t, httpclient.Final(err))
}

// For an HTML page, only the title is shown.
func TestPages(t *testing.T) {
	for page, want := range map[string]string{
		"<html><head><title>413 Request Entity Too Large</title></head><body><h1>x</h1>nginx":                          "413 Request Entity Too Large",
		"\r\n<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<HTML><HEAD>\n<TITLE>\n 502  Bad\nGateway </TITLE>": "502 Bad Gateway",
		"<!-- a proxy's --><html><body><h1>Access <b>denied</b> &ndash; ask IT</h1>":                                   "Access denied – ask IT",

		"<html><title> </title><body>secret":                                      "an HTML page without a title",
		"POST https://r.example/v2/: 413: <html><title>Too large</title>":         "POST https://r.example/v2/: 413: Too large",
		`<?xml version="1.0"?><!DOCTYPE html><html><head><title>X</title></head>`: "X",
		"a < b, and b > c": "a < b, and b > c",
	} {
		require.Equal(t, want, httpclient.Sanitize(page))
	}
}
