package buildx

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// Node describes a builder: its name, its driver, and the platforms that it can run.
type Node struct {
	Name, Driver string
	Platforms    []string // platforms that the builder can run, natively or by emulation
	HostNetwork  bool     // the builder is a container that uses the host's network
	Bare         []string // remote addresses without TLS; anyone who can reach them can build there
}

// Loopback reports whether the builder can reach servers on this machine's loopback interface. It may wrongly return true for a builder on another
// machine, because buildx does not show where a builder runs.
func (n Node) Loopback() bool {
	return n.HostNetwork || n.Driver != "docker-container" && n.Driver != "kubernetes" && n.Driver != "docker"
}

// parseInspect parses the output of `buildx inspect`: the builder, followed by its nodes.
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
			if last := len(n.Bare) - 1; last >= 0 && strings.Contains(value, `cacert="`) { // the options belong to the preceding endpoint
				n.Bare = n.Bare[:last]
			}
		case key == "Platforms":
			for p := range strings.SplitSeq(value, ",") {
				p = strings.TrimSuffix(strings.TrimSpace(p), "*") // a star marks a platform that was set manually
				if p != "" && !slices.Contains(n.Platforms, p) {
					n.Platforms = append(n.Platforms, p)
				}
			}
		}
	}
	return n
}

// isBare reports whether an endpoint is a TCP port on another machine. The node's options determine whether it uses TLS.
func isBare(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && u.Scheme == "tcp" && !httpclient.Loopback(u.Hostname())
}

// nextForNodes is the next step for a node that does not respond.
const nextForNodes = "start that node, then run the same command again; or remove the node from the builder: `docker buildx create --name BUILDER --node NODE --leave`"

// findAbsent returns a sentence that names the builder's unresponsive nodes. It returns "" if all respond, or if buildx does not know.
func (b *Builder) findAbsent(ctx context.Context) string {
	text, err := b.inspect(ctx)
	names := parseAbsent(text)
	switch {
	case err != nil || len(names) == 0:
		return ""
	case len(names) == 1:
		return b.hide("its node " + names[0] + " is not running")
	}
	return b.hide("its nodes " + strings.Join(names, " and ") + " are not running")
}

// parseAbsent returns the nodes, with their addresses, that `buildx inspect` reports as stopped or failed.
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
