package httpserver

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// Hosts are the names that a server answers to, as they stand in the Host header. The zero value is loopback alone:
// localhost, 127.0.0.0/8 and ::1, with any port.
type Hosts struct {
	names []string // further ones, without a port, in lower case
	any   bool     // the server listens at all addresses of this machine, and answers to them and to its name
}

// HostsOf are the names of a server that listens at an address: loopback, and what the address says. One that says no host,
// or 0.0.0.0 or [::], stands for every address of this machine: as numbers, which no name server can change, and by the
// name of this machine.
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

// Has reports whether the host of a request, with or without a port, is one of them.
func (h Hosts) Has(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = plain(name)
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && (ip.IsLoopback() || h.any) || slices.Contains(h.names, name)
}

// plain is a name as it is compared: in lower case, without a dot at its end, and a number without its brackets.
func plain(name string) string {
	return strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
}

// only answers requests to other hosts by a sentence. A browser that was led here by a name of a stranger's says that name.
func (h Hosts) only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Has(r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, fmt.Sprintf("this server does not answer to the name %.120q; use localhost, or let it listen at that name", r.Host), http.StatusMisdirectedRequest)
	})
}
