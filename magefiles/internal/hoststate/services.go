package hoststate

import (
	"context"
	"errors"
	"strings"
)

// errStale is the status of Configure whose services are not those that are there by now.
var errStale = errors.New("there are other services by now")

// Services is what the proxy is to do, and is told to do.
type Services struct {
	Generation int64             // grows with each change
	Config     string            // what the proxy was configured with last
	Of         map[string]string // by environment, as Serve was given it
}

// Serve keeps what the proxy is to do for an environment: text of the caller's, or None for nothing any more.
func (s *State) Serve(ctx context.Context, env string, fence int64, service string) error {
	_, err := s.call(ctx, []byte(service), "serve", env, number(fence), size([]byte(service)))
	return err
}

// Services reads what all environments want of the proxy.
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

// Configure keeps a configuration that was made of the services of a generation. It reports whether these are still the ones: two
// environments that share a proxy have locks of their own, and the one who comes second has to read again.
func (s *State) Configure(ctx context.Context, generation int64, config string) (current bool, err error) {
	_, err = s.call(ctx, []byte(config), "configure", number(generation), size([]byte(config)))
	if errors.Is(err, errStale) {
		return false, nil
	}
	return err == nil, err
}
