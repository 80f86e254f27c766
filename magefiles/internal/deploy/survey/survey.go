// Package survey queries the hosts of a deployment environment and makes plans. It changes nothing: package deploy carries out the plans.
//
//	survey.go    defines the hosts and the connections to them
//	version.go   defines a version on a host, and a host's record of versions
//	look.go      queries a host, and finds what has changed since its last deployment
//	judge.go     interprets health responses
//	promote.go   finds the image of an environment, for the next environment
//	plan.go      makes plans, or finds why one cannot be carried out
//	back.go      chooses the release for a rollback
//	settings.go  describes a table's settings, and which of them change
package survey

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/proxy"
)

// Machine contains the connections to one host.
type Machine struct {
	Engine *engine.Client
	Front  *proxy.Container // proxy for the published port
	State  *hoststate.State
	Proxy  *proxy.Proxy
}

// NewMachine returns the connections to a proxy's host. The proxy need not be set up yet.
func NewMachine(front *proxy.Container) *Machine {
	p := front.Proxy()
	return &Machine{Engine: front.Engine, Front: front, State: p.State, Proxy: p}
}

// Fleet contains the hosts of one application's deployment environment, and the functions to access them.
type Fleet struct {
	App         string
	Environment config.Environment
	Wait        time.Duration // how long to wait for a lock held by someone else

	Open     func(ctx context.Context, host string) (*Machine, error)           // called once per host, and again after Broke
	Login    func(ctx context.Context, repository string) (engine.Login, error) // returns the operator's login, which hosts do not store
	Variable func(name string) (value string, there bool)                       // looks up a variable of the operator's environment
	Now      func() time.Time

	mu     sync.Mutex
	opened map[string]*opening
}

type opening struct {
	once    sync.Once
	machine *Machine
	err     error
}

// HostsWithout returns the environment's hosts except the excluded ones.
func (f *Fleet) HostsWithout(without []string) (hosts []string, err error) {
	for _, host := range without {
		if !slices.Contains(f.Environment.Hosts, host) {
			return nil, operr.NewUsage("use one of "+strings.Join(f.Environment.Hosts, ", "), "%s is not a host of %s", host, f.Environment.Name)
		}
	}
	hosts = slices.DeleteFunc(slices.Clone(f.Environment.Hosts), func(host string) bool { return slices.Contains(without, host) })
	if len(hosts) == 0 {
		return nil, operr.NewUsage("leave out fewer hosts: a deployment needs at least one host", "all hosts of %s are left out", f.Environment.Name)
	}
	return hosts, nil
}

// Machine connects to a host. The connection is cached and shared by all steps until it breaks.
func (f *Fleet) Machine(ctx context.Context, host string) (*Machine, error) {
	f.mu.Lock()
	if f.opened == nil {
		f.opened = map[string]*opening{}
	}
	if f.opened[host] == nil {
		f.opened[host] = &opening{}
	}
	o := f.opened[host]
	f.mu.Unlock()
	o.once.Do(func() { o.machine, o.err = f.Open(context.WithoutCancel(ctx), host) })
	if o.err != nil {
		f.Broke(host)
	}
	return o.machine, o.err
}

// Broke discards the connection to a host, so that the next call of Machine opens a new one.
func (f *Fleet) Broke(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.opened, host)
}

// Key returns the environment's key in a host's state, which several applications may share.
func (f *Fleet) Key() string { return key(f.App, f.Environment.Name) }

func key(app, environment string) string { return nameOf(app) + "." + environment }

// Service returns the environment's proxy configuration.
func (f *Fleet) Service() proxy.Service {
	s := proxy.Service{Domain: strings.ToLower(f.Environment.Domain), Drain: f.Environment.Drain}
	if f.Environment.TLS {
		s.TLS = proxy.ACME
	}
	return s
}

// PortLabel returns the label for containers behind a host's proxy. If the environment's port has changed, its older containers are behind another
// proxy.
func PortLabel(m *Machine) string { return strconv.Itoa(int(m.Front.Port)) }

// NotSetUp returns the error for a host whose proxy is not set up, or nil if nothing is missing.
func (f *Fleet) NotSetUp(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	return operr.New("run `mage deploy:setup -env="+f.Environment.Name+"` to set up the host", "the host is not set up: %s", strings.Join(missing, "; "))
}
