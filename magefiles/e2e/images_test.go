package e2e_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagebench"
	"github.com/foopack/foopack/magefiles/internal/minichannel"
)

// imaging holds a copy of this repository and everything that is needed to build its images.
type imaging struct {
	*imagebench.Bench
	t       testing.TB
	root    string
	config  string // pixi configuration, with mirrors
	env     []string
	commits int // number of commits so far, each a second later than the one before
}

// imageSecret is the key of the private channel. Builds get it as a credential, and no image may contain it.
const imageSecret = "pfx_the_secret_of_image_builds"

// newImaging starts the servers, with an empty private channel.
func newImaging(t testing.TB) *imaging {
	b := imagebench.Start(t)
	root := copyOfOurs(t)
	url, _ := startServer(t, root, t.TempDir(), imageSecret, "-private=foopack")
	config := filepath.Join(t.TempDir(), "config.toml")
	require.NoError(t, os.WriteFile(config, []byte("[mirrors]\n\"https://prefix.dev/conda-forge\" = [\""+minichannel.StartForBoth(t, b.Root)+"\"]\n"), 0o644))
	credentials := filepath.Join(t.TempDir(), "credentials.json")
	require.NoError(t, os.WriteFile(credentials, []byte(`{"127.0.0.1":{"BearerToken":"`+imageSecret+`"}}`), 0o600))
	w := &imaging{
		Bench:  b,
		t:      t,
		root:   root,
		config: config,
		env: append(os.Environ(), append(b.Env(),
			"IMAGE_REGISTRY="+b.Registry+"/SomeOne", "PREFIX_SERVER_URL="+url, "PREFIX_API_KEY="+imageSecret, "PIXI_CONFIG="+config, "RATTLER_AUTH_FILE="+credentials,
			"PIPELINE_TOOLCHAIN=embedded", "GIT_CONFIG_GLOBAL="+os.DevNull,
			"GIT_AUTHOR_NAME=a tester", "GIT_AUTHOR_EMAIL=t@example.invalid", "GIT_COMMITTER_NAME=a tester", "GIT_COMMITTER_EMAIL=t@example.invalid",
		)...),
	}
	w.commit("feat: first")
	return w
}

// TestImages publishes the packages on an embedded prefix.dev, on a private channel, and tests images with the real buildx, BuildKit and a registry.
// A small image comes first: single platforms that are merged, kills, and failures of the registry and the builder. Then our own images are built for
// two platforms without emulation, pushed, read back by skopeo, and run by runc and a Docker engine. They are rebuilt after a source change, built
// again for comparison, and deployed.
func TestImages(t *testing.T) {
	t.Parallel()
	w := newImaging(t)
	w.fails("foopack-core 0.1.0 is not visible", "docker:app", "-push", "-yes") // nothing is published yet
	w.mage("publish", "-yes")
	w.env = append(w.env, "RATTLER_AUTH_FILE=")
	w.fails("foopack-core 0.1.0 is not visible", "docker:app", "-push", "-yes") // not visible without credentials
	w.env = w.env[:len(w.env)-1]

	var app, runtime, later image.Result
	for _, part := range []struct {
		name string
		do   func(t *testing.T)
	}{
		{"single platforms, merged", w.merged},
		{"an image of somebody else's", w.hostile},
		{"killed", w.killed},
		{"trouble", w.trouble},
		{"nothing unproven", w.proven},
		{"cache in the registry", w.cached},
		{"all images for two platforms", func(t *testing.T) { app, runtime = w.pushed(t) }},
		{"read back by skopeo", func(t *testing.T) { w.readBack(t, app) }},
		{"run", func(t *testing.T) { w.runs(t, app, runtime) }},
		{"engine", w.engine},
		{"again", func(t *testing.T) { w.again(t, app) }},
		{"rebuilt and compared", func(t *testing.T) { require.Contains(t, w.mage("docker:plan", "app", "-verify"), "✓ compare") }},
		{"sources changed", func(t *testing.T) { later = w.changed(t, app) }},
		{"deployed", func(t *testing.T) { w.deployed(t, app, later) }},
		{"an empty environment", w.empty},
		{"rehearsed whole", w.rehearsed},
	} {
		passed := t.Run(part.name, func(t *testing.T) {
			w.t = t
			part.do(t)
		})
		if w.t = t; !passed {
			t.FailNow() // the next parts depend on this one
		}
	}
}

