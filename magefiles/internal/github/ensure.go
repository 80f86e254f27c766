package github

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Result is the state of a release.
type Result struct {
	URL       string     `json:"url"` // web page; "" if there is no release
	Tag       string     `json:"tag"`
	Published time.Time  `json:"published"` // zero if it is not published
	Assets    []Attached `json:"assets"`    // the attached files, in the order of Release
	Did       []string   `json:"did"`       // the changes that were made; for Check, the changes to make next
	Left      []string   `json:"left"`      // descriptions of other files and drafts, which were left alone
}

// Check reports whether a release is published and complete, without changing anything. It returns those errors of Ensure that can be found this
// way.
func (c *Client) Check(ctx context.Context, r Release) (result Result, done bool, err error) {
	e := &ensuring{client: c, want: r}
	p, err := e.next(ctx)
	if err != nil {
		return Result{}, false, e.explain(err)
	}
	result = e.result(p)
	for _, ch := range p.changes {
		result.Did = append(result.Did, ch.String())
	}
	return result, len(p.changes) == 0, nil
}

// Ensure makes a release. It creates a draft, which is not public, attaches every file, compares the digests, and publishes the draft, once. It
// reuses whatever exists, so it may be called again after any failure.
//
// It stops and asks for help (operr.Stopped) if someone else has created a draft, if the tag points to another commit, or if a published release has
// different bytes. It creates no tag.
func (c *Client) Ensure(ctx context.Context, r Release) (Result, error) {
	e := &ensuring{client: c, want: r, tries: map[string]int{}, did: []string{}}
	for {
		p, err := e.next(ctx)
		if err != nil {
			return Result{}, e.explain(err)
		}
		if len(p.changes) == 0 {
			return e.result(p), nil
		}
		if err := e.apply(ctx, p); err != nil {
			return Result{}, e.explain(err)
		}
	}
}

// ensuring is one call of Ensure, or of Check.
type ensuring struct {
	client *Client
	want   Release
	state  State
	known  int64          // ID of the release that this call has created
	tries  map[string]int // how often each plan was made; a repeated plan means that the server shows no change
	did    []string
}

// `next` reads the state of the release, and decides what to do.
func (e *ensuring) next(ctx context.Context) (plan, error) {
	err := e.want.check()
	if err == nil {
		e.state, err = e.client.look(ctx, e.want.Tag, e.known)
	}
	if err == nil {
		err = e.digests(ctx)
	}
	if err != nil {
		return plan{}, err
	}
	return e.client.newPlan(e.state, e.want)
}

// digests downloads assets that may be ours to compute their digests, if the server gives none.
func (e *ensuring) digests(ctx context.Context) error {
	all := make([]*Found, 0, len(e.state.Drafts)+1)
	for i := range e.state.Drafts {
		all = append(all, &e.state.Drafts[i])
	}
	if e.state.Published != nil {
		all = append(all, e.state.Published)
	}
	for _, to := range all {
		for _, f := range e.want.Files {
			a := findAsset(*to, f)
			if a == nil || a.SHA256 != "" || a.Half || a.Size != f.Size {
				continue
			}
			var err error
			if a.SHA256, err = e.client.digest(ctx, *a); err != nil {
				return fmt.Errorf("reading %s: %w", a.Name, err)
			}
		}
	}
	return nil
}

// digest downloads an asset (https://docs.github.com/en/rest/releases/assets#get-a-release-asset).
func (c *Client) digest(ctx context.Context, a Attached) (string, error) {
	sum := sha256.New()
	err := c.load(ctx, c.url("releases/assets", strconv.FormatInt(a.ID, 10)), func(r io.Reader) error {
		sum.Reset()
		n, err := io.Copy(sum, io.LimitReader(r, a.Size+1))
		if err == nil && n != a.Size {
			err = io.ErrUnexpectedEOF
		}
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)), err
}

// apply makes the changes of a plan, up to the first whose outcome is unknown. Afterwards the caller must read the state of the release again. An
// error is final.
func (e *ensuring) apply(ctx context.Context, p plan) error {
	key := fmt.Sprint(p.changes)
	e.tries[key]++
	n := e.tries[key]
	if n > e.client.retry.Most() {
		return httpclient.MarkFinal(fmt.Errorf("%s: the server accepted this change %d times, but does not show the change", p.changes[0], n-1))
	}
	for _, ch := range p.changes {
		err := e.do(ctx, ch)
		if err == nil {
			e.did = append(e.did, ch.String())
			continue
		}
		err = fmt.Errorf("%s: %w", ch, err)
		if n >= e.client.retry.Most() || !e.undecided(ctx, ch, err) {
			return err
		}
		if werr := e.client.retry.Pause(ctx, n+1, err); werr != nil {
			return fmt.Errorf("%w (%w)", err, werr)
		}
		return nil
	}
	if n > 1 {
		return e.client.retry.Pause(ctx, n, nil)
	}
	return nil
}

// undecided reports whether a failed change may have taken effect after all, in this run or another, so that the state must be read again. A missing
// draft counts as undecided, unless the change was to create the draft.
func (e *ensuring) undecided(ctx context.Context, ch change, err error) bool {
	return e.client.retry.Transient(ctx, err) || errors.Is(err, errExists) || errors.Is(err, ErrNotFound) && ch.kind != create
}

