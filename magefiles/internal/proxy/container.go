package proxy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Image is the default image of the proxy, Caddy's official image.
const Image = "docker.io/library/caddy:2.11"

// Labels of a proxy's containers, volumes and networks.
const (
	labelProxy  = "pixi-release.proxy"      // the port
	labelSpec   = "pixi-release.proxy.spec" // digest of the container's spec
	labelHelper = "pixi-release.proxy.helper"
)

// Container is the proxy for one published port on a host. It need not exist yet.
type Container struct {
	Engine  *engine.Client
	Port    uint16
	Address netip.Addr // the host's address on which the port is published; zero means all addresses
	Image   string
	Login   engine.Login // login for the image's registry
}

// Name returns the name of the container.
func (c *Container) Name() string { return fmt.Sprintf("pixi-release-proxy-%d", c.Port) }

// Network returns the name of the network in which the proxy reaches releases by alias.
func (c *Container) Network() string { return c.Name() }

func (c *Container) volume(kind string) string { return c.Name() + "-" + kind }

// Proxy returns the proxy in the container, and its state. The state can be accessed even if the container is not running, provided that the host
// has the image.
func (c *Container) Proxy() *Proxy {
	return &Proxy{State: &hoststate.State{Runner: runner{c: c}}, Places: PlacesOf(c.Port)}
}

// spec returns the container's spec for these services.
func (c *Container) spec(services map[string]Service) (engine.Spec, error) {
	publish := []engine.Publish{{Address: c.Address, Port: c.Port, Target: c.Port}}
	for _, s := range services {
		if s.TLS == ACME && c.Port == 443 { // port 80 is for certificate validation, and redirects pages to https
			publish = append(publish, engine.Publish{Address: c.Address, Port: 80, Target: 80})
			break
		}
	}
	s := engine.Spec{
		Name:       c.Name(),
		Image:      c.Image,
		Labels:     map[string]string{labelProxy: fmt.Sprint(c.Port)},
		Env:        []string{"HOME=/data", "XDG_DATA_HOME=/data", "XDG_CONFIG_HOME=/data/config"},
		Entrypoint: []string{"caddy"},
		Command:    []string{"run", "--config", configuration},
		User:       "0:0",
		Network:    c.Network(),
		Publish:    publish,
		Mounts:     []engine.Mount{{Volume: c.volume("state"), Target: hoststate.Dir}, {Volume: c.volume("data"), Target: "/data"}},
		Restart:    engine.Always,
		LogDriver:  "local",
		LogOptions: map[string]string{"max-size": "20m", "max-file": "5"},
	}
	text, err := json.Marshal(s)
	sum := sha256.Sum256(text)
	s.Labels[labelSpec] = hex.EncodeToString(sum[:])
	return s, err
}

// configuration is the path of Caddy's configuration file.
const configuration = hoststate.Dir + "/caddy.json"

// wanted is the proxy's target state, with one environment's service added, changed or removed.
type wanted struct {
	services hoststate.Services
	text     string // encoded service
	config   string
	spec     engine.Spec
	others   []string // environments that share the port
}

// `want` returns the proxy's target state with this service for an environment, or without the environment if s is nil.
func (c *Container) want(ctx context.Context, env string, s *Service) (w wanted, err error) {
	w.text = hoststate.None
	if s != nil {
		text, err := json.Marshal(s)
		if err != nil {
			return w, err
		}
		w.text = string(text)
	}
	if w.services, err = c.Proxy().State.Services(ctx); err != nil {
		return w, err
	}
	all := map[string]Service{}
	for name, text := range w.services.Of {
		var other Service
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			return w, operr.New("check whether a newer version of this program wrote the state; then use that version", "reading the proxy's state for the environment %s: %w", name, err)
		}
		all[name] = other
	}
	delete(all, env)
	if s != nil {
		all[env] = *s
	}
	w.others = slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return name == env })
	if w.config, err = Configuration(PlacesOf(c.Port), all); err != nil {
		return w, err
	}
	w.spec, err = c.spec(all)
	return w, err
}

