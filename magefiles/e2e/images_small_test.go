package e2e_test

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/imagebench"
)

// small is a downstream whose image builds in seconds, for tests in which the image's content does not matter. Like the Dockerfiles of other
// repositories, its Dockerfile leaves file times to BuildKit and has no entry point.
var small = map[string]string{
	"small/pixi.toml": `[workspace]
name = "small"
version = "1.2.3"
channels = ["https://repo.prefix.dev/foopack", "https://prefix.dev/conda-forge"]
platforms = ["linux-64", "linux-aarch64"]
[dependencies]
foopack-core = "==0.1.0"
[tool.image]
platforms = ["linux/amd64", "linux/arm64"]
check = ["sh", "-c", "sleep 1 && grep made /made"]
cache = "none"
`,
	"small/Dockerfile": `ARG BASE_IMAGE
FROM --platform=$BUILDPLATFORM ${BASE_IMAGE} AS native
ARG TARGETARCH
RUN echo "made for $TARGETARCH" >/made
FROM ${BASE_IMAGE}
COPY --from=native /made /made
COPY notes /notes
`,
}

// smallTags returns the small image's tags for the checked-out commit, in the order in which they are moved.
func (w *imaging) smallTags() []string {
	head := w.Run(w.root, "git", "rev-parse", "HEAD")
	return []string{"small:sha-" + head[:12], "small:1.2.3", "small:1.2", "small:1", "small:latest"}
}

