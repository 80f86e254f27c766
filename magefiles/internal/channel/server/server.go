// Package server serves any channel over prefix.dev's HTTP API, as used by its uploader and by conda clients (prefix-protocol.md §1 and §4). It
// is used instead of prefix.dev where prefix.dev cannot be reached. It is tested with the real clients.
//
//	POST   /api/v1/upload/{channel}[?force=true]            uploads an artifact, as multipart/form-data or as the raw body
//	DELETE /api/v1/delete/{channel}/{subdir}/{file}
//	POST   /api/v1/reindex/{channel}/{subdir}               adds artifacts that were copied into the folder
//	POST   /api/oidc/mint_token                             exchanges a trusted publisher's ID token for an upload token
//	POST   /api/graphql                                     returns the token's owner
//	GET    /{channel}/{subdir}/{file}                       serves artifacts and indexes; supports HEAD, Range, and the prefix /t/{token}/
//
// A channel is created by its first authorized and valid upload. The response to an error is a short plain-text sentence, which the real
// uploaders print. Its status is from the table in package channel.
//
// Mount the handler at the root, or below a prefix with http.StripPrefix. Do not mount it behind an http.ServeMux: a ServeMux redirects unclean
// paths, and an uploader follows the redirect with GET and reports success.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
)

// DefaultMaxUpload is the default maximum size of an artifact, in bytes. prefix.dev has the same limit.
const DefaultMaxUpload = 1 << 30

// Channels looks up channels for the server. *store.Store implements it.
type Channels interface {
	// Channel returns a channel, or an error that wraps channel.ErrNotFound.
	Channel(ctx context.Context, name string) (channel.Channel, error)
	// Create returns a channel. It creates the channel if it does not exist.
	Create(ctx context.Context, name string) (channel.Channel, error)
}

// Action is a kind of access to a channel.
type Action string

// The actions that an Authorizer decides about.
const (
	Read   Action = "read"
	Write  Action = "write"
	Delete Action = "delete"
)

// Authorizer decides whether a token allows an action on a channel. The channel may not exist. The token is "" if the request has none. An
// Authorizer returns nil, channel.ErrUnauthorized for an unknown token, channel.ErrForbidden for a token that does not allow the action, or
// channel.ErrNotFound for a channel whose existence is secret. The returned error may wrap one of these with a better message.
type Authorizer func(ctx context.Context, token string, action Action, channel string) error

// Options configures a server.
type Options struct {
	Authorize Authorizer
	Accounts  Accounts     // mints tokens and checks logins; nil disables both
	Spool     string       // folder for incoming files; files are renamed from this folder if it is on the channels' file system
	MaxUpload int64        // in bytes; defaults to DefaultMaxUpload
	Log       *slog.Logger // logs requests that change something, without tokens; nil disables this
}

// New returns a handler that serves the channels.
func New(channels Channels, o Options) http.Handler {
	if o.MaxUpload == 0 {
		o.MaxUpload = DefaultMaxUpload
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &server{channels: channels, Options: o}
}

type server struct {
	channels Channels
	Options
}

// ServeHTTP uses only the path of the URL, because a proxy receives requests with an absolute URL.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	token := bearer(r)
	if rest, ok := strings.CutPrefix(path, "t/"); ok { // conda clients send a channel's token in the path
		token, path, _ = strings.Cut(rest, "/")
	}
	if err := s.route(w, r, path, token); err != nil {
		s.fail(w, r, err)
	}
}

func (s *server) route(w http.ResponseWriter, r *http.Request, path, token string) error {
	if name, ok := strings.CutPrefix(path, "api/v1/upload/"); ok {
		return s.allowMethods(w, r, func() error { return s.upload(w, r, token, name) }, http.MethodPost)
	}
	if file, ok := strings.CutPrefix(path, "api/v1/delete/"); ok {
		return s.allowMethods(w, r, func() error { return s.delete(w, r, token, file) }, http.MethodDelete)
	}
	if subdir, ok := strings.CutPrefix(path, "api/v1/reindex/"); ok {
		return s.allowMethods(w, r, func() error { return s.reindex(w, r, token, subdir) }, http.MethodPost)
	}
	if path == "api/oidc/mint_token" && s.Accounts != nil {
		return s.allowMethods(w, r, func() error { return s.mint(w, r) }, http.MethodPost)
	}
	if path == "api/graphql" && s.Accounts != nil {
		return s.allowMethods(w, r, func() error { return s.graphql(w, r, token) }, http.MethodPost)
	}
	return s.allowMethods(w, r, func() error { return s.read(w, r, token, path) }, http.MethodGet, http.MethodHead)
}

// `allowMethods` calls `do` if the request has one of the methods. Otherwise it responds with status 405.
func (s *server) allowMethods(w http.ResponseWriter, r *http.Request, do func() error, methods ...string) error {
	if slices.Contains(methods, r.Method) {
		return do()
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	answer(w, http.StatusMethodNotAllowed, r.Method+" is not allowed for this path")
	return nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// fail sends an error response. If the error is not in the table, it is an internal error, and its text is not sent to the client.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := channel.Status(err), err.Error()
	if errors.Is(err, context.Canceled) || errors.Is(r.Context().Err(), context.Canceled) {
		status, text = http.StatusServiceUnavailable, "the request was cancelled"
	}
	if status == http.StatusInternalServerError {
		s.Log.Error("request failed", "method", r.Method, "error", err)
		text = "the request failed; the server's log has the reason"
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	answer(w, status, text)
}

// answer sends a plain-text response. Uploaders print its first 512 characters.
func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 500 {
		text = string(runes[:500]) + "…"
	}
	w.Write([]byte(text + "\n"))
}

// delete removes an artifact.
func (s *server) delete(w http.ResponseWriter, r *http.Request, token, path string) error {
	name, rest, _ := strings.Cut(path, "/")
	subdir, file, _ := strings.Cut(rest, "/")
	if err := channel.CheckName(name); err != nil {
		return err
	}
	if err := s.Authorize(r.Context(), token, Delete, name); err != nil {
		return err
	}
	c, err := s.channels.Channel(r.Context(), name)
	if err != nil {
		return err
	}
	if err := c.Delete(r.Context(), subdir, file); err != nil {
		return err
	}
	s.Log.Info("deleted", "channel", name, "subdir", subdir, "file", file)
	answer(w, http.StatusOK, "deleted "+file)
	return nil
}