// Missing describes each change that Ensure would make on this host. It does not change anything.
func (c *Container) Missing(ctx context.Context, env string, s Service) ([]string, error) {
	if err := check(map[string]Service{env: s}); err != nil {
		return nil, err
	}
	var todo []string
	if _, err := c.Engine.Image(ctx, c.Image); errors.Is(err, engine.NotFound) {
		todo = append(todo, "pull the proxy's image "+c.Image)
	} else if err != nil {
		return nil, err
	}
	found, err := c.Engine.Inspect(ctx, c.Name())
	if errors.Is(err, engine.NotFound) {
		return append(todo, fmt.Sprintf("start the proxy %s, which publishes port %d, keeps two volumes and a network of the same name, and starts again with the host", c.Name(), c.Port)), nil
	} else if err != nil {
		return nil, err
	}
	if found.State != engine.Running {
		return append(todo, fmt.Sprintf("start the proxy %s, which is %s", c.Name(), found.State)), nil
	}
	w, err := c.want(ctx, env, &s)
	if err != nil {
		return nil, err
	}
	if found.Labels[labelSpec] != w.spec.Labels[labelSpec] {
		return append(todo, fmt.Sprintf("replace the proxy %s, which runs the image %s, with a proxy that runs %s: for some seconds no request is answered, and the open sockets of %s are closed", c.Name(), found.Image, c.Image, list(env, w.others))), nil
	}
	current, err := c.checkConfigured(ctx, w.config)
	if err != nil {
		return nil, err
	}
	if !current || w.services.Of[env] != w.text {
		todo = append(todo, fmt.Sprintf("configure the proxy %s for %s: the open sockets of %s are closed when the drain time of each environment is over", c.Name(), env, list(env, w.others)))
	}
	return todo, nil
}

func list(env string, others []string) string {
	return strings.Join(append([]string{env}, others...), ", ")
}

// checkConfigured reports whether Caddy is running with this configuration.
func (c *Container) checkConfigured(ctx context.Context, config string) (bool, error) {
	p := c.Proxy()
	a, err := p.State.Ask(ctx, "http://"+p.Places.Admin+"/config/", p.Places.Admin, within)
	if err != nil || a.Status != 200 {
		return false, err
	}
	var has, wants any
	if err := json.Unmarshal(a.Body, &has); err != nil {
		return false, nil //lint:ignore nilerr an unreadable configuration is not the wanted one
	}
	if err := json.Unmarshal([]byte(config), &wants); err != nil {
		return false, err
	}
	return reflect.DeepEqual(has, wants), nil
}

// Prepare ensures that the image, the volumes and the network exist. The script requires them before it can acquire a lock.
func (c *Container) Prepare(ctx context.Context) error {
	if _, err := c.Engine.Image(ctx, c.Image); errors.Is(err, engine.NotFound) {
		if err := c.Engine.Pull(ctx, c.Image, c.Login); err != nil {
			return operr.New("check that the host can reach the registry, or set `proxy` to a mirror of the image", "the proxy's image cannot be pulled: %w", err)
		}
	} else if err != nil {
		return err
	}
	labels := map[string]string{labelProxy: fmt.Sprint(c.Port)}
	for _, kind := range []string{"state", "data"} {
		if err := c.Engine.EnsureVolume(ctx, engine.Volume{Name: c.volume(kind), Labels: labels}); err != nil {
			return err
		}
	}
	if err := c.Engine.EnsureNetwork(ctx, c.Network(), labels); err != nil {
		return err
	}
	return c.Proxy().State.Probe(ctx)
}

// Ensure makes the changes that Missing describes. `fence` is the token of the environment's lock. Prepare must be called first.
func (c *Container) Ensure(ctx context.Context, env string, fence int64, s Service) error {
	w, err := c.serve(ctx, env, fence, &s)
	if err != nil {
		return err
	}
	if err := c.run(ctx, w.spec); err != nil {
		return err
	}
	return c.load(ctx, w)
}

// serve stores an environment's service, and the configuration for all environments, in the proxy's state.
func (c *Container) serve(ctx context.Context, env string, fence int64, s *Service) (w wanted, err error) {
	if w, err = c.want(ctx, env, s); err != nil {
		return w, err
	}
	state := c.Proxy().State
	if err := state.Serve(ctx, env, fence, w.text); err != nil {
		return w, err
	}
	for current, tries := false, 0; !current; tries++ {
		if w, err = c.want(ctx, env, s); err != nil {
			return w, err
		}
		if current, err = state.Configure(ctx, w.services.Generation, w.config); err != nil {
			return w, err
		} else if !current && tries == 10 {
			return w, operr.New("run the same command again later", "the proxy could not be updated: during each attempt, a deployment of another environment on this host changed the proxy")
		}
	}
	return w, nil
}