// addSmall adds the small downstream and commits it.
func (w *imaging) addSmall() {
	for name, text := range small {
		path := filepath.Join(w.root, filepath.FromSlash(name))
		require.NoError(w.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(w.t, os.WriteFile(path, []byte(text), 0o644))
	}
	w.note("feat: a small image")
}

// note changes a source file of the small image and commits the change.
func (w *imaging) note(message string) {
	file := filepath.Join(w.root, "small", "notes")
	text, err := os.ReadFile(file)
	require.True(w.t, err == nil || os.IsNotExist(err))
	require.NoError(w.t, os.WriteFile(file, append(text, message+"\n"...), 0o644))
	w.commit(message)
}

// edit replaces text in a file of the repository.
func (w *imaging) edit(file, old, text string) {
	w.t.Helper()
	path := filepath.Join(w.root, filepath.FromSlash(file))
	before, err := os.ReadFile(path)
	require.NoError(w.t, err)
	require.Contains(w.t, string(before), old)
	require.NoError(w.t, os.WriteFile(path, []byte(strings.Replace(string(before), old, text, 1)), 0o644))
}

// merged builds each platform separately, as native runners do, and merges the results.
func (w *imaging) merged(t *testing.T) {
	w.addSmall()
	alone := w.result("docker:image", "small", "-platform=linux/amd64")
	require.False(t, alone.Pushed)
	require.Equal(t, []string{"linux/amd64"}, alone.Checked)
	before := w.tags()
	require.Empty(t, before, "without -push nothing leaves the machine")
	amd64 := w.result("docker:image", "small", "-platform=linux/amd64", "-push", "-yes")
	require.Empty(t, moved(amd64))
	require.Equal(t, before, w.tags(), "one platform moves no tag")
	require.FileExists(t, filepath.Join(w.root, "output", "images", "small", "linux-amd64.digest"))
	w.fails("none of the digests is for linux/arm64", "docker:merge", "small", "-yes")
	again := w.result("docker:image", "small", "-platform=linux/amd64", "-push", "-yes")
	require.True(t, again.Reused)
	require.Equal(t, amd64.Digest, again.Digest)
	arm64 := w.result("docker:image", "small", "-platform=linux/arm64", "-push", "-yes")
	require.Equal(t, []string{"linux/arm64"}, arm64.Checked)
	w.fails("two digests are for the same platform", "docker:merge", "small", "-yes", "-digests="+amd64.Digest+","+amd64.Digest+","+arm64.Digest)

	r := w.result("docker:merge", "small", "-yes")
	require.Equal(t, w.smallTags(), ofSmall(moved(r)))
	require.Len(t, r.Images, 2)
	require.Equal(t, amd64.Images[0].Digest, r.Images[0].Digest)
	require.Equal(t, arm64.Images[0].Digest, r.Images[1].Digest)
	require.Equal(t, r.Digest, w.tags()["small:latest"])
	require.True(t, w.result("docker:image", "small", "-push", "-yes").Reused, "the merged image is the same as the image that one machine builds")

	w.note("fix: something")
	other := w.result("docker:image", "small", "-platform=linux/arm64", "-push", "-yes")
	w.fails("was built from", "docker:merge", "small", "-yes", "-digests="+amd64.Digest+","+other.Digest)
}

func ofSmall(tags []string) (full []string) {
	for _, tag := range tags {
		full = append(full, "small:"+tag)
	}
	return full
}

// cached stores each platform's build cache in the registry, for builders that start with an empty cache.
func (w *imaging) cached(t *testing.T) {
	w.edit("small/pixi.toml", `cache = "none"`, `cache = "registry"`)
	w.commit("build: keep the cache in the registry")
	forget := func() {
		w.Run("", "docker", "buildx", "prune", "--builder", w.Builder, "--all", "--force", "--filter", "type=regular")
	}
	forget()
	first := w.result("docker:image", "small", "-push", "-yes")
	require.Contains(t, strings.Join(first.Ran, "\n"), "native 2/2] RUN")
	require.Subset(t, slices.Collect(maps.Keys(w.tags())), []string{"small:cache-linux-amd64", "small:cache-linux-arm64"})

	forget()
	single := w.result("docker:image", "small", "-platform=linux/arm64", "-push", "-yes", "-again")
	require.NotContains(t, strings.Join(single.Ran, "\n"), "native", "the step comes from the registry's cache")
	require.Contains(t, strings.Join(single.Cached, "\n"), "native 2/2] RUN")
	require.Contains(t, w.mage("docker:plan", "small", "-platform=linux/arm64", "-verify"), "✓ compare", "BuildKit set the times")
}

// trouble makes the registry and the builder fail in several ways.
func (w *imaging) trouble(t *testing.T) {
	w.note("fix: trouble")
	on := func(method, part string, status int) imagebench.Fault {
		return func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.Contains(r.URL.Path, part) {
				return false
			}
			if status == 0 { // the connection is dropped
				panic(http.ErrAbortHandler)
			}
			code := map[int]string{401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS", 500: "UNKNOWN"}[status] // error codes from distribution-spec
			http.Error(rw, `{"errors":[{"code":"`+code+`","message":"made to fail"}]}`, status)
			return true
		}
	}
	for _, c := range []struct {
		fault imagebench.Fault
		says  string
	}{
		{on(http.MethodPut, "/manifests/sha256:", http.StatusInternalServerError), "the upload to the registry failed"},
		{on(http.MethodPut, "/manifests/sha256:", http.StatusTooManyRequests), "the registry allows no more requests for now (429)"},
		{on(http.MethodPut, "/manifests/sha256:", 0), "the upload to the registry failed"},
		{on(http.MethodPut, "/manifests/sha256:", http.StatusForbidden), "the registry refused the upload"},
		{on(http.MethodPut, "/manifests/sha-", http.StatusInternalServerError), "the registry failed (500)"},
		{on(http.MethodGet, "/tags/list", http.StatusUnauthorized), "the registry refused the request (401)"},
	} {
		before := w.tags()
		w.Fail(c.fault)
		out, problems, err := w.run(nil, "docker:image", "small", "-push", "-yes")
		w.Fail(nil)
		require.Error(t, err, out)
		require.Contains(t, problems, c.says, out)
		require.Contains(t, problems, "\n→ ")
		require.Equal(t, before, w.tags(), "no tag moved")
	}
	w.Fail(on(http.MethodPut, "/manifests/latest", http.StatusInternalServerError))
	out, problems, err := w.run(nil, "docker:image", "small", "-push", "-yes")
	w.Fail(nil)
	require.Error(t, err, out)
	require.Contains(t, problems, "the registry failed (500)")
	r := w.result("docker:image", "small", "-push", "-yes")
	require.True(t, r.Reused)
	require.Equal(t, []string{"latest"}, moved(r), "when the registry works again, the same command continues")

	w.buildxTrouble(t)
	out, problems, err = w.run([]string{"IMAGE_REGISTRY=127.0.0.1:1/nobody"}, "docker:plan", "small")
	require.NoError(t, err, problems)
	require.Contains(t, out, "cannot tell which tags would move", "a plan can be looked at without the registry")
}

// buildxTrouble runs without buildx, without the builder, and without docker.
func (w *imaging) buildxTrouble(t *testing.T) {
	for _, c := range []struct{ env, says string }{
		{"DOCKER_CONFIG=" + t.TempDir(), "docker has no buildx on this machine|there is no builder"},
		{"BUILDX_BUILDER=nobody", `there is no builder "nobody"`},
		{"PATH=" + t.TempDir(), "docker is not on PATH"},
	} {
		env := []string{c.env}
		if strings.HasPrefix(c.env, "PATH=") {
			git, err := exec.LookPath("git")
			require.NoError(t, err)
			require.NoError(t, os.Symlink(git, filepath.Join(strings.TrimPrefix(c.env, "PATH="), "git")))
		}
		out, problems, err := w.run(env, "docker:image", "small", "-push", "-yes", "-again")
		require.Error(t, err, out)
		require.Regexp(t, c.says, problems)
		require.Contains(t, problems, "\n→ ")
	}
}
