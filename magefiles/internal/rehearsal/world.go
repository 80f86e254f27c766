package rehearsal

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/publish"
)

// world is the embedded outside: prefix.dev on loopback, and the token service of the CI whose job we play.
type world struct {
	server     *localprefix.Server
	channel    publish.Channel    // read as anyone would
	writer     *prefixdev.Channel // with the token that was minted
	credential string             // where that comes from
}

// newWorld starts the server over dir, and publishes as a job would that the channel trusts: by an ID token.
func newWorld(ctx context.Context, dir, channelName, workspace string) (*world, error) {
	server, err := localprefix.Start(localprefix.Options{Dir: dir, Trusted: []localprefix.Trusted{
		{Channel: channelName, Repository: "rehearsal/" + workspace, Workflow: "release.yml"},
	}})
	if err != nil {
		return nil, err
	}
	w := &world{server: server}
	if err := w.connect(ctx, channelName); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) connect(ctx context.Context, channelName string) error {
	client, err := prefixdev.New(prefixdev.Options{Server: w.server.URL})
	if err != nil {
		return err
	}
	if w.channel, err = client.Channel(channelName); err != nil {
		return err
	}
	credential, err := prefixdev.Sources{CI: oidc.Detect(w.getenv, oidc.Options{})}.Credential(ctx, client)
	if err != nil {
		return err
	}
	if client, err = client.With(credential.Token); err != nil {
		return err
	}
	w.credential = credential.Source
	w.writer, err = client.Channel(channelName)
	return err
}

// getenv is the environment of the job that we play.
func (w *world) getenv(name string) string {
	for _, kv := range w.server.Environ() {
		if key, value, _ := strings.Cut(kv, "="); key == name {
			return value
		}
	}
	return ""
}

func (w *world) close() {
	if w != nil {
		_ = w.server.Close() // the folder is swept
	}
}
