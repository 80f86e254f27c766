// Package localfleet simulates the hosts of deployment environments for a rehearsal. Each host is an in-process engine (package localengine) with a
// proxy (package localproxy). A deployment connects to the engine's socket directly, without ssh.
//
//	localfleet.go  starts the hosts
//	image.go       provides the images that they pull
//	stays.go       records which image responded on which host, and when
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

// Fleet contains running hosts.
type Fleet struct {
	Environments []config.Environment

	// Sockets is a JSON file that maps hosts, as named in tables, to their engines' sockets.
	Sockets string

	engines map[string]*localengine.Engine
	end     context.CancelFunc
	looking sync.WaitGroup

	mu    sync.Mutex
	stays []fleet.Stay
}

// Start starts the environments' hosts, without any containers, in a folder. `arch` is their architecture; "" means amd64. The caller must close the
// Fleet.
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
			at := f.engines[host] // copied because the map is still growing
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

// Close stops everything.
func (f *Fleet) Close() {
	f.end()
	f.looking.Wait()
	for _, e := range f.engines {
		_ = e.Close() // the caller removes the folder
	}
}
