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

// Failure is why a release was not good: what it did on one host.
type Failure struct {
	Host string
	Why  string
	Logs string // the last lines of the container
}

func (f *Failure) Error() string { return f.Why }

// lastLines are those of a failed container that a person sees.
const lastLines = 30

// fails is the failure of a container, with its last logs.
func (a *applying) fails(ctx context.Context, h survey.HostPlan, m *survey.Machine, c *engine.Container, format string, args ...any) error {
	f := &Failure{Host: h.Host, Why: fmt.Sprintf(format, args...)}
	if c != nil {
		var logs bytes.Buffer
		if m.Engine.Logs(ctx, c.ID, lastLines, false, &logs, &logs) == nil {
			f.Logs = a.hidden(logs.String())
		}
	}
	return f
}

// hidden is what a container wrote, without the secrets that it got: a container that fails may show what it was given.
func (d *Deployer) hidden(text string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, secret := range d.known {
		for line := range bytes.Lines(secret) { // what it shows of one with several lines is lines, too
			if line = bytes.TrimSpace(line); len(line) > 3 {
				text = strings.ReplaceAll(text, string(line), "***")
			}
		}
	}
	return text
}

// passed reports whether the gate was passed: what has switched has.
func (a *applying) passed(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, err := m.State.Look(ctx, a.Key())
	if err != nil || seen.Up == a.will(h).Upstream() {
		return err == nil, err
	}
	c, err := a.find(ctx, m, h.Will.ID)
	return recorded && c != nil && c.State == engine.Running, err
}

// gate asks the new container, beside the one that runs, until it is healthy and of the revision that was asked for.
func (a *applying) gate(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	return a.wellBeside(ctx, h, m, a.will(h))
}

// unknown is a look that saw nothing: what is not known triggers nothing. A connection that broke is made anew for the next one.
func (a *applying) unknown(h survey.HostPlan, err error) (pause.Seen, error) {
	if errors.Is(err, engine.Unreachable) {
		a.Broke(h.Host)
	}
	return pause.Seen{Says: err.Error()}, nil
}

func (a *applying) wellBeside(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version) error {
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
		return a.fails(ctx, h, m, c, "it was not healthy within %s: %s", a.Environment.Gate, p.Seen.Says)
	}
	return err
}

// wrong says what is wrong with a container that is to run; "" where nothing is.
func wrong(c *engine.Container, v survey.Version) string {
	switch {
	case c == nil:
		return "its container is gone"
	case c.Image != v.Image:
		return "its container is made of " + c.Image + " in place of " + v.Image
	case c.State == engine.Exited && c.OOM:
		return "it took more memory than it may, and was ended"
	case c.State == engine.Exited:
		return fmt.Sprintf("it exited with status %d", c.ExitCode)
	case c.State == engine.Restarting || c.Restarts > 0 && c.State != engine.Running:
		return fmt.Sprintf("it exits again and again, with status %d", c.ExitCode)
	case c.Health == engine.Unhealthy:
		return "the image's own HEALTHCHECK says that it is unhealthy"
	}
	return ""
}

// watched reports whether the watch is over: what is remembered has passed it.
func (a *applying) watched(ctx context.Context, h survey.HostPlan, m *survey.Machine, recorded bool) (bool, error) {
	seen, k, err := a.Remembered(ctx, m)
	return err == nil && (idOf(k.Current) == h.Will.ID || recorded && seen.Up == a.will(h).Upstream()), err
}

// badAnswers is how many bad answers in a row count: one may be that of a busy moment.
const badAnswers = 3

// watch asks the new container through the published port, and lets the old one come to its end meanwhile.
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

// staysWell asks the container that was switched to, for so long.
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
			return pause.Seen{}, a.fails(ctx, h, m, c, "it came to its end after the switch, and was started again")
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
			return pause.Seen{}, a.fails(ctx, h, m, c, "it was not healthy any more after the switch: %s", says)
		}
		return pause.Seen{Says: says, Held: true}, nil // a watch does not end with it
	})
	switch {
	case !errors.Is(err, pause.ErrOver):
		return err
	case !good:
		return operr.New("", "whether it is healthy after the switch could not be found out: %s", p.Seen.Says)
	}
	return nil
}

// drain waits until nobody has a socket of the old container any more, or its time is over.
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
		return nil // its cap
	}
	return err
}
