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

// Restart is a restart policy, which determines whether the engine restarts a container after it exits.
type Restart string

// Restart policies.
const (
	Never         Restart = "no"
	Always        Restart = "always"         // when the engine starts, it also starts containers that were stopped
	UnlessStopped Restart = "unless-stopped" // includes restarts after a reboot
)

// Spec describes a container to create. Except for Image, a field's zero value uses the image's setting.
type Spec struct {
	Name       string
	Image      string // REPOSITORY@sha256:… or an ID; returned in Container.Image
	Labels     map[string]string
	Env        []string // KEY=VALUE; visible to anyone who can use the engine
	Entrypoint []string
	Command    []string
	User       string

	Network string // network name; "" uses the engine's default
	Aliases []string
	Publish []Publish
	Mounts  []Mount

	Restart     Restart           // "" means Never
	Memory      int64             // limit in bytes; 0 means no limit
	LogDriver   string            // "" uses the engine's default
	LogOptions  map[string]string //
	StopTimeout time.Duration     // time between the stop signal and the kill; 0 uses the engine's default
	ReadOnly    bool              // the container's root file system is read-only
}

// Publish publishes a container's port on the machine.
type Publish struct {
	Address netip.Addr // address on the machine; zero means all addresses
	Port    uint16     // port on the machine; 0 picks a free one
	Target  uint16     // port in the container
}

// Mount mounts a volume at a path in the container.
type Mount struct {
	Volume   string // name of the volume
	Target   string
	ReadOnly bool
}

// Create creates a container without starting it, and returns its ID. If the name is in use, the error is Conflict.
func (c *Client) Create(ctx context.Context, s Spec) (string, error) { return c.create(ctx, s, false) }

func (c *Client) create(ctx context.Context, s Spec, stdin bool) (string, error) {
	ctx, done := withLimit(ctx, slow)
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
	return r.ID, failure(ctx, err, "making container %s", s.Name)
}

// seconds converts a duration to the API's format: whole seconds, rounded up.
func seconds(d time.Duration) *int {
	n := int((d + time.Second - 1) / time.Second)
	return &n
}
