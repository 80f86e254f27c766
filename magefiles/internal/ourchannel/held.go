package ourchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Holding is what our channel has, beside the manifests.
type Holding struct {
	Channel  string `json:"channel"`  // its URL; "" where it has no name
	Exists   bool   `json:"exists"`   // anything of it was seen
	Packages []Held `json:"packages"` // in the order of the workspace
	Note     string `json:"-"`        // for people: what to do about a channel that is not there; "" where it is
}

// Held is what the channel has of one package.
type Held struct {
	Name     string              `json:"name"`
	Version  string              `json:"version"`  // that the manifest says
	There    bool                `json:"there"`    // the channel has that version
	Versions []publish.Published `json:"versions"` // all that the channel has, the newest first
}

// Header has the columns of Rows.
var Header = []string{"PACKAGE", "MANIFEST", "CHANNEL", "FILE", "SHA256"}

// Rows are what people are shown: a row for each version of a package that the channel has, and one for a package of which it has none.
func (h Holding) Rows() (rows [][]string) {
	for _, p := range h.Packages {
		rows = append(rows, p.rows()...)
	}
	return rows
}

func (h Held) rows() (rows [][]string) {
	manifest := h.Version
	if !h.There {
		manifest += " (not on the channel)"
	}
	first := []string{h.Name, manifest}
	for _, v := range h.Versions {
		rows = append(rows, append(first, v.Version, v.Subdir+"/"+v.File, columns.Digest(v.SHA256)))
		first = []string{"", ""}
	}
	if len(h.Versions) == 0 {
		rows = append(rows, append(first, "-", "", ""))
	}
	return rows
}

// Look asks our channel what it has of the packages of a workspace. Where it has no name the manifests are all there is.
func (c *Channels) Look(ctx context.Context, w *workspace.Workspace) (h Holding, err error) {
	ours, err := c.Of(w)
	if errors.Is(err, ErrNoName) {
		h.add(w, publish.Holdings{})
		h.Note = fmt.Sprintf("%v → %s", err, toName(w))
		return h, nil
	}
	if err != nil {
		return h, err
	}
	holdings, err := publish.Look(ctx, ours, w.Packages)
	if err != nil {
		return h, err
	}
	h.Channel, h.Exists = ours.URL(), holdings.Exists
	h.add(w, holdings)
	if !h.Exists {
		client, err := c.Client()
		if err != nil {
			return h, err
		}
		h.Note = fmt.Sprintf("%s is not there yet, or empty, as before a first release. %s%s", h.Channel, firstRelease(w, client, ours.Name()), mayBePrivate(holdings))
	}
	return h, nil
}

func (h *Holding) add(w *workspace.Workspace, holdings publish.Holdings) {
	h.Packages = []Held{}
	for _, p := range w.Packages {
		h.Packages = append(h.Packages, newHeld(p, holdings, h.Channel))
	}
}

func newHeld(p *workspace.Package, h publish.Holdings, url string) Held {
	one := Held{Name: p.Name, Version: p.Version.Text, Versions: []publish.Published{}}
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

// mayBePrivate says what else may be the matter with a channel that is not there for anyone, where there is nothing to ask it with, or
// nothing that its server takes.
func mayBePrivate(h publish.Holdings) string {
	switch {
	case h.Unseen == nil:
		return ""
	case errors.Is(h.Unseen, prefixdev.ErrNone):
		return " Where it is private, set a key that reads it: PREFIX_API_KEY."
	}
	return fmt.Sprintf(" Where it is private, it may be there all the same: %v → %s.", h.Unseen, cmp.Or(operr.NextOf(h.Unseen), "set a key that reads it: PREFIX_API_KEY"))
}

// firstRelease says how a channel comes into being, for those who publish to it.
func firstRelease(w *workspace.Workspace, client *prefixdev.Client, name string) string {
	if u, err := url.Parse(client.Server()); err == nil && httpclient.Loopback(u.Hostname()) {
		return "A server of this machine, such as `mage channel:serve`, makes it with the first upload: `mage publish`, or `mage release -publish=here`."
	}
	if w.Config.Publish == settings.PublishHere {
		return "Make the channel " + name + " on " + client.Server() + ", and a key that publishes to it: PREFIX_API_KEY."
	}
	return "Make the channel " + name + " on " + client.Server() + ", and register there the repository, with the file by which its CI publishes" +
		" (release.yml on GitHub, .gitlab-ci.yml on GitLab) and its environment `release`, as a trusted publisher of it."
}
