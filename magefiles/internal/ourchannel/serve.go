package ourchannel

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Serving is the embedded prefix.dev over a folder, as a person asks for it.
type Serving struct {
	Addr       string // where to listen; "" is a free port on loopback
	Dir        string // of the channels; "" is in the folder of outputs
	Repository string // "owner/name", whose jobs may publish to our channel without a key; "" is none
	Private    string // names of channels that need a token for reading too, with commas between

	Here   string // where we were started
	Runner command.Runner
	Start  func(o localprefix.Options) (*localprefix.Server, error)
	Line   func(format string, args ...any) // a line of the result
	Say    func(format string, args ...any) // what is going on
	Log    io.Writer
}

// Serve serves until ctx ends. The first line of the result is the address.
func (c *Channels) Serve(ctx context.Context, s Serving) error {
	ours := s.Dir == ""
	if ours {
		s.Dir = filepath.Join(s.Here, workspace.OutputDir, folders.Channels)
	}
	if err := folders.CheckServed(ctx, s.Runner, s.Here, s.Dir); err != nil {
		return err
	}
	if ours {
		if err := atomicfile.MakeIgnored(filepath.Dir(s.Dir)); err != nil {
			return err
		}
	}
	o, err := c.toServe(s)
	if err != nil {
		return err
	}
	server, err := s.Start(o)
	if err != nil {
		return err
	}
	s.Line("%s", server.URL)
	if o.Key == "" {
		s.Line("API key: %s", server.Key)
	}
	for _, variable := range server.Environ() {
		s.Line("%s", variable)
	}
	s.Say("serving %s; to publish here: PREFIX_SERVER_URL=%s PREFIX_API_KEY=… mage publish; Ctrl-C ends it", o.Dir, server.URL)
	err = server.Wait(ctx)
	if cerr := server.Close(); err == nil {
		err = cerr
	}
	return err
}

// toServe refuses names that are none.
func (c *Channels) toServe(s Serving) (localprefix.Options, error) {
	o := localprefix.Options{
		Addr:    s.Addr,
		Dir:     s.Dir,
		Key:     c.Sources.APIKey,
		Log:     slog.New(slog.NewTextHandler(s.Log, nil)),
		Private: strings.FieldsFunc(s.Private, func(r rune) bool { return r == ',' }),
	}
	for _, name := range o.Private {
		if err := channel.CheckName(name); err != nil {
			return o, operr.NewUsage("say -private=NAME, with commas between several", "%w", err)
		}
	}
	if s.Repository == "" {
		return o, nil
	}
	if err := github.CheckRepository(s.Repository); err != nil {
		return o, operr.NewUsage("say -repository=OWNER/NAME", "%w", err)
	}
	w, err := workspace.Load(s.Here)
	if err != nil {
		return o, err
	}
	// It is a server of this machine: whatever the workspace is called will do.
	o.Trusted = []localprefix.Trusted{{Channel: cmp.Or(c.NameOf(w), w.EmbeddedChannel()), Repository: s.Repository}}
	return o, nil
}
