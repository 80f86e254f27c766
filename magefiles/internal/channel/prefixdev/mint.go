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

// mint exchanges an ID token for a token of the server's (prefix-protocol.md §2.3). The path is the origin's, whatever path
// the server's address has; the answer is the token itself. Each attempt has an ID token of its own: the server takes one
// once, and an earlier attempt may have arrived whose answer was lost.
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
		return "", errors.New("the answer is no token")
	}
	return token, nil
}

// noIDError is why there is no ID token, which no server was asked for.
type noIDError struct{ error }

func (e *noIDError) Unwrap() error { return e.error }

// Login asks the server whose token this is (rattler, cli/auth.rs): "" where it knows none of that value. Not every
// server that takes uploads answers that question; it is not asked for tokens that were minted.
func (c *Client) Login(ctx context.Context, token Token) (string, error) {
	url := c.url("api/graphql").String()
	text, err := c.post(ctx, url, token, func() ([]byte, Token, error) { return []byte(`{"query":"query { viewer { login } }"}`), "", nil })
	if errors.Is(err, channel.ErrUnauthorized) {
		return "", nil
	}
	next := "see whether " + c.Server() + ", or a proxy before it, is well, and run it again"
	if err != nil {
		return "", operr.New(next, "asking %s whose the token is: %w", c.Server(), err)
	}
	var answer struct {
		Data struct{ Viewer *struct{ Login string } }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", operr.New(next, "asking %s whose the token is: the answer cannot be read", c.Server())
	}
	if answer.Data.Viewer == nil {
		return "", nil
	}
	return answer.Data.Viewer.Login, nil
}

// post sends JSON, with the credential that is in it beside it, and returns what was answered. These requests change nothing that a second one would change again.
func (c *Client) post(ctx context.Context, url string, token Token, body func() ([]byte, Token, error)) (text []byte, err error) {
	err = c.retry.Do(ctx, func(int) error {
		data, inside, err := body()
		if err != nil {
			return httpclient.NotAgain(err)
		}
		text, err = c.postOnce(ctx, url, token, data, inside)
		return err
	})
	return text, err
}

// mostPosted is more than any answer to these requests has, in bytes.
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
		return nil, w.Lost(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, mostPosted+1))
	if serr := statusError(resp, text, token, inside); serr != nil {
		return nil, serr
	}
	if len(text) > mostPosted { // a part of a token is not one
		return nil, channel.Errorf(channel.ErrInvalid, "the answer has more than %d bytes", mostPosted)
	}
	return text, err
}
