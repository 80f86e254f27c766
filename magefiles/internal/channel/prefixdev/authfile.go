package prefixdev

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// stored is one entry of a credential file, of the kinds that have a bearer token in them (rattler_networking,
// authentication.rs).
type stored struct {
	BearerToken Token
	OAuth       *struct {
		AccessToken Token `json:"access_token"`
		ExpiresAt   int64 `json:"expires_at"` // seconds since 1970; 0 where it does not say
	}
}

// ErrKind is in the chain of an error about an entry of a credential file that is no bearer token: a user name with a
// password, for example, which other tools can send.
var ErrKind = errors.New("no bearer token")

// KeyOf is the token that a credential file of the rattler tools has for a server; "" where it has none that is good.
func KeyOf(file string, c *Client) Token {
	token, _, err := readAuthFile(file, c.base.Hostname(), time.Now())
	if err != nil {
		return ""
	}
	return token
}

// readAuthFile looks up a host in a credential file of the rattler tools: {"*.prefix.dev": {"BearerToken": "…"}}. A file
// that is not there has no entries; one that cannot be read is an error, without its contents.
func readAuthFile(path, host string, now time.Time) (token Token, key string, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", operr.New("make it readable, or set PREFIX_API_KEY", "reading the credentials: %w", err)
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(data, &entries) != nil {
		return "", "", operr.New("write it again: `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`", "the credentials in %s are no JSON object", path)
	}
	for _, key := range keysOf(host) {
		raw, ok := entries[key]
		if !ok {
			continue
		}
		var s stored
		if json.Unmarshal(raw, &s) != nil {
			return "", "", operr.New("write it again: `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`", "the entry %s of %s cannot be read", key, path)
		}
		token, err := s.token(path, key, host, now)
		return token, key, err
	}
	return "", "", nil
}

func (s stored) token(path, key, host string, now time.Time) (Token, error) {
	switch {
	case s.BearerToken != "":
		return s.BearerToken, nil
	case s.OAuth == nil || s.OAuth.AccessToken == "":
		return "", &operr.Error{
			Summary: "the entry " + key + " of " + path + " is of a kind that cannot upload",
			Err:     ErrKind,
			Next:    "set PREFIX_API_KEY, or log in to it: `RATTLER_AUTH_FILE=" + operr.Word(path) + " pixi auth login " + operr.Word(host) + "`",
			Status:  operr.Failed,
		}
	case s.OAuth.ExpiresAt != 0 && now.Unix() >= s.OAuth.ExpiresAt:
		return "", operr.New("log in again: `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`, or set PREFIX_API_KEY", "the login in the entry %s of %s has ended", key, path)
	}
	return s.OAuth.AccessToken, nil
}

// keysOf are the keys under which a host's entry may stand, the nearest first (rattler_networking, storage.rs:277-348).
// An address of numbers has no parents.
func keysOf(host string) []string {
	keys := []string{host}
	if net.ParseIP(host) != nil {
		return keys
	}
	for rest, ok := host, true; ok; _, rest, ok = strings.Cut(rest, ".") {
		keys = append(keys, "*."+rest)
	}
	return keys
}
