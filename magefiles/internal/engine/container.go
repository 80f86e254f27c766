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

// State is what a container does.
type State string

// The states that matter; there are others, for a moment.
const (
	Created    State = "created"
	Running    State = "running"
	Restarting State = "restarting"
	Exited     State = "exited"
)

// Health is what the engine sees by the image's HEALTHCHECK.
type Health string

// What the engine sees.
const (
	Unchecked Health = "" // the image has no HEALTHCHECK
	Starting  Health = "starting"
	Healthy   Health = "healthy"
	Unhealthy Health = "unhealthy"
)

// Container is what the engine says of one.
type Container struct {
	ID      string
	Name    string
	Image   string // what it was made of, as Spec.Image had it
	ImageID string // digest of the image's config
	Labels  map[string]string

	State    State
	Health   Health
	ExitCode int       // of the last end
	OOM      bool      // it ended because it took too much memory
	Restarts int       // how often the engine started it again
	Created  time.Time //
	Started  time.Time // the last time; zero: never
	Finished time.Time // the last time; zero: never

	Restart   Restart
	Networks  map[string]Endpoint // by the network's name
	Mounts    []Mount
	Published []Publish // as they are bound while it runs
}

// Endpoint is a container's place in a network.
type Endpoint struct {
	Aliases []string
	Address netip.Addr // the zero value: it does not run
}

// Inspect says what the engine knows of a container, by ID or name.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return Container{}, failed(ctx, err, "looking at container %s", id)
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
		c.Restart = cmp.Or(Restart(r.HostConfig.RestartPolicy.Name), Never) // others may have made it
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

// moment reads a time of the engine, which writes the year 1 for one that never was.
func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}

// Containers are those with all of some labels (KEY, or KEY=VALUE), whatever they do, by name.
func (c *Client) Containers(ctx context.Context, labels ...string) ([]Container, error) {
	ctx, done := limited(ctx, slow)
	defer done()
	filters := client.Filters{}
	if len(labels) > 0 {
		filters.Add("label", labels...)
	}
	r, err := c.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filters})
	if err != nil {
		return nil, failed(ctx, err, "listing containers")
	}
	var all []Container
	for _, s := range r.Items {
		one, err := c.Inspect(ctx, s.ID)
		if errors.Is(err, NotFound) {
			continue // it went between the two questions
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Start starts a container; one that runs goes on. A port that somebody has is PortTaken.
func (c *Client) Start(ctx context.Context, id string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	return failed(ctx, err, "starting container %s", id)
}

// Stop asks a container to end, and kills it after the grace. One that does not run is left as it is.
func (c *Client) Stop(ctx context.Context, id string, grace time.Duration) error {
	ctx, done := limited(ctx, grace+quick)
	defer done()
	_, err := c.api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: seconds(grace)})
	return failed(ctx, err, "stopping container %s", id)
}

// Remove takes a container away, which is killed if it runs. Its named volumes stay.
func (c *Client) Remove(ctx context.Context, id string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return failed(ctx, err, "removing container %s", id)
}

// SetRestart changes whether the engine starts a container again.
func (c *Client) SetRestart(ctx context.Context, id string, policy Restart) error {
	ctx, done := limited(ctx, quick)
	defer done()
	_, err := c.api.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{RestartPolicy: &container.RestartPolicy{Name: container.RestartPolicyMode(policy)}})
	return failed(ctx, err, "changing the restart policy of container %s", id)
}
