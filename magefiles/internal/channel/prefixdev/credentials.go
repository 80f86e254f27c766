package prefixdev

import (
	"context"
	"errors"
	"fmt"
	"os"
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
		return s.exchange(ctx, c)
	}
	return s.takeStored(c)
}

// Stored is Credential without the CI, whose ID token is good once: what only reads leaves it to what publishes.
// Errors: ErrNone.
func (s Sources) Stored(_ context.Context, c *Client) (Credential, error) { return s.takeStored(c) }

// Describe says which source a credential would come from, without asking anyone for it; "" where there is none.
func (s Sources) Describe(c *Client) (string, error) {
	if s.APIKey == "" && s.CI != nil {
		return "trusted publishing from " + s.CI.Name(), nil
	}
	found, err := s.takeStored(c)
	if errors.Is(err, ErrNone) {
		return "", nil
	}
	return found.Source, err
}

// ErrNone is in the chain of an error where no source has a credential.
var ErrNone = errors.New("no credential")

// takeStored takes the API key, or an entry of a file.
func (s Sources) takeStored(c *Client) (Credential, error) {
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
	ci := "no CI that gives ID tokens"
	if s.CI != nil {
		ci = "no ID token of " + s.CI.Name() + ", since that is for what publishes"
	}
	return Credential{}, &operr.Error{
		Summary: "there is " + ErrNone.Error() + " for " + c.Server() + ": no PREFIX_API_KEY, " + ci + s.describeSearch(),
		Err:     ErrNone,
		Next:    "set PREFIX_API_KEY, or " + LoginToFile(c.Host()) + "; in a CI, let the channel trust the repository",
	}
}

// LoginToFile says how a login is written where it is found. By itself pixi keeps one in the system's keyring, where there is one.
func LoginToFile(host string) string {
	return "log in to a file, and name it here too: `RATTLER_AUTH_FILE=FILE pixi auth login " + host + "`"
}

// describeSearch says where no entry was found. A file that is not there is another matter than one that lacks an entry.
func (s Sources) describeSearch() string {
	const keyrings = " (the system's keyring, where `pixi auth login` keeps a token by itself, is not read)"
	var files []string
	for _, file := range s.Files {
		if _, err := os.Stat(file); err != nil {
			file += ", which is not there"
			if strings.HasPrefix(s.Files[len(files)], "~") {
				file += ": no shell has put a folder in the place of ~"
			}
		}
		files = append(files, file)
	}
	if files == nil {
		return keyrings
	}
	return ", and no entry in " + strings.Join(files, "; or ") + keyrings
}

// exchange gives an ID token of the CI for a token of the channel's.
func (s Sources) exchange(ctx context.Context, c *Client) (Credential, error) {
	if err := Token("an-id-token").CheckFor(c.base); err != nil {
		return Credential{}, err
	}
	sent := ""
	token, err := c.mint(ctx, func(ctx context.Context) (id string, err error) {
		sent, err = s.CI.Token(ctx, audience(c.base.Hostname()))
		return sent, err
	})
	var none *noIDError
	if errors.As(err, &none) {
		return Credential{}, operr.New("", "trusted publishing: %w", none.error)
	}
	if err != nil {
		return Credential{}, s.explainRefusal(c, sent, err)
	}
	return Credential{Token: token, Source: "trusted publishing from " + s.CI.Name(), Minted: true}, nil
}

// explainRefusal makes the error of an ID token that a server did not take.
func (s Sources) explainRefusal(c *Client, sent string, err error) error {
	next, claims := "register this repository and this workflow as a trusted publisher of the channel, on "+c.Server(), describeClaims(sent)
	if claims != "" {
		next += ", exactly as the ID token has them"
	}
	var status *StatusError
	if !errors.As(err, &status) { // nobody has looked at the ID token
		claims = ""
	}
	return operr.New(next+"; or give the job an API key in PREFIX_API_KEY", "trusted publishing: %s gave an ID token, and %s did not take it: %w",
		s.CI.Name(), c.Server(), err).WithDetail(claims)
}

// audience is who an ID token for a server has to be for (rattler_networking, trusted_publishing.rs:58-88).
func audience(host string) string {
	host = strings.ToLower(host)
	if host == "prefix.dev" || strings.HasSuffix(host, ".prefix.dev") {
		return "prefix.dev"
	}
	return host
}
