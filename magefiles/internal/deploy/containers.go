package deploy

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// pulled finds out whether the image is there, and what it says of itself.
func (a *applying) pulled(ctx context.Context, _ *map[string]Facts) (map[string]Facts, bool, error) {
	var mu sync.Mutex
	facts := map[string]Facts{}
	_, all, err := a.all(ctx, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) (bool, error) {
		image, err := m.Engine.Image(ctx, h.Will.Image)
		switch {
		case errors.Is(err, engine.NotFound) && !a.p.Back:
			return false, nil
		case err != nil:
			return false, err
		}
		f := Facts{Port: h.Will.Port, Interval: survey.IntervalOf(image)}
		if f.Port == 0 {
			if f.Port, err = portOf(image); err != nil {
				return false, err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		facts[h.Host] = f
		return true, nil
	})
	return facts, all, err
}

// portOf is the only port that an image exposes.
func portOf(image engine.Image) (int, error) {
	var ports []int
	for _, exposed := range image.Exposed {
		number, protocol, _ := strings.Cut(exposed, "/")
		if port, err := strconv.Atoi(number); err == nil && port > 0 && port < 1<<16 && protocol != "udp" {
			ports = append(ports, port)
		}
	}
	if len(ports) != 1 {
		return 0, operr.NewUsage("set app_port in the environment's table", "the image exposes %s, so that it is not known which one the application listens to", operr.Count(len(ports), "port"))
	}
	return ports[0], nil
}

func (a *applying) pull(ctx context.Context) (map[string]Facts, error) {
	err := a.holding(ctx, func(ctx context.Context) error {
		return a.each(ctx, a.hosts, func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
			if _, err := m.Engine.Image(ctx, h.Will.Image); !errors.Is(err, engine.NotFound) {
				return err
			}
			login, err := a.Login(ctx, a.p.Image.Repository)
			if err == nil {
				err = a.renew(ctx, h, m)
			}
			if err != nil {
				return err
			}
			return m.Engine.Pull(ctx, h.Will.Image, login)
		})
	})
	if err != nil {
		return nil, err
	}
	facts, _, err := a.pulled(ctx, nil)
	for _, f := range facts {
		if _, note := survey.WatchOf(a.Environment, f.Interval); note != "" {
			a.Say("%s", note) // a plan knows it of an image that a host has
			break
		}
	}
	return facts, err
}

// will is what is to run on a host.
func (a *applying) will(h survey.HostPlan) survey.Version {
	v := h.Will
	if v.Port == 0 && a.facts.Known() {
		v.Port = a.facts.Get()[h.Host].Port
	}
	return v
}

func (a *applying) noted(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	k, err := a.Kept(ctx, m)
	return idOf(k.Candidate) == h.Will.ID || idOf(k.Current) == h.Will.ID, err
}

// note keeps what is about to run, before anything does: whoever comes next finds it, from any machine. What ran stays the current one.
func (a *applying) note(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return err
	}
	v := a.will(h)
	k.Candidate = &v
	return a.keep(ctx, h, m, k)
}

// find is the container of a version; nil where there is none.
func (d *Deployer) find(ctx context.Context, m *survey.Machine, id string) (*engine.Container, error) {
	all, err := m.Engine.Containers(ctx, survey.LabelApp+"="+d.App, survey.LabelEnvironment+"="+d.Environment.Name, survey.LabelRelease+"="+id)
	h := survey.Host{Containers: all}
	return h.Of(id), err
}

