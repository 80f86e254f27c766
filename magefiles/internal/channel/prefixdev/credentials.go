package prefixdev

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Credential is a token and where it comes from.
type Credential struct {
	Token   Token
	Source  string // for people: never the token itself
	Minted  bool   // by trusted publishing: short-lived, and for this job only
	Account string // whose it is, where a Login was made; else ""
}

// CI gives ID tokens to the job that it runs. An oidc.CI is one.
type CI interface {
	Name() string
	Token(ctx context.Context, audience string) (string, error)
}

// Sources are where a credential may come from, in this order.
type Sources struct {
	APIKey string           // the value of PREFIX_API_KEY; none where it is empty
	CI     CI               // nil outside a CI that can give ID tokens
	Files  []string         // files of the rattler tools, the first that has an entry for the server wins
	Now    func() time.Time // nil is the clock
}

// Credential finds the credential for a server: the API key, trusted publishing, an entry of a file.
//
// Where a CI is detected that can give ID tokens, a failure to get one, or to exchange it, is an error: to go on with the
// next source, as other uploaders do, would hide the reason until someone is told that there is no API key.
func (s Sources) Credential(ctx context.Context, c *Client) (Credential, error) {
	if s.APIKey == "" && s.CI != nil {
		return s.trusted(ctx, c)
	}
	return s.stored(c)
}

// Describe says which source a credential would come from, without asking anyone for it; "" where there is none.
func (s Sources) Describe(c *Client) (string, error) {
	if s.APIKey == "" && s.CI != nil {
		return "trusted publishing from " + s.CI.Name(), nil
	}
	found, err := s.stored(c)
	if errors.Is(err, errNone) {
		return "", nil
	}
	return found.Source, err
}

// errNone is in the chain of an error where no source has a credential.
var errNone = errors.New("no credential")

// stored takes the API key, or an entry of a file.
func (s Sources) stored(c *Client) (Credential, error) {
	if s.APIKey != "" {
		return Credential{Token: Token(s.APIKey), Source: "the API key in PREFIX_API_KEY"}, Token(s.APIKey).CheckFor(c.base)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	for _, file := range s.Files {
		token, key, err := readAuthFile(file, c.base.Hostname(), now())
		if err != nil {
			return Credential{}, err
		}
		if token != "" {
			return Credential{Token: token, Source: fmt.Sprintf("the entry %s of %s", key, file)}, token.CheckFor(c.base)
		}
	}
	return Credential{}, &operr.Error{
		Summary: "there is " + errNone.Error() + " for " + c.Server() + ": no PREFIX_API_KEY, no CI that gives ID tokens" + s.searched(), Err: errNone,
		Next: "set PREFIX_API_KEY, or run `pixi auth login " + c.base.Hostname() + "`; in a CI, let the channel trust the repository",
	}
}

func (s Sources) searched() string {
	if len(s.Files) == 0 {
		return ""
	}
	return ", and no entry in " + strings.Join(s.Files, " or ")
}

// trusted exchanges an ID token of the CI for a token of the channel's.
func (s Sources) trusted(ctx context.Context, c *Client) (Credential, error) {
	if err := Token("an-id-token").CheckFor(c.base); err != nil {
		return Credential{}, err
	}
	token, err := c.mint(ctx, func(ctx context.Context) (string, error) { return s.CI.Token(ctx, audience(c.base.Hostname())) })
	var none *noIDError
	if errors.As(err, &none) {
		return Credential{}, operr.New("", "trusted publishing: %w", none.error)
	}
	if err != nil {
		return Credential{}, operr.New("register this repository and this workflow as a trusted publisher of the channel, on "+c.Server()+
			"; or give the job an API key in PREFIX_API_KEY", "trusted publishing: %s gave an ID token, and %s did not take it: %w", s.CI.Name(), c.Server(), err)
	}
	return Credential{Token: token, Source: "trusted publishing from " + s.CI.Name(), Minted: true}, nil
}

// audience is who an ID token for a server has to be for (rattler_networking, trusted_publishing.rs:58-88).
func audience(host string) string {
	host = strings.ToLower(host)
	if host == "prefix.dev" || strings.HasSuffix(host, ".prefix.dev") {
		return "prefix.dev"
	}
	return host
}
