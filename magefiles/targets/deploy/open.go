package deploy

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/host"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/targets"
)

// deployer returns the deployer of one environment, over ssh. end closes its connections.
func deployer(ctx context.Context, x *targets.Extension, of *workspace.Downstream, e config.Environment, f Flags) (*deploying.Deployer, func(), error) {
	rehearsed, _ := x.Variable(hostsVariable)
	if rehearsed != "" {
		e = inRehearsal(e)
	}
	state, err := x.State(ctx)
	if err != nil {
		return nil, nil, err
	}
	who, from, run := x.Operator()
	if run != "" {
		who += " in run " + run
	}
	env, _ := command.Withhold(x.Environ(), host.Passed...)
	key, known := x.SSHLogin()
	o := &opener{
		ssh:         host.SSH{Runner: x.Runner(), Env: env, Login: host.Login{Key: key, KnownHosts: known}},
		environment: e,
	}
	if e.SSHConfig != "" {
		if o.ssh.Config, err = host.Configuration(x.Workspace.Root, of.Dir, e.SSHConfig); err != nil {
			return nil, nil, err
		}
	}
	d := &deploying.Deployer{
		Fleet: survey.Fleet{
			App:         of.Name(),
			Environment: e,
			Wait:        orZero(f.Wait),
			Open:        o.open,
			Login:       func(_ context.Context, repository string) (engine.Login, error) { return login(repository) },
			Variable:    x.Variable,
			Now:         time.Now,
		},
		Who:      hoststate.Holder{Who: who, From: from},
		Times:    deploying.DefaultTimes,
		State:    filepath.Join(state, "deploy"),
		Tool:     x.Version(),
		Only:     orZero(f.Only),
		Output:   x.Output,
		Verify:   func(ctx context.Context, image survey.Image) error { return x.VerifyPushed(ctx, of, image.Digest) },
		Reporter: x.View,
		Say:      x.View.Say,
		Tell:     x.View.Waiting,
	}
	if rehearsed != "" {
		err = standIn(d, rehearsed, o.ssh.Login, run != "")
	}
	return d, o.end, err
}

// login returns the operator's login for a registry. It is sent with each pull, and no host keeps it.
func login(repository string) (engine.Login, error) {
	has, err := registry.LoginOf(repository)
	return engine.Login{Server: has.Server, User: has.User, Password: has.Password, Token: has.Token}, err
}

// opener connects to hosts, and remembers its connections.
type opener struct {
	ssh         host.SSH
	environment config.Environment

	mu     sync.Mutex
	opened []*host.Host
}

func (o *opener) open(ctx context.Context, name string) (*survey.Machine, error) {
	h, err := o.ssh.Connect(ctx, name, o.environment.Socket)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.opened = append(o.opened, h)
	o.mu.Unlock()
	repository, _, _ := strings.Cut(imageOfProxy(o.environment), "@")
	has, err := login(repository)
	if err != nil {
		return nil, err
	}
	return machine(h.Engine, o.environment, has), nil
}

// machine returns a host, for a connection to its engine.
func machine(client *engine.Client, e config.Environment, login engine.Login) *survey.Machine {
	return survey.NewMachine(&proxy.Container{Engine: client, Port: uint16(e.Port), Image: imageOfProxy(e), Login: login})
}

func imageOfProxy(e config.Environment) string { return cmp.Or(e.Proxy, proxy.Image) }

func (o *opener) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.opened {
		h.Close()
	}
	o.opened = nil
}
