package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// tag finds a tag, including tags created by publishing.
func (s *Server) tag(name string) (Tag, bool) {
	if t, ok := s.Tag(name); ok {
		return t, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	commit, ok := s.state.Tags[name]
	return Tag{Commit: commit}, ok
}

// ref implements https://docs.github.com/en/rest/git/refs#get-a-reference.
func (s *Server) ref(w http.ResponseWriter, r *http.Request, _ access) error {
	name := r.PathValue("tag")
	tag, ok := s.tag(name)
	if !ok {
		return errNotFound
	}
	kind, sha := "commit", tag.Commit
	if tag.Object != "" && tag.Object != tag.Commit {
		kind, sha = "tag", tag.Object
		s.mu.Lock()
		s.objects[sha] = tag.Commit
		s.mu.Unlock()
	}
	object := map[string]string{"type": kind, "sha": sha, "url": s.api(r) + "/git/" + kind + "s/" + sha}
	return answer(w, http.StatusOK, map[string]any{"ref": "refs/tags/" + name, "url": s.api(r) + "/git/refs/tags/" + name, "object": object})
}

// serveTagObject implements https://docs.github.com/en/rest/git/tags#get-a-tag, for tags that ref has returned.
func (s *Server) serveTagObject(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	commit, ok := s.objects[r.PathValue("sha")]
	s.mu.Unlock()
	if !ok {
		return errNotFound
	}
	return answer(w, http.StatusOK, map[string]any{"sha": r.PathValue("sha"), "object": map[string]string{"type": "commit", "sha": commit}})
}

// view returns a release in GitHub's JSON format. The caller holds the lock.
func (s *Server) view(r *http.Request, rel *release) map[string]any {
	place := rel.Tag
	if rel.Draft {
		place = fmt.Sprintf("untagged-%020x", rel.ID)
	}
	self := fmt.Sprintf("%s/releases/%d", s.api(r), rel.ID)
	v := map[string]any{
		"id": rel.ID, "url": self, "assets_url": self + "/assets", "html_url": s.url(r) + "/" + s.Repository + "/releases/tag/" + place,
		"upload_url": fmt.Sprintf("%s/uploads/repos/%s/releases/%d/assets{?name,label}", s.url(r), s.Repository, rel.ID),
		"tag_name":   rel.Tag, "target_commitish": rel.Target, "name": rel.Name, "body": rel.Body, "draft": rel.Draft,
		"prerelease": rel.Prerelease, "immutable": rel.Immutable, "created_at": rel.Created, "published_at": nil,
	}
	if !rel.Draft {
		v["published_at"] = rel.Published
	}
	assets := []any{}
	for _, a := range rel.Assets {
		assets = append(assets, s.viewAsset(r, rel, a))
	}
	v["assets"] = assets
	return v
}

// find returns a release that is visible with this access. The caller holds the lock.
func (s *Server) find(id int64, has access) (*release, error) {
	i := slices.IndexFunc(s.state.Releases, func(r *release) bool { return r.ID == id })
	if i < 0 || s.state.Releases[i].Draft && has != writing {
		return nil, errNotFound
	}
	return s.state.Releases[i], nil
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []any
	for _, rel := range slices.Backward(s.state.Releases) {
		if !rel.Draft || has == writing {
			all = append(all, s.view(r, rel))
		}
	}
	return answer(w, http.StatusOK, s.paginate(w, r, all).items)
}

func (s *Server) serveByTag(w http.ResponseWriter, r *http.Request, _ access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if rel := s.published(r.PathValue("tag")); rel != nil {
		return answer(w, http.StatusOK, s.view(r, rel))
	}
	return errNotFound
}

func (s *Server) published(tag string) *release {
	i := slices.IndexFunc(s.state.Releases, func(r *release) bool { return r.Tag == tag && !r.Draft })
	if i < 0 {
		return nil
	}
	return s.state.Releases[i]
}

func (s *Server) serveRelease(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := s.find(id(r), has)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, s.view(r, rel))
}

// wish holds the fields of a release that a request sets. Missing fields are not changed.
type wish struct {
	Tag        *string `json:"tag_name"`
	Target     *string `json:"target_commitish"`
	Name       *string `json:"name"`
	Body       *string `json:"body"`
	Draft      *bool   `json:"draft"`
	Prerelease *bool   `json:"prerelease"`
	Latest     *string `json:"make_latest"`
}

func readWish(w http.ResponseWriter, r *http.Request) (v wish, err error) {
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&v) != nil {
		return v, errJSON
	}
	if v.Latest != nil && !slices.Contains([]string{"true", "false", "legacy"}, *v.Latest) {
		return v, invalid(fieldError{Resource: "Release", Code: "invalid", Field: "make_latest"})
	}
	return v, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// apply changes a copy of a release, and publishes it if requested.
