package fleet

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Delivery delivers to the world's hosts.
type Delivery struct {
	Hosts
	Before   Image  // the image that the hosts run initially
	Revision string // the commit of Before
	Until    string // the last environment to deliver to; "" means all

	Out, Err io.Writer // receive the output of the target
	Step     func(name string, f func() (string, error)) error
	// Run runs a target of the clone.
	Run func(ctx context.Context, out, said io.Writer, args ...string) error

	before string // digest of the image that the hosts run initially
}

// labelRevision is the label with the commit of an image's sources.
const labelRevision = "org.opencontainers.image.revision"

// Begin sets up the hosts, and makes them run an earlier image, as real hosts would.
func (d *Delivery) Begin(ctx context.Context) error {
	err := d.Step("set up the hosts", func() (string, error) {
		var said []string
		for _, e := range d.Environments() {
			if err := d.target(ctx, "deploy:setup", "-env="+e.Name, "-yes"); err != nil {
				return "", err
			}
			said = append(said, e.Name+": "+operr.Count(e.Hosts, "host"))
		}
		return strings.Join(said, ", "), nil
	})
	if err != nil {
		return err
	}
	return d.Step("what ran before", func() (_ string, err error) {
		before := d.Before
		before.Labels = maps.Clone(before.Labels)
		before.Labels[labelRevision] = d.Revision
		if d.before, err = d.Push(ctx, before); err != nil {
			return "", err
		}
		for _, e := range d.Environments() {
			if err := d.target(ctx, "deploy:to", e.Name, "-digest="+d.before, "-yes"); err != nil {
				return "", err
			}
		}
		return Short(d.before) + " on all hosts, a stand-in", nil
	})
}

// Deliver runs the target `deliver`, concurrently with the CI if the CI also deploys.
func (d *Delivery) Deliver(ctx context.Context) error {
	args := []string{"deliver", "-yes"}
	if d.Until != "" {
		args = append(args, "-until="+d.Until)
	}
	return d.Run(ctx, d.Out, d.Err, args...)
}

// deliveredTo returns the environments that are delivered to.
func (d *Delivery) deliveredTo() (all []Environment) {
	for _, e := range d.Environments() {
		if all = append(all, e); e.Name == d.Until {
			break
		}
	}
	return all
}

// mostApproval limits how long a CI environment waits for the environment in its After.
const mostApproval = 15 * time.Minute

// Approve waits as a user would before approving a CI environment: until all hosts of the environment in its After have switched to another image.
// `approves` is false for an environment without After, which needs no approval.
func (d *Delivery) Approve(ctx context.Context, name string, hold func() error) (approves bool, err error) {
	all := d.Environments()
	i := slices.IndexFunc(all, func(e Environment) bool { return e.Name == name })
	if i < 0 || all[i].After == "" {
		return false, nil
	}
	j := slices.IndexFunc(all, func(e Environment) bool { return e.Name == all[i].After })
	if j < 0 {
		return false, nil
	}
	if err := hold(); err != nil {
		return false, err
	}
	_, err = pause.Wait{First: 100 * time.Millisecond, Times: 1, For: mostApproval}.Until(ctx, func(context.Context) (pause.Seen, error) {
		serving := 0
		for _, s := range d.last() {
			if s.Environment == all[j].Name && s.Digest != d.before {
				serving++
			}
		}
		return pause.Seen{Done: serving == all[j].Hosts}, nil
	})
	return err == nil, err
}

// `last` returns each host's last stay.
func (d *Delivery) last() map[string]Stay {
	last := map[string]Stay{}
	for _, s := range d.Stays() {
		last[s.Environment+" "+s.Host] = s
	}
	return last
}

// Seen describes the final state of the hosts. It fails unless each host that is delivered to responds with the image of this digest.
func (d *Delivery) Seen(digest string) (string, error) {
	failed, answers, hosts := 0, 0, 0
	for _, s := range d.Stays() {
		failed, answers = failed+s.Failed, answers+s.Answers
	}
	last := d.last()
	for _, e := range d.deliveredTo() {
		hosts += e.Hosts
		answering := 0
		for _, key := range slices.Sorted(maps.Keys(last)) {
			s := last[key]
			if s.Environment != e.Name {
				continue
			}
			if answering++; s.Digest != digest {
				return "", operr.New("", "host %s of %s answers with another image: expected %[4]s, found %[3]s", s.Host, s.Environment, Short(s.Digest), Short(digest))
			}
		}
		if answering != e.Hosts {
			return "", operr.New("", "only %d of %d hosts of %s have answered", answering, e.Hosts, e.Name)
		}
	}
	if failed > 0 {
		return "", operr.New("", "%d of %d requests to the hosts failed", failed, answers+failed)
	}
	return fmt.Sprintf("%s on %s, %s meanwhile, none failed", Short(digest), operr.Count(hosts, "host"), operr.Count(answers, "request")), nil
}

// Short abbreviates a digest, without its algorithm.
func Short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(12, len(hex))]
}

// target runs a target in the clone, with the rehearsal's hosts. Its output is only shown if it fails.
func (d *Delivery) target(ctx context.Context, args ...string) error {
	var said strings.Builder
	if err := d.Run(ctx, &said, &said, args...); err != nil {
		return operr.New("", "%s: %w", args[0], err).WithDetail(said.String())
	}
	return nil
}
