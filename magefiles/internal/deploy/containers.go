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

// checkPulled checks that each host has the image, and reads the image's port and HEALTHCHECK.
func (a *applying) checkPulled(ctx context.Context, _ *map[string]Facts) (map[string]Facts, bool, error) {
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

// portOf returns an image's exposed port. It returns an error unless there is exactly one.
func portOf(image engine.Image) (int, error) {
	var ports []int
	for _, exposed := range image.Exposed {
		number, protocol, _ := strings.Cut(exposed, "/")
		if port, err := strconv.Atoi(number); err == nil && port > 0 && port < 1<<16 && protocol != "udp" {
			ports = append(ports, port)
		}
	}
	if len(ports) != 1 {
		return 0, operr.NewUsage("set app_port in the environment's table", "the application's port is unknown: expected an image that exposes 1 port, found %s", operr.Count(len(ports), "port"))
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
	facts, _, err := a.checkPulled(ctx, nil)
	for _, f := range facts {
		if _, note := survey.WatchOf(a.Environment, f.Interval); note != "" {
			a.Say("%s", note) // if the host already had the image, the plan contains this note
			break
		}
	}
	return facts, err
}

// will returns the version that a host should run.
func (a *applying) will(h survey.HostPlan) survey.Version {
	v := h.Will
	if v.Port == 0 && a.facts.Known() {
		v.Port = a.facts.Get()[h.Host].Port
	}
	return v
}

func (a *applying) checkNoted(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	k, err := a.Kept(ctx, m)
	return idOf(k.Candidate) == h.Will.ID || idOf(k.Current) == h.Will.ID, err
}

// note records the new version before its container starts, so that the next run finds it, from any machine. The running release remains the
// current one.
func (a *applying) note(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return err
	}
	v := a.will(h)
	k.Candidate = &v
	return a.keep(ctx, h, m, k)
}

// find returns a version's container, or nil if it does not exist.
func (d *Deployer) find(ctx context.Context, m *survey.Machine, id string) (*engine.Container, error) {
	all, err := m.Engine.Containers(ctx, survey.LabelApp+"="+d.App, survey.LabelEnvironment+"="+d.Environment.Name, survey.LabelRelease+"="+id)
	h := survey.Host{Containers: all}
	return h.Of(id), err
}

// checkStarted reports whether the new container was started and is waiting at the gate. If it has exited since, the gate detects that.
func (a *applying) checkStarted(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil {
		return false, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	if c == nil || err != nil {
		return false, err
	}
	if c.Image != h.Will.Image {
		return false, operr.NewStopped("remove this container, and deploy again", "the container %s has the wrong image: expected %[3]s, found %[2]s", c.Name, c.Image, h.Will.Image)
	}
	v := a.will(h)
	return seen.Up == v.Upstream() || seen.Next == v.Upstream() && (c.State == engine.Running || recorded && !c.Started.IsZero()), nil
}

// start starts the new container, next to the old one or in its place.
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
		return operr.New("deploy this release by its digest", "the container of release %s does not exist any more", v.ID)
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

// secretsDir is the folder with the application's secrets.
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

// sayBefore returns a variable for a new container with the previous revision and its end time, which the application cannot learn in any other
// way. A container that a rollback restarts keeps its old variable.
func sayBefore(h survey.HostPlan, now time.Time) []string {
	if h.Running == nil || h.Running.Revision == "" {
		return nil
	}
	return []string{"DEPLOYED_BEFORE=" + h.Running.Revision + " " + now.UTC().Format(time.RFC3339)}
}

func (a *applying) checkStopped(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || !none(seen.Prev) || !none(seen.Next) {
		return false, err
	}
	others, err := a.others(ctx, h, m)
	return !slices.ContainsFunc(others, func(c engine.Container) bool { return c.State == engine.Running || c.State == engine.Restarting }), err
}

func none(upstream string) bool { return upstream == "" || upstream == hoststate.None }

// `others` returns the environment's other containers that this deployment may change: those for the same proxy, made by deployments whose fencing
// token is not higher.
func (a *applying) others(ctx context.Context, h survey.HostPlan, m *survey.Machine) (all []engine.Container, err error) {
	found, err := a.listContainers(ctx, m)
	for _, c := range found {
		made, ours := survey.MadeBy(c.Labels, survey.PortLabel(m))
		if c.Labels[survey.LabelRelease] != h.Will.ID && ours && made <= a.fence(h) {
			all = append(all, c)
		}
	}
	return all, err
}

// stop stops the old containers, after requests are no longer sent to them.
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

func (a *applying) checkPruned(ctx context.Context, h survey.HostPlan, m *survey.Machine, _ bool) (bool, error) {
	old, err := a.old(ctx, h, m)
	if len(old) > 0 || err != nil {
		return false, err
	}
	left, err := a.leftVolumes(ctx, h, m)
	return len(left) == 0, err
}

// `old` returns the containers of releases that should not be kept.
func (a *applying) old(ctx context.Context, h survey.HostPlan, m *survey.Machine) ([]engine.Container, error) {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return nil, err
	}
	others, err := a.others(ctx, h, m)
	return slices.DeleteFunc(others, func(c engine.Container) bool { return k.Knows(c.Labels[survey.LabelRelease]) }), err
}

// prune removes the releases that should not be kept, with their secrets, and with their images unless these are still in use.
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
		err = errors.Join(err, ignoreMissing(m.Front.RemoveVolume(ctx, name)))
	}
	return err
}

// leftVolumes returns the names of secret volumes whose containers and releases are gone. They exist if a run was killed between the removal of the
// container and that of the volume.
func (a *applying) leftVolumes(ctx context.Context, h survey.HostPlan, m *survey.Machine) (names []string, err error) {
	k, err := a.Kept(ctx, m)
	if err != nil {
		return nil, err
	}
	there, err := a.listContainers(ctx, m)
	if err != nil {
		return nil, err
	}
	volumes, err := m.Engine.Volumes(ctx, a.ownLabels()...)
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
	err := ignoreMissing(m.Engine.Remove(ctx, c.ID))
	if err == nil {
		err = ignoreMissing(m.Front.RemoveVolume(ctx, c.Labels[survey.LabelRelease]))
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

// removeImage removes an image unless one of the given versions needs it.
func (a *applying) removeImage(ctx context.Context, m *survey.Machine, image string, needed []survey.Version) error {
	if slices.ContainsFunc(needed, func(v survey.Version) bool { return v.Image == image }) {
		return nil
	}
	if err := ignoreMissing(m.Engine.RemoveImage(ctx, image)); !errors.Is(err, engine.Conflict) {
		return err
	}
	return nil // another environment or application uses the image
}

// `ignoreMissing` returns the error of a removal, or nil if the object did not exist.
func ignoreMissing(err error) error {
	if errors.Is(err, engine.NotFound) {
		return nil
	}
	return err
}
