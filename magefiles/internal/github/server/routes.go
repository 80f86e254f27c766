package server

import (
	"net/http"
	"strings"
)

type handler func(w http.ResponseWriter, r *http.Request, has access) error

// route is an API path below /repos/{owner}/{repo}. http.ServeMux would reject GitHub's paths as ambiguous: releases/assets/{id} and
// releases/{id}/assets.
type route struct {
	method  string
	pattern string // {name} matches one path element, {name...} the rest
	needs   access
	handle  func(*Server) handler
}

// routes lists the routes in matching order.
var routes = []route{
	{method: "GET", pattern: "", needs: reading, handle: func(s *Server) handler { return s.repository }},
	{method: "GET", pattern: "git/ref/tags/{tag...}", needs: reading, handle: func(s *Server) handler { return s.ref }},
	{method: "GET", pattern: "git/tags/{sha}", needs: reading, handle: func(s *Server) handler { return s.serveTagObject }},
	{method: "GET", pattern: "releases", needs: reading, handle: func(s *Server) handler { return s.list }},
	{method: "POST", pattern: "releases", needs: writing, handle: func(s *Server) handler { return s.create }},
	{method: "GET", pattern: "releases/tags/{tag...}", needs: reading, handle: func(s *Server) handler { return s.serveByTag }},
	{method: "GET", pattern: "releases/assets/{id}", needs: reading, handle: func(s *Server) handler { return s.asset }},
	{method: "DELETE", pattern: "releases/assets/{id}", needs: writing, handle: func(s *Server) handler { return s.removeAsset }},
	{method: "GET", pattern: "releases/{id}/assets", needs: reading, handle: func(s *Server) handler { return s.assets }},
	{method: "GET", pattern: "releases/{id}", needs: reading, handle: func(s *Server) handler { return s.serveRelease }},
	{method: "PATCH", pattern: "releases/{id}", needs: writing, handle: func(s *Server) handler { return s.update }},
	{method: "DELETE", pattern: "releases/{id}", needs: writing, handle: func(s *Server) handler { return s.remove }},
	{method: "GET", pattern: "actions/runs", needs: reading, handle: func(s *Server) handler { return s.runs }},
	{method: "GET", pattern: "actions/workflows/{file}/runs", needs: reading, handle: func(s *Server) handler { return s.runs }},
	{method: "POST", pattern: "actions/workflows/{file}/dispatches", needs: writing, handle: func(s *Server) handler { return s.dispatch }},
	{method: "GET", pattern: "actions/runs/{id}/artifacts", needs: reading, handle: func(s *Server) handler { return s.artifacts }},
	{method: "GET", pattern: "actions/runs/{id}/jobs", needs: reading, handle: func(s *Server) handler { return s.jobs }},
	{method: "GET", pattern: "actions/runs/{id}/pending_deployments", needs: reading, handle: func(s *Server) handler { return s.pending }},
	{method: "POST", pattern: "actions/runs/{id}/approve", needs: writing, handle: func(s *Server) handler { return s.approve }},
	{method: "GET", pattern: "pulls", needs: reading, handle: func(s *Server) handler { return s.pulls }},
	{method: "POST", pattern: "pulls", needs: writing, handle: func(s *Server) handler { return s.openPull }},
	{method: "GET", pattern: "pulls/{id}", needs: reading, handle: func(s *Server) handler { return s.servePull }},
	{method: "PATCH", pattern: "pulls/{id}", needs: writing, handle: func(s *Server) handler { return s.editPull }},
	{method: "PUT", pattern: "pulls/{id}/merge", needs: writing, handle: func(s *Server) handler { return s.mergePull }},
	{method: "GET", pattern: "branches/{branch...}", needs: reading, handle: func(s *Server) handler { return s.branch }},
	{method: "GET", pattern: "rules/branches/{branch...}", needs: reading, handle: func(s *Server) handler { return s.branchRules }},
	{method: "GET", pattern: "actions/runs/{id}", needs: reading, handle: func(s *Server) handler { return s.run }},
	{method: "GET", pattern: "actions/artifacts/{id}/zip", needs: known, handle: func(s *Server) handler { return s.artifact }},
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	switch {
	case r.Method == http.MethodGet && match(r, "blobs/{id}", path):
		s.serveStore(w, r)
	case r.Method == http.MethodGet && match(r, "{owner}/{repo}/releases/download/{file...}", path):
		s.download(w, r)
	default:
		if err := s.serve(w, r, path); err != nil {
			fail(w, err)
		}
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, path string) error {
	if !s.count(w) {
		return errLimit
	}
	if match(r, "uploads/repos/{owner}/{repo}/releases/{id}/assets", path) && r.Method == http.MethodPost {
		return s.guard(w, r, writing, s.upload)
	}
	if !match(r, "repos/{owner}/{repo}/{rest...}", path) && !match(r, "repos/{owner}/{repo}", path) {
		return errNotFound
	}
	rest := r.PathValue("rest")
	for _, route := range routes {
		if r.Method == route.method && match(r, route.pattern, rest) {
			return s.guard(w, r, route.needs, route.handle(s))
		}
	}
	return errNotFound
}

// match matches a path against a pattern, and sets the path values.
func match(r *http.Request, pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	values := map[string]string{}
	for i, part := range want {
		if i >= len(have) {
			return false
		}
		name, named := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
		tail, all := strings.CutSuffix(name, "...")
		switch {
		case named && all:
			values[tail], have = strings.Join(have[i:], "/"), want
		case named && have[i] != "":
			values[name] = have[i]
		case part != have[i]:
			return false
		}
	}
	if len(have) != len(want) {
		return false
	}
	for name, value := range values {
		r.SetPathValue(name, value)
	}
	return true
}

// guard checks the request's token, and calls the handler if it has enough access.
func (s *Server) guard(w http.ResponseWriter, r *http.Request, needs access, h handler) error {
	has, err := s.bearer(r)
	switch {
	case err != nil:
		return err
	case !strings.EqualFold(r.PathValue("owner")+"/"+r.PathValue("repo"), s.Repository), s.Private && has == reading:
		return errNotFound
	case needs > has && has == reading:
		return errAnonymous
	case needs > has:
		return errForbidden
	}
	return h(w, r, has)
}
