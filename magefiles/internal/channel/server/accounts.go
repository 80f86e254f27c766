package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// Accounts answers what is asked about tokens. An Access does.
type Accounts interface {
	// Mint exchanges an ID token for a token that may upload.
	Mint(ctx context.Context, id string) (token string, err error)
	// Login is the name of the owner of a token.
	Login(token string) (name string, known bool)
	// Repository is the one whose job a token was minted for, or false.
	Repository(token string) (name string, minted bool)
}

// mint serves POST /api/oidc/mint_token (prefix-protocol.md §2.3): the answer is the token and nothing else, not even a
// newline, since clients put all of it into a header.
func (s *server) mint(w http.ResponseWriter, r *http.Request) error {
	var question struct{ Token string }
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &question) != nil || question.Token == "" {
		return channel.Errorf(channel.ErrMalformed, `the body has to be {"token": "…"}`)
	}
	token, err := s.Accounts.Mint(r.Context(), question.Token)
	if err != nil {
		s.Log.Info("no token minted", "reason", err)
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, token) // a client that goes away is told nothing
	s.Log.Info("minted a token for a trusted publisher")
	return nil
}

// graphql serves the one question that clients ask: whose is this token (prefix-protocol.md §5).
func (s *server) graphql(w http.ResponseWriter, r *http.Request, token string) error {
	var question struct{ Query string }
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &question) != nil {
		return channel.Errorf(channel.ErrMalformed, `the body has to be {"query": "…"}`)
	}
	if strings.Join(strings.Fields(question.Query), " ") != "query { viewer { login } }" {
		return channel.Errorf(channel.ErrMalformed, "only query { viewer { login } } is answered here")
	}
	var viewer any
	if name, known := s.Accounts.Login(token); known {
		viewer = map[string]string{"login": name}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"viewer": viewer}})
}

// reindexer is a channel that can look anew at what it holds.
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
		return channel.Errorf(channel.ErrForbidden, "this channel keeps its index itself")
	}
	if err := x.Reindex(r.Context(), subdir); err != nil {
		return err
	}
	s.Log.Info("indexed anew", "channel", name, "subdir", subdir)
	answer(w, http.StatusOK, "indexed "+subdir+" anew")
	return nil
}