// `empty` pushes an image whose Dockerfile does not copy the environment.
func (w *imaging) empty(t *testing.T) {
	w.edit("app/Dockerfile", "/out/${TARGETARCH}/ /", "/out/${TARGETARCH}/app/entrypoint /app/")
	w.commit("fix: an empty environment")
	w.fails("failed its check `sh -c python -m myapp check` on linux/amd64", "docker:app", "-push", "-yes")
	w.Run(w.root, "git", "reset", "--quiet", "--hard", "HEAD~1")
}

// rehearsed rehearses a release, the upgrade of the downstreams, and their images, all against embedded servers.
func (w *imaging) rehearsed(t *testing.T) {
	before := w.tags()
	for _, name := range []string{"publish.yml", "publish-app.yml", "deploy.yml"} {
		text, err := os.ReadFile(filepath.Join(repo, ".github", "workflows", name))
		require.NoError(t, err)
		// The default SBOM generator is not available on this network.
		said := strings.ReplaceAll(string(text), "docker.io/docker/buildkit-syft-scanner:stable-1", "off")
		require.NoError(t, os.WriteFile(filepath.Join(w.root, ".github", "workflows", name), []byte(said), 0o644))
	}
	require.NoError(t, os.MkdirAll(filepath.Join(w.root, "magefiles"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(w.root, "magefiles", "magefile.go"), []byte("//go:build mage\n\npackage main\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(w.root, "go.mod"), []byte("module example.org/copy\n\ngo 1.26.0\n"), 0o644))
	w.commit("ci: the files of images")
	out := w.mage("rehearse", "-full")
	for _, step := range []string{"GitHub release", "upgrade the downstreams"} {
		require.Contains(t, out, "✓ "+step)
	}
	require.Regexp(t, `✓ the workflow files of the push .* 2 workflow files: publish-app.yml, publish.yml`, out)
	require.Contains(t, out, "was rehearsed")
	require.NotContains(t, out, "○ images")
	require.NotContains(t, out, "○ the delivery")
	require.Regexp(t, `✓ deliver .* on 3 hosts, \d+ requests meanwhile, none failed`, out)
	require.Equal(t, before, w.tags(), "it has a registry of its own")
}

// commit commits everything, dated one second after the previous commit.
func (w *imaging) commit(message string) {
	w.t.Helper()
	w.commits++
	for _, argv := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", message}} {
		x := exec.Command("git", argv...)
		x.Dir = w.root
		date := time.Date(2026, 1, 2, 3, 4, w.commits, 0, time.UTC).Format(time.RFC3339)
		x.Env = append(slices.Clone(w.env), "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date)
		out, err := x.CombinedOutput()
		require.NoError(w.t, err, "%s", out)
	}
}

func (w *imaging) run(env []string, args ...string) (stdout, stderr string, err error) {
	x := exec.CommandContext(w.t.Context(), filepath.Join(compiled, "targets"), args...)
	x.Dir, x.Env = w.root, append(slices.Clone(w.env), env...)
	var out, problems bytes.Buffer
	x.Stdout, x.Stderr = &out, &problems
	start := time.Now()
	err = x.Run()
	w.t.Logf("%s: %.1fs", strings.Join(args, " "), time.Since(start).Seconds())
	return out.String(), problems.String(), err
}

func (w *imaging) mage(args ...string) string {
	w.t.Helper()
	out, problems, err := w.run(nil, args...)
	require.NoError(w.t, err, "%s\n%s", out, problems)
	return out
}

// result runs a docker target with -json and returns the parsed result.
func (w *imaging) result(args ...string) (r image.Result) {
	w.t.Helper()
	require.NoError(w.t, json.Unmarshal([]byte(w.mage(append(args, "-json")...)), &r))
	return r
}

// `fails` checks that the error contains a text and that no tag was moved.
func (w *imaging) fails(says string, args ...string) {
	w.t.Helper()
	before := w.tags()
	out, problems, err := w.run(nil, args...)
	require.Error(w.t, err, out)
	require.Contains(w.t, problems, says, out)
	require.Contains(w.t, problems, "\n→ ", "an error says what to do")
	require.Equal(w.t, before, w.tags(), "no tag moved")
}

// tags returns all tags of the images, with their digests.
func (w *imaging) tags() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	for _, name := range []string{"myapp", "foopack-runtime", "small"} {
		repository := w.Registry + "/someone/" + name
		tags, err := (&registry.Registry{}).Tags(w.t.Context(), repository)
		require.NoError(w.t, err)
		for _, tag := range tags {
			i, err := (&registry.Registry{}).Read(w.t.Context(), repository+":"+tag)
			require.NoError(w.t, err)
			all[name+":"+tag] = i.Digest
		}
	}
	return all
}

func moved(r image.Result) (names []string) {
	for _, t := range r.Tags {
		if t.Moves {
			names = append(names, t.Name)
		}
	}
	return names
}

func (w *imaging) pushed(t *testing.T) (app, runtime image.Result) {
	var all []image.Result
	require.NoError(t, json.Unmarshal([]byte(w.mage("docker:all", "-push", "-yes", "-json")), &all))
	require.Len(t, all, 3)
	require.Equal(t, "small", all[2].Name)
	require.True(t, all[2].Reused, "it was pushed of this commit before")
	app, runtime = all[0], all[1]
	for _, r := range all[:2] {
		require.Equal(t, []string{"linux/amd64", "linux/arm64"}, r.Checked, r.Name)
		require.Len(t, r.Images, 2)
		require.Equal(t, "sha-", moved(r)[0][:4])
		require.Equal(t, []string{"0.1.0", "0.1", "0", "latest"}, moved(r)[1:])
		for _, one := range r.Images {
			require.Contains(t, one.Attestations, "https://spdx.dev/Document")
			t.Logf("%s %s: %d MB compressed", r.Name, one.Platform, one.Size/1e6)
		}
	}
	return app, runtime
}

// readBack reads the pushed image with a third-party client.
func (w *imaging) readBack(t *testing.T, app image.Result) {
	ref := "docker://" + w.Registry + "/someone/myapp"
	var index struct {
		Annotations map[string]string
		Manifests   []struct {
			Platform    struct{ OS, Architecture string }
			Annotations map[string]string
		}
	}
	raw := w.Run("", "skopeo", "inspect", "--tls-verify=false", "--raw", ref+":latest")
	require.NoError(t, json.Unmarshal([]byte(raw), &index))
	var platforms []string
	for _, m := range index.Manifests {
		platforms = append(platforms, m.Platform.OS+"/"+m.Platform.Architecture)
	}
	require.Equal(t, []string{"linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"}, platforms)
	require.Equal(t, "attestation-manifest", index.Manifests[2].Annotations["vnd.docker.reference.type"])
	head, created, _ := strings.Cut(strings.TrimSpace(w.Run(w.root, "git", "log", "-1", "--date=format:%Y-%m-%dT%H:%M:%SZ", "--format=%H %cd")), " ")
	require.Equal(t, head, index.Annotations["org.opencontainers.image.revision"])
	for _, arch := range imagebench.Platforms {
		var config struct {
			Config struct {
				Labels      map[string]string
				User        string
				Entrypoint  []string
				Cmd         []string
				Env         []string
				Healthcheck struct{ Test []string }
			}
		}
		text := w.Run("", "skopeo", "inspect", "--tls-verify=false", "--override-arch", arch, "--raw", "--config", ref+"@"+app.Digest)
		require.NoError(t, json.Unmarshal([]byte(text), &config))
		c := config.Config
		require.Equal(t, head, c.Labels["org.opencontainers.image.revision"])
		require.Equal(t, "0.1.0", c.Labels["org.opencontainers.image.version"])
		require.Equal(t, created, c.Labels["org.opencontainers.image.created"])
		require.Equal(t, w.Registry+"/bench/base:1", c.Labels["org.opencontainers.image.base.name"])
		require.Equal(t, "10001:10001", c.User)
		require.Equal(t, []string{"/app/entrypoint"}, c.Entrypoint)
		require.Equal(t, []string{"python", "-m", "myapp", "dashboard"}, c.Cmd)
		require.Equal(t, []string{"CMD", "/app/entrypoint", "python", "-m", "myapp", "health", "-live"}, c.Healthcheck.Test)
		require.Contains(t, c.Env, "IMAGE_REVISION="+head)
	}
	layout := filepath.Join(t.TempDir(), "copy")
	w.Run("", "skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", ref+"@"+app.Digest, "dir:"+layout)
	w.secretless(t, layout) // manifests, configurations and attestations are plain text
	tags := w.Run("", "skopeo", "list-tags", "--tls-verify=false", ref)
	for _, tag := range []string{`"latest"`, `"0"`, `"0.1"`, `"0.1.0"`, `"sha-` + head[:12] + `"`} {
		require.Contains(t, tags, tag)
	}
}

// `again` pushes the same sources a second time.
func (w *imaging) again(t *testing.T, app image.Result) {
	before := w.tags()
	r := w.result("docker:app", "-push", "-yes")
	require.True(t, r.Reused)
	require.Equal(t, app.Digest, r.Digest)
	require.Empty(t, moved(r))
	require.Empty(t, r.Ran)
	require.Equal(t, before, w.tags())

	// With -again every step comes from the cache, and the platform manifests do not change. Without -push the image is checked here, and nothing is
	// uploaded.
	r = w.result("docker:app", "-again")
	require.Empty(t, r.Ran, "steps were run again")
	require.NotEmpty(t, r.Cached)
	require.False(t, r.Pushed)
	require.Equal(t, []string{"linux/amd64", "linux/arm64"}, r.Checked)
	require.Equal(t, before, w.tags())
	for n, one := range r.Images {
		require.Equal(t, app.Images[n].Digest, one.Digest)
	}
	kept := w.result("docker:app")
	require.True(t, kept.Reused, "nothing has changed")
	require.Equal(t, r.Digest, kept.Digest)
	require.Equal(t, r.Images, kept.Images)
}

// changed changes only the application's sources. The parts of its page are reordered.
func (w *imaging) changed(t *testing.T, before image.Result) image.Result {
	file := filepath.Join(w.root, "app", "src", "myapp", "__init__.py")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, "\n# changed\n"...), 0o644))
	w.edit("app/src/myapp/dashboard.py", `PANES = ("overview", "provenance",`, `PANES = ("provenance", "overview",`)
	w.fails("app has changes that are not committed, but only committed files are published", "docker:app", "-push", "-yes")
	w.commit("fix: change the application")
	r := w.result("docker:app", "-push", "-yes")
	require.Equal(t, []string{"0.1.0", "0.1", "0", "latest"}, moved(r)[1:], "a later commit of the same version")
	ran := strings.Join(r.Ran, "\n")
	require.NotRegexp(t, "native|environment", ran, "the environment was installed again: %s", ran)
	require.Contains(t, ran, "sources")
	for _, step := range []string{"native 3/3] RUN", "linux/amd64 environment 1/1] RUN", "environment 1/1] RUN"} {
		require.Contains(t, strings.Join(r.Cached, "\n"), step)
	}
	for n, one := range r.Images {
		was := before.Images[n]
		require.NotEqual(t, was.Digest, one.Digest)
		require.Equal(t, was.Layers[:2], one.Layers[:2], "the base and the environment are the layers that they were")
		require.NotEqual(t, was.Layers[2], one.Layers[2])
	}
	return r
}

