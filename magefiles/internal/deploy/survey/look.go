package survey

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Host contains a host's state for one environment of an application. It is queried each time, and never cached.
type Host struct {
	Name    string   `json:"host"`
	Trouble string   `json:"trouble,omitempty"` // why the host could not be queried; "" on success
	Next    string   `json:"next,omitempty"`    // next step for the trouble
	Arch    string   `json:"arch,omitempty"`
	Setup   []string `json:"setup,omitempty"`   // what `mage deploy:setup` would do
	Running *Running `json:"running,omitempty"` // version that receives requests; nil if nothing responds
	Waiting bool     `json:"waiting_for_secrets,omitempty"`
	Drift   []string `json:"drift,omitempty"`
	Free    int64    `json:"free"` // bytes
	Proxy   *Front   `json:"proxy,omitempty"`
	Kept    Kept     `json:"kept"`

	Holder *hoststate.Holder `json:"holder,omitempty"` // holder of the lock
	Left   time.Duration     `json:"left,omitempty"`   // remaining time of the lock's lease

	Up    string            `json:"up,omitempty"`
	Prev  string            `json:"prev,omitempty"`
	Gate  string            `json:"-"` // upstream that is checked at the gate
	Audit []hoststate.Entry `json:"audit,omitempty"`

	Containers []engine.Container `json:"-"` // containers with our labels
	Err        error              `json:"-"` // why the host could not be queried

	proxy string // ID of the proxy container, which reveals two names for one machine
	port  string // PortLabel of the containers behind the proxy
}

// Front describes a host's proxy container.
type Front struct {
	Image   string   `json:"image"`             // Config.Image of the container
	Digests []string `json:"digests,omitempty"` // REPOSITORY@sha256:… under which the image was pulled
}

// Running describes the container that receives requests.
type Running struct {
	Release  string    `json:"release"`
	Image    string    `json:"image"`              // Config.Image of the container
	Revision string    `json:"revision,omitempty"` // from the container's health response
	Since    time.Time `json:"since"`
	Healthy  bool      `json:"healthy"`
	Says     string    `json:"says"` // response of the health path
}

// Look queries all hosts of an environment concurrently, and reads the last `lines` lines of their audit logs.
func (f *Fleet) Look(ctx context.Context, lines int) []Host {
	all := make([]Host, len(f.Environment.Hosts))
	var wait sync.WaitGroup
	for n, host := range f.Environment.Hosts {
		wait.Go(func() { all[n] = f.LookAt(ctx, host, lines) })
	}
	wait.Wait()
	for n := range all {
		all[n].Drift = append(all[n].Drift, absent(all[n], all)...)
	}
	return all
}

// LookAll queries all hosts of several environments concurrently. It returns when the slowest host has responded.
func LookAll(ctx context.Context, fleets []*Fleet, lines int) [][]Host {
	all := make([][]Host, len(fleets))
	var wait sync.WaitGroup
	for n, f := range fleets {
		wait.Go(func() { all[n] = f.Look(ctx, lines) })
	}
	wait.Wait()
	return all
}

// absent names the hosts that were left out of h's last deployment and do not run what h runs.
func absent(h Host, all []Host) (drift []string) {
	for _, other := range all {
		if slices.Contains(h.Kept.Absent, other.Name) && (other.Running == nil || h.Running == nil || other.Running.Image != h.Running.Image) {
			drift = append(drift, "the last deployment was without "+other.Name)
		}
	}
	return drift
}

// KeptAs is the name of the value in which a host stores its Kept.
const KeptAs = "releases"

// Kept reads a host's record of releases.
func (f *Fleet) Kept(ctx context.Context, m *Machine) (Kept, error) {
	_, k, err := f.Remembered(ctx, m)
	return k, err
}

// Remembered returns Kept along with the rest of the host's state, all read at the same moment.
func (f *Fleet) Remembered(ctx context.Context, m *Machine) (seen hoststate.Seen, k Kept, err error) {
	seen, err = m.State.Look(ctx, f.Key())
	if text := seen.Values[KeptAs]; err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &k)
	}
	return seen, k, err
}

// LookAt queries one host.
func (f *Fleet) LookAt(ctx context.Context, host string, lines int) (h Host) {
	h = Host{Name: host}
	if h.Err = f.ask(ctx, &h, lines); h.Err != nil {
		h.Trouble, h.Next = h.Err.Error(), operr.NextOf(h.Err)
		if errors.Is(h.Err, engine.Unreachable) {
			f.Broke(host)
		}
	}
	return h
}

