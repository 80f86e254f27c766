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

// Credential is a token with its source.
type Credential struct {
	Token   Token
	Source  string // where the token was found, for messages; never the token itself
	Minted  bool   // from trusted publishing; expires soon and is only for this job
	Account string // the owner's account; "" if it was not looked up with Login
}

// CI is a CI that issues ID tokens to its jobs. oidc.CI implements it.
type CI interface {
	Name() string
	Token(ctx context.Context, audience string) (string, error)
}

// Sources lists the places to look for a credential, in this order.
type Sources struct {
	APIKey string           // PREFIX_API_KEY; "" for none
	CI     CI               // nil if this is not a CI job that can get ID tokens
	Files  []string         // rattler credential files; the first with an entry for the server is used
	Now    func() time.Time // defaults to time.Now
}

// Credential returns a credential for a server: the API key, a token from trusted publishing, or an entry in a file.
//
// In a CI job that can get ID tokens, it is an error if requesting or exchanging the ID token fails. Other uploaders fall back to the next
// source. But then the user only sees that there is no API key, and not why trusted publishing failed.
func (s Sources) Credential(ctx context.Context, c *Client) (Credential, error) {
	if s.APIKey == "" && s.CI != nil {
		return s.exchange(ctx, c)
	}
	return s.takeStored(c)
}

// Stored is like Credential, but skips trusted publishing. A run that only reads uses it, because an ID token can be used only once and is needed
// for publishing.
// Errors: ErrNone.
func (s Sources) Stored(_ context.Context, c *Client) (Credential, error) { return s.takeStored(c) }

// Describe returns the source that Credential would use, or "" if there is none. It sends no request to the CI or the server.
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

// ErrNone is wrapped by the error if no source has a credential.
var ErrNone = errors.New("no credential")

// takeStored returns the API key or an entry in a file.
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
	ci := "no CI job that offers ID tokens"
	if s.CI != nil {
		ci = "no ID token of " + s.CI.Name() + ", because only a command that publishes asks for an ID token"
	}
	return Credential{}, &operr.Error{
		Summary: "there is " + ErrNone.Error() + " for " + c.Server() + ": no PREFIX_API_KEY, " + ci + s.describeSearch(),
		Err:     ErrNone,
		Next:    "set PREFIX_API_KEY, or " + LoginToFile(c.Host()) + "; in a CI job, register the repository as a trusted publisher of the channel",
	}
}

// LoginToFile returns the next step that stores a login in a file that this package can read. By default, pixi stores a login in the system's
// keyring, if there is a keyring.
func LoginToFile(host string) string {
	return "log in with `RATTLER_AUTH_FILE=FILE pixi auth login " + host + "`, and set RATTLER_AUTH_FILE for this command, too"
}

// describeSearch lists the files that were searched for an entry. It marks files that do not exist.
func (s Sources) describeSearch() string {
	const keyrings = " (this program does not read the system's keyring, where `pixi auth login` stores a token by default)"
	var files []string
	for _, file := range s.Files {
		if _, err := os.Stat(file); err != nil {
			file += ", which does not exist"
			if strings.HasPrefix(s.Files[len(files)], "~") {
				file += " (write the path of your home folder instead of ~)"
			}
		}
		files = append(files, file)
	}
	if files == nil {
		return keyrings
	}
	return ", and no entry in " + strings.Join(files, "; or ") + keyrings
}

// exchange requests an ID token from the CI and exchanges it for a token of the channel's server.
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

// explainRefusal returns the error for an ID token that could not be exchanged.
func (s Sources) explainRefusal(c *Client, sent string, err error) error {
	next, claims := "register this repository and this workflow as a trusted publisher of the channel, on "+c.Server(), describeClaims(sent)
	if claims != "" {
		next += ", with the same values as in the ID token"
	}
	var status *StatusError
	if !errors.As(err, &status) { // no response, so the claims are not the reason
		claims = ""
	}
	return operr.New(next+"; or give the job an API key in PREFIX_API_KEY", "trusted publishing: %s issued an ID token, but %s refused this token: %w",
		s.CI.Name(), c.Server(), err).WithDetail(claims)
}

// audience returns the audience of ID tokens for a server (rattler_networking, trusted_publishing.rs:58-88).
func audience(host string) string {
	host = strings.ToLower(host)
	if host == "prefix.dev" || strings.HasSuffix(host, ".prefix.dev") {
		return "prefix.dev"
	}
	return host
}
