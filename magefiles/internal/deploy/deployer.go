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

// Times contains the durations that are not configurable per environment.
type Times struct {
	Lease  time.Duration // duration of a lock's lease
	Poll   time.Duration // interval of checks at the gate
	Watch  time.Duration // interval of checks during the watch
	Answer time.Duration // time limit for a response; must exceed the proxy's, so that an unresponsive container counts as unhealthy, not as unknown
}

// DefaultTimes is suitable for real hosts.
var DefaultTimes = Times{Lease: 90 * time.Second, Poll: time.Second / 4, Watch: time.Second, Answer: 10 * time.Second}

// Deployer changes one deployment environment of one application.
type Deployer struct {
	survey.Fleet

	Who   hoststate.Holder // Run and Since are set from the plan
	Times Times

	State string // folder for journals
	Tool  string // version of this program
	Only  string // -only in the commands that errors show; "" for none

	Output   func(ctx context.Context, command []string) (secret []byte, err error) // runs a command and returns the secret that it prints
	Before   func(ctx context.Context) (survey.Image, error)                        // returns the preceding environment's image; nil if there is none
	Verify   func(ctx context.Context, image survey.Image) error                    // rejects a foreign image from that environment; nil accepts all
	Confirm  func(ctx context.Context, p *survey.Plan) error                        // shows a plan and asks for confirmation
	Reporter workflow.Reporter
	Say      func(format string, args ...any)
	Tell     func(pause.Progress)
	Begins   func(p *survey.Plan) // called with the plan when a run starts or resumes; may be nil
	Doing    func(Doing)          // called before and after each step on each host; may be nil

	mu     sync.Mutex
	known  [][]byte // secrets, in the order of the table
	leave  []string // hosts that must not be changed
	others []string // hosts to which someone else has deployed since
	before string   // what was done about an earlier deployment before this confirmation; "" for nothing
}

// Doing is a progress event for one host.
type Doing struct {
	Host string
	Step string // name of the step without its group of hosts, or StepBack
	Over bool   // the step has ended
	Err  error  // the step's error, if any
}

// tellsOf wraps `f` with calls of Doing before and after.
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

// `each` runs f on several hosts concurrently. The error of a failed host starts with the host's name.
func (d *Deployer) each(ctx context.Context, hosts []survey.HostPlan, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error) error {
	errs := make([]error, len(hosts))
	var wait sync.WaitGroup
	for n, h := range hosts {
		wait.Go(func() { errs[n] = d.onHost(ctx, h, f) })
	}
	wait.Wait()
	return joinErrors(errs)
}

func (d *Deployer) onHost(ctx context.Context, h survey.HostPlan, f func(ctx context.Context, h survey.HostPlan, m *survey.Machine) error) error {
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

// `next` returns the next step for a host's error that does not have its own.
func next(err error) string {
	switch said := operr.NextOf(err); {
	case said != "":
		return said
	case errors.Is(err, engine.NoSpace):
		return "free space on the host's disk: `docker system df` on the host shows what uses the space"
	case errors.Is(err, engine.Unauthorized):
		return "run `docker login` on this machine: your login is sent with the pull, and no host stores it"
	case errors.Is(err, engine.Unreachable), errors.Is(err, engine.TimedOut):
		return "check whether the host is up, or leave the host out: -without=HOST"
	}
	return ""
}

// `joinErrors` returns the first error, with the others as its detail.
func joinErrors(errs []error) error {
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
		Summary: lines[0] + "; also errors on " + operr.Count(len(all)-1, "host"),
		Detail:  strings.Join(lines, "\n"),
		Next:    operr.NextOf(all[0]),
		Err:     errors.Join(all...),
	}
}
