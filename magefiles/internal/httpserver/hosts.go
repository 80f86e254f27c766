package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Hosts lists the names that a server answers to, as in the Host header. The zero value is only loopback: localhost,
// 127.0.0.0/8 and ::1, with any port.
type Hosts struct {
	names []string // further names, without a port, in lower case
	any   bool     // the server listens at all addresses of this machine, and answers to them and to its name
}

// HostsOf returns the names of a server that listens at an address: loopback, and the host of the address. No host, 0.0.0.0 or [::] means every
// address of this machine. The server then answers to IP addresses, which no name server can change, and to the name of this machine.
func HostsOf(addr string) Hosts {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return Hosts{}
	}
	host = plain(host)
	if ip := net.ParseIP(host); host != "" && (ip == nil || !ip.IsUnspecified()) {
		return Hosts{names: []string{host}}
	}
	h := Hosts{any: true}
	if name, err := os.Hostname(); err == nil {
		h.names = []string{plain(name)}
	}
	return h
}

// Has reports whether the host of a request, with or without a port, is one of the names.
func (h Hosts) Has(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = plain(name)
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && (ip.IsLoopback() || h.any) || slices.Contains(h.names, name)
}

// plain returns the form in which a name is compared: in lower case, without a dot at the end, and, for an IP address, without brackets.
func plain(name string) string {
	return strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
}

// `allowHosts` rejects requests for other hosts. If a foreign name led a browser to this server, the browser sends that name in the Host header.
func (h Hosts) allowHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Has(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, fmt.Sprintf("this server does not answer to the name %.120q; use localhost, or start the server with an address that has this name", r.Host), http.StatusMisdirectedRequest)
	})
}
