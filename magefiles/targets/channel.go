package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/version"
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
	return run(ctx, func(ctx context.Context, a *app) error {
		w, err := a.workspace()
		if err != nil {
			return err
		}
		return a.showChannel(ctx, w, isSet(json))
	})
}

// channelsDir is where channel:serve keeps its channels, below the folder of outputs.
const channelsDir = "channels"

type serving struct{ addr, dir, repository, private string }

func (a *app) serve(ctx context.Context, s serving) error {
	o := localprefix.Options{
		Addr:    s.addr,
		Dir:     s.dir,
		Key:     apiKey(),
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
		if _, err := github.New(github.Options{Repository: s.repository}); err != nil {
			return operr.NewUsage("say -repository=OWNER/NAME", "%w", err)
		}
		w, err := a.workspace()
		if err != nil {
			return err
		}
		// It is a server of this machine: whatever the workspace is called will do.
		o.Trusted = []localprefix.Trusted{{Channel: cmp.Or(channelName(w), w.EmbeddedChannel()), Repository: s.repository}}
	}
	server, err := localprefix.Start(o)
	if err != nil {
		return err
	}
	a.view.Line("%s", server.URL)
	if apiKey() == "" {
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

// held is what the channel has of one package.
type held struct {
	Name     string              `json:"name"`
	Version  string              `json:"version"`  // that the manifest says
	There    bool                `json:"there"`    // the channel has that version
	Versions []publish.Published `json:"versions"` // all that the channel has, the newest first
}

func (a *app) showChannel(ctx context.Context, w *workspace.Workspace, asJSON bool) error {
	client, c, err := a.ourChannel(w)
	if errors.Is(err, errNoChannel) {
		return a.showNoChannel(w, err, asJSON)
	}
	if err != nil {
		return err
	}
	holdings, err := publish.Look(ctx, c, w.Packages)
	if err != nil {
		return err
	}
	all := []held{}
	for _, p := range w.Packages {
		all = append(all, newHeld(p, holdings, c.URL()))
	}
	if asJSON {
		return a.view.JSON(map[string]any{"channel": c.URL(), "exists": holdings.Exists, "packages": all})
	}
	a.heldTable(all)
	if !holdings.Exists {
		a.view.Line("\n%s is not there yet, or empty, as before a first release. %s%s", c.URL(), firstRelease(w, client, c.Name()), sayPrivate(holdings))
	}
	return nil
}

// sayPrivate says what else may be the matter with a channel that is not there for anyone, where there is nothing to ask it with, or
// nothing that its server takes.
func sayPrivate(h publish.Holdings) string {
	switch {
	case h.Unseen == nil:
		return ""
	case errors.Is(h.Unseen, prefixdev.ErrNone):
		return " Where it is private, set a key that reads it: PREFIX_API_KEY."
	}
	return fmt.Sprintf(" Where it is private, it may be there all the same: %v → %s.", h.Unseen, cmp.Or(operr.NextOf(h.Unseen), "set a key that reads it: PREFIX_API_KEY"))
}

// showNoChannel shows the manifests alone, and says why.
func (a *app) showNoChannel(w *workspace.Workspace, why error, asJSON bool) error {
	all := []held{}
	for _, p := range w.Packages {
		all = append(all, newHeld(p, publish.Holdings{}, ""))
	}
	if asJSON {
		return a.view.JSON(map[string]any{"channel": "", "exists": false, "packages": all})
	}
	a.heldTable(all)
	a.view.Line("\n%v → %s", why, sayChannel(w))
	return nil
}

func newHeld(p *workspace.Package, h publish.Holdings, url string) held {
	one := held{Name: p.Name, Version: p.Version.Text, Versions: []publish.Published{}}
	for _, r := range h.Of(p.Name, "") {
		one.There = one.There || r.Version == p.Version.Text
		one.Versions = append(one.Versions, publish.NewPublished(url, r, publish.There))
	}
	slices.SortStableFunc(one.Versions, func(a, b publish.Published) int { return newer(a.Version, b.Version) })
	return one
}

// newer orders versions, the newest first; those that the pipeline cannot read come last.
func newer(a, b string) int {
	one, err1 := version.Parse(a)
	two, err2 := version.Parse(b)
	switch {
	case err1 == nil && err2 == nil:
		return two.Compare(one)
	case err1 == nil:
		return -1
	case err2 == nil:
		return 1
	}
	return strings.Compare(b, a)
}

func (a *app) heldTable(all []held) {
	var rows [][]string
	for _, h := range all {
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
	}
	a.view.Table([]string{"PACKAGE", "MANIFEST", "CHANNEL", "FILE", "SHA256"}, rows)
}

// firstRelease says how a channel comes into being, for those who publish to it.
func firstRelease(w *workspace.Workspace, client *prefixdev.Client, name string) string {
	if w.Config.Publish == workspace.PublishHere {
		return "Make the channel " + name + " on " + client.Server() + ", and a key that publishes to it: PREFIX_API_KEY."
	}
	return "Make the channel " + name + " on " + client.Server() + ", and register there the repository, with the file by which its CI publishes" +
		" (" + release.Workflow + " on GitHub, .gitlab-ci.yml on GitLab) and its environment `release`, as a trusted publisher of it."
}
