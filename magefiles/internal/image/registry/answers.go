package registry

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// ErrImmutable indicates that a registry refuses to move a tag to another image.
var ErrImmutable = errors.New("the registry keeps the tag")

// ImmutableError is an ErrImmutable that contains the registry's response.
type ImmutableError struct{ said }

// Is reports whether target is ErrImmutable.
func (*ImmutableError) Is(target error) bool { return target == ErrImmutable }

// isImmutable reports whether a registry refused a tag because its tags are immutable. The status and code differ between registries (ECR 400,
// Harbor 412, Docker Hub 403, GitLab 400, others 409), but the message says that the tag is immutable or protected, or already exists.
func isImmutable(err error) bool {
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed:
	default:
		return false
	}
	return answer.StatusCode == http.StatusPreconditionFailed && !isFull(answer) ||
		saysAny(answer, "immutab", "already exist", "cannot be overwritten", "overwrite", "protected tag", "tag is protected")
}

// `said` wraps an error with a registry's response, and formats it as part of a sentence.
type said struct{ error }

func (s said) Error() string { return httpclient.Sanitize(s.error.Error()) }

func (s said) Unwrap() error { return s.error }

// LoginTo returns the command that logs in to a repository's or image's registry. It omits the host for Docker Hub.
func LoginTo(ref string) string {
	host, _, found := strings.Cut(ref, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" || host == "docker.io" || host == name.DefaultRegistry {
		return "`docker login`"
	}
	return "`docker login " + operr.Word(host) + "`"
}

// explain returns an error with the operation, the registry's response, and the next step.
func explain(ref, doing string, err error) error {
	if errors.Is(err, httpclient.ErrStalled) {
		return operr.New("check that the registry works, and any proxy in front of the registry; then run the same command again: nothing is lost",
			"%s: the registry accepted the connection, but sent no more data: %w", doing, httpclient.Plain(err))
	}
	var answer *transport.Error
	if err == nil || !errors.As(err, &answer) {
		return cmp.Or(explainLogin(doing, err), wrap(doing, err))
	}
	writes := isWrite(answer)
	who := nameAnswerer(ref, answer)
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return operr.New("correct the name of the image, or push the image first", "%s: %w", doing, ErrNotFound)
	case writes && isFull(answer):
		return operr.New("remove old images from the registry, or ask for a higher quota", "%s: %s has no room for the image, because its quota is used up (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		needs := "`packages: read`"
		if writes {
			needs = "`packages: write`"
		}
		return operr.New("log in with "+LoginTo(ref)+"; in a workflow, the job needs "+needs, "%s: %s refused the request (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusTooManyRequests:
		return operr.New("wait, then run the same command again: nothing is lost", "%s: %s received too many requests (429): %w", doing, who, said{error: err})
	case status >= http.StatusInternalServerError:
		return operr.New("run the same command again: nothing is lost", "%s: %s failed (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusRequestEntityTooLarge:
		return operr.New("raise the size limit for uploads of the registry, or of a proxy before the registry (in nginx, client_max_body_size)", "%s: the upload is too large for %s, or for a proxy before it (413): %w", doing, who, said{error: err})
	case writes && (status == http.StatusUnsupportedMediaType || saysAny(answer, "manifest_invalid", "manifest invalid")):
		return operr.New("update the registry, or push to a registry that accepts OCI image indexes", "%s: %s does not accept an index of images with attestations (%d): %w", doing, who, status, said{error: err})
	case status >= http.StatusBadRequest:
		return operr.New("look for the reason in the answer above, or in the log of the registry", "%s: %s refused the request (%d): %w", doing, who, status, said{error: err})
	}
	return wrap(doing, err)
}

// isWrite reports whether a push, or the login for one, was refused.
func isWrite(answer *transport.Error) bool {
	q := answer.Request
	return q != nil && (q.Method != http.MethodGet && q.Method != http.MethodHead || strings.Contains(q.URL.Query().Get("scope"), "push"))
}

// isFull reports whether a registry refused a push because its storage or quota is full.
func isFull(answer *transport.Error) bool {
	return answer.StatusCode == http.StatusInsufficientStorage ||
		answer.StatusCode < http.StatusInternalServerError && saysAny(answer, "quota", "storage limit", "storage resource", "configured upper limit")
}

// nameAnswerer names the server that responded: the image's registry, or a server to which the registry referred us for a login or for content.
func nameAnswerer(ref string, answer *transport.Error) string {
	registry, err := parse(ref)
	if err != nil {
		registry, err = parse(ref + ":" + name.DefaultTag)
	}
	if err != nil || answer.Request == nil || answer.Request.URL.Host == registry.Context().RegistryStr() {
		return "the registry"
	}
	return "the server " + answer.Request.URL.Host + ", to which the registry refers,"
}

// saysAny reports whether a registry's response contains one of the lower-case words. Occurrences in the image's name do not count.
func saysAny(answer *transport.Error, words ...string) bool {
	text := strings.ToLower(answer.Error())
	if answer.Request != nil {
		text = strings.ReplaceAll(text, strings.ToLower(answer.Request.URL.Path), "")
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// ErrLogin is in the chain of an error if docker's configuration or a credential helper cannot provide the login for a registry.
var ErrLogin = errors.New("cannot read docker's logins")

// NextForHelper is the next step for an unusable credential helper.
const NextForHelper = "install this helper, or remove it from docker's config.json (credsStore, credHelpers), which is in ~/.docker or in the folder DOCKER_CONFIG"

// helperNamed matches a credential helper's name in an error message from docker.
var helperNamed = lazyregexp.New(`docker-credential-[\w.-]+`)

// explainLogin returns an error if err says that docker's logins cannot be read, and nil otherwise. The request was not sent.
func explainLogin(doing string, err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	if helper := helperNamed().FindStringSubmatch(said); helper != nil {
		return operr.New(NextForHelper, "%s: docker's config.json names the credential helper %s, which does not run: %w", doing, helper[0], unread{error: err})
	}
	if strings.Contains(said, "error getting credentials") {
		return operr.New("log in again with the helper that config.json names (credsStore, credHelpers); config.json is in ~/.docker, or in the folder DOCKER_CONFIG",
			"%s: docker's config.json names a credential helper, which failed: %w", doing, unread{error: err})
	}
	if strings.Contains(said, "config.json") || strings.Contains(said, "parsing config") {
		return operr.New("correct config.json, which is in ~/.docker or in the folder DOCKER_CONFIG; or move the file away, and log in again", "%s: docker's configuration cannot be read: %w", doing, unread{error: err})
	}
	return nil
}

// unread is an ErrLogin with its cause.
type unread struct{ error }

func (unread) Is(target error) bool { return target == ErrLogin }

func (u unread) Error() string { return httpclient.Sanitize(u.error.Error()) }

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return operr.New("check that the registry can be reached; then run the same command again: nothing is lost", "%s: %w", doing, httpclient.Plain(err))
}