// started reports whether the new container was started, and is at the gate: what has come to its end since is for the gate to say.
func (a *applying) started(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil {
		return false, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	if c == nil || err != nil {
		return false, err
	}
	if c.Image != h.Will.Image {
		return false, operr.NewStopped("remove it, and deploy again", "the container %s is made of %s, and %s was to be deployed", c.Name, c.Image, h.Will.Image)
	}
	v := a.will(h)
	return seen.Up == v.Upstream() || seen.Next == v.Upstream() && (c.State == engine.Running || recorded && !c.Started.IsZero()), nil
}

// start makes the container beside the one that runs, or in its place.
func (a *applying) start(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	v := a.will(h)
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	begin := func() error { return a.begin(ctx, h, m, v) }
	if !a.needsSecrets() {
		return begin()
	}
	return a.withSecrets(ctx, h, m, v, begin)
}

func (a *applying) begin(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version) error {
	if a.Environment.StopFirst {
		if err := a.stopOthers(ctx, h, m); err != nil {
			return err
		}
	}
	c, err := a.find(ctx, m, v.ID)
	if err != nil {
		return err
	}
	id := ""
	switch {
	case c != nil:
		id = c.ID
	case a.p.Back:
		return operr.New("deploy it by its digest", "the container of %s is gone", v.ID)
	default:
		if id, err = a.create(ctx, h, m, v); err != nil {
			return err
		}
	}
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if err := m.Engine.Start(ctx, id); err != nil {
		return err
	}
	return m.State.SetNext(ctx, a.Key(), a.fence(h), v.Upstream())
}

func (a *applying) labels(h survey.HostPlan, m *survey.Machine, v survey.Version) map[string]string {
	return map[string]string{
		survey.LabelApp:         a.App,
		survey.LabelEnvironment: a.Environment.Name,
		survey.LabelRelease:     v.ID,
		survey.LabelFence:       strconv.FormatInt(a.fence(h), 10),
		survey.LabelPort:        survey.PortLabel(m),
	}
}

// secretsDir is where an application finds its secrets.
const secretsDir = "/run/secrets"

func (a *applying) create(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version) (string, error) {
	values, err := a.Values()
	if err != nil {
		return "", err
	}
	e := a.Environment
	s := engine.Spec{
		Name:        v.ID,
		Image:       v.Image,
		Labels:      a.labels(h, m, v),
		Env:         slices.Concat(sayBefore(h, time.Now()), values),
		Command:     e.Command,
		User:        e.User,
		Network:     m.Front.Network(),
		Aliases:     []string{v.ID},
		Restart:     engine.Never,
		Memory:      e.MemLimit,
		LogDriver:   e.Logging.Driver,
		LogOptions:  e.Logging.Options,
		StopTimeout: e.Grace,
	}
	for _, volume := range e.Volumes {
		s.Mounts = append(s.Mounts, engine.Mount{Volume: volume.Name, Target: volume.Target, ReadOnly: volume.ReadOnly})
	}
	if len(e.Secrets) > 0 {
		s.Mounts = append(s.Mounts, engine.Mount{Volume: v.ID, Target: secretsDir, ReadOnly: true})
	}
	return m.Engine.Create(ctx, s)
}

// sayBefore tells a new container what ran until it was made: of which revision, and when that was. Nothing else on a host knows it that an
// application can ask. A container that is gone back to keeps what it was told.
func sayBefore(h survey.HostPlan, now time.Time) []string {
	if h.Running == nil || h.Running.Revision == "" {
		return nil
	}
	return []string{"DEPLOYED_BEFORE=" + h.Running.Revision + " " + now.UTC().Format(time.RFC3339)}
}

func (a *applying) stopped(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || !none(seen.Prev) || !none(seen.Next) {
		return false, err
	}
	others, err := a.others(ctx, h, m)
	return !slices.ContainsFunc(others, func(c engine.Container) bool { return c.State == engine.Running || c.State == engine.Restarting }), err
}

func none(upstream string) bool { return upstream == "" || upstream == hoststate.None }

// others are the containers of the environment that are not the new one, as far as this deployment may touch them: those that a deployment
// made behind the same proxy, with its own number or an older one.
func (a *applying) others(ctx context.Context, h survey.HostPlan, m *survey.Machine) (all []engine.Container, err error) {
	found, err := a.labeled(ctx, m)
	for _, c := range found {
		made, ours := survey.MadeBy(c.Labels, survey.PortLabel(m))
		if c.Labels[survey.LabelRelease] != h.Will.ID && ours && made <= a.fence(h) {
			all = append(all, c)
		}
	}
	return all, err
}

// stop stops what was there before, once no page goes to it any more.
func (a *applying) stop(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if err := m.State.SetPrev(ctx, a.Key(), a.fence(h), hoststate.None); err != nil {
		return err
	}
	if err := a.stopOthers(ctx, h, m); err != nil {
		return err
	}
	return m.State.SetNext(ctx, a.Key(), a.fence(h), hoststate.None)
}

func (a *applying) stopOthers(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	others, err := a.others(ctx, h, m)
	if err != nil {
		return err
	}
	for _, c := range others {
		if c.State == engine.Running || c.State == engine.Restarting {
			if err := a.stopOne(ctx, h, m, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *applying) stopOne(ctx context.Context, h survey.HostPlan, m *survey.Machine, c engine.Container) error {
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	if err := m.Engine.SetRestart(ctx, c.ID, engine.Never); err != nil {
		return err
	}
	return m.Engine.Stop(ctx, c.ID, a.Environment.Grace)
}

func (a *applying) pruned(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	old, err := a.old(ctx, h, m)
	if len(old) > 0 || err != nil {
		return false, err
	}
	left, err := a.leftVolumes(ctx, h, m)
	return len(left) == 0, err
}

// old are the containers of releases that are not kept.
func (a *applying) old(ctx context.Context, h survey.HostPlan, m *survey.Machine) ([]engine.Container, error) {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return nil, err
	}
	others, err := a.others(ctx, h, m)
	return slices.DeleteFunc(others, func(c engine.Container) bool { return k.Knows(c.Labels[survey.LabelRelease]) }), err
}

// prune removes releases beyond those that are kept, each with its secrets, and with its image where nothing else needs it.
func (a *applying) prune(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	old, err := a.old(ctx, h, m)
	if err != nil {
		return err
	}
	for _, c := range old {
		if err := a.removeOne(ctx, h, m, c); err != nil {
			return err
		}
	}
	left, err := a.leftVolumes(ctx, h, m)
	for _, name := range left {
		err = errors.Join(err, gone(m.Front.RemoveVolume(ctx, name)))
	}
	return err
}

// leftVolumes are the names of volumes with secrets of releases that are not kept, and have no container any more: a run was killed between the two.
func (a *applying) leftVolumes(ctx context.Context, h survey.HostPlan, m *survey.Machine) (names []string, err error) {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return nil, err
	}
	there, err := a.labeled(ctx, m)
	if err != nil {
		return nil, err
	}
	volumes, err := m.Engine.Volumes(ctx, a.madeHere()...)
	for _, v := range volumes {
		release := v.Labels[survey.LabelRelease]
		made, ours := survey.MadeBy(v.Labels, survey.PortLabel(m))
		used := slices.ContainsFunc(there, func(c engine.Container) bool { return c.Labels[survey.LabelRelease] == release })
		if release != h.Will.ID && ours && made <= a.fence(h) && !k.Knows(release) && !used {
			names = append(names, v.Name)
		}
	}
	return names, err
}

func (a *applying) removeOne(ctx context.Context, h survey.HostPlan, m *survey.Machine, c engine.Container) error {
	if err := a.renew(ctx, h, m); err != nil {
		return err
	}
	err := gone(m.Engine.Remove(ctx, c.ID))
	if err == nil {
		err = gone(m.Front.RemoveVolume(ctx, c.Labels[survey.LabelRelease]))
	}
	if err != nil {
		return err
	}
	k, err := a.Kept(ctx, m)
	if err != nil {
		return err
	}
	return a.removeImage(ctx, m, c.Image, append(k.All(), h.Will))
}

// removeImage removes an image that none of some versions needs.
func (a *applying) removeImage(ctx context.Context, m *survey.Machine, image string, needed []survey.Version) error {
	if slices.ContainsFunc(needed, func(v survey.Version) bool { return v.Image == image }) {
		return nil
	}
	if err := gone(m.Engine.RemoveImage(ctx, image)); !errors.Is(err, engine.Conflict) {
		return err
	}
	return nil // a container of somebody else's has it
}

// gone is the error of what was to be taken away, unless it is away.
func gone(err error) error {
	if errors.Is(err, engine.NotFound) {
		return nil
	}
	return err
}
