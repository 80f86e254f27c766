package engine

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// Restart says whether the engine starts a container again.
type Restart string

// The policies.
const (
	Never         Restart = "no"
	Always        Restart = "always"         // also after it was stopped, once the engine starts
	UnlessStopped Restart = "unless-stopped" // after a reboot too
)

// Spec is a container to be made. The zero value of every field but Image is what the image says.
type Spec struct {
	Name       string
	Image      string // REPOSITORY@sha256:…, or an ID; it is what Container.Image says later
	Labels     map[string]string
	Env        []string // KEY=VALUE: seen by whoever may use the engine
	Entrypoint []string
	Command    []string
	User       string

	Network string // by name; "" is the engine's default
	Aliases []string
	Publish []Publish
	Mounts  []Mount

	Restart     Restart           // "" is Never
	Memory      int64             // limit in bytes; 0 is none
	LogDriver   string            // "" is the engine's default
	LogOptions  map[string]string //
	StopTimeout time.Duration     // from the signal to the kill; 0 is the engine's default
	ReadOnly    bool              // of the container's own file system
}

// Publish makes a port of the container one of the machine's.
type Publish struct {
	Address netip.Addr // of the machine; the zero value is all
	Port    uint16     // of the machine; 0 is a free one
	Target  uint16     // of the container
}

// Mount puts a volume into the container, as a folder.
type Mount struct {
	Volume   string // its name
	Target   string
	ReadOnly bool
}

// Create makes a container, which does not run yet, and returns its ID. A name that is taken is a Conflict.
func (c *Client) Create(ctx context.Context, s Spec) (string, error) { return c.create(ctx, s, false) }

func (c *Client) create(ctx context.Context, s Spec, stdin bool) (string, error) {
	ctx, done := limited(ctx, slow)
	defer done()
	config := &container.Config{
		Image:        s.Image,
		Labels:       maps.Clone(s.Labels),
		Env:          s.Env,
		Entrypoint:   s.Entrypoint,
		Cmd:          s.Command,
		User:         s.User,
		OpenStdin:    stdin,
		StdinOnce:    stdin,
		AttachStdin:  stdin,
		ExposedPorts: network.PortSet{},
	}
	if s.StopTimeout > 0 {
		config.StopTimeout = seconds(s.StopTimeout)
	}
	host := &container.HostConfig{
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyMode(cmp.Or(s.Restart, Never))},
		LogConfig:      container.LogConfig{Type: s.LogDriver, Config: maps.Clone(s.LogOptions)},
		NetworkMode:    container.NetworkMode(s.Network),
		PortBindings:   network.PortMap{},
		ReadonlyRootfs: s.ReadOnly,
		Resources:      container.Resources{Memory: s.Memory},
	}
	for _, p := range s.Publish {
		port, _ := network.PortFrom(p.Target, network.TCP)
		binding := network.PortBinding{HostIP: p.Address}
		if p.Port != 0 {
			published, _ := network.PortFrom(p.Port, network.TCP)
			binding.HostPort = published.Port()
		}
		config.ExposedPorts[port] = struct{}{}
		host.PortBindings[port] = append(host.PortBindings[port], binding)
	}
	for _, m := range s.Mounts {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: m.Volume, Target: m.Target, ReadOnly: m.ReadOnly})
	}
	var networks *network.NetworkingConfig
	if s.Network != "" {
		networks = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{s.Network: {Aliases: s.Aliases}}}
	}
	r, err := c.api.ContainerCreate(ctx, client.ContainerCreateOptions{Config: config, HostConfig: host, NetworkingConfig: networks, Name: s.Name})
	return r.ID, failed(ctx, err, "making container %s", s.Name)
}

// seconds are what the API has for a time, never less than asked for.
func seconds(d time.Duration) *int {
	n := int((d + time.Second - 1) / time.Second)
	return &n
}