func (f *Fleet) ask(ctx context.Context, h *Host, lines int) error {
	m, err := f.Machine(ctx, h.Name)
	if err != nil {
		return err
	}
	version, err := m.Engine.Ping(ctx)
	if err != nil {
		return err
	}
	h.Arch = version.OS + "/" + version.Arch
	if h.Setup, err = m.Front.Missing(ctx, f.Key(), f.Service()); err != nil {
		return err
	}
	if front, err := m.Engine.Inspect(ctx, m.Front.Name()); err == nil {
		h.proxy, h.port = front.ID, PortLabel(m)
		h.Proxy = &Front{Image: front.Image}
		if image, err := m.Engine.Image(ctx, front.ImageID); err == nil {
			h.Proxy.Digests = image.Digests
		}
	}
	seen, err := m.State.Look(ctx, f.Key())
	if err != nil && len(h.Setup) > 0 {
		return f.NotSetUp(h.Setup)
	}
	if err != nil {
		return err
	}
	h.Up, h.Prev, h.Gate, h.Holder, h.Left = seen.Up, seen.Prev, seen.Next, seen.Lock.Holder, seen.Lock.Left
	if text := seen.Values[KeptAs]; text != "" {
		if err := json.Unmarshal([]byte(text), &h.Kept); err != nil {
			return operr.New("look at the file `releases` in the proxy's volume, and remove the file", "reading the host's record of its releases: %w", err)
		}
	}
	if h.Free, err = m.State.Free(ctx); err != nil {
		return err
	}
	if h.Containers, err = m.Engine.Containers(ctx, LabelApp+"="+f.App, LabelEnvironment+"="+f.Environment.Name); err != nil {
		return err
	}
	if lines > 0 {
		if h.Audit, err = m.State.AuditLog(ctx, f.Key(), lines); err != nil {
			return err
		}
	}
	if c := h.Behind(h.Up); c != nil {
		if err := f.askRunning(ctx, m, h, c); err != nil {
			return err
		}
	}
	if now := h.Kept.Current; f.Environment.Memory && len(f.Environment.Secrets) > 0 && now != nil && (h.Running == nil || !h.Running.Healthy) {
		h.Waiting = h.Of(now.ID) != nil // in-memory secrets were lost when the container exited
	}
	h.Drift = append(h.Drift, h.drift()...)
	for _, line := range h.Setup {
		h.Drift = append(h.Drift, "`mage deploy:setup` would "+line)
	}
	return nil
}

// askRunning queries the container that receives requests, through the published port.
func (f *Fleet) askRunning(ctx context.Context, m *Machine, h *Host, c *engine.Container) error {
	path, rule := h.Kept.version(c.Labels[LabelRelease]).Question(f.Environment)
	a, err := m.Proxy.AskPublished(ctx, f.Key(), f.Service(), path)
	if err != nil {
		return err
	}
	revision := revisionOf(rule, a)
	h.Running = &Running{
		Release:  c.Labels[LabelRelease],
		Image:    c.Image,
		Revision: revision,
		Since:    c.Started,
		Healthy:  a.Status/100 == 2 && c.Health != engine.Unhealthy,
		Says:     says(a),
	}
	image, err := m.Engine.Image(ctx, c.Image)
	if err == nil {
		repository, _, _ := strings.Cut(c.Image, "@")
		var same []string
		for _, digest := range image.Digests {
			if strings.HasPrefix(digest, repository+"@") {
				same = append(same, digest)
			}
		}
		if len(same) > 1 {
			h.Drift = append(h.Drift, fmt.Sprintf("the image of %s was pulled by %d digests; the container was made from %s", c.Name, len(same), c.Image))
		}
	} else {
		h.Drift = append(h.Drift, "the image of "+c.Name+" does not exist any more: a rollback to it will be refused")
	}
	return nil
}

// Behind returns the running container with an upstream's alias, or nil.
func (h *Host) Behind(upstream string) *engine.Container {
	alias, _, found := strings.Cut(upstream, ":")
	if !found {
		return nil
	}
	for n, c := range h.Containers {
		if c.State == engine.Running && hasAlias(c, alias) {
			return &h.Containers[n]
		}
	}
	return nil
}

func hasAlias(c engine.Container, alias string) bool {
	for _, e := range c.Networks {
		if slices.Contains(e.Aliases, alias) {
			return true
		}
	}
	return false
}

