package uv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// fillOnce returns a cache folder, and calls fill to populate it if it does not exist. The key covers all inputs, so the contents never change. A
// folder that was only partly filled, for example because the process was killed, has no marker file and is recreated. Other processes wait in
// the meantime.
func (i *Installer) fillOnce(ctx context.Context, kind, key string, fill func(dir string) error) (string, error) {
	dir := filepath.Join(i.cache, kind, key)
	mark := filepath.Join(dir, ".complete")
	if _, err := os.Stat(mark); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	unlock, err := lockedfile.MutexAt(dir + ".lock").Lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(mark); err == nil {
		return dir, nil
	}
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := fill(dir); err != nil {
		return "", err
	}
	return dir, beneath.WriteFile(dir, filepath.Base(mark), nil, 0o644)
}

// Digest returns a short hash of texts, for use as a cache key.
func Digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write([]byte(t))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}
