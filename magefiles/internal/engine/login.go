package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Login is the operator's login for a registry. It is sent with each pull from that registry, and the engine keeps nothing of it.
type Login struct {
	Server   string // HOST[:PORT] of the registry
	User     string
	Password string
	Token    string // identity token, in place of a password
}

// sent is what an engine is sent to pull an image with. A login goes to its own registry and to no other, and to none that the engine may reach
// without TLS, unless that is the engine's own machine.
func (c *Client) sent(ctx context.Context, ref string, login Login) (string, error) {
	if login == (Login{}) {
		return "", nil
	}
	host := registryOf(ref)
	if of := canonical(login.Server); of != host {
		return "", operr.New("report it: it is a mistake of this program", "the login for %s is not sent to %s, where %s is", of, host, ref)
	}
	if open, err := c.open(ctx, host); err != nil {
		return "", err
	} else if open {
		return "", operr.New("take it out of insecure-registries in the /etc/docker/daemon.json of the host",
			"your login for %s is not sent: the engine of the host may ask that registry without TLS, where everybody on the way can read it", host)
	}
	text, err := json.Marshal(registry.AuthConfig{
		Username:      login.User,
		Password:      login.Password,
		IdentityToken: login.Token,
		ServerAddress: login.Server,
	})
	return base64.URLEncoding.EncodeToString(text), err
}

// hub is the registry of names without one, as engines call it.
const hub = "docker.io"

// canonical is one name for each registry: the hub has three.
func canonical(host string) string {
	host = strings.ToLower(host)
	if host == "index.docker.io" || host == "registry-1.docker.io" {
		return hub
	}
	return host
}

// registryOf is where an engine pulls an image from.
func registryOf(ref string) string {
	host, _, found := strings.Cut(ref, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" && strings.ToLower(host) == host {
		return hub
	}
	return canonical(host)
}

// open reports whether an engine may ask a registry without TLS, over a network.
func (c *Client) open(ctx context.Context, host string) (bool, error) {
	name := host
	if at := strings.LastIndexByte(host, ':'); at > 0 && !strings.HasSuffix(host, "]") {
		name = host[:at]
	}
	address, err := netip.ParseAddr(strings.Trim(name, "[]"))
	named := err != nil
	if name == "localhost" || !named && address.IsLoopback() {
		return false, nil
	}
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return false, failed(ctx, err, "asking the engine which registries it may ask without TLS")
	}
	config := r.Info.RegistryConfig
	if config == nil {
		return false, nil
	}
	for of, index := range config.IndexConfigs {
		if canonical(of) == host && index != nil && !index.Secure {
			return true, nil
		}
	}
	return slices.ContainsFunc(config.InsecureRegistryCIDRs, func(p netip.Prefix) bool {
		return p.Bits() == 0 || !named && p.Contains(address.Unmap()) // what a name leads to, the engine alone knows
	}), nil
}
