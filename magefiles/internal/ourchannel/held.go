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
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Holding lists the packages on our channel, with the versions in the manifests.
type Holding struct {
	Channel  string `json:"channel"`  // the channel's URL; "" if it has no name
	Exists   bool   `json:"exists"`   // whether anything is visible on the channel
	Packages []Held `json:"packages"` // in workspace order
	Note     string `json:"-"`        // why nothing is visible, for messages; "" if something is
	make     string // next step for Note
}

// Held lists the versions of one package on the channel.
type Held struct {
	Name     string              `json:"name"`
	Version  string              `json:"version"`  // version in the manifest
	There    bool                `json:"there"`    // whether the manifest's version is on the channel
	Versions []publish.Published `json:"versions"` // all versions on the channel, newest first
}

// Missing returns the reason why the channel cannot be seen, or "" if it can. In a CI job, where no next step is shown, the reason includes the
// next step.
func (h Holding) Missing(inJob bool) string {
	if !inJob || h.make == "" {
		return h.Note
	}
	return h.Note + "\nWhat to do: " + h.make
}

// Next returns the next step for the user.
func (h Holding) Next(w *workspace.Workspace) string {
	switch {
	case h.make != "":
		return h.make
	case slices.ContainsFunc(h.Packages, func(p Held) bool { return !p.There }):
		return "`mage status`"
	case slices.ContainsFunc(w.Downstreams, h.isAhead):
		return nextstep.AfterRelease(w)
	}
	return "`mage version:plan -to=auto`"
}

// isAhead reports whether a downstream pins a version of a package other than the one in the package's manifest.
func (h Holding) isAhead(d *workspace.Downstream) bool {
	return slices.ContainsFunc(d.Requires, func(r workspace.Requirement) bool {
		return r.Pin != "" && slices.ContainsFunc(h.Packages, func(p Held) bool { return p.Name == r.Package && !version.Same(p.Version, r.Pin) })
	})
}

// Header contains the column names of Rows.
var Header = []string{"PACKAGE", "MANIFEST", "CHANNEL", "FILE", "SHA256"}

// Rows returns the rows of a table: one for each version of a package on the channel, or a single row if the channel has no version of the
// package.
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

// Look lists the workspace's packages on our channel. If the channel has no name, it only lists the manifests.
func (c *Channels) Look(ctx context.Context, w *workspace.Workspace) (h Holding, err error) {
	ours, err := c.Of(w)
	if errors.Is(err, ErrNoName) {
		h.add(w, publish.Holdings{})
		h.Note, h.make = err.Error(), nameStep(w)
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
		h.Note = fmt.Sprintf("%s does not exist yet or is empty, which is normal before a first release.%s", h.Channel, mayBePrivate(holdings))
		h.make = firstRelease(w, client, ours.Name())
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

// newer compares versions so that the newest is sorted first. Versions that version.Parse rejects are sorted last.
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

// mayBePrivate returns a hint that the channel may be private, if there is no credential or the server rejected it. Otherwise it returns "".
func mayBePrivate(h publish.Holdings) string {
	switch {
	case h.Unseen == nil:
		return ""
	case errors.Is(h.Unseen, prefixdev.ErrNone):
		return " If the channel is private, set PREFIX_API_KEY to a key that can read the channel."
	}
	return fmt.Sprintf(" A private channel may exist: %v → %s.", h.Unseen, cmp.Or(operr.NextOf(h.Unseen), "set PREFIX_API_KEY to a key that can read the channel"))
}

// firstRelease returns the next step for a user who is about to publish to a channel that does not exist yet.
func firstRelease(w *workspace.Workspace, client *prefixdev.Client, name string) string {
	if u, err := url.Parse(client.Server()); err == nil && httpclient.Loopback(u.Hostname()) {
		return "`mage publish`, or `mage release -publish=here`: a server of this machine, such as `mage channel:serve`, makes the channel with the first upload"
	}
	if w.Config.Publish == settings.PublishHere {
		return "make the channel " + name + " on " + client.Server() + ", and set PREFIX_API_KEY to a key that may publish to the channel"
	}
	return "make the channel " + name + " on " + client.Server() + ", and register the repository there as a trusted publisher, with the workflow file that publishes" +
		" (release.yml on GitHub, .gitlab-ci.yml on GitLab) and the environment `release`"
}
