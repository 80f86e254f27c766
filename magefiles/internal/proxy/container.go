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

// Image is the official Caddy, where no other one is named.
const Image = "docker.io/library/caddy:2.11"

// Labels of what is made for a proxy.
const (
	labelProxy  = "pixi-release.proxy"      // the port
	labelSpec   = "pixi-release.proxy.spec" // digest of what the container was made of
	labelHelper = "pixi-release.proxy.helper"
)

// Container is the proxy of one published port of one host, there or not.
type Container struct {
	Engine  *engine.Client
	Port    uint16
	Address netip.Addr // of the host, at which the port is published; the zero value is all
	Image   string
	Login   engine.Login // for the image's registry
}

// Name is the container's.
func (c *Container) Name() string { return fmt.Sprintf("pixi-release-proxy-%d", c.Port) }

// Network is where releases are reached by their aliases.
func (c *Container) Network() string { return c.Name() }

func (c *Container) volume(kind string) string { return c.Name() + "-" + kind }

// Proxy asks it, and what it keeps. Without a running container its state can be read and written all the same, if its image is there.
func (c *Container) Proxy() *Proxy {
	return &Proxy{State: &hoststate.State{Runner: runner{c: c}}, Places: PlacesOf(c.Port)}
}

// spec is what the container is made of, for the services that it has.
func (c *Container) spec(services map[string]Service) (engine.Spec, error) {
	publish := []engine.Publish{{Address: c.Address, Port: c.Port, Target: c.Port}}
	for _, s := range services {
		if s.TLS == ACME && c.Port == 443 { // certificates are asked for over port 80, and pages are sent on from there
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

// configuration is where Caddy finds what it is told.
const configuration = hoststate.Dir + "/caddy.json"

// wanted is what the proxy is to be, with one service more than it is known to have, or one less.
type wanted struct {
	services hoststate.Services
	text     string // of the service
	config   string
	spec     engine.Spec
	others   []string // environments that share the port
}

// want is what the proxy is to be with a service of an environment; nil: without any.
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
			return w, operr.New("was it written by a newer version of this program?", "what the proxy does for %s cannot be read: %w", name, err)
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

// Missing is what Ensure would do on this host, a sentence for each thing; none where all is well. It changes nothing.
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
		return append(todo, fmt.Sprintf("replace the proxy %s, made of %s, by one of %s: it answers nothing for some seconds, and ends the open sockets of %s", c.Name(), found.Image, c.Image, list(env, w.others))), nil
	}
	current, err := c.configured(ctx, w.config)
	if err != nil {
		return nil, err
	}
	if !current || w.services.Of[env] != w.text {
		todo = append(todo, fmt.Sprintf("configure the proxy %s for %s: sockets of %s that are open now end once the drain of each is over", c.Name(), env, list(env, w.others)))
	}
	return todo, nil
}

func list(env string, others []string) string {
	return strings.Join(append([]string{env}, others...), ", ")
}

// configured reports whether Caddy has this configuration: what counts is what it runs with.
func (c *Container) configured(ctx context.Context, config string) (bool, error) {
	p := c.Proxy()
	a, err := p.State.Ask(ctx, "http://"+p.Places.Admin+"/config/", p.Places.Admin, within)
	if err != nil || a.Status != 200 {
		return false, err
	}
	var has, wants any
	if err := json.Unmarshal(a.Body, &has); err != nil {
		return false, nil //lint:ignore nilerr what it has is not what is wanted
	}
	if err := json.Unmarshal([]byte(config), &wants); err != nil {
		return false, err
	}
	return reflect.DeepEqual(has, wants), nil
}

// Prepare makes what the script needs before anything can be locked: the image and the volumes. Where all of it is there it changes nothing.
func (c *Container) Prepare(ctx context.Context) error {
	if _, err := c.Engine.Image(ctx, c.Image); errors.Is(err, engine.NotFound) {
		if err := c.Engine.Pull(ctx, c.Image, c.Login); err != nil {
			return operr.New("can the host reach the registry? `proxy` may name a mirror of the image", "the proxy's image cannot be pulled: %w", err)
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

// Ensure does what Missing says, for an environment whose lock has this number. It is behind Prepare.
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

// serve keeps what the proxy is to do for an environment, and what it is to be told of all of them.
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
			return w, operr.New("try again", "other environments of the host change the same proxy all the time")
		}
	}
	return w, nil
}

// Leaving is what Drop would do on this host, in a sentence; "" where nothing is to be done.
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
		return fmt.Sprintf("remove the proxy %s, which serves nothing else: port %d is free then. Its volumes stay, with the audit and the certificates", c.Name(), c.Port), nil
	case serves:
		return fmt.Sprintf("take it out of the proxy %s: sockets of %s that are open now end once the drain of each is over", c.Name(), strings.Join(w.others, ", ")), nil
	}
	return "", nil
}

// Drop takes an environment, whose lock has this number, out of the proxy, and the proxy away where it serves no other one.
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
		return nil // somebody else's, of the same name
	}
	return errors.Join(c.Engine.Stop(ctx, found.ID, 10*time.Second), c.Engine.Remove(ctx, found.ID))
}

// run lets the container run.
func (c *Container) run(ctx context.Context, spec engine.Spec) error {
	found, err := c.Engine.Inspect(ctx, c.Name())
	switch {
	case errors.Is(err, engine.NotFound):
	case err != nil:
		return err
	case found.Labels[labelProxy] == "":
		return operr.New("rename it, or choose another `port`", "container %s is not one of ours", c.Name())
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
	if errors.Is(err, engine.Conflict) { // somebody else was faster, for another environment
		return operr.New("try again", "the proxy %s is being made by somebody else: %w", c.Name(), err)
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
		return operr.New("see what listens there (`ss -ltnp` on the host), and stop it or choose another `port`", "port %d of the host is taken by something else than our proxy: %w", c.Port, err)
	}
	return err
}

// load has Caddy take its configuration, and waits until it has. The same configuration again changes nothing.
func (c *Container) load(ctx context.Context, w wanted) error {
	p := c.Proxy()
	told := false
	_, err := pause.Wait{What: "the proxy " + c.Name(), First: 100 * time.Millisecond, Times: 1.5, Most: time.Second, For: time.Minute}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		current, err := c.configured(ctx, w.config)
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
			return pause.Seen{}, operr.New("", "the proxy refuses its configuration").WithDetail(r.Stderr)
		}
		told = true
		return pause.Seen{Says: "it was told"}, nil
	})
	if err == nil {
		return nil
	}
	var said bytes.Buffer
	_ = c.Engine.Logs(context.WithoutCancel(ctx), c.Name(), 10, false, &said, &said)
	return operr.New("see the last lines of its log", "the proxy %s does not run as it should: %w", c.Name(), err).WithDetail(said.String())
}
