package prefixdev

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// mint exchanges an ID token for a token of the server (prefix-protocol.md §2.3). The request path is relative to the server's origin, even if the
// server's URL has a path. The response body is the token. Each attempt uses a new ID token, because the server accepts each ID token only once, and
// may have received an earlier attempt whose response was lost.
func (c *Client) mint(ctx context.Context, id func(context.Context) (string, error)) (Token, error) {
	body := func() ([]byte, Token, error) {
		token, err := id(ctx)
		if err != nil {
			return nil, "", &noIDError{error: err}
		}
		data, err := json.Marshal(map[string]string{"token": token})
		return data, Token(token), err
	}
	url := *c.base
	url.Path = "/api/oidc/mint_token"
	text, err := c.post(ctx, url.String(), "", body)
	if err != nil {
		return "", err
	}
	token := Token(text)
	if err := token.CheckFor(c.base); err != nil {
		return "", err
	}
	if token == "" || strings.ContainsAny(string(token), `"{<`) {
		return "", errors.New("the answer is not a token")
	}
	return token, nil
}

// noIDError wraps the error from requesting an ID token. No request was sent to the channel's server.
type noIDError struct{ error }

func (e *noIDError) Unwrap() error { return e.error }

// Login asks the server for the account of a token's owner (rattler, cli/auth.rs). It returns "" if the server does not know the token. Some
// servers that accept uploads do not support this query. It is not used for minted tokens.
func (c *Client) Login(ctx context.Context, token Token) (string, error) {
	url := c.url("api/graphql").String()
	text, err := c.post(ctx, url, token, func() ([]byte, Token, error) { return []byte(`{"query":"query { viewer { login } }"}`), "", nil })
	if errors.Is(err, channel.ErrUnauthorized) {
		return "", nil
	}
	next := "check " + c.Server() + " and any proxy in front of the server, then run the same command again"
	if err != nil {
		return "", operr.New(next, "asking %s which account has the token: %w", c.Server(), err)
	}
	var answer struct {
		Data struct{ Viewer *struct{ Login string } }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", operr.New(next, "asking %s which account has the token: the answer has an unexpected form", c.Server())
	}
	if answer.Data.Viewer == nil {
		return "", nil
	}
	return answer.Data.Viewer.Login, nil
}

// post sends JSON and returns the response body. It may send the request several times, because these requests are idempotent. `body` also returns
// the credential in the JSON, which is redacted in errors.
func (c *Client) post(ctx context.Context, url string, token Token, body func() ([]byte, Token, error)) (text []byte, err error) {
	err = c.retry.Do(ctx, func(int) error {
		data, inside, err := body()
		if err != nil {
			return httpclient.MarkFinal(err)
		}
		text, err = c.postOnce(ctx, url, token, data, inside)
		return err
	})
	return text, err
}

// mostPosted limits the size of a response, in bytes. No valid response is this large.
const mostPosted = 64 << 10

func (c *Client) postOnce(ctx context.Context, url string, token Token, body []byte, inside Token) ([]byte, error) {
	ctx, w := httpclient.NewWatch(ctx, c.patience)
	defer w.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+string(token))
	}
	resp, err := c.writer.Do(r)
	if err != nil {
		return nil, w.Explain(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostPosted+1))
	if serr := statusError(resp, text, token, inside); serr != nil {
		return nil, serr
	}
	if len(text) > mostPosted { // do not return a truncated token
		return nil, channel.Errorf(channel.ErrInvalid, "the answer has more than %d bytes", mostPosted)
	}
	return text, err
}
