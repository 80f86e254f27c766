package server

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// grants holds the jobs and apps with access to the server, by token.
type grants struct {
	mu sync.Mutex
	of map[string]grant
}

// grant holds a token's permissions.
type grant struct {
	rights map[string]string // read or write, by permission
	app    bool              // a GitHub App's token: its actions trigger runs, like a user's
}

// Grant accepts a job's token, with the given permissions (name to read or write), until Revoke. The job's actions trigger no runs.
func (s *Server) Grant(token string, rights map[string]string) {
	s.granted.add(token, grant{rights: rights})
}

// GrantApp is like Grant, for a GitHub App's token. Its actions trigger runs, like a user's.
func (s *Server) GrantApp(token string, rights map[string]string) {
	s.granted.add(token, grant{rights: rights, app: true})
}

func (g *grants) add(token string, what grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.of == nil {
		g.of = map[string]grant{}
	}
	g.of[token] = what
}

// Revoke revokes a token that Grant or GrantApp accepted.
func (s *Server) Revoke(token string) {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	delete(s.granted.of, token)
}

// grantOf returns the grant for a request's token, or false if neither Grant nor GrantApp accepted it.
func (s *Server) grantOf(r *http.Request) (found grant, is bool) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	found, is = s.granted.of[strings.TrimSpace(token)]
	return found, is
}

// byJob reports whether a request uses a job's own token.
func (s *Server) byJob(r *http.Request) bool {
	found, is := s.grantOf(r)
	return is && !found.app
}

// `right` returns the permission that a job's request needs, by GitHub's table "Permissions required for GitHub Apps": a merge writes contents.
func right(r *http.Request) string {
	switch rest := r.PathValue("rest"); {
	case strings.HasPrefix(rest, "actions/"):
		return "actions"
	case rest == "pulls", strings.HasPrefix(rest, "pulls/") && !strings.HasSuffix(rest, "/merge"):
		return "pull-requests"
	}
	return "contents"
}

// bearer returns the access of a request. Public data can be read without permissions.
func (s *Server) bearer(r *http.Request) (access, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	is := func(want string) bool {
		return want != "" && subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(want)) == 1
	}
	of, job := s.grantOf(r)
	switch {
	case r.Header.Get("Authorization") == "":
		return reading, nil
	case !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token"):
		return 0, errCredential
	case is(s.Token), job && of.rights[right(r)] == "write":
		return writing, nil
	case job && of.rights[right(r)] == "" && s.Private:
		return reading, nil
	case is(s.Reader), job:
		return known, nil
	}
	return 0, errCredential
}
