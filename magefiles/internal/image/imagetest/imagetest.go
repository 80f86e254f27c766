// Package imagetest provides test helpers for package image and its subpackages: a monorepo with an image, a fake docker with scripted output, and
// registries with injectable failures.
package imagetest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Monorepo is a workspace whose downstream has an image, as a txtar archive.
const Monorepo = `
-- pixi.toml --
[workspace]
name = "w"
channels = []
platforms = []
-- lib/pixi.toml --
[package]
name = "lib"
version = "1.0.0"
[package.build]
backend = { name = "pixi-build-cmake" }
-- app/pixi.toml --
[workspace]
name = "theapp"
version = "1.2.3"
channels = ["https://channels.example/ours", "https://channels.example/others"]
platforms = ["linux-64", "linux-aarch64"]
[dependencies]
lib = "==1.0.0"
python = ">=3.11"
[target.linux-aarch64.dependencies]
special = "*"
[tasks]
check = "python -c 'import lib'"
[tool.image]
name = "TheApp"
platforms = ["linux/amd64", "linux/arm64"]
cache = "registry"
-- app/pyproject.toml --
[project]
name = "theapp"
version = "1.2.3"
description = "Costs 3 ${dollars} and %{percent}"
license = "MIT"
`

// Load loads a workspace from an archive and returns its downstream.
func Load(t *testing.T, archive string) *workspace.Downstream {
	t.Helper()
	root := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(root, f.Name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, f.Data, 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	require.Len(t, w.Downstreams, 1)
	return w.Downstreams[0]
}

// Docker returns a runner that calls f instead of docker.
func Docker(f func(ctx context.Context, c command.Cmd) error) *commandtest.Script {
	return &commandtest.Script{Programs: map[string]func(context.Context, command.Cmd) error{"docker": f}}
}

// Say returns a fake docker that prints a text and exits with a status.
func Say(code int, text string) func(context.Context, command.Cmd) error {
	return func(_ context.Context, c command.Cmd) error {
		fmt.Fprint(c.Stdout, text)
		if code != 0 {
			return &command.ExitError{Name: "docker", Code: code, Tail: text}
		}
		return nil
	}
}

// Program returns a runner that redacts secrets. Its docker prints a text and exits with a status.
func Program(t *testing.T, said string, status int, environ ...string) command.Runner {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "said"), []byte(said), 0o644))
	commandtest.WriteProgram(t, filepath.Join(dir, "docker"), fmt.Sprintf("#!/bin/sh\n/bin/cat %s\nexit %d\n", filepath.Join(dir, "said"), status))
	return command.NewSystem(append(environ, "PATH="+dir), nil)
}

// AtOnce returns a Wait with a fake clock, which advances by each pause.
func AtOnce() pause.Wait {
	var passed atomic.Int64
	return pause.Wait{
		Now: func() time.Time { return time.Unix(0, passed.Load()) },
		Pause: func(ctx context.Context, d time.Duration) error {
			passed.Add(int64(d))
			return context.Cause(ctx)
		},
	}
}

// NoPause returns without waiting.
func NoPause(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) }

// Shop is an HTTP registry with injectable failures.
type Shop struct {
	Host   string
	Status func(r *http.Request) int // 0 passes the request to the registry

	mu   sync.Mutex
	code string // error code of distribution-spec; "" uses MADE, which is not a defined code
}

// NewShop starts a shop.
func NewShop(t *testing.T) *Shop {
	s := &Shop{}
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		status, word := s.Status, cmp.Or(s.code, "MADE")
		s.mu.Unlock()
		if status != nil {
			if code := status(r); code != 0 {
				http.Error(w, `{"errors":[{"code":"`+word+`","message":"made to fail"}]}`, code)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.Host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// Put pushes an image for the given platforms by digest, with provenance, like BuildKit.
func (s *Shop) Put(t *testing.T, repository string, labels map[string]string, platforms ...string) (digest string) {
	t.Helper()
	index := v1.ImageIndex(mutate.IndexMediaType(empty.Index, "application/vnd.oci.image.index.v1+json"))
	index = mutate.Annotations(index, map[string]string{"k": "v"}).(v1.ImageIndex)
	for _, platform := range platforms {
		img, err := random.Image(64, 2)
		require.NoError(t, err)
		os, arch, _ := strings.Cut(platform, "/")
		c, err := img.ConfigFile()
		require.NoError(t, err)
		c.OS, c.Architecture, c.Config.Labels, c.Config.Entrypoint = os, arch, labels, []string{"/entry"}
		img, err = mutate.ConfigFile(img, c)
		require.NoError(t, err)
		sum, err := img.Digest()
		require.NoError(t, err)
		attestation, err := random.Image(64, 1)
		require.NoError(t, err)
		layers, err := attestation.Layers()
		require.NoError(t, err)
		attestation, err = mutate.Append(empty.Image, mutate.Addendum{Layer: layers[0], Annotations: map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}})
		require.NoError(t, err)
		index = mutate.AppendManifests(index,
			mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: os, Architecture: arch, Variant: map[string]string{"arm64": "v8"}[arch]}}},
			mutate.IndexAddendum{
				Add: attestation,
				Descriptor: v1.Descriptor{
					Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
					Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": sum.String()},
				},
			})
	}
	sum, err := index.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(repository + "@" + sum.String())
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index))
	return sum.String()
}

// Refuse makes the shop respond to matching requests with a status and an error code of distribution-spec.
func (s *Shop) Refuse(status int, code string, which func(r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
	s.Status = func(r *http.Request) int {
		if r.URL.Path != "/v2/" && which(r) {
			return status
		}
		return 0
	}
}

// Counted is an embedded registry that records its requests.
type Counted struct {
	*localregistry.Server
	mu    sync.Mutex
	asked []string // METHOD PATH
}

// NewCounted starts an embedded registry that records requests.
func NewCounted(t *testing.T) *Counted {
	t.Helper()
	c := &Counted{}
	var err error
	c.Server, err = localregistry.Start(t.TempDir(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c.mu.Lock()
			c.asked = append(c.asked, r.Method+" "+r.URL.Path)
			c.mu.Unlock()
			next.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// Since returns the requests since the last call. It omits requests that only cancel an upload, because nothing waits for them.
func (c *Counted) Since() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asked {
		if !strings.HasPrefix(a, http.MethodDelete) {
			all = append(all, a)
		}
	}
	c.asked = nil
	return all
}

// Reporter is a function that implements steps.Reporter.
type Reporter func(name string, f func() (evidence string, err error)) error

// Step calls r.
func (r Reporter) Step(name string, f func() (evidence string, err error)) error { return r(name, f) }

// Quiet runs a step without printing anything.
var Quiet Reporter = func(_ string, f func() (evidence string, err error)) error {
	_, err := f()
	return err
}
