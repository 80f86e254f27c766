package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// MayPush returns an error if we may not push to a repository, which need not exist yet. Read access proves nothing, because public images can be
// read without a login. So MayPush starts an upload and cancels it before sending any content. A positive result is cached.
func (r *Registry) MayPush(ctx context.Context, repository string) error {
	if _, ok := r.permitted.Load(repository); ok {
		return nil
	}
	repo, err := name.NewRepository(repository)
	if err != nil {
		return err
	}
	doing := "asking whether " + repository + " accepts a push"
	err = explain(repository, doing, remote.CheckPushPermission(repo.Tag(name.DefaultTag), authn.DefaultKeychain, r.bindTransport(ctx)))
	switch {
	case errors.Is(err, ErrNotFound): // some registries do not create repositories on push
		return operr.New("create "+repository+" in the registry, or correct the name of the image", "%s: %w", doing, ErrNotFound)
	case err != nil:
		return err
	}
	r.permitted.Store(repository, true)
	return nil
}

// bindTransport returns a transport for CheckPushPermission, which takes no context and does not retry. Requests are canceled with ctx, and retried
// after transient failures, like all other requests.
func (r *Registry) bindTransport(ctx context.Context) http.RoundTripper {
	next := r.transport()
	bound := roundTrip(func(q *http.Request) (*http.Response, error) { return next.RoundTrip(q.WithContext(ctx)) })
	passing := []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
	return transport.NewUserAgent(transport.NewRetry(bound, transport.WithRetryStatusCodes(passing...)), httpclient.Agent)
}

// TagsForPush returns the tags of a repository to which we are about to push. It must be called after MayPush. If we have push access but no read
// access, it returns no tags, because some registries deny access to a repository that does not exist yet.
//
// Do not use it to choose tags after a push. By then the repository exists, so a denial means that its tags are unknown. With a login that may
// write tags but not list them, tags would move backward.
func (r *Registry) TagsForPush(ctx context.Context, repository string) ([]string, error) {
	if err := r.MayPush(ctx, repository); err != nil {
		return nil, err
	}
	tags, err := r.Tags(ctx, repository)
	if IsDenied(err) {
		return nil, nil
	}
	return tags, err
}

// IsDenied reports whether the registry itself, rather than a proxy, denies read access: a 403 with an error code of distribution-spec.
func IsDenied(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden && slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool {
		return d.Code == transport.DeniedErrorCode || d.Code == transport.NameUnknownErrorCode
	})
}
