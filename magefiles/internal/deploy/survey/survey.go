// Package survey asks the hosts of a deployment environment what runs there, and makes plans of what is to be done. It changes nothing: what a plan
// says is carried out by package deploy.
//
//	survey.go    who is asked, and how
//	version.go   a version on a host, and what a host remembers
//	look.go      what a host says, and what is not as it was left
//	judge.go     what a health answer means
//	promote.go  the image that an environment runs, for the one after it
//	plan.go      what is to be done, and why it cannot be
//	back.go      to which release a host goes back
//	settings.go  what a table says, as people read it, and what of it is another
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

// Machine is what one host is asked and told by.
type Machine struct {
	Engine *engine.Client
	Front  *proxy.Container // the proxy of the published port
	State  *hoststate.State
	Proxy  *proxy.Proxy
}

// NewMachine is the host that a proxy is on, or is to be.
func NewMachine(front *proxy.Container) *Machine {
	p := front.Proxy()
	return &Machine{Engine: front.Engine, Front: front, State: p.State, Proxy: p}
}

// Fleet is the hosts of one deployment environment of one application, and what they are asked with.
type Fleet struct {
	App         string
	Environment config.Environment
	Wait        time.Duration // for a lock that somebody else has

	Open     func(ctx context.Context, host string) (*Machine, error)           // is called once for each host
	Login    func(ctx context.Context, repository string) (engine.Login, error) // the operator's, which no host keeps
	Variable func(name string) (value string, there bool)                       // of the operator's environment
	Now      func() time.Time

	mu     sync.Mutex
	opened map[string]*opening
}

type opening struct {
	once    sync.Once
	machine *Machine
	err     error
}

// But are the hosts of the environment, without some of them.
func (f *Fleet) But(without []string) (hosts []string, err error) {
	for _, host := range without {
		if !slices.Contains(f.Environment.Hosts, host) {
			return nil, operr.NewUsage("say one of "+strings.Join(f.Environment.Hosts, ", "), "%s is no host of %s", host, f.Environment.Name)
		}
	}
	hosts = slices.DeleteFunc(slices.Clone(f.Environment.Hosts), func(host string) bool { return slices.Contains(without, host) })
	if len(hosts) == 0 {
		return nil, operr.NewUsage("leave one in", "all hosts of %s are left out", f.Environment.Name)
	}
	return hosts, nil
}

// Machine opens a host. The connection stays until it breaks: the steps share it.
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

// Broke has a host opened anew by whoever asks for it next: there is no connection, or it broke.
func (f *Fleet) Broke(host string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.opened, host)
}

// Key is what the environment is called in the state of a host, which several applications may share.
func (f *Fleet) Key() string { return key(f.App, f.Environment.Name) }

func key(app, environment string) string { return nameOf(app) + "." + environment }

// Service is what the proxy is to do for the environment.
func (f *Fleet) Service() proxy.Service {
	s := proxy.Service{Domain: strings.ToLower(f.Environment.Domain), Drain: f.Environment.Drain}
	if f.Environment.TLS {
		s.TLS = proxy.ACME
	}
	return s
}

// PortLabel is of what is behind a proxy. Where an environment had another port before, what is there is behind another one.
func PortLabel(m *Machine) string { return strconv.Itoa(int(m.Front.Port)) }

// NotSetUp is the error of a host on which the proxy is not as it has to be; nil where nothing is missing.
func (f *Fleet) NotSetUp(missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	return operr.New("`mage deploy:setup -env="+f.Environment.Name+"` does it", "the host is not set up: %s", strings.Join(missing, "; "))
}
