// Package images has the registry of images of a rehearsal, who may push to it, and what builds for it.
package images

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
)

// Registry starts a registry of images in a folder, behind a handler that wrap puts before it. Its host is HOST:PORT, and end ends it.
type Registry func(dir string, wrap func(http.Handler) http.Handler) (host string, end func(), err error)

// May says what a token may do with packages: "write", "read", or "" for nothing.
type May func(token string) string

// Images is a registry that runs, and what builds for it.
type Images struct {
	End  func()
	Why  string // images are not built here; "" where they are
	Host string // of the registry, HOST:PORT

	jobs   string // folder for the configuration of docker that jobs have where a builder is there
	docker string // the folder of docker's configuration in which the person is logged in; "" where a builder has its own
}

// Start looks for the builder, and starts a registry in a folder. Where nothing builds, stand-ins are pushed, and the registry takes them from
// those alone who may write packages; token is the person's.
func Start(ctx context.Context, builder *buildx.Builder, serve Registry, dir, token string, may May) (*Images, error) {
	node, err := builder.Look(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	i := &Images{}
	switch {
	case err != nil:
		i.Why = err.Error()
	case !node.Loopback():
		i.Why = "the builder " + node.Name + " has a network of its own, and cannot reach a registry on this machine's loopback; " +
			"`docker buildx create --use --driver-opt network=host` makes one that can"
	}
	guard := func(next http.Handler) http.Handler { return next }
	if i.Why != "" {
		guard = may.guard
	}
	if i.Host, i.End, err = serve(filepath.Join(dir, "registry"), guard); err != nil {
		return nil, err
	}
	if i.Why == "" {
		i.jobs = filepath.Join(dir, "docker-of-jobs")
		return i, nil
	}
	i.docker = filepath.Join(dir, "docker")
	auth := base64.StdEncoding.EncodeToString([]byte("rehearsal:" + token))
	text, err := json.Marshal(map[string]any{"auths": map[string]any{i.Host: map[string]string{"auth": auth}}})
	if err := errors.Join(err, os.MkdirAll(i.docker, 0o700), os.WriteFile(filepath.Join(i.docker, "config.json"), text, 0o600)); err != nil {
		i.End()
		return nil, err
	}
	return i, nil
}

// owner is behind the registry's host in the name of each image.
const owner = "/rehearsal"

// Environ are variables of what is run in the clone.
func (i *Images) Environ() []string {
	env := []string{"IMAGE_REGISTRY=" + i.Host + owner}
	if i.docker != "" {
		env = append(env, "REHEARSAL_BUILDER=stand-in", "DOCKER_CONFIG="+i.docker)
	}
	return env
}

// OfJobs are variables of jobs: where a builder is there, it is reached as the person reaches it, and builds from the same mirrors.
func (i *Images) OfJobs(person []string) []string {
	env := []string{"IMAGE_REGISTRY=" + i.Host + owner}
	if i.docker != "" {
		return append(env, "REHEARSAL_BUILDER=stand-in")
	}
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "BUILDKIT_HOST", "BUILDX_BUILDER", "PIXI_CONFIG", "PIXI_IMAGE", "BASE_IMAGE"} {
		if v, set := command.Getenv(person, name); set {
			env = append(env, name+"="+v)
		}
	}
	config, set := command.Getenv(person, "DOCKER_CONFIG")
	if home, _ := command.Getenv(person, "HOME"); !set {
		config = filepath.Join(home, ".docker")
	}
	if err := os.MkdirAll(i.jobs, 0o700); err == nil { // of the person's there are the programs and contexts, and no login
		for _, name := range []string{"cli-plugins", "contexts"} {
			_ = os.Symlink(filepath.Join(config, name), filepath.Join(i.jobs, name)) // docker says what it lacks
		}
		env = append(env, "DOCKER_CONFIG="+i.jobs)
	}
	if v, set := command.Getenv(person, "BUILDX_CONFIG"); set {
		return append(env, "BUILDX_CONFIG="+v)
	}
	return append(env, "BUILDX_CONFIG="+filepath.Join(config, "buildx"))
}

// guard lets a registry take something from those alone who may write packages.
func (may May) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, token, is := r.BasicAuth()
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case reads && (is || strings.TrimSuffix(r.URL.Path, "/") != "/v2"), is && may(token) == "write":
			next.ServeHTTP(out, r)
		case !is: // and who asks which login is wanted
			out.Header().Set("WWW-Authenticate", `Basic realm="the registry of a rehearsal"`)
			refuse(out, http.StatusUnauthorized, "UNAUTHORIZED", "nobody is logged in")
		default:
			refuse(out, http.StatusForbidden, "DENIED", "the token may not write packages: the permissions of its job lack packages: write")
		}
	})
}

// refuse answers as distribution-spec has it.
func refuse(out http.ResponseWriter, status int, code, message string) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}}) // who is gone is not told
}
