package registry

import (
	"fmt"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Index describes an index and its images, in a registry or a folder.
type Index struct {
	Digest      string            `json:"digest"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Images      []Image           `json:"images"` // one per platform

	source v1.ImageIndex // the index itself; nil for an image without an index
}

// Image is the image of one platform.
type Image struct {
	Platform     string            `json:"platform"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"` // total compressed size of the layers, in bytes
	Labels       map[string]string `json:"labels,omitempty"`
	Entrypoint   []string          `json:"entrypoint,omitempty"`
	Env          []string          `json:"-"`                      // NAME=value
	Attestations []string          `json:"attestations,omitempty"` // predicate types
	Layers       []string          `json:"layers"`                 // digests
}

// Annotations with which BuildKit marks attestations in an index (docs/attestations/attestation-storage.md).
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	attestationType = "attestation-manifest"
	predicateType   = "in-toto.io/predicate-type"
)

// Prefixes of the predicate types of BuildKit's attestations.
const (
	Provenance = "https://slsa.dev/provenance/"
	SBOM       = "https://spdx.dev/Document"
)

// readIndex reads all images of an index with their attestations.
func readIndex(index v1.ImageIndex) (*Index, error) {
	digest, err := index.Digest()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) > maxImages {
		return nil, fmt.Errorf("the index has more than %d images", maxImages)
	}
	i := &Index{Digest: digest.String(), Annotations: manifest.Annotations, source: index}
	attested := map[string][]string{}
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Digest, err)
		}
		if d.Annotations[referenceType] == attestationType {
			predicates, err := readPredicates(img)
			if err != nil {
				return nil, err
			}
			about := d.Annotations[referenceDigest]
			attested[about] = append(attested[about], predicates...)
			continue
		}
		one, err := readImage(img)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Digest, err)
		}
		if d.Platform != nil {
			one.Platform = spellPlatform(d.Platform)
		}
		i.Images = append(i.Images, *one)
	}
	for n := range i.Images {
		i.Images[n].Attestations = attested[i.Images[n].Digest]
		slices.Sort(i.Images[n].Attestations)
	}
	return i, nil
}

func readPredicates(img v1.Image) (types []string, err error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	for _, l := range m.Layers {
		types = append(types, l.Annotations[predicateType])
	}
	return types, nil
}

func readImage(img v1.Image) (*Image, error) {
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	one := &Image{
		Platform:   spellPlatform(c.Platform()),
		Digest:     digest.String(),
		Labels:     c.Config.Labels,
		Entrypoint: c.Config.Entrypoint,
		Env:        c.Config.Env,
		Layers:     []string{},
	}
	for _, l := range m.Layers {
		one.Size += l.Size
		one.Layers = append(one.Layers, l.Digest.String())
	}
	return one, nil
}

// readLabels returns the labels of a descriptor's first image, because all images of a build have the same labels. It returns nil for an index
// without images.
func readLabels(d *remote.Descriptor) (map[string]string, error) {
	img, err := findImage(d)
	if err != nil || img == nil {
		return nil, err
	}
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return c.Config.Labels, nil
}

// findImage returns a descriptor's image, or the first image of an index. It returns nil if the index is empty.
func findImage(d *remote.Descriptor) (v1.Image, error) {
	if !d.MediaType.IsIndex() {
		return d.Image()
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, one := range manifest.Manifests {
		if one.MediaType.IsImage() && one.Annotations[referenceType] != attestationType {
			return index.Image(one.Digest)
		}
	}
	return nil, nil
}

// spellPlatform returns OS/ARCH. It omits the variant if all machines of the architecture have it (v8 for arm64).
func spellPlatform(p *v1.Platform) string {
	if p == nil {
		return ""
	}
	text := p.OS + "/" + p.Architecture
	if p.Variant != "" && (p.Architecture != "arm64" || p.Variant != "v8") {
		text += "/" + p.Variant
	}
	return text
}

// listAddenda returns all manifests of an index, ready to be added to another index.
func listAddenda(index v1.ImageIndex, manifest *v1.IndexManifest) (all []mutate.IndexAddendum, err error) {
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		if err != nil {
			return nil, err
		}
		all = append(all, mutate.IndexAddendum{Add: img, Descriptor: d})
	}
	return all, nil
}
