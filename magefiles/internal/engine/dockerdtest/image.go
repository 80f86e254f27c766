package dockerdtest

import (
	"archive/tar"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// Registry is a registry on loopback that engines pull from.
type Registry struct {
	Host string // HOST:PORT

	login authn.Authenticator
	gone  atomic.Bool
}

// SetGone sets whether the registry is unreachable.
func (r *Registry) SetGone(gone bool) { r.gone.Store(gone) }

// StartRegistry starts a registry, which requires a login unless user is "". It stops when the test ends.
func StartRegistry(t testing.TB, user, password string) *Registry {
	t.Helper()
	r := &Registry{login: authn.Anonymous}
	if user != "" {
		r.login = &authn.Basic{Username: user, Password: password}
	}
	server, err := localregistry.Start(t.TempDir(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if r.gone.Load() {
				panic(http.ErrAbortHandler)
			}
			if u, p, _ := q.BasicAuth(); u != user || p != password {
				w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
				http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, q)
		})
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	r.Host = server.Host
	return r
}

// At returns an existing registry that does not require a login.
func At(host string) *Registry { return &Registry{Host: host, login: authn.Anonymous} }

// Build compiles a package of this module to a static program, and returns its content.
func Build(t testing.TB, pkg string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	x := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, pkg)
	x.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := x.CombinedOutput()
	require.NoError(t, err, "building %s: %s", pkg, said)
	program, err := os.ReadFile(out)
	require.NoError(t, err)
	return program
}

// Image returns an image with a single program, whose path is the first word of the entrypoint.
func Image(t testing.TB, program []byte, arch string, config v1.Config) v1.Image {
	t.Helper()
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(config.Entrypoint[0], "/"), Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}))
	_, err := w.Write(program)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil })
	require.NoError(t, err)
	image, err := mutate.AppendLayers(empty.Image, layer)
	require.NoError(t, err)
	file, err := image.ConfigFile()
	require.NoError(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", arch, config
	image, err = mutate.ConfigFile(image, file)
	require.NoError(t, err)
	return image
}

// Attest adds provenance for an image to an index, like BuildKit.
func Attest(t testing.TB, index v1.ImageIndex, about v1.Image) v1.ImageIndex {
	t.Helper()
	of, err := about.Digest()
	require.NoError(t, err)
	attested, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), mutate.Addendum{
		Layer:       static.NewLayer([]byte(`{"predicateType": "https://slsa.dev/provenance/v1"}`), "application/vnd.in-toto+json"),
		Annotations: map[string]string{"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"},
	})
	require.NoError(t, err)
	return mutate.AppendManifests(index, mutate.IndexAddendum{
		Add: attested,
		Descriptor: v1.Descriptor{
			Platform:    &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of.String()},
		},
	})
}

// Push pushes an image in its own index, and returns REPOSITORY@sha256:… of the index. Different notes result in different indexes.
func (r *Registry) Push(t testing.TB, repository, arch, note string, image v1.Image) string {
	t.Helper()
	index := mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), mutate.IndexAddendum{
		Add:        image,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}, Annotations: map[string]string{"note": note}},
	})
	index = Attest(t, index, image)
	digest, err := index.Digest()
	require.NoError(t, err)
	ref, err := name.NewDigest(r.Host + "/" + repository + "@" + digest.String())
	require.NoError(t, err)
	require.NoError(t, remote.WriteIndex(ref, index, remote.WithAuth(r.login)))
	return ref.String()
}

// Tag tags an index, given as REPOSITORY@sha256:….
func (r *Registry) Tag(pushed, tag string) error {
	ref, err := name.NewDigest(pushed)
	if err != nil {
		return err
	}
	index, err := remote.Index(ref, remote.WithAuth(r.login))
	if err != nil {
		return err
	}
	return remote.Tag(ref.Context().Tag(tag), index, remote.WithAuth(r.login))
}