func (s *Server) apply(rel release, v wish) (*release, error) {
	was := rel.Draft
	set(&rel.Tag, v.Tag)
	set(&rel.Target, v.Target)
	set(&rel.Name, v.Name)
	set(&rel.Body, v.Body)
	set(&rel.Draft, v.Draft)
	set(&rel.Prerelease, v.Prerelease)
	set(&rel.Latest, v.Latest)
	rel.Tag = strings.TrimSpace(rel.Tag)
	if rel.Tag == "" {
		return nil, invalid(fieldError{Resource: "Release", Code: "missing_field", Field: "tag_name"})
	}
	if err := limits(rel, v); err != nil {
		return nil, err
	}
	if other := s.published(rel.Tag); !rel.Draft && other != nil && other.ID != rel.ID {
		return nil, invalid(fieldError{Resource: "Release", Code: "already_exists", Field: "tag_name"})
	}
	if was && !rel.Draft {
		rel.Published, rel.Times, rel.Immutable = s.Now().UTC(), rel.Times+1, s.Immutable
	}
	return &rel, nil
}

// limits rejects texts that GitHub rejects, with GitHub's messages.
func limits(rel release, v wish) error {
	for field, c := range map[string]struct {
		text string
		most int
	}{
		"body":     {text: rel.Body, most: github.MaxNotes},
		"name":     {text: rel.Name, most: github.MaxName},
		"tag_name": {text: rel.Tag, most: github.MaxTag},
	} {
		if utf8.RuneCountInString(c.text) > c.most {
			return invalid(custom("Release", field, fmt.Sprintf("%s is too long (maximum is %d characters)", field, c.most)))
		}
	}
	if !isTag(rel.Tag) {
		return invalid(custom("Release", "tag_name", "tag_name is not a valid tag"))
	}
	if v.Latest != nil && *v.Latest == "true" && (rel.Draft || rel.Prerelease) {
		return invalid(custom("Release", "", "Latest release cannot be draft or prerelease."))
	}
	return nil
}

// isTag reports whether git allows a tag name (git help check-ref-format).
func isTag(name string) bool {
	return !strings.ContainsAny(name, " ~^:?*[\\\x7f") && !strings.ContainsFunc(name, unicode.IsControl) &&
		!strings.Contains(name, "..") && !strings.Contains(name, "@{") && !strings.Contains(name, "//") && !strings.Contains(name, "/.") &&
		!strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "-") &&
		!strings.HasSuffix(name, ".") && !strings.HasSuffix(name, "/") && !strings.HasSuffix(name, ".lock") && name != "@"
}

func custom(resource, field, message string) fieldError {
	return fieldError{Resource: resource, Code: "custom", Field: field, Message: message}
}

// create implements https://docs.github.com/en/rest/releases/releases#create-a-release.
func (s *Server) create(w http.ResponseWriter, r *http.Request, _ access) error {
	v, err := readWish(w, r)
	if err != nil {
		return err
	}
	if v.Draft == nil {
		v.Draft = new(bool)
	}
	return s.change(w, r, http.StatusCreated, func() (*release, error) {
		rel, err := s.apply(release{Draft: true, Target: s.DefaultBranch, Latest: "true", Created: s.Now().UTC()}, v)
		if err == nil {
			rel.ID = s.nextID()
			s.state.Releases = append(s.state.Releases, rel)
		}
		return rel, err
	})
}

// update implements https://docs.github.com/en/rest/releases/releases#update-a-release.
func (s *Server) update(w http.ResponseWriter, r *http.Request, has access) error {
	v, err := readWish(w, r)
	if err != nil {
		return err
	}
	return s.change(w, r, http.StatusOK, func() (*release, error) {
		old, err := s.find(id(r), has)
		if err != nil {
			return nil, err
		}
		rel, err := s.apply(*old, v)
		if err == nil {
			*old = *rel
		}
		return old, err
	})
}

// change changes a release under the lock, creates its tag if it is published without one, and responds with the release.
func (s *Server) change(w http.ResponseWriter, r *http.Request, status int, do func() (*release, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := do()
	if err != nil {
		return err
	}
	if _, ok := s.Tag(rel.Tag); !ok && !rel.Draft && s.state.Tags[rel.Tag] == "" {
		s.state.Tags[rel.Tag] = rel.Target
	}
	if err := s.save(); err != nil {
		return err
	}
	return answer(w, status, s.view(r, rel))
}

// remove implements https://docs.github.com/en/rest/releases/releases#delete-a-release. The tag is kept.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := s.find(id(r), has)
	if err != nil {
		return err
	}
	s.state.Releases = slices.DeleteFunc(s.state.Releases, func(o *release) bool { return o == rel })
	if err := s.save(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Published is a published release, for checks after a rehearsal.
type Published struct {
	Tag    string
	Times  int               // how often the release was published; should be 1
	Assets map[string]string // sha256 by name, for complete assets only
	When   time.Time
	Latest string // make_latest of the request that published it
}

// Published lists the published releases, and counts the drafts.
func (s *Server) Published() (all []Published, drafts int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rel := range s.state.Releases {
		if rel.Draft {
			drafts++
			continue
		}
		p := Published{Tag: rel.Tag, Times: rel.Times, Assets: map[string]string{}, When: rel.Published, Latest: rel.Latest}
		for _, a := range rel.Assets {
			if a.State == uploaded {
				p.Assets[a.Name] = a.SHA256
			}
		}
		all = append(all, p)
	}
	return all, drafts
}

// TagsMade lists the tags that publishing created because they did not exist. It is empty if releases push their tags.
func (s *Server) TagsMade() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for name := range s.state.Tags {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
