package server

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// grants are the jobs and apps that are let in, by their tokens.
type grants struct {
	mu sync.Mutex
	of map[string]grant
}

// grant is what the bearer of a token may do.
type grant struct {
	rights map[string]string // read or write, by the name of the right
	app    bool              // of a GitHub App: what it does begins runs, as what a person does
}

// Grant lets in a job by its token, as far as its rights go (read or write, by their names), until Revoke. What it does begins no run by itself.
func (s *Server) Grant(token string, rights map[string]string) {
	s.granted.add(token, grant{rights: rights})
}

// GrantApp is Grant for the token of a GitHub App: what it does begins runs, as what a person does.
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

// Revoke ends what Grant has begun.
func (s *Server) Revoke(token string) {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	delete(s.granted.of, token)
}

// grantOf is what the one may do who asks by a token of Grant or GrantApp; false where nobody asks by one.
func (s *Server) grantOf(r *http.Request) (found grant, is bool) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	found, is = s.granted.of[strings.TrimSpace(token)]
	return found, is
}

// byJob reports whether a job's own token asks.
func (s *Server) byJob(r *http.Request) bool {
	found, is := s.grantOf(r)
	return is && !found.app
}

// right is the one that a request of a job is about, by GitHub's table "Permissions required for GitHub Apps": a merge writes contents.
func right(r *http.Request) string {
	switch rest := r.PathValue("rest"); {
	case strings.HasPrefix(rest, "actions/"):
		return "actions"
	case rest == "pulls", strings.HasPrefix(rest, "pulls/") && !strings.HasSuffix(rest, "/merge"):
		return "pull-requests"
	}
	return "contents"
}

// bearer is what the one who asks may do. What everybody may read needs no right.
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
