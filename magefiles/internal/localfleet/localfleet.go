// Package localfleet stands in for the hosts of deployment environments, for a rehearsal: each is an engine of this process (package localengine),
// with a proxy (package localproxy), and whoever deploys reaches it by its socket in place of ssh.
//
//	localfleet.go  the hosts, and what they are reached by
//	image.go       the images that they pull
//	stays.go       which image answered on which host, and when
package localfleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
)

// Fleet is hosts that run.
type Fleet struct {
	Environments []config.Environment

	// Sockets is a file of JSON: the socket of the engine of each host, by the name that tables have for it.
	Sockets string

	engines map[string]*localengine.Engine
	end     context.CancelFunc
	looking sync.WaitGroup

	mu    sync.Mutex
	stays []fleet.Stay
}

// Start starts the hosts of environments, which have nothing yet, in a folder, as machines of an architecture; "" is amd64. The caller closes them.
func Start(dir, arch string, environments []config.Environment) (*Fleet, error) {
	ctx, end := context.WithCancel(context.Background())
	f := &Fleet{Environments: environments, Sockets: filepath.Join(dir, "sockets.json"), engines: map[string]*localengine.Engine{}, end: end}
	sockets := map[string]string{}
	for _, e := range environments {
		image := cmp.Or(e.Proxy, proxy.Image)
		for _, host := range e.Hosts {
			if f.engines[host] == nil {
				engine, err := localengine.Start(filepath.Join(dir, "volumes", strconv.Itoa(len(f.engines))))
				if err != nil {
					f.Close()
					return nil, err
				}
				engine.Anywhere, engine.Find, engine.Arch = true, f.find, cmp.Or(arch, engine.Arch)
				f.engines[host], sockets[host] = engine, engine.Socket
			}
			f.engines[host].Offer(localproxy.Image(image))
			at := f.engines[host] // the map still grows
			f.looking.Go(func() { f.look(ctx, e, host, at) })
		}
	}
	text, err := json.Marshal(sockets)
	if err := errors.Join(err, os.MkdirAll(dir, 0o755), os.WriteFile(f.Sockets, text, 0o600)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close ends all that runs.
func (f *Fleet) Close() {
	f.end()
	f.looking.Wait()
	for _, e := range f.engines {
		_ = e.Close() // its folder is swept
	}
}
