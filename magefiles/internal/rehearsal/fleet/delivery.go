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

// Delivery is one to hosts of the world's.
type Delivery struct {
	Hosts
	Before   Image  // the image that the hosts begin with
	Revision string // its commit
	Until    string // the last environment that is delivered to; "" is all

	Out, Err io.Writer // for what the target says
	Step     func(name string, f func() (string, error)) error
	// Run runs a target of the clone.
	Run func(ctx context.Context, out, said io.Writer, args ...string) error

	before string // digest of the image that the hosts begin with
}

// labelRevision is the label of an image that has the commit of its sources.
const labelRevision = "org.opencontainers.image.revision"

// Begin begins with hosts that run another image, as those of a person do.
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

// Deliver runs the target of a delivery. Where the CI deploys, it runs beside that.
func (d *Delivery) Deliver(ctx context.Context) error {
	args := []string{"deliver", "-yes"}
	if d.Until != "" {
		args = append(args, "-until="+d.Until)
	}
	return d.Run(ctx, d.Out, d.Err, args...)
}

// delivered are the environments that are delivered to.
func (d *Delivery) delivered() (all []Environment) {
	for _, e := range d.Environments() {
		if all = append(all, e); e.Name == d.Until {
			break
		}
	}
	return all
}

// mostApproval is how long an environment of the CI waits for the one that it is after.
const mostApproval = 15 * time.Minute

// Approve waits as somebody does who approves an environment of the CI: until all hosts of the one that it is after serve another image than they
// began with. approves is false for one that is after none, which nobody has to approve.
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

// last are the last stays of all hosts.
func (d *Delivery) last() map[string]Stay {
	last := map[string]Stay{}
	for _, s := range d.Stays() {
		last[s.Environment+" "+s.Host] = s
	}
	return last
}

// Seen says what the hosts ended with, of which each that is delivered to has to answer with an image of this digest.
func (d *Delivery) Seen(digest string) (string, error) {
	failed, answers, hosts := 0, 0, 0
	for _, s := range d.Stays() {
		failed, answers = failed+s.Failed, answers+s.Answers
	}
	last := d.last()
	for _, e := range d.delivered() {
		hosts += e.Hosts
		answering := 0
		for _, key := range slices.Sorted(maps.Keys(last)) {
			s := last[key]
			if s.Environment != e.Name {
				continue
			}
			if answering++; s.Digest != digest {
				return "", operr.New("", "%s of %s answers with %s, and %s was delivered", s.Host, s.Environment, Short(s.Digest), Short(digest))
			}
		}
		if answering != e.Hosts {
			return "", operr.New("", "%d of %d hosts of %s have answered", answering, e.Hosts, e.Name)
		}
	}
	if failed > 0 {
		return "", operr.New("", "%d of %d requests to the hosts failed", failed, answers+failed)
	}
	return fmt.Sprintf("%s on %s, %s meanwhile, none failed", Short(digest), operr.Count(hosts, "host"), operr.Count(answers, "request")), nil
}

// Short is the beginning of a digest, without the name of its algorithm.
func Short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(12, len(hex))]
}

// target runs a target of the clone that is led to the hosts, of which nobody is shown anything unless it fails.
func (d *Delivery) target(ctx context.Context, args ...string) error {
	var said strings.Builder
	if err := d.Run(ctx, &said, &said, args...); err != nil {
		return operr.New("", "%s: %w", args[0], err).WithDetail(said.String())
	}
	return nil
}
