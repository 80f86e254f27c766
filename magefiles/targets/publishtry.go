package targets

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// trial opens a channel of this process, of the same name as ours, for what is not published yet.
func trial(name string) publish.Trial {
	return func(dir string) (publish.Channel, func() error, error) {
		here, err := localprefix.Start(localprefix.Options{Dir: dir})
		if err != nil {
			return nil, nil, err
		}
		client, err := prefixdev.New(prefixdev.Options{Server: here.URL, Token: prefixdev.Token(here.Key)})
		if err != nil {
			return nil, nil, errors.Join(err, here.Close())
		}
		c, err := client.Channel(name)
		if err != nil {
			return nil, nil, errors.Join(err, here.Close())
		}
		return c, here.Close, nil
	}
}

// try installs and imports what is about to be sent.
func (p *publishing) try(ctx context.Context) (_ string, err error) {
	if p.check {
		if p.Plan, err = p.Fresh(p.Artifacts); err != nil {
			return "", err
		}
	}
	if len(p.Plan.Uploads()) == 0 {
		return "nothing to send", nil
	}
	v, err := p.Try(ctx)
	if err != nil {
		return "", operr.New("", "%w; nothing was sent", err)
	}
	return imported(v) + " from " + v.How(), nil
}
