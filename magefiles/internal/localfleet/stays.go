package localfleet

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
)

// often is the interval between requests to a host.
const often = 50 * time.Millisecond

// look sends requests to a host's published port, like a visitor, until ctx is canceled.
func (f *Fleet) look(ctx context.Context, e config.Environment, host string, on *localengine.Engine) {
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	_, _ = pause.Wait{First: often, Times: 1}.Until(ctx, func(ctx context.Context) (pause.Seen, error) { // ends when ctx is canceled
		if at, there := on.Published(e.Port); there {
			digest, err := ask(ctx, client, fmt.Sprintf("http://%s%s", at, e.Health), e.Domain)
			if ctx.Err() == nil {
				f.note(e.Name, host, digest, err, time.Now())
			}
		}
		return pause.Seen{}, nil
	})
}

func ask(ctx context.Context, client *http.Client, url, domain string) (digest string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	if domain != "" {
		r.Host = domain
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	return answer.Header.Get(says), answer.Body.Close()
}

// note records a response. Failures before a host's first response do not count, because there is no application yet.
func (f *Fleet) note(environment, host, digest string, err error, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var last *fleet.Stay
	for i := range f.stays {
		if s := &f.stays[i]; s.Environment == environment && s.Host == host {
			last = s
		}
	}
	switch {
	case err != nil || digest == "":
		if last != nil {
			last.Failed++
		}
	case last == nil || last.Digest != digest:
		f.stays = append(f.stays, fleet.Stay{Environment: environment, Host: host, Digest: digest, From: at, Until: at, Answers: 1})
	default:
		last.Until = at
		last.Answers++
	}
}

// Stays returns the stays on all hosts, ordered by start time.
func (f *Fleet) Stays() []fleet.Stay {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.stays)
}
