package image

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Registry asks and changes registries, with the logins that docker keeps. Its zero value is ready. Requests that fail in
// a way that may pass are tried again, by go-containerregistry.
type Registry struct {
	Transport http.RoundTripper // nil is go-containerregistry's own
}

// ErrNotFound says that a registry has no such repository, tag or digest.
var ErrNotFound = errors.New("not there")

func (r *Registry) options(ctx context.Context) []remote.Option {
	o := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("pixi-release")}
	if r.Transport != nil {
		o = append(o, remote.WithTransport(r.Transport))
	}
	return o
}

// Tags returns the tags of a repository; none for one that is not there.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := name.NewRepository(repository)
	if err != nil {
		return nil, err
	}
	tags, err := remote.List(repo, r.options(ctx)...)
	if err = failure("asking for the tags of "+repository, err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return tags, err
}

// Read returns what stands behind a reference, a tag or a digest. Errors: ErrNotFound.
func (r *Registry) Read(ctx context.Context, ref string) (*Index, error) {
	doing := "reading " + ref
	reference, err := parse(ref)
	if err != nil {
		return nil, err
	}
	d, err := remote.Get(reference, r.options(ctx)...)
	if err != nil {
		return nil, failure(doing, err)
	}
	if !d.MediaType.IsIndex() {
		return r.single(d, doing)
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, failure(doing, err)
	}
	i, err := readIndex(index)
	return i, failure(doing, err)
}

// single reads an image that is in no index.
func (r *Registry) single(d *remote.Descriptor, doing string) (*Index, error) {
	img, err := d.Image()
	if err != nil {
		return nil, failure(doing, err)
	}
	one, err := readImage(img)
	if err != nil {
		return nil, failure(doing, err)
	}
	return &Index{Digest: d.Digest.String(), Images: []Image{*one}}, nil
}

// Tag gives tags to the image of a digest: the same manifest, byte for byte.
func (r *Registry) Tag(ctx context.Context, repository, digest, tag string) error {
	ref, err := parse(repository + "@" + digest)
	if err != nil {
		return err
	}
	d, err := remote.Get(ref, r.options(ctx)...)
	if err != nil {
		return failure("reading "+ref.String(), err)
	}
	return failure("tagging "+ref.String()+" as "+tag, remote.Tag(ref.Context().Tag(tag), d, r.options(ctx)...))
}

// Held says what tags of a repository stand for; those that are not there are left out.
func (r *Registry) Held(ctx context.Context, repository string, tags, have []string) (map[string]Held, error) {
	held := map[string]Held{}
	for _, tag := range tags {
		if !slices.Contains(have, tag) {
			continue
		}
		i, err := r.Read(ctx, repository+":"+tag)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held[tag] = i.held()
	}
	return held, nil
}

func (i *Index) held() (h Held) {
	for _, one := range i.Images {
		h.Version = one.Labels[labelVersion]
		h.Created, _ = time.Parse(time.RFC3339, one.Labels[labelCreated]) // zero where it says none
	}
	return h
}

// Join pushes one index of several, by digest: all their images and attestations. The annotations are the first one's.
func (r *Registry) Join(ctx context.Context, repository string, digests []string) (digest string, err error) {
	joined := mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json")
	for n, d := range digests {
		ref, err := parse(repository + "@" + d)
		if err != nil {
			return "", err
		}
		part, err := remote.Index(ref, r.options(ctx)...)
		if err != nil {
			return "", failure("reading "+ref.String(), err)
		}
		manifest, err := part.IndexManifest()
		if err != nil {
			return "", failure("reading "+ref.String(), err)
		}
		if n == 0 {
			joined = mutate.Annotations(joined, manifest.Annotations).(v1.ImageIndex)
		}
		all, err := addenda(part, manifest)
		if err != nil {
			return "", failure("reading "+ref.String(), err)
		}
		joined = mutate.AppendManifests(joined, all...)
	}
	sum, err := joined.Digest()
	if err != nil {
		return "", err
	}
	ref, err := parse(repository + "@" + sum.String())
	if err != nil {
		return "", err
	}
	return sum.String(), failure("pushing "+ref.String(), remote.WriteIndex(ref, joined, r.options(ctx)...))
}

// failure says what was being done, and what to do about what registries answer.
func failure(doing string, err error) error {
	var answer *transport.Error
	if err == nil || !errors.As(err, &answer) {
		return wrap(doing, err)
	}
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return operr.New("correct its name, or push it there first", "%s: %w", doing, ErrNotFound)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return operr.New("log in: `docker login HOST`; in a workflow the job needs `packages: write`", "%s: the registry refuses it (%d): %w", doing, status, err)
	case status == http.StatusTooManyRequests:
		return operr.New("wait, and run it again: nothing is lost", "%s: the registry allows no more requests for now (429): %w", doing, err)
	case status >= http.StatusInternalServerError:
		return operr.New("run it again: nothing is lost", "%s: the registry failed (%d): %w", doing, status, err)
	}
	return wrap(doing, err)
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return operr.New("see whether the registry can be reached; run it again: nothing is lost", "%s: %w", doing, err)
}

// parse reads a reference, REPOSITORY:TAG or REPOSITORY@DIGEST. Errors are about the spelling, with exit status 2.
func parse(ref string) (name.Reference, error) {
	reference, err := name.ParseReference(ref)
	if err == nil {
		return reference, nil
	}
	if _, digest, found := strings.Cut(ref, "@"); found {
		return nil, operr.NewUsage("name digests as `docker:image -platform=… -push` reports them: sha256: and 64 digits", "%q is no digest", digest)
	}
	return nil, operr.NewUsage("write HOST/OWNER/NAME, with a tag or a digest", "%q cannot be the name of an image", ref)
}

// digestOf takes the digest of REPOSITORY@DIGEST, or of a digest alone.
func digestOf(ref string) string {
	_, digest, found := strings.Cut(ref, "@")
	if !found {
		return ref
	}
	return digest
}

// Has says, by an error, that a registry has no such image, or that it cannot be asked.
func (r *Registry) Has(ctx context.Context, ref string) error {
	reference, err := parse(ref)
	if err != nil {
		return err
	}
	_, err = remote.Head(reference, r.options(ctx)...)
	return failure("looking for "+ref, err)
}
