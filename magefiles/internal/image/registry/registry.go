// Package registry reads and writes image registries with go-containerregistry, using docker's logins. It identifies images by digest and label,
// and does not depend on plans.
//
//	registry.go    reads tags, digests, labels and images, writes tags, and merges images
//	login.go       returns the user's own login, for a machine that pulls
//	push.go        checks push access to a repository before a build
//	index.go       describes an image in a registry
//	layout.go      reads an image from a local folder
//	statements.go  iterates over all texts in an image
//	name.go        validates repository names and tags
//	answers.go     converts a registry's responses to errors with next steps
//	transport.go   limits the size of responses, and detects stalled connections
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

// Registry reads and writes registries with docker's logins. The zero value is ready to use, and safe for concurrent use. A Registry logs in to
// each repository once for reading and once for writing, and renews expired tokens. go-containerregistry retries requests after transient failures.
type Registry struct {
	Transport http.RoundTripper // nil uses go-containerregistry's default
	Patience  time.Duration     // how long a connection may stall; 0 means one minute

	// Shown configures how Await polls until a push is visible. The zero value polls for six seconds.
	Shown pause.Wait

	once   sync.Once
	puller *remote.Puller
	pusher *remote.Pusher
	err    error
	labels sync.Map // cache by REPOSITORY@DIGEST, which is never stale, because the content of a digest never changes

	permitted sync.Map // repositories to which we may push
}

// ErrNotFound is in the chain of an error if a registry does not have the repository, tag or digest.
var ErrNotFound = errors.New("not there")

// clients returns the clients for reading and for writing.
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
	return watch(limitAnswers(httpclient.Guard(next)), cmp.Or(r.Patience, patience))
}

// Limits for a repository's tags. They are far higher than any repository needs, but low enough to protect memory.
const (
	maxTags   = 200_000
	maxPages  = 2_000
	maxImages = 1_000 // per index, including attestations
)

// Tags returns the tags of a repository, or none if the repository does not exist. It skips invalid tags.
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

// readTags reads the list of tags page by page, up to the limits.
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
			return nil, fmt.Errorf("the registry lists more tags than the limit of %d", maxTags)
		}
	}
	return nil, fmt.Errorf("the registry's list of tags does not end after %d pages", maxPages)
}

// get reads a reference's manifest. Errors: ErrNotFound.
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

// Digest returns the digest of a reference with the smallest possible request. Errors: ErrNotFound.
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
	return r.ReadDigest(ctx, ref) // some registries omit required headers in the response to HEAD
}

// Resolve returns the digest of a reference to an image or index. The digest is computed from the received bytes, not copied from the registry's
// headers. Errors: ErrNotFound.
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
		return "", operr.New("check what the registry has under this name", "%s is not an image: %w", ref, err)
	}
	return d.Digest.String(), nil
}

// ReadDigest is like Digest, but uses a larger request, so that a refusal includes the reason.
func (r *Registry) ReadDigest(ctx context.Context, ref string) (string, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return "", err
	}
	return d.Digest.String(), nil
}

// Labels returns the digest of a tag, and the labels of its first image, because all images of a build have the same labels. Errors: ErrNotFound.
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

// Has returns an error if a registry does not have an image, or cannot be reached.
func (r *Registry) Has(ctx context.Context, ref string) error {
	_, err := r.Digest(ctx, ref)
	return err
}

// Read returns the index or image that a tag or digest refers to. Errors: ErrNotFound.
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

// readSingle reads an image that is not in an index.
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

// Await calls `ask` again for some seconds while it returns ErrNotFound, because a registry with several nodes does not show a new push on all of
// them immediately.
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

// Tag points a tag at an image's digest, without changing the manifest.
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
		return operr.New("raise the version: a new version has new tags", "%s: %w", doing, &ImmutableError{said: said{error: err}})
	}
	return explain(ref, doing, err)
}

// Join merges several indexes into a new one with all their images and attestations, and pushes it by digest. The annotations are from the first
// index.
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
			return "", explain(ref, "reading "+ref, fmt.Errorf("the index has more than %d images", maxImages))
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

// parse parses a reference, REPOSITORY:TAG or REPOSITORY@DIGEST. Errors are about the spelling, with exit status 2.
func parse(ref string) (name.Reference, error) {
	reference, err := name.ParseReference(ref)
	if err == nil {
		return reference, nil
	}
	if _, digest, found := strings.Cut(ref, "@"); found {
		return nil, operr.NewUsage("write each digest as `mage docker:image -platform=… -push` prints it: `sha256:` and 64 hexadecimal digits", "%q is not a digest", digest)
	}
	return nil, operr.NewUsage("write HOST/OWNER/NAME, with a tag or a digest", "%q cannot be the name of an image", ref)
}

// CheckDigest returns an error, with exit status 2, if a digest or REPOSITORY@DIGEST is misspelled.
func CheckDigest(digest string) error {
	_, err := parse("any/image@" + DigestOf(digest))
	return err
}

// DigestOf returns the digest in REPOSITORY@DIGEST. It returns a bare digest unchanged.
func DigestOf(ref string) string {
	_, digest, found := strings.Cut(ref, "@")
	if !found {
		return ref
	}
	return digest
}
