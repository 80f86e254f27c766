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

// Host is what one host says of an application's deployment environment. It is asked, and never remembered.
type Host struct {
	Name    string   `json:"host"`
	Trouble string   `json:"trouble,omitempty"` // why it could not be asked; "" where it answered
	Next    string   `json:"next,omitempty"`    // what to do about that
	Arch    string   `json:"arch,omitempty"`
	Setup   []string `json:"setup,omitempty"`   // what `mage deploy:setup` would do
	Running *Running `json:"running,omitempty"` // what requests go to; nil: nothing answers
	Waiting bool     `json:"waiting_for_secrets,omitempty"`
	Drift   []string `json:"drift,omitempty"`
	Free    int64    `json:"free"` // bytes
	Proxy   *Front   `json:"proxy,omitempty"`
	Kept    Kept     `json:"kept"`

	Holder *hoststate.Holder `json:"holder,omitempty"` // who has the lock
	Left   time.Duration     `json:"left,omitempty"`   // of the lock's lease

	Up    string            `json:"up,omitempty"`
	Prev  string            `json:"prev,omitempty"`
	Gate  string            `json:"-"` // what is asked at the gate
	Audit []hoststate.Entry `json:"audit,omitempty"`

	Containers []engine.Container `json:"-"` // with our labels
	Err        error              `json:"-"` // why it could not be asked

	proxy string // ID of the proxy's container, which one machine has
	port  string // label of what is behind it
}

// Front is the proxy of a host, as its container is.
type Front struct {
	Image   string   `json:"image"`             // Config.Image of the container
	Digests []string `json:"digests,omitempty"` // REPOSITORY@sha256:… by which the image was pulled
}

// Running is what requests go to, by the container that runs.
type Running struct {
	Release  string    `json:"release"`
	Image    string    `json:"image"`              // Config.Image of the container
	Revision string    `json:"revision,omitempty"` // that it says itself
	Since    time.Time `json:"since"`
	Healthy  bool      `json:"healthy"`
	Says     string    `json:"says"` // what the health path answers
}

// Look asks all hosts of an environment, at once. lines of their audit are read.
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

// LookAll asks all hosts of several environments, at once: it takes as long as the slowest one of them.
func LookAll(ctx context.Context, fleets []*Fleet, lines int) [][]Host {
	all := make([][]Host, len(fleets))
	var wait sync.WaitGroup
	for n, f := range fleets {
		wait.Go(func() { all[n] = f.Look(ctx, lines) })
	}
	wait.Wait()
	return all
}

// absent names the hosts that the last deployment of a host was without, and that do not run what it runs.
func absent(h Host, all []Host) (drift []string) {
	for _, other := range all {
		if slices.Contains(h.Kept.Absent, other.Name) && (other.Running == nil || h.Running == nil || other.Running.Image != h.Running.Image) {
			drift = append(drift, "the last deployment was without "+other.Name)
		}
	}
	return drift
}

// KeptAs is the name under which a host keeps a Kept.
const KeptAs = "releases"

// Kept reads what a host remembers.
func (f *Fleet) Kept(ctx context.Context, m *Machine) (Kept, error) {
	_, k, err := f.Remembered(ctx, m)
	return k, err
}

// Remembered is Kept with all else that was seen at the same moment.
func (f *Fleet) Remembered(ctx context.Context, m *Machine) (seen hoststate.Seen, k Kept, err error) {
	seen, err = m.State.Look(ctx, f.Key())
	if text := seen.Values[KeptAs]; err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &k)
	}
	return seen, k, err
}

// LookAt asks one host.
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
			return operr.New("look at it in the proxy's volume, and remove it", "what the host remembers of its releases cannot be read: %w", err)
		}
	}
	if h.Free, err = m.State.Free(ctx); err != nil {
		return err
	}
	if h.Containers, err = m.Engine.Containers(ctx, LabelApp+"="+f.App, LabelEnvironment+"="+f.Environment.Name); err != nil {
		return err
	}
	if lines > 0 {
		if h.Audit, err = m.State.Audited(ctx, f.Key(), lines); err != nil {
			return err
		}
	}
	if c := h.Behind(h.Up); c != nil {
		if err := f.askRunning(ctx, m, h, c); err != nil {
			return err
		}
	}
	if now := h.Kept.Current; f.Environment.Memory && len(f.Environment.Secrets) > 0 && now != nil && (h.Running == nil || !h.Running.Healthy) {
		h.Waiting = h.Of(now.ID) != nil // what was in memory went when it ended
	}
	h.Drift = append(h.Drift, h.drift()...)
	for _, line := range h.Setup {
		h.Drift = append(h.Drift, "`mage deploy:setup` would "+line)
	}
	return nil
}

