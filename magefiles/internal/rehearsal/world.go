package rehearsal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// world is the embedded outside: prefix.dev on loopback.
type world struct {
	store      *store.Store
	http       *http.Server
	channel    *prefixdev.Channel
	channelURL string
}

// newWorld starts the server over dir and returns it with a client of one channel that may upload.
func newWorld(dir, channelName string) (*world, error) {
	s, err := store.Open(dir)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	key := "pfx_" + rand.Text()
	w := &world{store: s, http: &http.Server{
		Handler:           server.New(s, server.Options{Authorize: server.APIKey(key), Spool: s.Incoming()}),
		ReadHeaderTimeout: time.Minute,
	}}
	go func() { _ = w.http.Serve(listener) }() // ends when close is called, and with nothing to tell but that
	client, err := prefixdev.New(prefixdev.Options{Server: "http://" + listener.Addr().String(), Token: prefixdev.Token(key)})
	if err == nil {
		w.channel, err = client.Channel(channelName)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	w.channelURL = w.channel.URL()
	return w, nil
}

func (w *world) close() {
	if w != nil {
		_ = w.http.Close()
		_ = w.store.Close()
	}
}

// start brings the embedded prefix.dev up.
func (r *run) start(context.Context) (string, error) {
	var err error
	if r.world, err = newWorld(filepath.Join(r.Dir, "channels"), r.workspace.Config.Channel); err != nil {
		return "", err
	}
	r.missing("trusted publishing (OIDC)", "the embedded channel takes an API key so far")
	r.missing("tag, push, GitHub release, images, deployments", "a rehearsal does not reach that far yet")
	return r.world.channelURL, nil
}

// upload publishes the artifacts, dependencies first.
func (r *run) upload(ctx context.Context) (string, error) {
	for _, a := range r.artifacts {
		u, err := channel.NewUpload(a.Path)
		if err != nil {
			return "", err
		}
		if _, err := r.world.channel.Put(ctx, u); err != nil {
			return "", fmt.Errorf("uploading %s: %w", u.File, err)
		}
	}
	return fmt.Sprintf("%d artifacts, dependencies first", len(r.artifacts)), nil
}

// index reads every form of the index that a solver may read, and looks for our digests in it.
func (r *run) index(ctx context.Context) (string, error) {
	c := r.world.channel
	forms := []struct {
		name string
		read func(subdir, name string) ([]condapkg.Record, error)
	}{
		{repodata.JSON, func(subdir, _ string) ([]condapkg.Record, error) { return r.plainIndex(ctx, subdir) }},
		{repodata.JSONZst, func(subdir, _ string) ([]condapkg.Record, error) { return c.Repodata(ctx, subdir) }},
		{repodata.Shards, func(subdir, name string) ([]condapkg.Record, error) { return c.Sharded(ctx, subdir, name) }},
	}
	for _, form := range forms {
		for _, a := range r.artifacts {
			records, err := form.read(a.Index.Subdir, a.Package)
			if err != nil {
				return "", fmt.Errorf("reading %s of %s: %w", form.name, a.Index.Subdir, err)
			}
			if err := contains(records, a.Index.FileName(), a.SHA256); err != nil {
				return "", fmt.Errorf("%s of %s: %w", form.name, a.Index.Subdir, err)
			}
		}
	}
	return "every record with our sha256, in " + repodata.JSON + ", .zst and shards", nil
}

func (r *run) plainIndex(ctx context.Context, subdir string) ([]condapkg.Record, error) {
	f, err := r.world.channel.Open(ctx, subdir, repodata.JSON)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return repodata.Decode(f)
}

func contains(records []condapkg.Record, file, sha256 string) error {
	for _, record := range records {
		if record.FileName() == file {
			if record.SHA256 != sha256 {
				return fmt.Errorf("%s has sha256 %s there, and %s was built", file, record.SHA256, sha256)
			}
			return nil
		}
	}
	return fmt.Errorf("%s is not there", file)
}

// download fetches every artifact, past the index, and compares it with what was built.
func (r *run) download(ctx context.Context) (string, error) {
	for _, a := range r.artifacts {
		path := filepath.Join(r.Dir, "downloads", a.Index.FileName())
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := channel.Download(ctx, r.world.channel, condapkg.Record{Index: a.Index, SHA256: a.SHA256}, path); err != nil {
			return "", err
		}
		r.fetched = append(r.fetched, path)
	}
	return fmt.Sprintf("%d artifacts, each with the sha256 that was built", len(r.fetched)), nil
}
