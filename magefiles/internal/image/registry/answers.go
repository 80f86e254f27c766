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

// ErrImmutable says that a registry does not let a tag go to another image.
var ErrImmutable = errors.New("the registry keeps the tag")

// ImmutableError is an ErrImmutable with what the registry said.
type ImmutableError struct{ said }

// Is reports whether an error is ErrImmutable.
func (*ImmutableError) Is(target error) bool { return target == ErrImmutable }

// isImmutable reports whether a registry refuses a tag since it keeps tags as they are. Each has a status and a code of its own for that
// (ECR 400, Harbor 412, Docker Hub 403, GitLab 400, others 409), and says the word, or that the tag is there already.
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

// said is an error with words of a registry in it, as a part of a sentence.
type said struct{ error }

func (s said) Error() string { return httpclient.Said(s.error.Error()) }

func (s said) Unwrap() error { return s.error }

// LoginTo is the command that logs in where a repository, or an image in it, is: docker's own registry has no name there.
func LoginTo(ref string) string {
	host, _, found := strings.Cut(ref, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" || host == "docker.io" || host == name.DefaultRegistry {
		return "`docker login`"
	}
	return "`docker login " + operr.Word(host) + "`"
}

// explain says what was being done about a repository, or an image in it, and what to do about what registries answer.
func explain(ref, doing string, err error) error {
	if errors.Is(err, httpclient.ErrStalled) {
		return operr.New("see whether the registry, or a proxy before it, is well; run it again: nothing is lost",
			"%s: the registry took the connection, and says nothing any more: %w", doing, httpclient.Plain(err))
	}
	var answer *transport.Error
	if err == nil || !errors.As(err, &answer) {
		return cmp.Or(explainLogin(doing, err), wrap(doing, err))
	}
	writes := isWrite(answer)
	who := nameAnswerer(ref, answer)
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return operr.New("correct its name, or push it there first", "%s: %w", doing, ErrNotFound)
	case writes && isFull(answer):
		return operr.New("remove images there that nobody needs, or have the quota raised", "%s: %s has no room for it: it has a quota (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		needs := "`packages: read`"
		if writes {
			needs = "`packages: write`"
		}
		return operr.New("log in: "+LoginTo(ref)+"; in a workflow the job needs "+needs, "%s: %s refuses it (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusTooManyRequests:
		return operr.New("wait, and run it again: nothing is lost", "%s: %s allows no more requests for now (429): %w", doing, who, said{error: err})
	case status >= http.StatusInternalServerError:
		return operr.New("run it again: nothing is lost", "%s: %s failed (%d): %w", doing, who, status, said{error: err})
	case status == http.StatusRequestEntityTooLarge:
		return operr.New("see how much the registry, or a proxy before it, takes at a time, and have it take more (client_max_body_size, in nginx)", "%s: it is too large for %s, or for a proxy before it (413): %w", doing, who, said{error: err})
	case writes && (status == http.StatusUnsupportedMediaType || saysAny(answer, "manifest_invalid", "manifest invalid")):
		return operr.New("update it, or push to one that takes OCI's indexes", "%s: %s does not take an index of images with attestations (%d): %w", doing, who, status, said{error: err})
	case status >= http.StatusBadRequest:
		return operr.New("see what the registry, or a proxy before it, has against it", "%s: %s does not take it (%d): %w", doing, who, status, said{error: err})
	}
	return wrap(doing, err)
}

// isWrite reports whether what was refused is a push, or a login for one.
func isWrite(answer *transport.Error) bool {
	q := answer.Request
	return q != nil && (q.Method != http.MethodGet && q.Method != http.MethodHead || strings.Contains(q.URL.Query().Get("scope"), "push"))
}

// isFull reports whether a registry has no room for what is pushed.
func isFull(answer *transport.Error) bool {
	return answer.StatusCode == http.StatusInsufficientStorage ||
		answer.StatusCode < http.StatusInternalServerError && saysAny(answer, "quota", "storage limit", "storage resource", "configured upper limit")
}

// nameAnswerer is who gave an answer about an image: its registry, or another server to which that sent us, for a login or for content.
func nameAnswerer(ref string, answer *transport.Error) string {
	registry, err := parse(ref)
	if err != nil {
		registry, err = parse(ref + ":" + name.DefaultTag)
	}
	if err != nil || answer.Request == nil || answer.Request.URL.Host == registry.Context().RegistryStr() {
		return "the registry"
	}
	return "the server " + answer.Request.URL.Host + ", to which the registry leads,"
}

// saysAny reports whether a registry's answer has one of some words, in lower case, outside of the name of the image.
func saysAny(answer *transport.Error, words ...string) bool {
	text := strings.ToLower(answer.Error())
	if answer.Request != nil {
		text = strings.ReplaceAll(text, strings.ToLower(answer.Request.URL.Path), "")
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// ErrLogin says that docker's configuration, or a program that it names, does not say which login a registry gets.
var ErrLogin = errors.New("docker's logins cannot be read")

// NextForHelper is what to do about a credential helper that cannot be used.
const NextForHelper = "install it, or take it out of docker's config.json (credsStore, credHelpers), in ~/.docker or where DOCKER_CONFIG says"

// helperNamed is the program by which docker keeps logins, in its own error about it.
var helperNamed = lazyregexp.New(`docker-credential-[\w.-]+`)

// explainLogin is the error of a request that was not sent, since docker's logins cannot be read; nil for any other.
func explainLogin(doing string, err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	if helper := helperNamed().FindStringSubmatch(said); helper != nil {
		return operr.New(NextForHelper, "%s: docker's credential helper %s cannot be used, which its config.json names: %w", doing, helper[0], unread{error: err})
	}
	if strings.Contains(said, "error getting credentials") {
		return operr.New("see which one it is (credsStore, credHelpers), and log in with it again; config.json is in ~/.docker, or where DOCKER_CONFIG says",
			"%s: the credential helper that docker's config.json names fails: %w", doing, unread{error: err})
	}
	if strings.Contains(said, "config.json") || strings.Contains(said, "parsing config") {
		return operr.New("correct it, or move it away and log in again: config.json in ~/.docker, or where DOCKER_CONFIG says", "%s: docker's configuration cannot be read: %w", doing, unread{error: err})
	}
	return nil
}

// unread is an ErrLogin that says why.
type unread struct{ error }

func (unread) Is(target error) bool { return target == ErrLogin }

func (u unread) Error() string { return httpclient.Said(u.error.Error()) }

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return operr.New("see whether the registry can be reached; run it again: nothing is lost", "%s: %w", doing, httpclient.Plain(err))
}