// Of returns a version's container in any state, or nil.
func (h *Host) Of(id string) *engine.Container {
	for n, c := range h.Containers {
		if c.Labels[LabelRelease] == id && hasAlias(c, id) {
			return &h.Containers[n]
		}
	}
	return nil
}

// MadeBy returns the fencing token of the deployment that set these labels. ok reports whether that deployment used the proxy on this port.
func MadeBy(labels map[string]string, port string) (fence int64, ok bool) {
	fence, err := strconv.ParseInt(labels[LabelFence], 10, 64)
	return fence, err == nil && labels[LabelPort] == port
}

// `describeLeftovers` describes what a killed deployment has left on the host. A completed deployment leaves nothing.
func (h *Host) describeLeftovers() (all []string) {
	now := h.Kept.Current
	for _, c := range h.Containers {
		if _, ours := MadeBy(c.Labels, h.port); !ours || now == nil || c.Labels[LabelRelease] == now.ID {
			continue
		}
		runs := c.State == engine.Running || c.State == engine.Restarting
		switch {
		case !h.Kept.Knows(c.Labels[LabelRelease]):
			all = append(all, "removes "+c.Name+", which a deployment left behind")
		case runs:
			all = append(all, "stops "+c.Name+", which a deployment has left running")
		}
	}
	for _, upstream := range []string{h.Prev, h.Gate} {
		if len(all) == 0 && upstream != "" && upstream != hoststate.None {
			all = append(all, "sends no more requests to "+upstream)
		}
	}
	return all
}

// version returns the recorded version with this ID, or the zero value.
func (k Kept) version(id string) Version {
	for _, v := range k.All() {
		if v.ID == id {
			return v
		}
	}
	return Version{}
}

// All returns the versions in a host's record.
func (k Kept) All() []Version {
	all := slices.Clone(k.Older)
	for _, v := range []*Version{k.Current, k.Previous, k.Candidate} {
		if v != nil {
			all = append(all, *v)
		}
	}
	return all
}

// Knows reports whether the host's record contains the version with this ID.
func (k Kept) Knows(id string) bool { return id != "" && k.version(id).ID == id }

// drift describes changes on the host since its last deployment.
func (h *Host) drift() (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	running := h.Behind(h.Up)
	none := h.Up == "" || h.Up == hoststate.None
	switch {
	case none && h.Kept.Current != nil:
		say("requests go to no container, but %s was deployed last", h.Kept.Current.ID)
	case !none && running == nil:
		say("requests go to %s, but no container of this environment has that address", h.Up)
	case h.Kept.Current != nil && h.Up != h.Kept.Current.Upstream():
		say("requests go to %s, but %s was deployed last", h.Up, h.Kept.Current.ID)
	}
	switch {
	case h.Kept.Paused != nil && h.Kept.Candidate != nil:
		say("the deployment of %s is %s", h.Kept.Candidate.ID, h.Kept.Paused)
	case h.Kept.Candidate != nil:
		say("the deployment of %s has not ended", h.Kept.Candidate.ID)
	}
	seen := map[string]bool{}
	for n := range h.Containers {
		c := &h.Containers[n]
		id := c.Labels[LabelRelease]
		switch port := c.Labels[LabelPort]; {
		case port != "" && h.port != "" && port != h.port:
			say("the container %s belongs to port %s, which the environment used earlier; remove this container and the proxy of this port by hand", c.Name, port)
			continue
		case !h.Kept.Knows(id):
			say("the container %s has the labels of this environment, but no deployment made it", c.Name)
		case seen[id]:
			say("the container %s has the labels of release %s, which already has another container", c.Name, id)
		case c.Name != id:
			say("the container of %s was renamed to %s", id, c.Name)
		}
		seen[id] = true
		for _, v := range []*Version{h.Kept.Current, h.Kept.Previous, h.Kept.Candidate} {
			if v != nil && v.ID == id && c.Image != v.Image {
				say("the container of %s was made from %s, but %s was deployed", id, c.Image, v.Image)
			}
		}
		if running != nil && c.ID == running.ID && c.Restart != engine.UnlessStopped && h.Kept.Candidate == nil {
			say("the container of %s will not start again after a reboot: its restart policy is %q", id, c.Restart)
		}
		if c.State == engine.Running && (running == nil || c.ID != running.ID) && h.Behind(h.Prev) != c && h.Kept.Candidate == nil {
			say("the container %s runs, but gets no requests", c.Name)
		}
	}
	return all
}
