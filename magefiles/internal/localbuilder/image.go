package localbuilder

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// Image describes the image that a stand-in replaces.
type Image struct {
	Repository string
	Platforms  []string // such as linux/amd64
	Labels     map[string]string
	SBOM       bool
	Password   string // the registry's password; "" uses docker's stored login
}

// Attestations of a stand-in, which replace BuildKit's.
const (
	provenance = `{"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": {"buildType": "a stand-in of a rehearsal"}}}`
	sbom       = `{"predicateType": "https://spdx.dev/Document", "predicate": {"name": "a stand-in of a rehearsal"}}`
)

// Push pushes a stand-in for an image to its repository, which must be on this machine, and returns the digest. If tag is "", it is only pushed by
// digest.
func Push(ctx context.Context, i Image, tag string) (digest string, err error) {
	index := v1.ImageIndex(mutate.IndexMediaType(empty.Index, types.OCIImageIndex))
	for _, platform := range i.Platforms {
		os, arch, _ := strings.Cut(platform, "/")
		arch, variant, _ := strings.Cut(arch, "/")
		one, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
			OS:           os,
			Architecture: arch,
			Variant:      variant,
			Config:       v1.Config{Labels: i.Labels},
		})
		if err != nil {
			return "", err
		}
		sum, err := one.Digest()
		if err != nil {
			return "", err
		}
		statements := []mutate.Addendum{attest(provenance, "https://slsa.dev/provenance/v1")}
		if i.SBOM {
			statements = append(statements, attest(sbom, "https://spdx.dev/Document"))
		}
		said, err := mutate.Append(empty.Image, statements...)
		if err != nil {
			return "", err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: one,
			Descriptor: v1.Descriptor{
				Platform: &v1.Platform{
					OS:           os,
					Architecture: arch,
					Variant:      variant,
				},
			},
		}, mutate.IndexAddendum{
			Add: said,
			Descriptor: v1.Descriptor{
				Platform: &v1.Platform{
					OS:           "unknown",
					Architecture: "unknown",
				},
				Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sum.String()},
			},
		})
	}
	sum, err := index.Digest()
	if err != nil {
		return "", err
	}
	by := ":" + tag
	if tag == "" {
		by = "@" + sum.String()
	}
	ref, err := name.ParseReference(i.Repository+by, name.Insecure)
	if err != nil {
		return "", err
	}
	at := url.URL{Host: ref.Context().RegistryStr()}
	if !httpclient.Loopback(at.Hostname()) { // a rehearsal's variable is set by mistake
		return "", fmt.Errorf("the images of a rehearsal are pushed only to a registry on this machine, never to %s: unset REHEARSAL_BUILDER, which only `rehearse -full` sets", at.Host)
	}
	login := remote.WithAuthFromKeychain(authn.DefaultKeychain)
	if i.Password != "" {
		login = remote.WithAuth(&authn.Basic{Username: "rehearsal", Password: i.Password})
	}
	return sum.String(), remote.WriteIndex(ref, index, remote.WithContext(ctx), login)
}

func attest(statement, kind string) mutate.Addendum {
	return mutate.Addendum{
		Layer:       static.NewLayer([]byte(statement), "application/vnd.in-toto+json"),
		Annotations: map[string]string{"in-toto.io/predicate-type": kind},
	}
}

// Found is an image in a rehearsal's registry.
type Found struct {
	Digest    string // digest of the index
	Platforms []string
	Labels    map[string]string // labels of the first platform's image
}

// Read reads an image by tag or digest.
func Read(ctx context.Context, ref string) (found Found, err error) {
	at, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		return found, err
	}
	index, err := remote.Index(at, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return found, err
	}
	sum, err := index.Digest()
	if err != nil {
		return found, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return found, err
	}
	found.Digest = sum.String()
	for _, d := range manifest.Manifests {
		if d.Platform == nil || d.Platform.OS == "unknown" {
			continue
		}
		found.Platforms = append(found.Platforms, d.Platform.OS+"/"+d.Platform.Architecture)
		if found.Labels != nil {
			continue
		}
		one, err := index.Image(d.Digest)
		if err != nil {
			return found, err
		}
		config, err := one.ConfigFile()
		if err != nil {
			return found, err
		}
		found.Labels = config.Config.Labels
	}
	return found, nil
}
