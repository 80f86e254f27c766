package hoststate

import (
	"context"
	"errors"
	"strings"
)

// errStale indicates that Configure was called with outdated services.
var errStale = errors.New("the services changed since they were read")

// Services contains the proxy's services and its last configuration.
type Services struct {
	Generation int64             // increases with each change
	Config     string            // last configuration for the proxy
	Of         map[string]string // text stored by Serve, by environment
}

// Serve stores an environment's service for the proxy, in the caller's format. None removes the service.
func (s *State) Serve(ctx context.Context, env string, fence int64, service string) error {
	_, err := s.call(ctx, []byte(service), "serve", env, number(fence), size([]byte(service)))
	return err
}

// Services reads the services of all environments.
func (s *State) Services(ctx context.Context) (Services, error) {
	found, err := s.call(ctx, nil, "services")
	if err != nil {
		return Services{}, err
	}
	all := Services{Generation: found.number("generation"), Config: found.one("config"), Of: map[string]string{}}
	for _, f := range found {
		if env, ok := strings.CutPrefix(f.name, "service."); ok {
			all.Of[env] = f.text
		}
	}
	return all, nil
}

// Configure stores a configuration that was derived from the services of a generation. It reports whether that generation is still current.
// Environments that share a proxy have separate locks, so the later run must read the services again.
func (s *State) Configure(ctx context.Context, generation int64, config string) (current bool, err error) {
	_, err = s.call(ctx, []byte(config), "configure", number(generation), size([]byte(config)))
	if errors.Is(err, errStale) {
		return false, nil
	}
	return err == nil, err
}
