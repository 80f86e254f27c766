package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// Accounts mints tokens and looks up their owners. *Access implements it.
type Accounts interface {
	// Mint exchanges an ID token for a token that allows uploads.
	Mint(ctx context.Context, id string) (token string, err error)
	// Login returns the account of a token's owner. It returns false if the token is unknown.
	Login(token string) (name string, known bool)
	// Repository returns the repository whose job the token was minted for. It returns false if the token was not minted.
	Repository(token string) (name string, minted bool)
}

// mint serves POST /api/oidc/mint_token (prefix-protocol.md §2.3). The response body is the token without a newline, because clients copy the
// body into a header.
func (s *server) mint(w http.ResponseWriter, r *http.Request) error {
	var question struct{ Token string }
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &question) != nil || question.Token == "" {
		return channel.Errorf(channel.ErrMalformed, `the body must be {"token": "…"}`)
	}
	token, err := s.Accounts.Mint(r.Context(), question.Token)
	if err != nil {
		s.Log.Info("no token minted", "reason", err)
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, token) // an error means that the client has disconnected
	s.Log.Info("minted a token for a trusted publisher")
	return nil
}

// graphql serves the only query that clients send, which asks for the token's owner (prefix-protocol.md §5).
func (s *server) graphql(w http.ResponseWriter, r *http.Request, token string) error {
	var question struct{ Query string }
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &question) != nil {
		return channel.Errorf(channel.ErrMalformed, `the body must be {"query": "…"}`)
	}
	if strings.Join(strings.Fields(question.Query), " ") != "query { viewer { login } }" {
		return channel.Errorf(channel.ErrMalformed, "the only supported query is query { viewer { login } }")
	}
	var viewer any
	if name, known := s.Accounts.Login(token); known {
		viewer = map[string]string{"login": name}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"viewer": viewer}})
}

// reindexer is a channel that can rebuild its index from its files.
type reindexer interface {
	Reindex(ctx context.Context, subdir string) error
}

// reindex serves POST /api/v1/reindex/{channel}/{subdir}.
func (s *server) reindex(w http.ResponseWriter, r *http.Request, token, path string) error {
	name, subdir, _ := strings.Cut(path, "/")
	if err := channel.CheckName(name); err != nil {
		return err
	}
	if err := s.Authorize(r.Context(), token, Write, name); err != nil {
		return err
	}
	c, err := s.channels.Channel(r.Context(), name)
	if err != nil {
		return err
	}
	x, ok := c.(reindexer)
	if !ok {
		return channel.Errorf(channel.ErrForbidden, "this channel updates its index by itself")
	}
	if err := x.Reindex(r.Context(), subdir); err != nil {
		return err
	}
	s.Log.Info("indexed again", "channel", name, "subdir", subdir)
	answer(w, http.StatusOK, "indexed "+subdir+" again")
	return nil
}
