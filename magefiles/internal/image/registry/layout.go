package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ReadLayout reads an image from an OCI layout that buildx wrote.
func ReadLayout(dir string) (*Index, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the image in %s: %w", dir, err)
	}
	m, err := index.IndexManifest()
	if err != nil || len(m.Manifests) != 1 {
		return nil, operr.New("remove the folder, and build again", "the folder %s should have exactly one image", dir)
	}
	inner, err := index.ImageIndex(m.Manifests[0].Digest)
	if err != nil {
		return nil, fmt.Errorf("reading the image in %s: %w", dir, err)
	}
	return readIndex(inner)
}

// CheckLayout returns an error unless each file in an OCI layout matches the digest in its name, and no file of an image is missing. Symbolic links
// count as missing.
func CheckLayout(dir string, i *Index) error {
	blobs := filepath.Join(dir, "blobs", "sha256")
	files, err := os.ReadDir(blobs)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range files {
		if err := checkBlob(filepath.Join(blobs, f.Name()), f); err != nil {
			return operr.New("remove the folder, and build again", "checking the image in %s: %w", dir, err)
		}
		there["sha256:"+f.Name()] = true
	}
	for _, one := range i.Images {
		for _, digest := range append([]string{one.Digest}, one.Layers...) {
			if !there[digest] {
				return operr.New("remove the folder, and build again", "the image in %s lacks %s", dir, digest)
			}
		}
	}
	return nil
}

func checkBlob(path string, f fs.DirEntry) error {
	if !f.Type().IsRegular() {
		return fmt.Errorf("%s is not a regular file", f.Name())
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.Name() {
		return fmt.Errorf("the file %s is damaged: its sha256 differs from its name", f.Name())
	}
	return nil
}
