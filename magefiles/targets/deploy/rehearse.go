package deploy

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/delivery"
	deploying "github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/host"
	"github.com/foopack/foopack/magefiles/internal/localbuilder"
	"github.com/foopack/foopack/magefiles/internal/localfleet"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/targets"
)

// init lets `rehearse -full` include the hosts.
func init() { targets.RehearseOn(rehearsedHosts) }

// hostsVariable tells a process that deploys in a rehearsal where the rehearsal's hosts are.
const hostsVariable = "REHEARSAL_HOSTS"

// hosts replaces the hosts of a workspace in a rehearsal.
type hosts struct {
	app   string
	local *localfleet.Fleet
}

func rehearsedHosts(w *workspace.Workspace, dir string) (fleet.Hosts, string, error) {
	if runtime.GOOS != "linux" {
		return nil, "these hosts need the programs flock and timeout, which only Linux has", nil
	}
	of, all, err := chosenOf(w, "")
	if err == nil {
		all, err = inOrder(all)
	}
	if err != nil {
		//lint:ignore nilerr a rehearsal reports why it does not include the hosts
		return nil, err.Error(), nil
	}
	arch := ""
	if of.Image != nil && len(of.Image.Platforms) > 0 {
		_, arch, _ = strings.Cut(of.Image.Platforms[0], "/")
	}
	started, err := localfleet.Start(dir, arch, all)
	if err != nil {
		return nil, "", err
	}
	return hosts{app: of.Name(), local: started}, "", nil
}

func (h hosts) App() string { return h.app }

// Environments returns the environments in the order of a delivery, as the fleet has them.
func (h hosts) Environments() (all []fleet.Environment) {
	for _, e := range h.local.Environments {
		all = append(all, fleet.Environment{Name: e.Name, After: e.After, Hosts: len(e.Hosts), ByCI: e.By == config.CI})
	}
	return all
}

// place is an environment for delivery.Order.
type place struct{ of config.Environment }

func (p place) Name() string { return p.of.Name }

func (p place) After() string { return p.of.After }

// inOrder puts environments into the order of a delivery.
func inOrder(all []config.Environment) (ordered []config.Environment, err error) {
	var places []place
	for _, e := range all {
		places = append(places, place{of: e})
	}
	places, err = delivery.Order(places)
	for _, p := range places {
		ordered = append(ordered, p.of)
	}
	return ordered, err
}

func (h hosts) Environ() []string { return []string{"REHEARSAL_HOSTS=" + h.local.Sockets} }

func (h hosts) Push(ctx context.Context, i fleet.Image) (digest string, err error) {
	return localbuilder.Push(ctx, localbuilder.Image{Repository: i.Repository, Platforms: i.Platforms, Labels: i.Labels, Password: i.Password}, "")
}

func (h hosts) Stays() []fleet.Stay { return h.local.Stays() }

func (h hosts) Close() { h.local.Close() }

// The time for which a stand-in is watched. A longer time would show nothing new.
const rehearsedWatch = time.Second

// inRehearsal returns an environment changed for a rehearsal. Free space is not checked, because the disk is this machine's.
func inRehearsal(e config.Environment) config.Environment {
	e.Watch, e.Drain, e.Pause = min(e.Watch, rehearsedWatch), min(e.Drain, rehearsedWatch), min(e.Pause, rehearsedWatch)
	e.TLS, e.SSHConfig, e.Disk = false, "", 0
	return e
}

// placeholder is the value of each secret and each personal variable, for an application in a rehearsal.
const placeholder = "rehearsed"

// standIn makes a deployer connect to the hosts of a rehearsal, and send them no personal data. These hosts refuse a job that has no key, or
// does not know their host keys.
func standIn(d *deploying.Deployer, file string, in host.Login, inJob bool) error {
	text, err := os.ReadFile(file)
	var sockets map[string]string
	if err == nil {
		err = json.Unmarshal(text, &sockets)
	}
	if err != nil {
		return operr.NewUsage("unset "+hostsVariable+": only `rehearse -full` sets it", "connecting to the hosts of a rehearsal: %w", err)
	}
	d.Login = func(context.Context, string) (engine.Login, error) { return engine.Login{}, nil }
	d.Output = func(context.Context, []string) ([]byte, error) { return []byte(placeholder), nil }
	d.Variable = func(string) (string, bool) { return placeholder, true }
	d.Open = func(_ context.Context, name string) (*survey.Machine, error) {
		if inJob && (in.Key == "" || in.KnownHosts == "") {
			return nil, operr.New("pass both secrets of the environment to the step in `env:`; pass secrets to a called workflow with `secrets: inherit`",
				"%s refuses this job's login: DEPLOY_SSH_PRIVATE_KEY or DEPLOY_KNOWN_HOSTS is empty", name)
		}
		socket, there := sockets[name]
		if !there {
			return nil, operr.New("", "the rehearsal has no host %s", name)
		}
		client := engine.New(func(ctx context.Context) (net.Conn, error) { return (&net.Dialer{}).DialContext(ctx, "unix", socket) })
		return machine(client, d.Environment, engine.Login{}), nil
	}
	return nil
}
