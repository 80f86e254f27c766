package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// These are the states of an asset.
const (
	starter  = "starter" // started, and perhaps abandoned
	uploaded = "uploaded"
)

func (s *Server) viewAsset(r *http.Request, rel *release, a *asset) map[string]any {
	place := rel.Tag
	if rel.Draft {
		place = fmt.Sprintf("untagged-%020x", rel.ID)
	}
	v := map[string]any{
		"id": a.ID, "url": fmt.Sprintf("%s/releases/assets/%d", s.api(r), a.ID), "name": a.Name, "label": "", "state": a.State,
		"content_type": a.Kind, "size": a.Size, "digest": nil, "download_count": 0, "created_at": a.Created,
		"browser_download_url": s.url(r) + "/" + s.Repository + "/releases/download/" + place + "/" + a.Name,
	}
	if a.State == uploaded {
		v["digest"] = "sha256:" + a.SHA256
	}
	return v
}

func (s *Server) assets(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := s.find(id(r), has)
	if err != nil {
		return err
	}
	all := []any{}
	for _, a := range rel.Assets {
		all = append(all, s.viewAsset(r, rel, a))
	}
	return answer(w, http.StatusOK, s.paginate(w, r, all).items)
}

// upload implements https://docs.github.com/en/rest/releases/assets#upload-a-release-asset. The asset exists from the start, as a "starter", and
// remains in that state if the upload is incomplete.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, has access) error {
	if r.ContentLength < 0 {
		return refusal(http.StatusLengthRequired, "Content-Length is missing")
	}
	switch {
	case r.ContentLength == 0:
		return invalid(custom("ReleaseAsset", "size", "size must be greater than or equal to 1"))
	case r.ContentLength >= github.MaxAsset:
		return invalid(custom("ReleaseAsset", "size", fmt.Sprintf("size must be less than %d", github.MaxAsset)))
	}
	a, err := s.begin(r, has)
	if err != nil {
		return err
	}
	data, err := receive(r.Body)
	if err != nil || int64(len(data)) != r.ContentLength {
		return refusal(http.StatusBadGateway, "the upload broke off")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := s.find(id(r), has)
	if err != nil || !slices.Contains(rel.Assets, a) { // the asset was deleted in the meantime
		return errNotFound
	}
	if err := s.blobs.put(a.ID, data); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	a.State, a.Size, a.SHA256 = uploaded, int64(len(data)), hex.EncodeToString(sum[:])
	if err := s.save(); err != nil {
		return err
	}
	return answer(w, http.StatusCreated, s.viewAsset(r, rel, a))
}

func (s *Server) begin(r *http.Request, has access) (*asset, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, err := s.find(id(r), has)
	name := github.AssetName(r.URL.Query().Get("name"))
	switch {
	case err != nil:
		return nil, err
	case rel.Immutable:
		return nil, errImmutable
	case name == "":
		return nil, invalid(fieldError{Resource: "ReleaseAsset", Code: "missing_field", Field: "name"})
	case len(rel.Assets) >= github.MaxAssets:
		return nil, invalid(custom("ReleaseAsset", "", fmt.Sprintf("a release cannot have more than %d assets", github.MaxAssets)))
	case slices.ContainsFunc(rel.Assets, func(a *asset) bool { return a.Name == name }):
		return nil, invalid(fieldError{Resource: "ReleaseAsset", Code: "already_exists", Field: "name"})
	}
	a := &asset{ID: s.nextID(), Name: name, Kind: r.Header.Get("Content-Type"), State: starter, Created: s.Now().UTC()}
	rel.Assets = append(rel.Assets, a)
	return a, s.save()
}

// locate finds an asset by its ID. The caller holds the lock.
func (s *Server) locate(id int64, has access) (*release, *asset, error) {
	for _, rel := range s.state.Releases {
		for _, a := range rel.Assets {
			if a.ID == id && (!rel.Draft || has == writing) {
				return rel, a, nil
			}
		}
	}
	return nil, nil, errNotFound
}

// asset implements https://docs.github.com/en/rest/releases/assets#get-a-release-asset: its description, or a redirect to its bytes.
func (s *Server) asset(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, a, err := s.locate(id(r), has)
	switch {
	case err != nil:
		return err
	case r.Header.Get("Accept") != "application/octet-stream":
		return answer(w, http.StatusOK, s.viewAsset(r, rel, a))
	case a.State != uploaded:
		return errNotFound
	}
	s.redirect(w, r, a.ID)
	return nil
}

func (s *Server) removeAsset(w http.ResponseWriter, r *http.Request, has access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rel, a, err := s.locate(id(r), has)
	if err != nil {
		return err
	}
	if rel.Immutable {
		return refusal(http.StatusUnprocessableEntity, "Cannot delete asset from an immutable release")
	}
	rel.Assets = slices.DeleteFunc(rel.Assets, func(o *asset) bool { return o == a })
	if err := s.save(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// redirect redirects to a signed URL, on the other host if there is one.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, blob int64) {
	base := s.Blobs
	if base == "" {
		base = s.url(r)
	}
	w.Header().Set("Location", fmt.Sprintf("%s/blobs/%d?sig=%s", base, blob, s.signature(blob)))
	w.WriteHeader(http.StatusFound)
}

func (s *Server) signature(blob int64) string {
	sum := sha256.Sum256([]byte(s.key + strconv.FormatInt(blob, 10)))
	return hex.EncodeToString(sum[:])
}

// serveStore serves stored files. Like the real store, it rejects a token in addition to the signature.
func (s *Server) serveStore(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.URL.Query().Get("sig") != s.signature(id(r)) {
		http.Error(w, "AuthenticationFailed", http.StatusForbidden)
		return
	}
	s.bytes(w, id(r))
}

// download serves files to people and installers.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	tag, name := path.Split(r.PathValue("file"))
	s.mu.Lock()
	rel := s.published(strings.TrimSuffix(tag, "/"))
	var found int64
	if rel != nil && !s.Private && r.PathValue("owner")+"/"+r.PathValue("repo") == s.Repository {
		for _, a := range rel.Assets {
			if a.Name == name && a.State == uploaded {
				found = a.ID
			}
		}
	}
	s.mu.Unlock()
	s.bytes(w, found)
}

func (s *Server) bytes(w http.ResponseWriter, id int64) {
	s.mu.Lock()
	data, err := s.blobs.get(id)
	s.mu.Unlock()
	if err != nil {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // the client may be gone
}
