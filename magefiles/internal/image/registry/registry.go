// Package registry asks registries of images, and changes them, by go-containerregistry and with docker's own logins. It knows images by
// their digests and labels, and nothing of plans.
//
//	registry.go    tags, digests, labels and images are read, tags are given, images are joined
//	login.go       the login of whoever runs us, for a machine that pulls
//	push.go        whether a repository may be pushed to, before anything is built
//	index.go       an image as a registry holds it
//	layout.go      an image as a folder holds it
//	statements.go  all the texts in an image
//	name.go        what a repository and a tag may be called
//	answers.go     what a registry answers, as a sentence with a next step
//	transport.go   answers are bounded, and waited for as long as something moves
package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Registry asks and changes registries, with the logins that docker keeps. Its zero value is ready, and may be used by
// several at once. It logs in once at each repository to read and once to write, and gets new tokens where they run out.
// Requests that fail in a way that may pass are tried again, by go-containerregistry.
type Registry struct {
	Transport http.RoundTripper // nil is go-containerregistry's own
	Patience  time.Duration     // how long nothing may move on a connection; 0 is a minute

	// Shown is how it is waited for what was pushed; the zero value asks for six seconds.
	Shown pause.Wait

	once   sync.Once
	puller *remote.Puller
	pusher *remote.Pusher
	err    error
	labels sync.Map // by REPOSITORY@DIGEST: what stands behind a digest is the same for ever

	permitted sync.Map // repositories to which may be pushed
}

// ErrNotFound says that a registry has no such repository, tag or digest.
var ErrNotFound = errors.New("not there")

// clients are what reads and what writes.
func (r *Registry) clients() (*remote.Puller, *remote.Pusher, error) {
	r.once.Do(func() {
		o := []remote.Option{remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent(httpclient.Agent), remote.WithTransport(r.transport())}
		if r.puller, r.err = remote.NewPuller(o...); r.err == nil {
			r.pusher, r.err = remote.NewPusher(o...)
		}
	})
	return r.puller, r.pusher, r.err
}

func (r *Registry) transport() http.RoundTripper {
	next := r.Transport
	if next == nil {
		next = remote.DefaultTransport
	}
	return watch(bound(httpclient.Guarded(next)), cmp.Or(r.Patience, patience))
}

// What a repository may have: more than any, and few enough to be held.
const (
	maxTags   = 200_000
	maxPages  = 2_000
	maxImages = 1_000 // in an index, attestations included
)

// Tags returns the tags of a repository; none for one that is not there. What cannot be a tag is left out.
func (r *Registry) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := name.NewRepository(repository)
	if err != nil {
		return nil, err
	}
	puller, _, err := r.clients()
	if err != nil {
		return nil, err
	}
	tags, err := readTags(ctx, puller, repo)
	if err = explain(repository, "asking for the tags of "+repository, err); errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return tags, err
}

// readTags reads page after page, up to an end.
func readTags(ctx context.Context, puller *remote.Puller, repo name.Repository) (tags []string, err error) {
	lister, err := puller.Lister(ctx, repo)
	for range maxPages {
		if err != nil || !lister.HasNext() {
			return tags, err
		}
		page, err := lister.Next(ctx)
		if err != nil {
			return nil, err
		}
		for _, tag := range page.Tags {
			if isTag(tag) {
				tags = append(tags, tag)
			}
		}
		if len(tags) > maxTags {
			return nil, fmt.Errorf("the registry lists more than %d tags, which is more than is read", maxTags)
		}
	}
	return nil, fmt.Errorf("the registry's list of tags does not end after %d pages", maxPages)
}

// get reads the manifest behind a reference. Errors: ErrNotFound.
func (r *Registry) get(ctx context.Context, ref string) (*remote.Descriptor, error) {
	reference, err := parse(ref)
	if err != nil {
		return nil, err
	}
	puller, _, err := r.clients()
	if err != nil {
		return nil, err
	}
	d, err := puller.Get(ctx, reference)
	return d, explain(ref, "reading "+ref, err)
}

// Digest is that of what stands behind a reference, by the smallest request that says so. Errors: ErrNotFound.
func (r *Registry) Digest(ctx context.Context, ref string) (string, error) {
	reference, err := parse(ref)
	if err != nil {
		return "", err
	}
	puller, _, err := r.clients()
	if err != nil {
		return "", err
	}
	head, err := puller.Head(ctx, reference)
	if err == nil {
		return head.Digest.String(), nil
	}
	var answer *transport.Error
	if errors.As(err, &answer) || errors.Is(err, httpclient.ErrStalled) {
		return "", explain(ref, "looking for "+ref, err)
	}
	return r.ReadDigest(ctx, ref) // some registries leave out of a short answer what has to be in it
}

// Resolve is the digest of the image, or index of images, that stands behind a reference: of the bytes that were sent, whatever
// the registry says about them. Errors: ErrNotFound.
func (r *Registry) Resolve(ctx context.Context, ref string) (string, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return "", err
	}
	switch {
	case d.MediaType.IsIndex():
		_, err = v1.ParseIndexManifest(bytes.NewReader(d.Manifest))
	case d.MediaType.IsImage():
		_, err = v1.ParseManifest(bytes.NewReader(d.Manifest))
	default:
		err = fmt.Errorf("its media type is %q", d.MediaType)
	}
	if err != nil {
		return "", operr.New("see what the registry has there", "what %s stands for is not an image: %w", ref, err)
	}
	return d.Digest.String(), nil
}

