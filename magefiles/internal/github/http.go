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
	maxPages  = 100      // with 100 entries per page, more than GitHub lists (10,000 releases, 1,000 runs)
	maxList   = 1000     // entries per page: more than GitHub sends; a page of 32 MiB could have millions of empty ones
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

// `do` makes one attempt. It returns a successful response, whose body the caller must close, or an error.
func (c *Client) do(ctx context.Context, client *http.Client, method string, u *url.URL, accept string, body *payload, w *httpclient.Watch) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, httpclient.MarkFinal(errors.New("the URL of the request is not valid")) // the error would contain the URL
	}
	if body != nil {
		// Without the wrapper, the HTTP client would determine the size itself and close a file that a retry needs.
		r.Body, r.ContentLength = io.NopCloser(body.reader), body.size
		r.Header.Set("Content-Type", body.kind)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", httpclient.Agent) // GitHub rejects requests without a User-Agent
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	if c.token != "" && c.trusted(u) {
		r.Header.Set("Authorization", "Bearer "+string(c.token))
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, place(u), w.Explain(err))
	}
	resp.Body = w.Body(resp.Body)
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // even part of the text explains the status
	return nil, c.statusError(resp, text)
}

// place returns a URL for display, without its query, because a signed query is a credential.
func place(u *url.URL) string { return u.Host + u.EscapedPath() }

// send makes one attempt to change something, and decodes the response into out, which may be nil.
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
		return httpclient.MarkFinal(fmt.Errorf("the answer has more than %d bytes", maxAnswer))
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("the answer is not the expected JSON: %w", err)
	}
	return nil
}

// entries is a list in a response, with at most maxList entries.
type entries[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *entries[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	switch t, err := d.Token(); {
	case err != nil || t == nil: // null
		return err
	case t != json.Delim('['):
		return fmt.Errorf("expected a list, found %.40q", fmt.Sprint(t))
	}
	for d.More() {
		if len(*l) >= maxList {
			return httpclient.MarkFinal(fmt.Errorf("a list in the answer has more than %d entries", maxList))
		}
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		*l = append(*l, one)
	}
	return nil
}

// get decodes JSON into out, and returns the URL of the next page, or nil.
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

// pages reads all pages of a list, and calls `add` with each page.
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
	return httpclient.MarkFinal(fmt.Errorf("the list at %s does not end after %d pages", place(u), maxPages))
}

var nextLink = regexp.MustCompile(`<([^<>]*)>\s*;[^,]*\brel="?next"?`)

// nextPage parses the Link header (https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api).
func (c *Client) nextPage(r *http.Response) (*url.URL, error) {
	m := nextLink.FindStringSubmatch(strings.Join(r.Header.Values("Link"), ", "))
	if m == nil {
		return nil, nil
	}
	u, err := c.base.Parse(m[1])
	if err != nil || !httpclient.SameOrigin(u, c.base) {
		return nil, httpclient.MarkFinal(errors.New("the link to the next page of the list leads to a server other than the API's"))
	}
	return u, nil
}

// load calls `use` with the bytes of a stored file, to which the API redirects.
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

// checkRedirect controls redirects, as after a repository was renamed. The token is only sent within the API's origin, and is not sent again once a
// redirect has left it.
func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	for _, hop := range append(via, r) {
		if !httpclient.SameOrigin(hop.URL, c.base) {
			r.Header.Del("Authorization")
		}
	}
	return checkScheme(r, via)
}

// followSigned follows redirects to stored files. The signed URL is the credential, and the store rejects a token in addition.
func (*Client) followSigned(r *http.Request, via []*http.Request) error {
	r.Header.Del("Authorization")
	return checkScheme(r, via)
}

// checkScheme is like httpclient.Follow, but also allows http on this machine, for rehearsals.
func checkScheme(r *http.Request, via []*http.Request) error {
	if u := r.URL; u.Scheme != "https" && !(u.Scheme == "http" && httpclient.Loopback(u.Hostname())) {
		return httpclient.MarkFinal(fmt.Errorf("the server redirects to %s, which is not https", u.Host))
	}
	if err := httpclient.Follow(r, via); err != nil {
		return httpclient.MarkFinal(err)
	}
	return nil
}

// `said` reports whether an error has a next step for the user. Retrying would not help then.
func said(err error) bool {
	var known *operr.Error
	return errors.As(err, &known)
}
