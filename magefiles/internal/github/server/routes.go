package server

import (
	"net/http"
	"strings"
)

type handler func(w http.ResponseWriter, r *http.Request, has access) error

// route is one path of the API below /repos/{owner}/{repo}. It is no pattern of http.ServeMux, to which GitHub's paths are
// ambiguous: releases/assets/{id} and releases/{id}/assets.
type route struct {
	method  string
	pattern string // {name} is one part of a path, {name...} all the rest
	needs   access
	handle  func(*Server) handler
}

// routes are tried in this order.
var routes = []route{
	{"GET", "", reading, func(s *Server) handler { return s.repository }},
	{"GET", "git/ref/tags/{tag...}", reading, func(s *Server) handler { return s.ref }},
	{"GET", "git/tags/{sha}", reading, func(s *Server) handler { return s.annotated }},
	{"GET", "releases", reading, func(s *Server) handler { return s.list }},
	{"POST", "releases", writing, func(s *Server) handler { return s.create }},
	{"GET", "releases/tags/{tag...}", reading, func(s *Server) handler { return s.byTag }},
	{"GET", "releases/assets/{id}", reading, func(s *Server) handler { return s.asset }},
	{"DELETE", "releases/assets/{id}", writing, func(s *Server) handler { return s.removeAsset }},
	{"GET", "releases/{id}/assets", reading, func(s *Server) handler { return s.assets }},
	{"GET", "releases/{id}", reading, func(s *Server) handler { return s.one }},
	{"PATCH", "releases/{id}", writing, func(s *Server) handler { return s.update }},
	{"DELETE", "releases/{id}", writing, func(s *Server) handler { return s.remove }},
	{"GET", "actions/runs", reading, func(s *Server) handler { return s.runs }},
	{"GET", "actions/workflows/{file}/runs", reading, func(s *Server) handler { return s.runs }},
	{"GET", "actions/runs/{id}/artifacts", reading, func(s *Server) handler { return s.artifacts }},
	{"GET", "actions/runs/{id}/pending_deployments", reading, func(s *Server) handler { return s.pending }},
	{"GET", "actions/runs/{id}", reading, func(s *Server) handler { return s.run }},
	{"GET", "actions/artifacts/{id}/zip", known, func(s *Server) handler { return s.artifact }},
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.URL.Path, "/")
	switch {
	case r.Method == http.MethodGet && match(r, "blobs/{id}", path):
		s.signed(w, r)
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

// match compares a path with a pattern, and keeps what stands in the places of names.
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

// guard finds out who asks, and lets through who may.
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
