// Package server speaks prefix.dev's HTTP over any channel: what its uploader sends and what conda clients read
// (prefix-protocol.md §1 and §4). It stands in for prefix.dev where that cannot be reached, and the real clients are tested
// against it.
//
//	POST   /api/v1/upload/{channel}[?force=true]            an artifact, as multipart/form-data or as the body itself
//	DELETE /api/v1/delete/{channel}/{subdir}/{file}
//	POST   /api/v1/reindex/{channel}/{subdir}               takes in what was put into the folder by other means
//	POST   /api/oidc/mint_token                             a trusted publisher's ID token for a token that may upload
//	POST   /api/graphql                                     whose token is this?
//	GET    /{channel}/{subdir}/{file}                       artifacts and indexes; also HEAD, Range and /t/{token}/ in front
//
// A channel comes into being with its first upload that is authorized and valid. Every error is answered with a short
// sentence of plain text, which the real uploaders print, and with the status that the table in package channel has.
//
// The handler is mounted as it is, or below a prefix by http.StripPrefix. It must not be put behind an http.ServeMux for
// uploads: that answers unclean paths with a redirect, which an uploader follows with GET and takes for success.
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

// DefaultMaxUpload is the largest artifact that is accepted where Options do not say: prefix.dev's own limit, in bytes.
const DefaultMaxUpload = 1 << 30

// Channels is where the server finds channels. A store.Store is one.
type Channels interface {
	// Channel returns a channel, or an error that wraps channel.ErrNotFound.
	Channel(ctx context.Context, name string) (channel.Channel, error)
	// Create returns the channel of that name, and makes it where there is none.
	Create(ctx context.Context, name string) (channel.Channel, error)
}

// Action is what someone wants to do with a channel.
type Action string

// The actions that are asked for.
const (
	Read   Action = "read"
	Write  Action = "write"
	Delete Action = "delete"
)

// Authorizer decides whether the bearer of a token may act on a channel, which need not exist. The token is "" where the
// request has none. It returns nil, channel.ErrUnauthorized for a token that is not known, channel.ErrForbidden for
// one that may not, or an error of these kinds with a better sentence; for a channel that is not to be known of,
// channel.ErrNotFound.
type Authorizer func(ctx context.Context, token string, action Action, channel string) error

// Options are how a server behaves.
type Options struct {
	Authorize Authorizer
	Accounts  Accounts     // minting and the login check; nil for neither
	Spool     string       // folder for what is being received; on the file system of the channels it is renamed from there
	MaxUpload int64        // bytes; 0 is DefaultMaxUpload
	Log       *slog.Logger // a line for each request that changes something, without tokens; nil for none
}

// New returns the handler.
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

// ServeHTTP routes by the path alone, so that requests in absolute form, as proxies get them, are served as well.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	token := bearer(r)
	if rest, ok := strings.CutPrefix(path, "t/"); ok { // how conda clients send a token that belongs to a channel
		token, path, _ = strings.Cut(rest, "/")
	}
	if err := s.route(w, r, path, token); err != nil {
		s.fail(w, r, err)
	}
}

func (s *server) route(w http.ResponseWriter, r *http.Request, path, token string) error {
	if name, ok := strings.CutPrefix(path, "api/v1/upload/"); ok {
		return s.only(w, r, func() error { return s.upload(w, r, token, name) }, http.MethodPost)
	}
	if file, ok := strings.CutPrefix(path, "api/v1/delete/"); ok {
		return s.only(w, r, func() error { return s.delete(w, r, token, file) }, http.MethodDelete)
	}
	if subdir, ok := strings.CutPrefix(path, "api/v1/reindex/"); ok {
		return s.only(w, r, func() error { return s.reindex(w, r, token, subdir) }, http.MethodPost)
	}
	if path == "api/oidc/mint_token" && s.Accounts != nil {
		return s.only(w, r, func() error { return s.mint(w, r) }, http.MethodPost)
	}
	if path == "api/graphql" && s.Accounts != nil {
		return s.only(w, r, func() error { return s.graphql(w, r, token) }, http.MethodPost)
	}
	return s.only(w, r, func() error { return s.read(w, r, token, path) }, http.MethodGet, http.MethodHead)
}

// only calls do for the methods listed, and answers 405 for others.
func (s *server) only(w http.ResponseWriter, r *http.Request, do func() error, methods ...string) error {
	if slices.Contains(methods, r.Method) {
		return do()
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	answer(w, http.StatusMethodNotAllowed, r.Method+" is not for this path")
	return nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// fail answers with an error. What is not in the table is the server's own trouble, and is not told to the world.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := channel.Status(err), err.Error()
	if errors.Is(err, context.Canceled) || errors.Is(r.Context().Err(), context.Canceled) {
		status, text = http.StatusServiceUnavailable, "the request was cancelled"
	}
	if status == http.StatusInternalServerError {
		s.Log.Error("request failed", "method", r.Method, "error", err)
		text = "the server could not do this; its log says why"
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	answer(w, status, text)
}

// answer writes a sentence. Uploaders show the first 512 characters.
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
