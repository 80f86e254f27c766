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

// stored is an entry of a credential file. Only the kinds of entries that contain a bearer token are decoded (rattler_networking,
// authentication.rs).
type stored struct {
	BearerToken Token
	OAuth       *struct {
		AccessToken Token `json:"access_token"`
		ExpiresAt   int64 `json:"expires_at"` // seconds since 1970; 0 if unknown
	}
}

// ErrKind is wrapped by the error for an entry of a credential file that is not a bearer token. For example, it may be a user name and password,
// which other tools support.
var ErrKind = errors.New("no bearer token")

// KeyOf returns the token for a server from a rattler credential file, or "" if the file has no usable token.
func KeyOf(file string, c *Client) Token {
	token, _, err := readAuthFile(file, c.base.Hostname(), time.Now())
	if err != nil {
		return ""
	}
	return token
}

// readAuthFile looks up a host in a rattler credential file, such as {"*.prefix.dev": {"BearerToken": "…"}}. If the file does not exist, it
// returns "". If the file cannot be read or parsed, the error does not contain any of its contents.
func readAuthFile(path, host string, now time.Time) (token Token, key string, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", operr.New("make the file readable, or set PREFIX_API_KEY", "reading the credentials: %w", err)
	}
	var entries map[string]json.RawMessage
	if json.Unmarshal(data, &entries) != nil {
		return "", "", operr.New("correct the file, or remove the file and log in again with `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`", "the credentials in %s are not a JSON object", path)
	}
	for _, key := range keysOf(host) {
		raw, ok := entries[key]
		if !ok {
			continue
		}
		var s stored
		if json.Unmarshal(raw, &s) != nil {
			return "", "", operr.New("correct this entry, or log in again with `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`", "the entry %s of %s has an unexpected form", key, path)
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
			Summary: "the entry " + key + " of " + path + " is not a bearer token, so this program cannot upload with this entry",
			Err:     ErrKind,
			Next:    "set PREFIX_API_KEY, or log in again with `RATTLER_AUTH_FILE=" + operr.Word(path) + " pixi auth login " + operr.Word(host) + "`",
			Status:  operr.Failed,
		}
	case s.OAuth.ExpiresAt != 0 && now.Unix() >= s.OAuth.ExpiresAt:
		return "", operr.New("log in again with `RATTLER_AUTH_FILE="+operr.Word(path)+" pixi auth login "+operr.Word(host)+"`, or set PREFIX_API_KEY", "the login in the entry %s of %s has expired", key, path)
	}
	return s.OAuth.AccessToken, nil
}

// keysOf returns the keys under which a host's entry may be stored, most specific first (rattler_networking, storage.rs:277-348). For an IP
// address, this is only the address itself.
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
