package buildx

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// Node is what a builder can do.
type Node struct {
	Name, Driver string
	Platforms    []string // that it can run, by emulation too
	HostNetwork  bool     // a container that has this machine's network
	Bare         []string // addresses on other machines to which it talks without TLS: anyone who reaches them can build there
}

// Loopback reports whether the builder can reach what listens on this machine's loopback. One on another machine cannot
// either, but that is not to be seen.
func (n Node) Loopback() bool {
	return n.HostNetwork || n.Driver != "docker-container" && n.Driver != "kubernetes" && n.Driver != "docker"
}

// parseInspect reads what `buildx inspect` prints: the builder, and then each of its nodes.
func parseInspect(text string) (n Node) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case key == "Endpoint" && isBare(value):
			n.Bare = append(n.Bare, value)
		case key == "Name" && n.Name == "":
			n.Name = value
		case key == "Driver":
			n.Driver = value
		case key == "Driver Options":
			n.HostNetwork = strings.Contains(value, `network="host"`)
			if last := len(n.Bare) - 1; last >= 0 && strings.Contains(value, `cacert="`) { // of the node whose endpoint was just read
				n.Bare = n.Bare[:last]
			}
		case key == "Platforms":
			for p := range strings.SplitSeq(value, ",") {
				p = strings.TrimSuffix(strings.TrimSpace(p), "*") // a star is a platform that was set by hand
				if p != "" && !slices.Contains(n.Platforms, p) {
					n.Platforms = append(n.Platforms, p)
				}
			}
		}
	}
	return n
}

// isBare reports whether an endpoint is a plain TCP port of another machine. TLS is a matter of the node's options.
func isBare(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "tcp" && !httpclient.Loopback(u.Hostname())
}

// nextForNodes is what to do about a node that does not answer.
const nextForNodes = "start that node again, and run it again; or take it out of the builder: `docker buildx create --name BUILDER --node NODE --leave`"

// findAbsent says which nodes of the builder do not answer now; "" where all do, or where buildx does not know.
func (b *Builder) findAbsent(ctx context.Context) string {
	text, err := b.inspect(ctx)
	names := parseAbsent(text)
	switch {
	case err != nil || len(names) == 0:
		return ""
	case len(names) == 1:
		return b.hide("its node " + names[0] + " is not there")
	}
	return b.hide("its nodes " + strings.Join(names, " and ") + " are not there")
}

// parseAbsent are the nodes, with their addresses, that `buildx inspect` found not running, or in error.
func parseAbsent(text string) (absent []string) {
	_, nodes, _ := strings.Cut(text, "\nNodes:\n")
	var name, endpoint string
	for line := range strings.Lines(nodes) {
		key, value, _ := strings.Cut(line, ":")
		switch value = strings.TrimSpace(value); key {
		case "Name":
			name = value
		case "Endpoint":
			endpoint = value
		case "Status", "Error":
			if value != "running" {
				absent = append(absent, name+" ("+endpoint+")")
			}
		}
	}
	return absent
}
