package deploy

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Times are how long things may take; what an environment says of its own stands there.
type Times struct {
	Lease  time.Duration // of a lock
	Poll   time.Duration // between two questions at the gate
	Watch  time.Duration // between two questions of the watch
	Answer time.Duration // that one answer may take, longer than the proxy waits for it: what does not answer is not well, and is not unknown
}

// DefaultTimes are those for real hosts.
var DefaultTimes = Times{Lease: 90 * time.Second, Poll: time.Second / 4, Watch: time.Second, Answer: 10 * time.Second}

// Deployer changes one deployment environment of one application.
type Deployer struct {
	survey.Fleet

	Who   hoststate.Holder // Run and Since are those of the plan
	Times Times

	State string // folder for journals
	Tool  string // version of this program

	Output   func(ctx context.Context, command []string) (secret []byte, err error) // of a command that prints a secret
	Before   func(ctx context.Context) (survey.Image, error)                        // what the environment before this one runs; nil where there is none
	Verify   func(ctx context.Context, image survey.Image) error                    // refuses an image, of the environment before, that is not one of ours; nil refuses none
	Confirm  func(ctx context.Context, p *survey.Plan) error                        // shows a plan and asks
	Reporter workflow.Reporter
	Say      func(format string, args ...any)
	Tell     func(pause.Progress)
	Begins   func(p *survey.Plan) // is told of what is carried out, or gone on with; nil is told nothing, here and below
	Doing    func(Doing)          // is told what is done on each host

	mu     sync.Mutex
	known  [][]byte // secrets, in the order of their table
	leave  []string // hosts that are left as they are
	others []string // hosts to which somebody else has deployed meanwhile
}

// Doing is what is done on one host.
type Doing struct {
	Host string
	Step string // one of the steps, whichever group of hosts it is for; StepBack
	Over bool   // it has come to its end
	Err  error  // with which it did
}

// tellsOf has f told of.
func (d *Deployer) tellsOf(step string, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error) func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
	if d.Doing == nil {
		return f
	}
	return func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error {
		d.Doing(Doing{Host: h.Host, Step: step})
		err := f(ctx, h, m)
		d.Doing(Doing{Host: h.Host, Step: step, Over: true, Err: err})
		return err
	}
}

// each does something on several hosts at once, and says of each that failed which it is.
func (d *Deployer) each(ctx context.Context, hosts []survey.HostPlan, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error) error {
	errs := make([]error, len(hosts))
	var wait sync.WaitGroup
	for n, h := range hosts {
		wait.Go(func() { errs[n] = d.on(ctx, h, f) })
	}
	wait.Wait()
	return together(errs)
}

func (d *Deployer) on(ctx context.Context, h survey.HostPlan, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error) error {
	m, err := d.Machine(ctx, h.Host)
	if err == nil {
		err = f(ctx, h, m)
	}
	if err == nil {
		return nil
	}
	if errors.Is(err, engine.Unreachable) {
		d.Broke(h.Host)
	}
	return operr.New(next(err), "%s: %w", h.Host, err)
}

// next is what to do about an error of a host, where it does not say that itself.
func next(err error) string {
	switch said := operr.NextOf(err); {
	case said != "":
		return said
	case errors.Is(err, engine.NoSpace):
		return "make room on the host's disk: `docker system df` there says what is on it"
	case errors.Is(err, engine.Unauthorized):
		return "`docker login` here: your login is sent with the pull, and is kept on no host"
	case errors.Is(err, engine.Unreachable), errors.Is(err, engine.TimedOut):
		return "see whether the host is up; -without=HOST leaves it out"
	}
	return ""
}

// together is the first of several errors, with the others behind it.
func together(errs []error) error {
	var all []error
	var lines []string
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
			lines = append(lines, err.Error())
		}
	}
	if len(all) < 2 {
		return errors.Join(all...)
	}
	return &operr.Error{
		Summary: lines[0] + ", and more on " + operr.Count(len(all)-1, "host"),
		Detail:  strings.Join(lines, "\n"),
		Next:    operr.NextOf(all[0]),
		Err:     errors.Join(all...),
	}
}
