package targets

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// tryInstall makes a clean environment of what was built, from a channel of this process's that has it. The channel in the world has
// not got it yet, and everything else is as it will be.
func (p *publishing) tryInstall(ctx context.Context) (_ string, err error) {
	here, err := localprefix.Start(localprefix.Options{Dir: filepath.Join(p.Scratch, "channels")})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, here.Close()) }()
	client, err := prefixdev.New(prefixdev.Options{Server: here.URL, Token: prefixdev.Token(here.Key)})
	if err != nil {
		return "", err
	}
	c, err := client.Channel(channelName(p.Workspace))
	if err != nil {
		return "", err
	}
	of := *p.Publisher
	of.Channel, of.Keeps, of.Progress = c, nil, nil
	if p.Plan, err = of.Plan(ctx, publish.Holdings{}, p.Artifacts); err != nil {
		return "", err
	}
	if _, err := of.Upload(ctx, c, p.Plan); err != nil {
		return "", err
	}
	if err := of.Download(ctx, p.Plan, &p.Verified); err != nil {
		return "", err
	}
	err = of.Install(ctx, p.Plan, &p.Verified)
	return p.Verified.How(), err
}
