package github

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Release describes the desired state of a release.
type Release struct {
	Tag        string  `json:"tag"`    // must have been pushed
	Commit     string  `json:"commit"` // full hash of the commit to which the tag must point on the server
	Name       string  `json:"name"`   // "" means the tag
	Notes      string  `json:"notes"`  // Markdown
	Prerelease bool    `json:"prerelease"`
	Files      []Asset `json:"files"`
}

// Asset is a file to attach.
type Asset struct {
	Path   string `json:"path"`   // path on this machine
	Name   string `json:"name"`   // the name on the release, as returned by AssetName
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}

// State is the state of a tag and its releases.
type State struct {
	Tag       string  `json:"tag"`
	Commit    string  `json:"commit"`    // commit to which the tag points on the server; "" if the server does not have the tag
	Published *Found  `json:"published"` // nil if there is none
	Drafts    []Found `json:"drafts"`    // oldest first; visible only to a token that may push
}

// Found is an existing release.
type Found struct {
	ID         int64      `json:"id"`
	URL        string     `json:"url"` // web page
	Tag        string     `json:"tag"`
	Name       string     `json:"name"`
	Notes      string     `json:"notes"`
	Draft      bool       `json:"draft"`
	Prerelease bool       `json:"prerelease"`
	Immutable  bool       `json:"immutable"`
	Published  time.Time  `json:"published"` // zero for a draft
	Assets     []Attached `json:"assets"`

	upload string // URL for uploads, from the server
}

// Attached is a file that is attached to a release.
type Attached struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // hex; "" for files from before June 2025, because the server has no digest of these
	Size   int64  `json:"size"`   // bytes
	URL    string `json:"url"`    // public download URL, once the release is published
	Half   bool   `json:"half"`   // an incomplete upload (state "starter" or "open")
}

// apiRelease is a release in GitHub's JSON format (https://docs.github.com/en/rest/releases/releases).
type apiRelease struct {
	ID          int64      `json:"id"`
	HTMLURL     string     `json:"html_url"`
	UploadURL   string     `json:"upload_url"`
	TagName     string     `json:"tag_name"`
	Name        string     `json:"name"`
	Body        string     `json:"body"`
	Draft       bool       `json:"draft"`
	Prerelease  bool       `json:"prerelease"`
	Immutable   bool       `json:"immutable"`
	PublishedAt *time.Time `json:"published_at"`
}

func (r apiRelease) found() Found {
	f := Found{
		ID:         r.ID,
		URL:        r.HTMLURL,
		Tag:        r.TagName,
		Name:       r.Name,
		Notes:      r.Body,
		Draft:      r.Draft,
		Prerelease: r.Prerelease,
		Immutable:  r.Immutable,
		Assets:     []Attached{},
		upload:     r.UploadURL,
	}
	if r.PublishedAt != nil && !r.Draft {
		f.Published = r.PublishedAt.UTC()
	}
	return f
}

// apiAsset is an attached file in GitHub's JSON format (https://docs.github.com/en/rest/releases/assets).
type apiAsset struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"`
	URL    string `json:"browser_download_url"`
}

func (a apiAsset) attached() Attached {
	sum, _ := strings.CutPrefix(a.Digest, "sha256:")
	if len(sum) != 64 { // the digest has another algorithm, or is empty
		sum = ""
	}
	return Attached{ID: a.ID, Name: a.Name, SHA256: strings.ToLower(sum), Size: a.Size, URL: a.URL, Half: a.State != "uploaded"}
}

// Look reads the state of a tag: its commit, the published release, and the drafts that the token can see.
func (c *Client) Look(ctx context.Context, tag string) (State, error) {
	s, err := c.look(ctx, tag, 0)
	if err != nil {
		return s, c.explain(err, contents, "asking %s for the release %s", c.repository, tag)
	}
	return s, nil
}