func (e *ensuring) do(ctx context.Context, ch change) error {
	switch ch.kind {
	case create:
		return e.create(ctx)
	case attach:
		return e.client.attach(ctx, ch.to, ch.file)
	case discard:
		return e.client.remove(ctx, ch, "releases/assets", ch.asset.ID)
	case drop:
		return e.client.remove(ctx, ch, "releases", ch.to.ID)
	}
	return e.publish(ctx, ch.to)
}

// create creates a draft (https://docs.github.com/en/rest/releases/releases#create-a-release). It does not send target_commitish, because the tag
// exists, and because GitHub rejects it for commits that change a workflow file if the token is a job's own, whatever its permissions
// (github.com/cli/cli/issues/9514).
func (e *ensuring) create(ctx context.Context) error {
	body, err := jsonPayload(map[string]any{
		"tag_name": e.want.Tag, "name": e.want.name(), "body": e.want.Notes, "draft": true, "prerelease": e.want.Prerelease,
	})
	if err != nil {
		return httpclient.MarkFinal(err)
	}
	var made apiRelease
	if err := e.client.send(ctx, http.MethodPost, e.client.url("releases"), body, &made); err != nil {
		return err
	}
	e.known = made.ID
	return nil
}

// publish turns a draft into the release. GitHub picks the latest release by version and date ("legacy"), so that a patch of an old series does not
// become the latest.
func (e *ensuring) publish(ctx context.Context, draft Found) error {
	latest := "legacy"
	if e.want.Prerelease {
		latest = "false"
	}
	body, err := jsonPayload(map[string]any{"draft": false, "make_latest": latest})
	if err != nil {
		return httpclient.MarkFinal(err)
	}
	return e.client.send(ctx, http.MethodPatch, e.client.url("releases", strconv.FormatInt(draft.ID, 10)), body, nil)
}

// remove deletes a draft or one of its assets. GitHub's API has no conditional deletion. Therefore remove first checks that the draft is still a
// draft and the asset unchanged, because another run may have made progress.
func (c *Client) remove(ctx context.Context, ch change, what string, id int64) error {
	var now apiRelease
	if _, err := c.get(ctx, c.url("releases", strconv.FormatInt(ch.to.ID, 10)), &now); err != nil {
		return err
	}
	assets, err := c.assets(ctx, ch.to.ID)
	if err != nil {
		return err
	}
	same := len(assets) == 0
	if ch.kind == discard {
		same = slices.ContainsFunc(assets, func(a Attached) bool {
			return a.ID == ch.asset.ID && a.Half == ch.asset.Half && a.Size == ch.asset.Size
		})
	}
	if !now.Draft || !same {
		return fmt.Errorf("another run made this change first: %w", errExists)
	}
	return c.send(ctx, http.MethodDelete, c.url(what, strconv.FormatInt(id, 10)), nil, nil)
}

// attach uploads a file (https://docs.github.com/en/rest/releases/assets#upload-a-release-asset), if the file has not changed since it was tested.
func (c *Client) attach(ctx context.Context, to Found, file Asset) error {
	u, err := c.uploadURL(to.upload, file.Name)
	if err != nil {
		return err
	}
	f, err := os.Open(file.Path)
	if err != nil {
		return httpclient.MarkFinal(err)
	}
	defer f.Close()
	if err := checkUnchanged(f, file); err != nil {
		return err
	}
	ctx, w := httpclient.NewWatch(ctx, c.patience)
	defer w.Stop()
	var sent func(int64)
	if c.sent != nil {
		sent = func(n int64) { c.sent(file.Name, n, file.Size) }
	}
	body := &payload{reader: w.Sending(io.LimitReader(f, file.Size), sent), size: file.Size, kind: asBytes}
	resp, err := c.do(ctx, c.writer, http.MethodPost, u, asJSON, body, w)
	if err != nil {
		return err
	}
	return resp.Body.Close() // the next look shows the outcome
}

func checkUnchanged(f io.ReadSeeker, file Asset) error {
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return httpclient.MarkFinal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); n != file.Size || got != file.SHA256 {
		return operr.New("find out what changed the file, because only tested files are attached", "%s changed after the test: found sha256 %.12s and %d bytes, expected sha256 %.12s and %d bytes",
			file.Path, got, n, file.SHA256, file.Size)
	}
	return nil
}

// uploadURL expands the upload URL template of a release: https://…/assets{?name,label}.
func (c *Client) uploadURL(template, name string) (*url.URL, error) {
	text, _, _ := strings.Cut(template, "{")
	u, err := url.Parse(text)
	if err != nil || text == "" || !c.trusted(u) {
		return nil, operr.New("check the proxies between this machine and GitHub", "the server at %s wants files to be uploaded to another server, which must not get the token: %.120q", c.base.Host, text)
	}
	u.RawQuery = url.Values{"name": {name}}.Encode()
	return u, nil
}

func (e *ensuring) result(p plan) Result {
	r := Result{Tag: e.want.Tag, Assets: []Attached{}, Did: append([]string{}, e.did...), Left: append([]string{}, p.left...)}
	at := e.state.Published
	if at == nil {
		if at, _ = choose(e.state.Drafts, e.want); at == nil {
			return r
		}
	}
	r.URL, r.Published = at.URL, at.Published
	for _, f := range e.want.Files {
		if a := findAsset(*at, f); a != nil {
			r.Assets = append(r.Assets, *a)
		}
	}
	return r
}

func (e *ensuring) explain(err error) error {
	return e.client.explain(err, contents, "the release %s of %s", e.want.Tag, e.client.repository)
}
