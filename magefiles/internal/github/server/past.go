package server

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
)

// AddRelease adds a published release with files, by name, for an existing tag, as if it had been made earlier.
func (s *Server) AddRelease(tag string, files map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now().UTC()
	rel := &release{ID: s.nextID(), Tag: tag, Target: s.DefaultBranch, Name: tag, Latest: "true", Created: now, Published: now, Times: 1}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		data := files[name]
		sum := sha256.Sum256(data)
		a := &asset{ID: s.nextID(), Name: name, Kind: "application/octet-stream", State: uploaded, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Created: now}
		if err := s.blobs.put(a.ID, data); err != nil {
			return err
		}
		rel.Assets = append(rel.Assets, a)
	}
	s.state.Releases = append(s.state.Releases, rel)
	return s.save()
}
