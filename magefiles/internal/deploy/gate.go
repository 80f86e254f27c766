package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Failure is the error for a release that failed on a host.
type Failure struct {
	Host string
	Why  string
	Logs string // last lines of the container's log
}

func (f *Failure) Error() string { return f.Why }

// lastLines is the number of log lines to show for a failed container.
const lastLines = 30

// `fails` returns the Failure of a container, with the end of its log.
func (a *applying) fails(ctx context.Context, h survey.HostPlan, m *survey.Machine, c *engine.Container, format string, args ...any) error {
	f := &Failure{Host: h.Host, Why: fmt.Sprintf(format, args...)}
	if c != nil {
		var logs bytes.Buffer
		if m.Engine.Logs(ctx, c.ID, lastLines, false, &logs, &logs) == nil {
			f.Logs = a.redact(logs.String())
		}
	}
	return f
}

// redact removes secrets from a container's output, because a failing container may print the secrets that it was given.
func (d *Deployer) redact(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, secret := range d.known {
		for line := range bytes.Lines(secret) { // the container may print individual lines of a multi-line secret
			if line = bytes.TrimSpace(line); len(line) > 3 {
				text = strings.ReplaceAll(text, string(line), "***")
			}
		}
	}
	return text
}

// checkPassed reports whether a host has passed the gate, which is also true if requests already go to the new release.
func (a *applying) checkPassed(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || seen.Up == a.will(h).Upstream() {
		return err == nil, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	return recorded && c != nil && c.State == engine.Running, err
}

// gate checks the new container, while the old one still runs, until it is healthy and reports the right revision.
func (a *applying) gate(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return a.checkHealthy(ctx, h, m, a.will(h))
}

// unknown returns the result of a check that could not reach the host, which is neither a pass nor a failure. If the connection broke, the next
// check reconnects.
func (a *applying) unknown(h survey.HostPlan, err error) (pause.Seen, error) {
	if errors.Is(err, engine.Unreachable) {
		a.Broke(h.Host)
	}
	return pause.Seen{Says: err.Error()}, nil
}

func (a *applying) checkHealthy(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version) error {
	w := pause.Wait{What: h.Host + " to be healthy", First: a.Times.Poll, Times: 1, For: a.Environment.Gate, Look: a.Times.Answer, Tell: a.Tell}
	var c *engine.Container
	path, rule := v.Question(a.Environment)
	p, err := w.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		m, err := a.Machine(ctx, h.Host)
		if err != nil {
			return a.unknown(h, err)
		}
		if c, err = a.find(ctx, m, v.ID); err != nil {
			return a.unknown(h, err)
		}
		if why := wrong(c, v); why != "" {
			return pause.Seen{}, a.fails(ctx, h, m, c, "%s", why)
		}
		answer, err := m.Proxy.AskNext(ctx, a.Key(), a.Service(), path)
		if err != nil {
			return a.unknown(h, err)
		}
		healthy, says := survey.Judge(rule, v.Revision, answer)
		return pause.Seen{Done: healthy, Says: says}, nil
	})
	if errors.Is(err, pause.ErrOver) {
		return a.fails(ctx, h, m, c, "the new container was not healthy within %s: %s", a.Environment.Gate, p.Seen.Says)
	}
	return err
}

// wrong describes why a container that should be running is not, or returns "".
func wrong(c *engine.Container, v survey.Version) string {
	switch {
	case c == nil:
		return "the new container does not exist any more"
	case c.Image != v.Image:
		return "the new container was made from the image " + c.Image + " instead of " + v.Image
	case c.State == engine.Exited && c.OOM:
		return "the new container used more memory than its limit, and was killed"
	case c.State == engine.Exited:
		return fmt.Sprintf("the new container exited with status %d", c.ExitCode)
	case c.State == engine.Restarting || c.Restarts > 0 && c.State != engine.Running:
		return fmt.Sprintf("the new container exits again and again, with status %d", c.ExitCode)
	case c.Health == engine.Unhealthy:
		return "the image's HEALTHCHECK reports that the new container is unhealthy"
	}
	return ""
}

// checkWatched reports whether a host's watch has ended. This is the case if the host has recorded the release as current.
func (a *applying) checkWatched(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, k, err := a.Remembered(ctx, m)
	return err == nil && (idOf(k.Current) == h.Will.ID || recorded && seen.Up == a.will(h).Upstream()), err
}

// badAnswers is the number of consecutive failed checks that count as a failure. A single one may be caused by a load spike.
const badAnswers = 3

// watch checks the new container through the published port, while the old container drains.
func (a *applying) watch(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	inside, end := context.WithCancelCause(ctx)
	defer end(nil)
	var wait sync.WaitGroup
	var drained error
	wait.Go(func() { drained = a.drain(inside, h, m) })
	long, _ := survey.WatchOf(a.Environment, a.facts.Get()[h.Host].Interval)
	err := a.staysWell(ctx, h, long)
	if err != nil {
		end(err)
	}
	wait.Wait()
	if err == nil {
		err = drained
	}
	return err
}

// staysWell checks for the given time that the new container remains healthy.
func (a *applying) staysWell(ctx context.Context, h survey.HostPlan, long time.Duration) error {
	v := a.will(h)
	w := pause.Wait{What: h.Host + " to stay healthy", First: a.Times.Watch, Times: 1, For: long, Look: a.Times.Answer, Tell: a.Tell}
	bad, good := 0, false
	path, rule := v.Question(a.Environment)
	p, err := w.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		m, err := a.Machine(ctx, h.Host)
		if err != nil {
			return a.unknown(h, err)
		}
		c, err := a.find(ctx, m, v.ID)
		if err != nil {
			return a.unknown(h, err)
		}
		if why := wrong(c, v); why != "" {
			return pause.Seen{}, a.fails(ctx, h, m, c, "%s, after the switch", why)
		}
		if c.Restarts > 0 {
			return pause.Seen{}, a.fails(ctx, h, m, c, "the new container exited after the switch, and was started again")
		}
		answer, err := m.Proxy.AskPublished(ctx, a.Key(), a.Service(), path)
		if err != nil {
			return a.unknown(h, err)
		}
		healthy, says := survey.Judge(rule, v.Revision, answer)
		if healthy {
			bad, good = 0, true
			return pause.Seen{Says: says}, nil
		}
		if bad++; bad >= badAnswers {
			return pause.Seen{}, a.fails(ctx, h, m, c, "the new container was no longer healthy after the switch: %s", says)
		}
		return pause.Seen{Says: says, Held: true}, nil // the watch must not end with a failed check
	})
	switch {
	case !errors.Is(err, pause.ErrOver):
		return err
	case !good:
		return operr.New("", "it is not known whether the new container is healthy after the switch: %s", p.Seen.Says)
	}
	return nil
}

// drain waits until the old container has no open sockets, or the drain time is over.
func (a *applying) drain(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || none(seen.Prev) || seen.Prev == seen.Up {
		return err
	}
	w := pause.Wait{What: "open sockets of the old container on " + h.Host, First: min(time.Second, a.Times.Watch), Times: 1, For: a.Environment.Drain, Look: a.Times.Answer}
	_, err = w.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		m, err := a.Machine(ctx, h.Host)
		if err != nil {
			return a.unknown(h, err)
		}
		open, err := m.Proxy.Open(ctx, seen.Prev)
		if err != nil {
			return a.unknown(h, err)
		}
		return pause.Seen{Done: open == 0, Says: operr.Count(open, "open socket")}, nil
	})
	if errors.Is(err, pause.ErrOver) {
		return nil // the remaining sockets close when the old container stops
	}
	return err
}
