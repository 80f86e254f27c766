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

// Serving configures channel:serve, which runs the embedded prefix.dev server for a folder of channels.
type Serving struct {
	Addr       string // address to listen on; "" for a free port on loopback
	Dir        string // folder of channels; "" for a folder below the output folder
	Repository string // "owner/name" of a repository whose jobs may publish to our channel without a key; "" for none
	Private    string // comma-separated names of channels that require a token for reading

	Here   string // working directory
	Runner command.Runner
	Start  func(o localprefix.Options) (*localprefix.Server, error)
	Line   func(format string, args ...any) // prints a line of output
	Say    func(format string, args ...any) // prints a progress message
	Log    io.Writer
}

// Serve runs the server until ctx is done. The first line of its output is the server's URL.
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
	o, err := c.serveOptions(s)
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

// serveOptions returns the server's options. It rejects invalid names.
func (c *Channels) serveOptions(s Serving) (localprefix.Options, error) {
	o := localprefix.Options{
		Addr:    s.Addr,
		Dir:     s.Dir,
		Key:     c.Sources.APIKey,
		Log:     slog.New(slog.NewTextHandler(s.Log, nil)),
		Private: strings.FieldsFunc(s.Private, func(r rune) bool { return r == ',' }),
	}
	for _, name := range o.Private {
		if err := channel.CheckName(name); err != nil {
			return o, operr.NewUsage("pass -private=NAME; write commas between several names", "%w", err)
		}
	}
	if s.Repository == "" {
		return o, nil
	}
	if err := github.CheckRepository(s.Repository); err != nil {
		return o, operr.NewUsage("pass -repository=OWNER/NAME", "%w", err)
	}
	w, err := workspace.Load(s.Here)
	if err != nil {
		return o, err
	}
	// For a server on this machine, a name made from the workspace's name is sufficient.
	o.Trusted = []localprefix.Trusted{{Channel: cmp.Or(c.NameOf(w), w.EmbeddedChannel()), Repository: s.Repository}}
	return o, nil
}
