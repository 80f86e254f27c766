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

// fillOnce returns a folder of the cache that fill has filled, and fills it when it is not there yet. The key stands for
// everything that the contents depend on, so nothing there is ever changed; a folder that was left half-way, by a kill
// for instance, lacks its mark and is made again. Other processes wait meanwhile.
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

// Digest makes a short key of texts.
func Digest(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		h.Write([]byte(t))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}
