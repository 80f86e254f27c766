package registry

import (
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// longestStatement limits the size of an attestation, in bytes. A longer one is rejected, because it could not be searched.
const longestStatement = 256 << 20

// EachText calls read with each text of an index and a name for it. The texts are the index, the manifests, the configurations with labels,
// variables and history, and the attestations; anyone who can read the image can read them. Files in the images are not included. For an image
// without an index, EachText does nothing.
func (i *Index) EachText(read func(what string, text []byte) error) error {
	if i.source == nil {
		return nil
	}
	raw, err := i.source.RawManifest()
	if err != nil {
		return err
	}
	if err := read("the index", raw); err != nil {
		return err
	}
	manifest, err := i.source.IndexManifest()
	if err != nil {
		return err
	}
	for _, d := range manifest.Manifests {
		img, err := i.source.Image(d.Digest)
		if err != nil {
			return err
		}
		if err := eachStatement(img, d, read); err != nil {
			return err
		}
	}
	return nil
}

// eachStatement calls read with the texts of one manifest in an index: an image, or attestations for an image.
func eachStatement(img v1.Image, d v1.Descriptor, read func(what string, text []byte) error) error {
	raw, err := img.RawManifest()
	if err != nil {
		return err
	}
	attests := d.Annotations[referenceType] == attestationType
	if !attests {
		config, err := img.RawConfigFile()
		if err != nil {
			return err
		}
		if err := read("the manifest for "+spellPlatform(d.Platform), raw); err != nil {
			return err
		}
		return read("the configuration for "+spellPlatform(d.Platform), config)
	}
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	for _, l := range m.Layers {
		layer, err := img.LayerByDigest(l.Digest)
		if err != nil {
			return err
		}
		text, err := readStatement(layer, longestStatement)
		if err != nil {
			return err
		}
		what := "the provenance"
		if strings.HasPrefix(l.Annotations[predicateType], SBOM) {
			what = "the SBOM"
		}
		if err := read(what, text); err != nil {
			return err
		}
	}
	return nil
}

func readStatement(layer v1.Layer, longest int) (_ []byte, err error) {
	r, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	text, err := io.ReadAll(io.LimitReader(r, int64(longest)+1))
	if err == nil && len(text) > longest {
		err = fmt.Errorf("an attestation is longer than the limit of %d bytes, so it was not searched for credentials", longest)
	}
	return text, err
}
