package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Delivery is one to hosts of the world's.
type Delivery struct {
	Hosts
	Image    Image  // that is delivered
	Before   string // revision of the one that the hosts begin with
	Why      string // the image is a stand-in, where it is
	Workflow string // by which the CI deploys
	Branch   string
	Hub      *server.Server

	Out, Err io.Writer // for what the target says
	Step     func(name string, f func() (string, error)) error
	Missing  func(what, why string)
	// Run runs a target of the clone, with further variables.
	Run func(ctx context.Context, out, said io.Writer, variables []string, args ...string) error
	// Tip is the commit that a branch of the remote is at.
	Tip func(ctx context.Context, branch string) (string, error)
}

// All begins with hosts that run another image, as those of a person do.
func (d *Delivery) All(ctx context.Context) error {
	err := d.Step("set up the hosts", func() (string, error) {
		var said []string
		for _, e := range d.Environments() {
			if err := d.target(ctx, nil, "deploy:setup", "-env="+e.Name, "-yes"); err != nil {
				return "", err
			}
			said = append(said, e.Name+": "+operr.Count(e.Hosts, "host"))
		}
		return strings.Join(said, ", "), nil
	})
	if err != nil {
		return err
	}
	err = d.Step("what ran before", func() (string, error) {
		before := d.Image
		before.Labels, before.Revision = maps.Clone(before.Labels), d.Before
		before, err := d.Push(ctx, before, "")
		if err != nil {
			return "", err
		}
		d.Offer(before)
		for _, e := range d.Environments() {
			if err := d.target(ctx, nil, "deploy:to", e.Name, "-digest="+before.Digest, "-yes"); err != nil {
				return "", err
			}
		}
		return Short(before.Digest) + " on all hosts, a stand-in", nil
	})
	if err != nil {
		return err
	}
	if d.Image.Digest == "" {
		if d.Image, err = d.Push(ctx, d.Image, image.RevisionTag(d.Image.Revision)); err != nil {
			return err
		}
		d.Missing("the image that is delivered", "it is a stand-in: "+d.Why)
	}
	d.Offer(d.Image)
	return d.Step("deliver", func() (string, error) {
		if err := d.whole(ctx); err != nil {
			return "", err
		}
		return d.seen()
	})
}

// whole runs the target of a delivery, beside the CI where that deploys.
func (d *Delivery) whole(ctx context.Context) error {
	inside, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ci sync.WaitGroup
	if slices.ContainsFunc(d.Environments(), func(e Environment) bool { return e.ByCI }) {
		ci.Go(func() {
			if err := d.ci(inside); err != nil {
				cancel(err)
			}
		})
	}
	err := d.Run(inside, d.Out, d.Err, nil, "deliver", "-yes")
	if cause := context.Cause(inside); cause != nil && ctx.Err() == nil {
		err = cause
	}
	cancel(nil)
	ci.Wait()
	return err
}

// ci does what the jobs of deploy.yml do, once the commit that is delivered is pushed.
func (d *Delivery) ci(ctx context.Context) error {
	_, err := pause.Wait{First: 50 * time.Millisecond, Times: 1}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		at, err := d.Tip(ctx, d.Branch)
		return pause.Seen{Done: at == d.Image.Revision}, err
	})
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	id, err := d.Hub.AddRun(server.Run{Workflow: d.Workflow, Name: "deploy", Event: "push", Ref: d.Branch, Commit: d.Image.Revision})
	if err != nil {
		return err
	}
	variables := []string{"CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=" + strconv.FormatInt(id, 10)}
	all := d.Environments()
	for _, e := range all {
		if !e.ByCI {
			continue
		}
		var failed error
		_, err := approval(e, all).Until(ctx, func(ctx context.Context) (pause.Seen, error) {
			failed = d.target(ctx, variables, "deploy:to", e.Name, "-digest="+d.Image.Digest, "-wait=15m", "-yes")
			return pause.Seen{Done: failed == nil}, nil
		})
		if err != nil {
			return errors.Join(ignoreEnd(ctx, cmp.Or(failed, err)), d.Hub.FinishRun(id, "failure"))
		}
	}
	return d.Hub.FinishRun(id, "success")
}

// approval is the wait for somebody who approves an environment of the CI: once the one that it is after has been delivered to, where that is done
// from here, and at once where the CI has done it by then, or there is none.
func approval(e Environment, all []Environment) pause.Wait {
	if slices.ContainsFunc(all, func(o Environment) bool { return o.Name == e.After && !o.ByCI }) {
		return pause.Wait{First: time.Second, Times: 1, For: mostApproval}
	}
	return pause.Wait{For: -1} // once
}

// mostApproval is how long an environment of the CI waits for one that is delivered to from here.
const mostApproval = 5 * time.Minute

// ignoreEnd is an error, unless it is the end of what it was done for.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		//lint:ignore nilerr whoever ended it says why
		return nil
	}
	return err
}

// seen says what the hosts ended with, of which each has to answer with the image that was delivered.
func (d *Delivery) seen() (string, error) {
	last := map[string]Stay{}
	failed, answers := 0, 0
	for _, s := range d.Stays() {
		last[s.Environment+" "+s.Host] = s
		failed, answers = failed+s.Failed, answers+s.Answers
	}
	hosts := 0
	for _, e := range d.Environments() {
		hosts += e.Hosts
	}
	if len(last) != hosts {
		return "", operr.New("", "%d of %d hosts have answered", len(last), hosts)
	}
	for _, s := range last {
		if s.Digest != d.Image.Digest {
			return "", operr.New("", "%s of %s answers with %s, and %s was delivered", s.Host, s.Environment, Short(s.Digest), Short(d.Image.Digest))
		}
	}
	if failed > 0 {
		return "", operr.New("", "%d of %d requests to the hosts failed", failed, answers+failed)
	}
	return fmt.Sprintf("%s on %s, %s meanwhile, none failed", Short(d.Image.Digest), operr.Count(hosts, "host"), operr.Count(answers, "request")), nil
}

// Short is the beginning of a digest, without the name of its algorithm.
func Short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex[:min(12, len(hex))]
}

// target runs a target of the clone that is led to the hosts, of which nobody is shown anything unless it fails.
func (d *Delivery) target(ctx context.Context, variables []string, args ...string) error {
	var said strings.Builder
	if err := d.Run(ctx, &said, &said, variables, args...); err != nil {
		return operr.New("", "%s: %w", args[0], err).WithDetail(said.String())
	}
	return nil
}
