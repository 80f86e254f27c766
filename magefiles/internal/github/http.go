package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const (
	asJSON  = "application/vnd.github+json"
	asBytes = "application/octet-stream"

	maxAnswer = 32 << 20 // bytes of JSON
	maxPages  = 100      // of 100 entries each: more than GitHub lists (10,000 releases, 1,000 runs)
	maxList   = 1000     // entries of one page: more than GitHub sends, and a page of 32 MiB can have millions that are nothing
)

// payload is the body of a request.
type payload struct {
	reader io.Reader
	size   int64 // bytes; exact
	kind   string
}

func jsonPayload(v any) (*payload, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return &payload{reader: bytes.NewReader(text), size: int64(len(text)), kind: "application/json"}, nil
}

// do makes one attempt. A success is returned with its body, which the caller closes; anything else is an error.
func (c *Client) do(ctx context.Context, client *http.Client, method string, u *url.URL, accept string, body *payload, w *httpclient.Watch) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, httpclient.NotAgain(errors.New("the address cannot be used")) // the error would show it
	}
	if body != nil {
		// Without the wrapper the HTTP client would close a file under a later attempt's feet, or find its size.
		r.Body, r.ContentLength = io.NopCloser(body.reader), body.size
		r.Header.Set("Content-Type", body.kind)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", httpclient.Agent) // GitHub refuses requests without one
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if c.token != "" && c.trusted(u) {
		r.Header.Set("Authorization", "Bearer "+string(c.token))
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, place(u), w.Lost(err))
	}
	resp.Body = w.Body(resp.Body)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what there is of it explains the status
	return nil, c.statusError(resp, text)
}

// place is an address for people. The query is left out: that of a signed one lets anybody in.
func place(u *url.URL) string { return u.Host + u.EscapedPath() }

// send makes one attempt to change something, and reads the answer into out, which may be nil.
func (c *Client) send(ctx context.Context, method string, u *url.URL, body *payload, out any) error {
	ctx, w := httpclient.NewWatch(ctx, c.patience)
	defer w.Stop()
	resp, err := c.do(ctx, c.writer, method, u, asJSON, body, w)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	return decode(resp.Body, out)
}

func decode(r io.Reader, out any) error {
	text, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("reading the answer: %w", err)
	case len(text) > maxAnswer:
		return httpclient.NotAgain(fmt.Errorf("the answer has more than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}

// entries is a list in an answer, of maxList entries at most.
type entries[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *entries[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch t, err := d.Token(); {
	case err != nil || t == nil: // null
		return err
	case t != json.Delim('['):
		return fmt.Errorf("%.40q stands where a list is expected", fmt.Sprint(t))
	}
	for d.More() {
		if len(*l) >= maxList {
			return httpclient.NotAgain(fmt.Errorf("a list in the answer has more than %d entries", maxList))
		}
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		*l = append(*l, one)
	}
	return nil
}

// get reads JSON into out, and returns where the next page is, or nil.
func (c *Client) get(ctx context.Context, u *url.URL, out any) (next *url.URL, err error) {
	err = c.retry.Do(ctx, func(int) error {
		ctx, w := httpclient.NewWatch(ctx, c.patience)
		defer w.Stop()
		resp, err := c.do(ctx, c.reader, http.MethodGet, u, asJSON, nil, w)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if next, err = c.nextPage(resp); err != nil {
			return err
		}
		return decode(resp.Body, out)
	})
	return next, err
}

// pages reads a list from its first page to its last, and gives each page to add.
func pages[T any](ctx context.Context, c *Client, u *url.URL, add func(T)) error {
	q := u.Query()
	q.Set("per_page", "100")
	u.RawQuery = q.Encode()
	for range maxPages {
		var page T
		next, err := c.get(ctx, u, &page)
		if err != nil {
			return err
		}
		add(page)
		if next == nil {
			return nil
		}
		u = next
	}
	return httpclient.NotAgain(fmt.Errorf("the list at %s does not end after %d pages", place(u), maxPages))
}

var nextLink = regexp.MustCompile(`<([^<>]*)>\s*;[^,]*\brel="?next"?`)

// nextPage reads the Link header (https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api).
func (c *Client) nextPage(r *http.Response) (*url.URL, error) {
	m := nextLink.FindStringSubmatch(strings.Join(r.Header.Values("Link"), ", "))
	if m == nil {
		return nil, nil
	}
	u, err := c.base.Parse(m[1])
	if err != nil || !httpclient.SameOrigin(u, c.base) {
		return nil, httpclient.NotAgain(errors.New("the list goes on at an address that is not the API's"))
	}
	return u, nil
}

// load gives use the bytes of a stored file, to which the API redirects.
func (c *Client) load(ctx context.Context, u *url.URL, use func(io.Reader) error) error {
	return c.retry.Do(ctx, func(int) error {
		ctx, w := httpclient.NewWatch(ctx, c.patience)
		defer w.Stop()
		resp, err := c.do(ctx, c.loader, http.MethodGet, u, asBytes, nil, w)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return use(resp.Body)
	})
}

// followed says what a redirect may take along, as of a repository that was renamed: the token only on the API's own
// origin, and not again once it was left.
func (c *Client) followed(r *http.Request, via []*http.Request) error {
	for _, hop := range append(via, r) {
		if !httpclient.SameOrigin(hop.URL, c.base) {
			r.Header.Del("Authorization")
		}
	}
	return allowed(r, via)
}

// signed is for redirects to stored files: their address is the credential, and the store refuses another one beside it.
func (*Client) signed(r *http.Request, via []*http.Request) error {
	r.Header.Del("Authorization")
	return allowed(r, via)
}

// allowed is httpclient.Follow, and follows to http on this machine alone, for rehearsals.
func allowed(r *http.Request, via []*http.Request) error {
	if u := r.URL; u.Scheme != "https" && !(u.Scheme == "http" && httpclient.Loopback(u.Hostname())) {
		return httpclient.NotAgain(fmt.Errorf("the server redirects to %s, which is not https", u.Host))
	}
	if err := httpclient.Follow(r, via); err != nil {
		return httpclient.NotAgain(err)
	}
	return nil
}

// said reports whether an error has a next step for a person: asking again would not do what that says.
func said(err error) bool {
	var known *operr.Error
	return errors.As(err, &known)
}
