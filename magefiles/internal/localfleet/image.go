package localfleet

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"

	"github.com/foopack/foopack/magefiles/internal/localengine"
)

// Image is an image of the application.
type Image struct {
	Repository string
	Digest     string
	Revision   string // that its label has
	Platforms  []string
	Labels     map[string]string
}

// port is where the application listens where no table says it.
const port = 5006

// says is the header by which the application of a host names its image.
const says = "Rehearsed-Image"

// labelRevision is the label of an image that has the commit of its sources.
const labelRevision = "org.opencontainers.image.revision"

// Offer lets all hosts pull an image. What a container of it runs is no program of the image: it answers as a health check wants it, at the ports of
// all environments.
func (f *Fleet) Offer(i Image) {
	answer := map[string]string{}
	var ports []uint16
	for _, e := range f.Environments {
		if e.Revision.JSON != "" {
			answer[e.Revision.JSON] = i.Revision
		}
		if at := uint16(e.AppPort); at != 0 && !slices.Contains(ports, at) {
			ports = append(ports, at)
		}
	}
	if len(ports) == 0 {
		ports = []uint16{port}
	}
	var arch []string
	for _, platform := range i.Platforms {
		_, of, _ := strings.Cut(platform, "/")
		arch = append(arch, of)
	}
	labels := maps.Clone(i.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelRevision] = i.Revision
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, e := range f.Environments {
			if e.Revision.Header != "" {
				w.Header().Set(e.Revision.Header, i.Revision)
			}
		}
		w.Header().Set(says, i.Digest)
		_ = json.NewEncoder(w).Encode(answer) // who is gone is not told
	})
	for _, e := range f.engines {
		if len(arch) > 0 {
			e.Arch = arch[0]
		}
		e.Offer(localengine.Image{
			Ref:    i.Repository + "@" + i.Digest,
			Arch:   arch,
			Labels: labels,
			Ports:  ports[:1], // that of an environment whose table does not say it
			Program: func(ctx context.Context, c *localengine.Container) int {
				return serve(ctx, c, ports, handler)
			},
		})
	}
}

func serve(ctx context.Context, c *localengine.Container, ports []uint16, handler http.Handler) int {
	s := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	for _, port := range ports {
		l, err := c.Listen(port)
		if err != nil {
			return 1
		}
		go func() { _ = s.Serve(l) }() // until it is shut down
	}
	<-ctx.Done()
	last, done := context.WithTimeout(context.Background(), time.Second)
	defer done()
	_ = s.Shutdown(last)
	return 0
}

// statement is what a stand-in has in place of BuildKit's provenance.
const statement = `{"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": {"buildType": "a stand-in of a rehearsal"}}}`

// Push puts a stand-in for an image into its repository, with the labels and platforms that it would have, and returns it with its digest. tag is what
// it is found by; "" is the digest alone.
func Push(ctx context.Context, i Image, tag string) (Image, error) {
	labels := maps.Clone(i.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[labelRevision] = i.Revision
	index := v1.ImageIndex(empty.Index)
	for _, platform := range i.Platforms {
		os, arch, _ := strings.Cut(platform, "/")
		one, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: os, Architecture: arch, Config: v1.Config{Labels: labels, Entrypoint: []string{"/entry"}}})
		if err != nil {
			return i, err
		}
		sum, err := one.Digest()
		if err != nil {
			return i, err
		}
		said, err := mutate.Append(empty.Image, mutate.Addendum{
			Layer:       static.NewLayer([]byte(statement), "application/vnd.in-toto+json"),
			Annotations: map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"},
		})
		if err != nil {
			return i, err
		}
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch}}},
			mutate.IndexAddendum{
				Add: said,
				Descriptor: v1.Descriptor{
					Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
					Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sum.String()},
				},
			})
	}
	digest, err := index.Digest()
	if err != nil {
		return i, err
	}
	i.Digest = digest.String()
	by := ":" + tag
	if tag == "" {
		by = "@" + i.Digest
	}
	ref, err := name.ParseReference(i.Repository+by, name.Insecure)
	if err != nil {
		return i, err
	}
	return i, remote.WriteIndex(ref, index, remote.WithContext(ctx))
}
