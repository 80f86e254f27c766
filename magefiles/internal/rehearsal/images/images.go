// Package images runs a rehearsal's image registry: it controls who may push, and chooses the builder.
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

// Registry starts an image registry in a folder, and wraps its handler with `wrap`. `host` is HOST:PORT, and `end` stops the registry.
type Registry func(dir string, wrap func(http.Handler) http.Handler) (host string, end func(), err error)

// May returns a token's permission for packages: "write", "read", or "" for none.
type May func(token string) string

// Images is a running registry, and the builder for it.
type Images struct {
	End  func()
	Why  string // why this machine cannot build images; "" if it can
	Host string // HOST:PORT of the registry

	person []string // the user's environment
	docker string   // docker configuration folder with the user's login to the registry
}

// Start looks for the builder, and starts a registry in a folder. The registry accepts images only from tokens that may write packages. `person` is
// the user's environment, and `token` is the user's token. Without a builder, stand-ins are pushed.
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
		i.Why = "the builder " + node.Name + " has a separate network, and cannot reach a registry on this machine's loopback; " +
			"`docker buildx create --use --driver-opt network=host` makes a builder that can"
	}
	var end func()
	if i.Host, end, err = serve(filepath.Join(dir, "registry"), may.guard); err != nil {
		return nil, err
	}
	i.End = func() {
		end()
		_ = os.RemoveAll(i.docker) // the rest is removed with the rehearsal's folder
	}
	if err := i.logIn(token); err != nil {
		i.End()
		return nil, err
	}
	return i, nil
}

// logIn writes a docker configuration with the user's login to the registry. If images are built, it includes the user's own configuration, because
// a builder pulls with these logins.
func (i *Images) logIn(token string) error {
	if err := os.MkdirAll(i.docker, 0o700); err != nil {
		return err
	}
	file := configfile.New(filepath.Join(i.docker, config.ConfigFileName))
	if i.Why == "" {
		theirs, err := config.Load(i.theirs())
		if err != nil {
			return operr.New("correct this file, or set DOCKER_CONFIG to another folder", "reading docker's configuration: %w", err)
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
	if file.CredentialsStore != "" { // the login for this host is in the file, not in the store
		if file.CredentialHelpers == nil {
			file.CredentialHelpers = map[string]string{}
		}
		file.CredentialHelpers[i.Host] = ""
	}
	file.AuthConfigs[i.Host] = types.AuthConfig{Username: "rehearsal", Password: token}
	return file.Save()
}

// These are folders of docker's configuration for jobs.
const (
	pluginFolder  = "cli-plugins"
	contextFolder = "contexts"
)

// `theirs` returns the user's docker configuration folder.
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

// owner is the part after the registry's host in each image name.
const owner = "/rehearsal"

// Environ returns variables for processes in the clone.
func (i *Images) Environ() []string {
	env := []string{"IMAGE_REGISTRY=" + i.Host + owner, "DOCKER_CONFIG=" + i.docker}
	if i.Why != "" {
		env = append(env, "REHEARSAL_BUILDER=stand-in")
	}
	return env
}

// OfJobs returns variables for jobs. If there is a builder, jobs use the same builder and mirrors as the user.
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

// Furnish adds docker's configuration to a job's HOME: the user's plugins and a copy of the user's contexts, but no logins. GitHub's machines provide
// these in other places. Changes by a job stay in its own HOME.
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
	if errors.Is(err, fs.ErrNotExist) { // a user without contexts has no such folder
		return nil
	}
	return err
}

// guard makes a registry accept writes only from tokens that may write packages.
func (may May) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		_, token, is := r.BasicAuth()
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case reads && (is || strings.TrimSuffix(r.URL.Path, "/") != "/v2"), is && may(token) == "write":
			next.ServeHTTP(out, r)
		case !is: // a client without a token asks which login is needed
			out.Header().Set("WWW-Authenticate", `Basic realm="the registry of a rehearsal"`)
			refuse(out, http.StatusUnauthorized, "UNAUTHORIZED", "nobody is logged in")
		default:
			refuse(out, http.StatusForbidden, "DENIED", "the token may not write packages: the permissions of its job lack packages: write")
		}
	})
}

// refuse responds in the format of distribution-spec.
func refuse(out http.ResponseWriter, status int, code, message string) {
	out.Header().Set("Content-Type", "application/json")
	out.WriteHeader(status)
	_ = json.NewEncoder(out).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}}) // the client may be gone
}