// BenchmarkPlatforms builds and checks the application's image from scratch, for amd64 and for both platforms:
//
//	go test ./magefiles/e2e -run '^$' -bench Platforms -benchtime 2x -timeout 1h
func BenchmarkPlatforms(b *testing.B) {
	w := newImaging(b)
	w.mage("publish", "-yes")
	var took [2]time.Duration
	build := func(args ...string) time.Duration {
		w.Run("", "docker", "buildx", "prune", "--builder", w.Builder, "--all", "--force")
		start := time.Now()
		w.mage(append([]string{"docker:app", "-again"}, args...)...)
		return time.Since(start)
	}
	build() // downloads the packages of the base images
	n := 0
	for b.Loop() {
		n++
		took[0] += build("-platform=linux/amd64")
		took[1] += build()
	}
	b.ReportMetric(took[0].Seconds()/float64(n), "s-amd64")
	b.ReportMetric(took[1].Seconds()/float64(n), "s-both")
	b.ReportMetric(float64(took[1])/float64(took[0]), "both/amd64")
}

// The Dockerfiles share a script, of which each has a copy, because a build can read only its own folder.
func TestImagesShareOneScript(t *testing.T) {
	t.Parallel()
	app, err := os.ReadFile(filepath.Join(repo, "app", "environment.sh"))
	require.NoError(t, err)
	runtime, err := os.ReadFile(filepath.Join(repo, "containers", "runtime", "environment.sh"))
	require.NoError(t, err)
	require.Equal(t, string(app), string(runtime))
}
