package server

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// grants are the jobs that are let in, by their tokens, each with what it may do.
type grants struct {
	mu     sync.Mutex
	rights map[string]map[string]string
}

// Grant lets in a job by its token, as far as its rights go (read or write, by their names), until Revoke.
func (s *Server) Grant(token string, rights map[string]string) {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	if s.granted.rights == nil {
		s.granted.rights = map[string]map[string]string{}
	}
	s.granted.rights[token] = rights
}

// Revoke ends what Grant has begun.
func (s *Server) Revoke(token string) {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	delete(s.granted.rights, token)
}

// job is what the job may do whose own token asks; false where no job asks.
func (s *Server) job(r *http.Request) (rights map[string]string, is bool) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	rights, is = s.granted.rights[strings.TrimSpace(token)]
	return rights, is
}

// byJob reports whether a job's own token asks.
func (s *Server) byJob(r *http.Request) bool {
	_, is := s.job(r)
	return is
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
	rights, job := s.job(r)
	switch {
	case r.Header.Get("Authorization") == "":
		return reading, nil
	case !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "token"):
		return 0, errCredential
	case is(s.Token), job && rights[right(r)] == "write":
		return writing, nil
	case job && rights[right(r)] == "" && s.Private:
		return reading, nil
	case is(s.Reader), job:
		return known, nil
	}
	return 0, errCredential
}
