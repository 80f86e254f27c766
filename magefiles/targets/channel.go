package targets

import (
	"cmp"
	"context"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/ourchannel"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Channel serves and shows channels.
type Channel mg.Namespace

// Serve runs the embedded prefix.dev over a folder until Ctrl-C; the first line on stdout is its URL.
func (Channel) Serve(ctx context.Context,
	addr *string, // where to listen; default 127.0.0.1:0, which is any free port
	dir *string, // folder of the channels; default output/channels
	repository *string, // OWNER/NAME of a repository whose jobs may publish to our channel without a key
	private *string, // names of channels that need a token for reading too, with commas between
) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		return a.serve(ctx, serving{addr: orZero(addr), dir: orZero(dir), repository: orZero(repository), private: orZero(private)})
	})
}

// Show prints what the channel holds of our packages, beside the manifests.
func (Channel) Show(ctx context.Context,
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		return answer(a, isSet(json), func() (ourchannel.Holding, error) { return a.channels.Look(ctx, w) }, func(h ourchannel.Holding) {
			var rows [][]string
			for _, p := range h.Packages {
				rows = append(rows, heldRows(p)...)
			}
			a.view.Table([]string{"PACKAGE", "MANIFEST", "CHANNEL", "FILE", "SHA256"}, rows)
			if h.Note != "" {
				a.view.Line("\n%s", h.Note)
			}
		})
	})
}

// channelsDir is where channel:serve keeps its channels, below the folder of outputs.
const channelsDir = "channels"

type serving struct{ addr, dir, repository, private string }

func (a *app) serve(ctx context.Context, s serving) error {
	o := localprefix.Options{
		Addr:    s.addr,
		Dir:     s.dir,
		Key:     a.channels.Sources.APIKey,
		Log:     slog.New(slog.NewTextHandler(a.view.Err, nil)),
		Private: strings.FieldsFunc(s.private, func(r rune) bool { return r == ',' }),
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(a.dir, workspace.OutputDir, channelsDir)
	}
	if err := a.checkServed(ctx, o.Dir); err != nil {
		return err
	}
	for _, name := range o.Private {
		if err := channel.CheckName(name); err != nil {
			return operr.NewUsage("say -private=NAME, with commas between several", "%w", err)
		}
	}
	if s.repository != "" {
		if err := github.CheckRepository(s.repository); err != nil {
			return operr.NewUsage("say -repository=OWNER/NAME", "%w", err)
		}
		w, err := a.workspace()
		if err != nil {
			return err
		}
		// It is a server of this machine: whatever the workspace is called will do.
		o.Trusted = []localprefix.Trusted{{Channel: cmp.Or(a.channels.NameOf(w), w.EmbeddedChannel()), Repository: s.repository}}
	}
	server, err := serveChannels(o)
	if err != nil {
		return err
	}
	a.view.Line("%s", server.URL)
	if a.channels.Sources.APIKey == "" {
		a.view.Line("API key: %s", server.Key)
	}
	for _, variable := range server.Environ() {
		a.view.Line("%s", variable)
	}
	a.view.Say("serving %s; to publish here: PREFIX_SERVER_URL=%s PREFIX_API_KEY=… mage publish; Ctrl-C ends it", o.Dir, server.URL)
	err = server.Wait(ctx)
	if cerr := server.Close(); err == nil {
		err = cerr
	}
	return err
}

// heldRows are a line for each version of a package that the channel has.
func heldRows(h ourchannel.Held) (rows [][]string) {
	manifest := h.Version
	if !h.There {
		manifest += " (not on the channel)"
	}
	first := []string{h.Name, manifest}
	for _, v := range h.Versions {
		rows = append(rows, append(first, v.Version, v.Subdir+"/"+v.File, v.SHA256[:min(12, len(v.SHA256))]+"…"))
		first = []string{"", ""}
	}
	if len(h.Versions) == 0 {
		rows = append(rows, append(first, "-", "", ""))
	}
	return rows
}
