package registry

import (
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// longestStatement is how much of one is read; more is refused, since it could not be looked through.
const longestStatement = 256 << 20

// EachText hands on what an index holds beside the files of its images, each with what it is: its manifests, the configurations with labels,
// variables and history, and what is attested. Whoever may read an image reads all of that. An image that is in no index has nothing.
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

// eachStatement hands on what one manifest of an index says: that of an image, or of what is attested about one.
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
		err = fmt.Errorf("an attestation is longer than %d bytes, and was not looked through", longest)
	}
	return text, err
}