// Leaving describes the change that Drop would make on this host, or returns "" if there is none.
func (c *Container) Leaving(ctx context.Context, env string) (string, error) {
	found, err := c.Engine.Inspect(ctx, c.Name())
	if errors.Is(err, engine.NotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	w, err := c.want(ctx, env, nil)
	switch _, serves := w.services.Of[env]; {
	case err != nil:
		return "", err
	case len(w.others) == 0 && found.Labels[labelProxy] != "":
		return fmt.Sprintf("remove the proxy %s, which serves no other environment, so that port %d becomes free. The volumes of the proxy stay, with the audit log and the certificates", c.Name(), c.Port), nil
	case serves:
		return fmt.Sprintf("remove the environment from the proxy %s: the open sockets of %s are closed when the drain time of each environment is over", c.Name(), strings.Join(w.others, ", ")), nil
	}
	return "", nil
}

// Drop removes an environment from the proxy. `fence` is the token of the environment's lock. If no environment is left, Drop removes the proxy too.
func (c *Container) Drop(ctx context.Context, env string, fence int64) error {
	w, err := c.serve(ctx, env, fence, nil)
	if err != nil {
		return err
	}
	found, err := c.Engine.Inspect(ctx, c.Name())
	if errors.Is(err, engine.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if len(w.others) > 0 {
		return c.load(ctx, w)
	}
	if found.Labels[labelProxy] == "" {
		return nil // a foreign container with the same name
	}
	return errors.Join(c.Engine.Stop(ctx, found.ID, 10*time.Second), c.Engine.Remove(ctx, found.ID))
}

// run creates the container if it is missing or has a different spec, and starts it.
func (c *Container) run(ctx context.Context, spec engine.Spec) error {
	found, err := c.Engine.Inspect(ctx, c.Name())
	switch {
	case errors.Is(err, engine.NotFound):
	case err != nil:
		return err
	case found.Labels[labelProxy] == "":
		return operr.New("rename this container, or choose another `port`", "the container %s was not created by this program", c.Name())
	case found.Labels[labelSpec] == spec.Labels[labelSpec]:
		if found.State == engine.Running {
			return nil
		}
		return c.start(ctx, found.ID)
	default:
		if err := errors.Join(c.Engine.Stop(ctx, found.ID, 10*time.Second), c.Engine.Remove(ctx, found.ID)); err != nil {
			return err
		}
	}
	id, err := c.Engine.Create(ctx, spec)
	if errors.Is(err, engine.Conflict) { // created concurrently for another environment
		return operr.New("run the same command again", "another deploy is creating the proxy %s: %w", c.Name(), err)
	} else if err != nil {
		return err
	}
	if err := c.start(ctx, id); err != nil {
		return errors.Join(err, c.Engine.Remove(context.WithoutCancel(ctx), id))
	}
	return nil
}

func (c *Container) start(ctx context.Context, id string) error {
	err := c.Engine.Start(ctx, id)
	if errors.Is(err, engine.PortTaken) {
		return operr.New("find the program that uses the port (`ss -ltnp` on the host); stop that program, or choose another `port`", "port %d of the host is used by another program than our proxy: %w", c.Port, err)
	}
	return err
}

// load makes Caddy load its configuration unless it is already active, and waits until it is.
func (c *Container) load(ctx context.Context, w wanted) error {
	p := c.Proxy()
	told := false
	_, err := pause.Wait{What: "the proxy " + c.Name(), First: 100 * time.Millisecond, Times: 1.5, Most: time.Second, For: time.Minute}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		current, err := c.checkConfigured(ctx, w.config)
		if err != nil || current {
			return pause.Seen{Done: current}, err
		}
		found, err := c.Engine.Inspect(ctx, c.Name())
		if err != nil || found.State == engine.Running && told {
			return pause.Seen{Says: "it does not answer yet"}, err
		}
		if found.State != engine.Running {
			return pause.Seen{}, operr.New("", "the proxy %s is %s", c.Name(), found.State)
		}
		if a, err := p.State.Ask(ctx, "http://"+p.Places.Admin+"/config/", p.Places.Admin, within); err != nil || a.Status == 0 {
			return pause.Seen{Says: "it does not answer yet"}, err
		}
		r, err := c.Engine.Exec(ctx, c.Name(), []string{"caddy", "reload", "--config", configuration, "--address", p.Places.Admin}, nil)
		if err != nil {
			return pause.Seen{}, err
		}
		if r.Exit != 0 {
			return pause.Seen{}, operr.New("", "the proxy refused its configuration").WithDetail(r.Stderr)
		}
		told = true
		return pause.Seen{Says: "it was told to load its configuration"}, nil
	})
	if err == nil {
		return nil
	}
	var said bytes.Buffer
	_ = c.Engine.Logs(context.WithoutCancel(ctx), c.Name(), 10, false, &said, &said)
	return operr.New("look for the reason in the last lines of the proxy's log", "the proxy %s did not start correctly: %w", c.Name(), err).WithDetail(said.String())
}