// askRunning asks the container that requests go to, by the published port.
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
			h.Drift = append(h.Drift, fmt.Sprintf("the image of %s was pulled by %d digests; %s is the one that the container was made of", c.Name, len(same), c.Image))
		}
	} else {
		h.Drift = append(h.Drift, "the image of "+c.Name+" is not there any more: a rollback to it will be refused")
	}
	return nil
}

// Behind is the container that an upstream leads to, by its alias; nil where none runs.
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

// Of is the container of a version, whatever it does; nil where there is none.
func (h *Host) Of(id string) *engine.Container {
	for n, c := range h.Containers {
		if c.Labels[LabelRelease] == id && hasAlias(c, id) {
			return &h.Containers[n]
		}
	}
	return nil
}

// MadeBy is the number of the deployment that made what has some labels, behind the proxy of a port; ok says whether one did.
func MadeBy(labels map[string]string, port string) (fence int64, ok bool) {
	fence, err := strconv.ParseInt(labels[LabelFence], 10, 64)
	return fence, err == nil && labels[LabelPort] == port
}

// left says what a deployment that has come to its end on all hosts would have put away: it was killed before it did.
func (h *Host) left() (all []string) {
	now := h.Kept.Current
	for _, c := range h.Containers {
		if _, ours := MadeBy(c.Labels, h.port); !ours || now == nil || c.Labels[LabelRelease] == now.ID {
			continue
		}
		runs := c.State == engine.Running || c.State == engine.Restarting
		switch {
		case !h.Kept.Knows(c.Labels[LabelRelease]):
			all = append(all, "removes "+c.Name+", which a deployment has left")
		case runs:
			all = append(all, "stops "+c.Name+", which a deployment has left running")
		}
	}
	for _, upstream := range []string{h.Prev, h.Gate} {
		if len(all) == 0 && upstream != "" && upstream != hoststate.None {
			all = append(all, "sends nobody to "+upstream+" any more")
		}
	}
	return all
}

// version is one that a deployment made; the zero value where none did.
func (k Kept) version(id string) Version {
	for _, v := range k.All() {
		if v.ID == id {
			return v
		}
	}
	return Version{}
}

// All are the versions that a host remembers.
func (k Kept) All() []Version {
	all := slices.Clone(k.Older)
	for _, v := range []*Version{k.Current, k.Previous, k.Candidate} {
		if v != nil {
			all = append(all, *v)
		}
	}
	return all
}

// Knows reports whether a version is one that a deployment made.
func (k Kept) Knows(id string) bool { return id != "" && k.version(id).ID == id }

// drift says what is not as the last deployment left it.
func (h *Host) drift() (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	running := h.Behind(h.Up)
	none := h.Up == "" || h.Up == hoststate.None
	switch {
	case none && h.Kept.Current != nil:
		say("requests go nowhere, and %s was deployed last", h.Kept.Current.ID)
	case !none && running == nil:
		say("requests go to %s, and no container of ours answers there", h.Up)
	case h.Kept.Current != nil && h.Up != h.Kept.Current.Upstream():
		say("requests go to %s, and %s was deployed last", h.Up, h.Kept.Current.ID)
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
			say("the container %s is behind port %s, which the environment had before: remove both by hand", c.Name, port)
			continue
		case !h.Kept.Knows(id):
			say("the container %s has our labels, and no deployment made it", c.Name)
		case seen[id]:
			say("the container %s has the labels of %s, which has another one", c.Name, id)
		case c.Name != id:
			say("the container of %s was renamed to %s", id, c.Name)
		}
		seen[id] = true
		for _, v := range []*Version{h.Kept.Current, h.Kept.Previous, h.Kept.Candidate} {
			if v != nil && v.ID == id && c.Image != v.Image {
				say("the container of %s is made of %s, and %s was deployed", id, c.Image, v.Image)
			}
		}
		if running != nil && c.ID == running.ID && c.Restart != engine.UnlessStopped && h.Kept.Candidate == nil {
			say("the container of %s will not start again after a reboot: its restart policy is %q", id, c.Restart)
		}
		if c.State == engine.Running && (running == nil || c.ID != running.ID) && h.Behind(h.Prev) != c && h.Kept.Candidate == nil {
			say("the container %s runs and gets no requests", c.Name)
		}
	}
	return all
}
