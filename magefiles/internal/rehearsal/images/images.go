// Package images has the registry of images of a rehearsal, who may push to it, and what builds for it.
package images

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/operr"
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

	person []string // the person's environment
	docker string   // the folder of docker's configuration in which the person is logged in to the registry
}

// Start looks for the builder, and starts a registry in a folder, which takes an image from those alone who may write packages. person is the person's
// environment, and token theirs. Where nothing builds, stand-ins are pushed.
func Start(ctx context.Context, builder *buildx.Builder, serve Registry, dir string, person []string, token string, may May) (*Images, error) {
	node, err := builder.Look(ctx)
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	i := &Images{person: person, docker: filepath.Join(dir, "docker")}
	switch {
	case err != nil:
		i.Why = err.Error()
	case !node.Loopback():
		i.Why = "the builder " + node.Name + " has a network of its own, and cannot reach a registry on this machine's loopback; " +
			"`docker buildx create --use --driver-opt network=host` makes one that can"
	}
	var end func()
	if i.Host, end, err = serve(filepath.Join(dir, "registry"), may.guard); err != nil {
		return nil, err
	}
	i.End = func() {
		end()
		_ = os.RemoveAll(i.docker) // what stays goes with the folder of the rehearsal
	}
	if err := i.logIn(token); err != nil {
		i.End()
		return nil, err
	}
	return i, nil
}

// logIn makes the configuration of docker in which the person is logged in to the registry. Where images are built it is the person's own beside: a builder
// pulls with its logins.
func (i *Images) logIn(token string) error {
	if err := os.MkdirAll(i.docker, 0o700); err != nil {
		return err
	}
	file := configfile.New(filepath.Join(i.docker, config.ConfigFileName))
	if i.Why == "" {
		theirs, err := config.Load(i.theirs())
		if err != nil {
			return operr.New("correct it, or name another folder in DOCKER_CONFIG", "reading docker's configuration: %w", err)
		}
		theirs.Filename, file = file.Filename, theirs
		entries, err := os.ReadDir(i.theirs())
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if e.Name() == config.ConfigFileName {
				continue
			}
			if err := os.Symlink(filepath.Join(i.theirs(), e.Name()), filepath.Join(i.docker, e.Name())); err != nil {
				return err
			}
		}
	}
	if file.CredentialsStore != "" { // of this host alone the login stands in the file
		if file.CredentialHelpers == nil {
			file.CredentialHelpers = map[string]string{}
		}
		file.CredentialHelpers[i.Host] = ""
	}
	file.AuthConfigs[i.Host] = types.AuthConfig{Username: "rehearsal", Password: token}
	return file.Save()
}

// The folders of docker's configuration that jobs are given.
const (
	pluginFolder  = "cli-plugins"
	contextFolder = "contexts"
)

// theirs is the folder of docker's configuration that the person has.
func (i *Images) theirs() string {
	if dir, _ := command.Getenv(i.person, "DOCKER_CONFIG"); dir != "" {
		if abs, err := filepath.Abs(dir); err == nil {
			return abs
		}
		return dir
	}
	home, _ := command.Getenv(i.person, "HOME")
	return filepath.Join(home, ".docker")
}

// owner is behind the registry's host in the name of each image.
const owner = "/rehearsal"

// Environ are variables of what is run in the clone.
func (i *Images) Environ() []string {
	env := []string{"IMAGE_REGISTRY=" + i.Host + owner, "DOCKER_CONFIG=" + i.docker}
	if i.Why != "" {
		env = append(env, "REHEARSAL_BUILDER=stand-in")
	}
	return env
}

// OfJobs are variables of jobs: where a builder is there, it is reached as the person reaches it, and builds from the same mirrors.
func (i *Images) OfJobs() []string {
	env := []string{"IMAGE_REGISTRY=" + i.Host + owner}
	if i.Why != "" {
		return append(env, "REHEARSAL_BUILDER=stand-in")
	}
	for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "BUILDKIT_HOST", "BUILDX_BUILDER", "PIXI_CONFIG", "PIXI_IMAGE", "BASE_IMAGE"} {
		if v, set := command.Getenv(i.person, name); set {
			env = append(env, name+"="+v)
		}
	}
	if v, set := command.Getenv(i.person, "BUILDX_CONFIG"); set {
		return append(env, "BUILDX_CONFIG="+v)
	}
	return append(env, "BUILDX_CONFIG="+filepath.Join(i.theirs(), "buildx"))
}

// Furnish puts into the HOME of a job what docker finds elsewhere on GitHub's machines: the programs of the person's configuration and a
// copy of its contexts, and no login. What a job adds or removes there is its own.
func (i *Images) Furnish(home string) error {
	if i.Why != "" {
		return nil
	}
	dir := filepath.Join(home, ".docker")
	for _, name := range []string{pluginFolder, contextFolder} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	plugins, err := os.ReadDir(filepath.Join(i.theirs(), pluginFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, p := range plugins {
		if err := os.Symlink(filepath.Join(i.theirs(), pluginFolder, p.Name()), filepath.Join(dir, pluginFolder, p.Name())); err != nil {
			return err
		}
	}
	err = os.CopyFS(filepath.Join(dir, contextFolder), os.DirFS(filepath.Join(i.theirs(), contextFolder)))
	if errors.Is(err, fs.ErrNotExist) { // who uses no context has no folder for them
		return nil
	}
	return err
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