// ReadDigest is Digest by a larger request, whose refusal says why.
func (r *Registry) ReadDigest(ctx context.Context, ref string) (string, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return "", err
	}
	return d.Digest.String(), nil
}

// Labels returns the digest of what a tag stands for, and the labels of the first image behind it: the images of one build say the same
// about it. Errors: ErrNotFound.
func (r *Registry) Labels(ctx context.Context, repository, tag string) (digest string, labels map[string]string, err error) {
	ref := repository + ":" + tag
	d, err := r.get(ctx, ref)
	if err != nil {
		return "", nil, err
	}
	digest = d.Digest.String()
	if known, ok := r.labels.Load(repository + "@" + digest); ok {
		return digest, known.(map[string]string), nil
	}
	if labels, err = readLabels(d); err != nil {
		return "", nil, explain(repository, "reading "+ref, err)
	}
	r.labels.Store(repository+"@"+digest, labels)
	return digest, labels, nil
}

// Has says, by an error, that a registry has no such image, or that it cannot be asked.
func (r *Registry) Has(ctx context.Context, ref string) error {
	_, err := r.Digest(ctx, ref)
	return err
}

// Read returns what stands behind a reference, a tag or a digest. Errors: ErrNotFound.
func (r *Registry) Read(ctx context.Context, ref string) (*Index, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	doing := "reading " + ref
	if !d.MediaType.IsIndex() {
		return r.readSingle(d, ref, doing)
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, explain(ref, doing, err)
	}
	i, err := readIndex(index)
	return i, explain(ref, doing, err)
}

// readSingle reads an image that is in no index.
func (r *Registry) readSingle(d *remote.Descriptor, ref, doing string) (*Index, error) {
	img, err := d.Image()
	if err != nil {
		return nil, explain(ref, doing, err)
	}
	one, err := readImage(img)
	if err != nil {
		return nil, explain(ref, doing, err)
	}
	return &Index{Digest: d.Digest.String(), Images: []Image{*one}}, nil
}

// Await asks again, for some seconds, for what was pushed a moment ago: a registry of several nodes does not have it on all of them
// at once.
func (r *Registry) Await(ctx context.Context, ask func() error) error {
	var err error
	w := r.Shown
	w.First, w.Most, w.For = cmp.Or(w.First, 200*time.Millisecond), cmp.Or(w.Most, 4*time.Second), cmp.Or(w.For, 6*time.Second)
	_, over := w.Until(ctx, func(context.Context) (pause.Seen, error) {
		err = ask()
		return pause.Seen{Done: !errors.Is(err, ErrNotFound)}, nil
	})
	if over != nil && !errors.Is(over, pause.ErrOver) {
		return over
	}
	return err
}

// Tag gives tags to the image of a digest: the same manifest, byte for byte.
func (r *Registry) Tag(ctx context.Context, repository, digest, tag string) error {
	ref := repository + "@" + digest
	d, err := r.get(ctx, ref)
	if err != nil {
		return err
	}
	repo, err := name.NewRepository(repository)
	if err != nil {
		return err
	}
	err = r.pusher.Put(ctx, repo.Tag(tag), d)
	doing := "tagging " + ref + " as " + tag
	if isImmutable(err) {
		return operr.New("raise the version: its tags are new", "%s: %w", doing, &ImmutableError{said: said{error: err}})
	}
	return explain(ref, doing, err)
}

// Join pushes one index of several, by digest: all their images and attestations. The annotations are the first one's.
func (r *Registry) Join(ctx context.Context, repository string, digests []string) (digest string, err error) {
	joined := mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json")
	for n, d := range digests {
		ref := repository + "@" + d
		there, err := r.get(ctx, ref)
		if err != nil {
			return "", err
		}
		part, err := there.ImageIndex()
		if err != nil {
			return "", explain(ref, "reading "+ref, err)
		}
		manifest, err := part.IndexManifest()
		if err != nil {
			return "", explain(ref, "reading "+ref, err)
		}
		if len(manifest.Manifests) > maxImages {
			return "", explain(ref, "reading "+ref, fmt.Errorf("it has more than %d images", maxImages))
		}
		if n == 0 {
			joined = mutate.Annotations(joined, manifest.Annotations).(v1.ImageIndex)
		}
		all, err := listAddenda(part, manifest)
		if err != nil {
			return "", explain(ref, "reading "+ref, err)
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
	_, pusher, err := r.clients()
	if err != nil {
		return "", err
	}
	return sum.String(), explain(repository, "pushing "+ref.String(), pusher.Push(ctx, ref, joined))
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

// CheckDigest says what is wrong with the spelling of a digest, or of REPOSITORY@DIGEST, with exit status 2.
func CheckDigest(digest string) error {
	_, err := parse("any/image@" + DigestOf(digest))
	return err
}

// DigestOf takes the digest of REPOSITORY@DIGEST, or of a digest alone.
func DigestOf(ref string) string {
	_, digest, found := strings.Cut(ref, "@")
	if !found {
		return ref
	}
	return digest
}
