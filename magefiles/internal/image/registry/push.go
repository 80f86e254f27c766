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

// MayPush says, by an error, that a repository, which need not be there yet, may not be pushed to. Reading proves nothing: a
// public image can be read without a login. So an upload is begun, and cancelled before anything is in it. What was
// permitted is not asked again.
func (r *Registry) MayPush(ctx context.Context, repository string) error {
	if _, ok := r.permitted.Load(repository); ok {
		return nil
	}
	repo, err := name.NewRepository(repository)
	if err != nil {
		return err
	}
	doing := "asking whether " + repository + " may be pushed to"
	err = explain(repository, doing, remote.CheckPushPermission(repo.Tag(name.DefaultTag), authn.DefaultKeychain, r.bindTransport(ctx)))
	switch {
	case errors.Is(err, ErrNotFound): // some make none by themselves
		return operr.New("create "+repository+" there, or correct its name", "%s: %w", doing, ErrNotFound)
	case err != nil:
		return err
	}
	r.permitted.Store(repository, true)
	return nil
}

// bindTransport is the transport of a check that takes none but a bare one: it ends with ctx, and is tried again where a failure may
// pass, as all other requests are.
func (r *Registry) bindTransport(ctx context.Context) http.RoundTripper {
	next := r.transport()
	bound := roundTrip(func(q *http.Request) (*http.Response, error) { return next.RoundTrip(q.WithContext(ctx)) })
	passing := []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}
	return transport.NewUserAgent(transport.NewRetry(bound, transport.WithRetryStatusCodes(passing...)), httpclient.Agent)
}

// TagsForPush returns the tags of a repository that will be pushed to, after MayPush. A repository that may be pushed to and
// not be read has none: some registries deny what is not there yet.
//
// It is not for what decides about tags after a push. By then the repository is there, and a denial says that the tags are
// not known; a login that may write and not list them would otherwise move them back.
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

// IsDenied reports whether it is the registry's own word that something may not be read: a 403 with a code of distribution-spec,
// and not that of a proxy.
func IsDenied(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden && slices.ContainsFunc(answer.Errors, func(d transport.Diagnostic) bool {
		return d.Code == transport.DeniedErrorCode || d.Code == transport.NameUnknownErrorCode
	})
}