// look is like Look, but also reads the release with the ID `known`, because GitHub's lists may lag behind.
func (c *Client) look(ctx context.Context, tag string, known int64) (State, error) {
	s := State{Tag: tag, Drafts: []Found{}}
	var err error
	if s.Commit, err = c.commitOf(ctx, tag); err != nil {
		return s, err
	}
	releases, err := c.releases(ctx, tag, known)
	if err != nil {
		return s, err
	}
	for _, r := range releases {
		f := r.found()
		if f.Assets, err = c.assets(ctx, f.ID); errors.Is(err, ErrNotFound) {
			continue // another run has deleted the draft in the meantime
		} else if err != nil {
			return s, err
		}
		switch {
		case f.Draft:
			s.Drafts = append(s.Drafts, f)
		case s.Published == nil:
			s.Published = &f
		}
	}
	return s, nil
}

// commitOf returns the commit to which a tag points on the server, or "" if the server does not have the tag
// (https://docs.github.com/en/rest/git/refs#get-a-reference, https://docs.github.com/en/rest/git/tags#get-a-tag).
func (c *Client) commitOf(ctx context.Context, tag string) (string, error) {
	type object struct {
		Object struct{ SHA, Type string } `json:"object"`
	}
	var at object
	_, err := c.get(ctx, c.url("git/ref/tags", tag), &at)
	for range 5 { // tags may be nested
		if errors.Is(err, ErrNotFound) {
			return "", nil
		}
		if err != nil || at.Object.Type != "tag" {
			return at.Object.SHA, err
		}
		sha := at.Object.SHA
		at = object{}
		_, err = c.get(ctx, c.url("git/tags", sha), &at)
	}
	return "", httpclient.MarkFinal(fmt.Errorf("the tag %s is nested too deeply: after five tags in a row there is still no commit", tag))
}

// releases finds all releases of a tag, oldest first. A request by tag does not show drafts; the list does, for a token that may push
// (https://docs.github.com/en/rest/releases/releases#list-releases).
func (c *Client) releases(ctx context.Context, tag string, known int64) ([]apiRelease, error) {
	found := map[int64]apiRelease{}
	direct := []*url.URL{c.url("releases/tags", tag)}
	if known != 0 {
		direct = append(direct, c.url("releases", strconv.FormatInt(known, 10)))
	}
	err := pages(ctx, c, c.url("releases"), func(page entries[apiRelease]) {
		for _, r := range page {
			if r.TagName == tag {
				found[r.ID] = r
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, u := range direct {
		var r apiRelease
		if _, err := c.get(ctx, u, &r); err == nil && r.TagName == tag {
			found[r.ID] = r
		} else if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
	}
	var all []apiRelease
	for _, r := range found {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b apiRelease) int { return int(a.ID - b.ID) })
	return all, nil
}

func (c *Client) assets(ctx context.Context, release int64) ([]Attached, error) {
	all := []Attached{}
	err := pages(ctx, c, c.url("releases", strconv.FormatInt(release, 10), "assets"), func(page entries[apiAsset]) {
		for _, a := range page {
			all = append(all, a.attached())
		}
	})
	return all, err
}

// check rejects an invalid release.
func (r Release) check() error {
	if r.Tag == "" || len(r.Commit) < 40 {
		return operr.New("", "the release %q needs a tag, and the full hash of the tag's commit instead of %q", r.Tag, r.Commit)
	}
	names := map[string]string{}
	for _, f := range r.Files {
		kept := AssetName(f.Name)
		if other, twice := names[kept]; twice || kept == "" {
			return operr.New("", "the release %s cannot have both %q and %q: GitHub stores both files as %q", r.Tag, f.Name, other, kept)
		}
		if len(f.SHA256) != 64 || f.Size <= 0 {
			return operr.New("", "%s cannot be uploaded: its sha256 is not known, or it is empty (GitHub accepts no empty file)", f.Name)
		}
		names[kept] = f.Name
	}
	return nil
}

func (r Release) name() string {
	if r.Name == "" {
		return r.Tag
	}
	return r.Name
}
