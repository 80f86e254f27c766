package engine

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// State is the state of a container.
type State string

// The relevant states. Others are transient.
const (
	Created    State = "created"
	Running    State = "running"
	Restarting State = "restarting"
	Exited     State = "exited"
)

// Health is the result of the image's HEALTHCHECK, as reported by the engine.
type Health string

// The results of a HEALTHCHECK.
const (
	Unchecked Health = "" // the image has no HEALTHCHECK
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// Container describes a container.
type Container struct {
	ID      string
	Name    string
	Image   string // image from which the container was created, as in Spec.Image
	ImageID string // digest of the image's config
	Labels  map[string]string

	State    State
	Health   Health
	ExitCode int       // last exit code
	OOM      bool      // the container was killed because it ran out of memory
	Restarts int       // number of automatic restarts
	Created  time.Time //
	Started  time.Time // last start; zero if never
	Finished time.Time // last exit; zero if never

	Restart   Restart
	Networks  map[string]Endpoint // by network name
	Mounts    []Mount
	Published []Publish // ports that are bound while the container runs
}

// Endpoint is a container's connection to a network.
type Endpoint struct {
	Aliases []string
	Address netip.Addr // zero if the container is not running
}

// Inspect returns a description of a container, given by ID or name.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	ctx, done := withLimit(ctx, quick)
	defer done()
	r, err := c.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return Container{}, failure(ctx, err, "looking at container %s", id)
	}
	return containerOf(r.Container), nil
}

func containerOf(r container.InspectResponse) Container {
	c := Container{
		ID:       r.ID,
		Name:     strings.TrimPrefix(r.Name, "/"),
		ImageID:  r.Image,
		Restarts: r.RestartCount,
		Created:  moment(r.Created),
		Networks: map[string]Endpoint{},
	}
	if r.Config != nil {
		c.Image, c.Labels = r.Config.Image, r.Config.Labels
	}
	if r.HostConfig != nil {
		c.Restart = cmp.Or(Restart(r.HostConfig.RestartPolicy.Name), Never) // containers created by others may have no policy
	}
	if s := r.State; s != nil {
		c.State, c.ExitCode, c.OOM = State(s.Status), s.ExitCode, s.OOMKilled
		c.Started, c.Finished = moment(s.StartedAt), moment(s.FinishedAt)
		if s.Health != nil && s.Health.Status != container.NoHealthcheck {
			c.Health = Health(s.Health.Status)
		}
	}
	for _, m := range r.Mounts {
		c.Mounts = append(c.Mounts, Mount{Volume: m.Name, Target: m.Destination, ReadOnly: !m.RW})
	}
	if n := r.NetworkSettings; n != nil {
		for name, e := range n.Networks {
			c.Networks[name] = Endpoint{Aliases: e.Aliases, Address: e.IPAddress}
		}
		c.Published = published(n.Ports)
	}
	return c
}

func published(ports network.PortMap) (all []Publish) {
	for target, bindings := range ports {
		for _, b := range bindings {
			port, err := network.ParsePort(b.HostPort)
			if err == nil {
				all = append(all, Publish{Address: b.HostIP, Port: port.Num(), Target: target.Num()})
			}
		}
	}
	slices.SortFunc(all, func(a, b Publish) int { return int(a.Port) - int(b.Port) })
	return all
}

// moment parses a time from the engine, which uses year 1 for "never".
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// Containers returns the containers in any state that have all of the labels (KEY or KEY=VALUE), sorted by name.
func (c *Client) Containers(ctx context.Context, labels ...string) ([]Container, error) {
	ctx, done := withLimit(ctx, slow)
	defer done()
	filters := client.Filters{}
	if len(labels) > 0 {
		filters.Add("label", labels...)
	}
	r, err := c.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, failure(ctx, err, "listing containers")
	}
	var all []Container
	for _, s := range r.Items {
		one, err := c.Inspect(ctx, s.ID)
		if errors.Is(err, NotFound) {
			continue // the container was removed between the two requests
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Start starts a container. It is a no-op if the container is running. If a port is in use, the error is PortTaken.
func (c *Client) Start(ctx context.Context, id string) error {
	ctx, done := withLimit(ctx, slow)
	defer done()
	_, err := c.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return failure(ctx, err, "starting container %s", id)
}

// Stop stops a container, and kills it after the grace period. It is a no-op if the container is not running.
func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	ctx, done := withLimit(ctx, grace+quick)
	defer done()
	_, err := c.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: seconds(grace)})
	return failure(ctx, err, "stopping container %s", id)
}

// Remove removes a container, and kills it if it is running. Named volumes are not removed.
func (c *Client) Remove(ctx context.Context, id string) error {
	ctx, done := withLimit(ctx, slow)
	defer done()
	_, err := c.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return failure(ctx, err, "removing container %s", id)
}

// SetRestart changes a container's restart policy.
func (c *Client) SetRestart(ctx context.Context, id string, policy Restart) error {
	ctx, done := withLimit(ctx, quick)
	defer done()
	_, err := c.api.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{RestartPolicy: &container.RestartPolicy{Name: container.RestartPolicyMode(policy)}})
	return failure(ctx, err, "changing the restart policy of container %s", id)
}
