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

// Login is the operator's login for a registry. It is sent with each pull from that registry, and not stored by the engine.
type Login struct {
	Server   string // HOST[:PORT] of the registry
	User     string
	Password string
	Token    string // identity token, used instead of a password
}

// `encodeLogin` returns the login in the API's encoding, for a pull. It returns an error if the image is from a different registry, or if the
// engine might contact the registry without TLS. TLS is not required for a registry on the engine's own machine.
func (c *Client) encodeLogin(ctx context.Context, ref string, login Login) (string, error) {
	if login == (Login{}) {
		return "", nil
	}
	host := registryOf(ref)
	if of := canonical(login.Server); of != host {
		return "", operr.New("report this error, which is a bug in this program", "the login for %s is not sent to %s, the registry of %s", of, host, ref)
	}
	if open, err := c.open(ctx, host); err != nil {
		return "", err
	} else if open {
		return "", operr.New("remove this registry from `insecure-registries` in /etc/docker/daemon.json on the host, and restart the engine",
			"your login for %s is not sent, because the engine of the host may use this registry without TLS, and others on the network could then read the login", host)
	}
	text, err := json.Marshal(registry.AuthConfig{
		Username:      login.User,
		Password:      login.Password,
		IdentityToken: login.Token,
		ServerAddress: login.Server,
	})
	return base64.URLEncoding.EncodeToString(text), err
}

// hub is the engine's name for the default registry.
const hub = "docker.io"

// canonical returns the canonical name of a registry, because Docker Hub has three names.
func canonical(host string) string {
	host = strings.ToLower(host)
	if host == "index.docker.io" || host == "registry-1.docker.io" {
		return hub
	}
	return host
}

// registryOf returns the registry that an engine uses for an image.
func registryOf(ref string) string {
	host, _, found := strings.Cut(ref, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" && strings.ToLower(host) == host {
		return hub
	}
	return canonical(host)
}

// `open` reports whether an engine might contact a registry without TLS over a network.
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
	ctx, done := withLimit(ctx, quick)
	defer done()
	r, err := c.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return false, failure(ctx, err, "asking the engine which registries it may ask without TLS")
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
		return p.Bits() == 0 || !named && p.Contains(address.Unmap()) // only the engine can resolve the name
	}), nil
}
