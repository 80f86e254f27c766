package image

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

var update = flag.Bool("update", false, "write the golden files anew")

const aDockerfile = `
ARG PIXI_IMAGE=pixi.example/pixi:1
ARG BASE_IMAGE="debian.example/base:1"
FROM --platform=$BUILDPLATFORM ${PIXI_IMAGE} AS environment
FROM ${BASE_IMAGE}
`

func request(t *testing.T) Request {
	return Request{
		Root:       "/w",
		Downstream: imagetest.Load(t, imagetest.Monorepo),
		Registry:   "ghcr.io/SomeOne",
		Revision:   strings.Repeat("ab", 20),
		Created:    time.Date(2026, 1, 2, 3, 4, 6, 0, time.FixedZone("", 3600)),
		Source:     "https://host.example/SomeOne/repo",
		Dockerfile: []byte(aDockerfile),
		SBOM:       "sbom.example/scanner:1",
		Secrets:    map[string]string{"PIXI_CONFIG": "/tmp/x/config.toml", "RATTLER_AUTH_FILE": "/home/me/auth.json"},
		Have:       []string{"1.2.4", "2.0.0", "1.2", "1", "latest"},
		Held:       map[string]Held{"latest": {Version: "2.0.0"}},
	}
}

// argv returns the command line for building a definition.
func argv(t *testing.T, builder string, d buildx.Bake, dir string) (words []string) {
	t.Helper()
	b := &buildx.Builder{
		Name: builder,
		Runner: imagetest.Docker(func(_ context.Context, c command.Cmd) error {
			words = append([]string{c.Name}, c.Args...)
			return errors.New("enough")
		}),
	}
	_, err := b.Build(t.Context(), d, dir)
	require.ErrorContains(t, err, "enough")
	return words
}

// The plan, the definitions for all outputs and the command lines match the golden file.
func TestGolden(t *testing.T) {
	p, err := New(request(t))
	require.NoError(t, err)
	out := map[string]any{
		"plan": p, "pushed": p.push(), "kept": p.keep("/w/output/oci"), "fresh": p.keep("/w/output/oci").WithoutCache(),
		"loaded":    p.load("linux/amd64", []string{"ghcr.io/someone/theapp:1.2.3", "ghcr.io/someone/theapp:sha-0"}),
		"argv":      argv(t, "many", p.push(), "/w/output"),
		"argv kept": argv(t, "", p.keep("/w/output/oci"), "/w/output"),
	}
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(out))
	file := filepath.Join("testdata", "plan.golden.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), text.String())
}

func TestPlanLabel(t *testing.T) {
	label := func(change func(r *Request)) string {
		r := request(t)
		change(&r)
		p, err := New(r)
		require.NoError(t, err)
		return p.Labels[labelPlan]
	}
	same := label(func(*Request) {})
	for what, change := range map[string]func(r *Request){
		"another machine":                         func(r *Request) { r.Root = "/elsewhere" },
		"other tags":                              func(r *Request) { r.Have, r.Held, r.Tags = nil, nil, []string{"x"} },
		"one platform of those":                   func(r *Request) { r.Platforms = []string{"linux/arm64"} },
		"a mirror, or another credential":         func(r *Request) { r.Secrets = nil },
		"no SBOM, which is not part of the image": func(r *Request) { r.SBOM = "" },
	} {
		require.Equal(t, same, label(change), what)
	}
	for what, change := range map[string]func(r *Request){
		"another commit":     func(r *Request) { r.Revision = strings.Repeat("cd", 20) },
		"changes":            func(r *Request) { r.Dirty = true },
		"another base image": func(r *Request) { r.BaseImage = "other" },
		"another pixi":       func(r *Request) { r.PixiImage = "other" },
		"another time":       func(r *Request) { r.Created = r.Created.Add(time.Second) },
	} {
		require.NotEqual(t, same, label(change), what)
	}
}

// A cache mount is specific to the project, and independent of the builder and the registry.
func TestCacheMountOfAProject(t *testing.T) {
	id := func(registry, source string) string {
		r := request(t)
		r.Registry, r.Source = registry, source
		p, err := New(r)
		require.NoError(t, err)
		require.Equal(t, p.Args[cacheArg], p.Definition.Target["default"].Args[cacheArg])
		return p.Args[cacheArg]
	}
	require.Equal(t, "host.example/SomeOne/repo/theapp", id("ghcr.io/SomeOne", "https://host.example/SomeOne/repo"))
	require.Equal(t, "host.example/SomeOne/repo/theapp", id("127.0.0.1:5000/rehearsal/deep", "https://host.example/SomeOne/repo"))
	require.Equal(t, "rehearsal/theapp", id("127.0.0.1:5000/rehearsal", ""))
	require.Equal(t, "theapp", id("", ""), "an image only for this machine")
	require.NotEqual(t, id("ghcr.io/a", "https://host.example/a/repo"), id("ghcr.io/a", "https://host.example/b/repo"))
}

// The plan warns about each cache mount that would be shared with other projects.
func TestHostileCachesAreNamed(t *testing.T) {
	for mount, want := range map[string]string{
		"--mount=type=cache,id=rattler,target=/c":                 "the cache rattler of app/Dockerfile, line 2, is shared by all projects on the builder: write `id=rattler-${CACHE_ID}`, and `ARG CACHE_ID` before this line",
		"--mount=type=cache,target=/root/.cache/uv":               "the cache /root/.cache/uv of app/Dockerfile, line 2, is shared by all projects on the builder: write `id=uv-${CACHE_ID}`, and `ARG CACHE_ID` before this line",
		"--mount=id=x,target=/c,type=cache --mount=type=tmpfs":    "the cache x of app/Dockerfile, line 2, is shared",
		"--mount=type=cache,id=${CACHE_ID}-rattler,target=/c":     "",
		"--mount=type=cache,id=rattler-$CACHE_ID,target=/c":       "",
		"--mount=type=secret,id=x --mount=type=bind,target=/here": "",
	} {
		r := request(t)
		r.Dockerfile = []byte("FROM a\nRUN " + mount + " true\n")
		p, err := New(r)
		require.NoError(t, err)
		said := strings.Join(p.Warnings, "\n")
		if want == "" {
			require.NotContains(t, said, "is shared", mount)
			continue
		}
		require.Contains(t, said, want)
	}
}

// The base image's digest has its own label, as OCI specifies.
func TestThePinnedBase(t *testing.T) {
	pin := "sha256:" + strings.Repeat("0", 64)
	r := request(t)
	r.BaseImage = "debian.example/base:1@" + pin
	p, err := New(r)
	require.NoError(t, err)
	require.Equal(t, "debian.example/base:1", p.Labels[labelBase])
	require.Equal(t, pin, p.Labels[labelBaseDigest])
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		change func(r *Request)
		err    string
		status int
	}{
		{func(r *Request) { r.Registry = "SomeOne" }, `"SomeOne" is not a valid registry`, operr.Usage},
		{func(r *Request) { r.Platforms = []string{"linux/s390x"} }, "TheApp is not built for linux/s390x, only for linux/amd64 and linux/arm64", operr.Usage},
		{func(r *Request) { r.Tags = []string{"a b"} }, `"a b" cannot be a tag`, operr.Usage},
		{func(r *Request) { r.Downstream.Image = nil }, "theapp has no image, because its manifest has no [tool.image]", operr.Usage},
		{func(r *Request) { r.Downstream.Image.Check = nil }, "the image TheApp has no check that tests it before it is published", operr.Failed},
		{func(r *Request) { r.Downstream.Manifest.Version = "v1+x" }, "the version of theapp:", operr.Failed},
	} {
		r := request(t)
		c.change(&r)
		_, err := New(r)
		require.ErrorContains(t, err, c.err)
		require.Equal(t, c.status, operr.ExitStatus(err))
		require.NotEmpty(t, operr.NextOf(err))
	}
}

func TestPartial(t *testing.T) {
	r := request(t)
	r.Platforms = []string{"linux/arm64"}
	p, err := New(r)
	require.NoError(t, err)
	require.True(t, p.Partial)
	require.Empty(t, p.Moving(), "a tag would hide the other platform")
	r.Tags = []string{"arm"}
	p, err = New(r)
	require.NoError(t, err)
	require.Equal(t, []string{"arm"}, p.Moving())
	r.Platforms = []string{"linux/arm64", "linux/amd64"}
	p, err = New(r)
	require.NoError(t, err)
	require.False(t, p.Partial)
	require.Equal(t, []string{"linux/amd64", "linux/arm64"}, p.Platforms)
}

// An image with uncommitted changes gets no tag, not even the commit's tag, which belongs to another image.
func TestUncommittedChangesGetNoTag(t *testing.T) {
	for _, named := range [][]string{nil, {"mine"}} {
		r := request(t)
		r.Dirty, r.Tags = true, named
		p, err := New(r)
		require.NoError(t, err)
		require.Equal(t, []Tag{}, p.Tags)
		require.Empty(t, p.Moving())
		require.Empty(t, p.Candidates(), "the registry's tags are not needed")
		r.Tags = []string{"a b"}
		_, err = New(r)
		require.ErrorContains(t, err, `"a b" cannot be a tag`)
	}
}

// Some inputs come only from the request: unknown tags, the caller's warnings, and whether anything is built.
func TestInputsOfAPlan(t *testing.T) {
	r := request(t)
	r.NoTags, r.Notes = true, []string{"nobody answers"}
	p, err := New(r)
	require.NoError(t, err)
	require.Equal(t, []Tag{}, p.Tags)
	require.Equal(t, "nobody answers", p.Warnings[len(p.Warnings)-1])
	require.Contains(t, strings.Join(p.Warnings, "\n"), "git has no pixi.lock of app")

	r = request(t)
	r.Kept, r.Have, r.Held = []string{"1.2.3", "other"}, []string{"1.2.3"}, map[string]Held{"1.2.3": {Version: "1.2.3", Revision: "cd", Order: Behind}}
	r.Joined = true
	p, err = New(r)
	require.NoError(t, err)
	require.Len(t, p.Warnings, 1, "a merge has no warnings about a build")
	require.Contains(t, p.Warnings[0], "at an earlier push, the registry refused to move 1.2.3")
}

func TestBaseName(t *testing.T) {
	for _, c := range []struct {
		file, want string
		args       map[string]string
	}{
		{aDockerfile, "debian.example/base:1", nil},
		{aDockerfile, "mine", map[string]string{"BASE_IMAGE": "mine"}},
		{"FROM a:1 AS x\nFROM scratch\nFROM X", "a:1", nil},
		{"from a:1\n", "a:1", nil},
		{"FROM scratch\n", "", nil},
		{"FROM $A\r\n", "", nil},
		// These results match BuildKit's parser.
		{"FROM ${X:-y:1}\n", "y:1", nil},
		{"ARG X\nFROM ${X:-y:1}\n", "y:1", nil},
		{"ARG X=\nFROM ${X:-y:1}${X-z}\n", "y:1", nil},
		{"ARG X=a:1\nFROM ${X:-y:1}\n", "a:1", nil},
		{"ARG X\nFROM ${X:-y:1}\n", "mine", map[string]string{"X": "mine"}},
		{"FROM ${X:-y:1}\n", "y:1", map[string]string{"X": "it is not declared"}},
		{"ARG H=reg.example N=\"deb ian\" V='1$2'\nFROM ${H}/a\n", "reg.example/a", nil},
		{"ARG V=12 IMG=debian:$V-slim\nFROM $IMG\n", "debian:12-slim", nil},
		{"ARG V=12 IMG=debian:${V}\nFROM \"$IMG\"\n", "debian:13", map[string]string{"V": "13"}},
		{"ARG S\nFROM a:1$S\n", "a:1", nil},
		{"ARG S=x\nFROM a:1${S:+-slim}${T:+no}\n", "a:1-slim", nil},
		{"FROM a:1\nRUN <<EOF\nFROM b:2\nEOF\n", "a:1", nil},
		{"FROM a:1\nCOPY <<-\"X\" /f\n\tFROM b:2\n\tX\n", "a:1", nil},
		{"FROM a:1 AS x\nARG B=b:2\nFROM $B\n", "", nil},
		{"FROM --platform=$BUILDPLATFORM a:1 AS x\n# FROM c\nFROM \\\n  b:2 \\\n  AS y\n", "b:2", nil},
		{"# escape=`\nFROM `\n a:1\n", "a:1", nil},
		{"ARG A=x-$TARGETARCH\nFROM r/$A:1\n", "", nil},
		{"FROM r/$TARGETARCH:1\n", "", nil},
		{"ARG X=a:1-rc\nFROM ${X%-rc}\n", "", nil},
		{"ARG X=a:1\nFROM ${X/a/b}\n", "", nil},
		{"FROM ${X:?give one}\n", "", nil},
		{"FROM ${X:-${Y:-z:1}}\n", "z:1", nil},
		{"FROM ${X\nFROM ${\n", "", nil},
		{"FROM 'a\n", "", nil},
		{"", "", nil},
	} {
		require.Equal(t, c.want, dockerfile.Parse([]byte(c.file)).Base(c.args), c.file)
	}
}

// A plan warns about mounts that the build does not provide, and fails for those that a step requires.
func TestMissingMounts(t *testing.T) {
	for text, want := range map[string]string{
		"RUN --mount=type=ssh git clone x":                                                                "line 2 of app/Dockerfile mounts the SSH agent default, but the build does not provide it: for an SSH agent, write",
		"RUN --mount=type=ssh,id=work \\\n  git clone x":                                                  "mounts the SSH agent work, but",
		"RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci":                                     "mounts the secret npmrc, but",
		"RUN --mount=type=secret,target=/run/.netrc true":                                                 "mounts the secret .netrc, but",
		"RUN --mount=type=cache,target=/c,id=${CACHE_ID} --mount=type=secret,id=TOKEN,env=TOKEN x":        "mounts the secret TOKEN, but",
		"RUN --mount=type=secret,id=PIXI_CONFIG --mount=type=secret,id=RATTLER_AUTH_FILE,required=true x": "",
		"RUN --mount=type=secret,source=PIXI_CONFIG,target=/etc/pixi/config.toml true":                    "",
		"RUN --mount=type=secret,src=RATTLER_AUTH_FILE,target=/auth.json,required true":                   "",
		"RUN --mount=type=secret,src=npmrc,target=/run/PIXI_CONFIG true":                                  "mounts the secret npmrc, but",
		"RUN --mount=from=tools,target=/t x\nCOPY --mount=type=ssh a b":                                   "",
		"RUN <<EOF\nRUN --mount=type=ssh x\nEOF":                                                          "",
	} {
		r := request(t)
		r.Locked, r.Dockerfile = true, []byte("FROM a:1\n"+text+"\n")
		p, err := New(r)
		require.NoError(t, err)
		if want == "" {
			require.Empty(t, p.Warnings, text)
			continue
		}
		require.Len(t, p.Warnings, 1, text)
		require.Contains(t, p.Warnings[0], want)
	}
	for text, want := range map[string]string{
		"RUN --mount=type=ssh,required x":                 "mounts the SSH agent default, but the build does not provide it; the step requires this mount",
		"RUN --mount=type=secret,id=a,required=true x":    "mounts the secret a, but the build does not provide it; the step requires this mount",
		"RUN --mount=required=TRUE,id=b,type=secret true": "mounts the secret b,",
	} {
		r := request(t)
		r.Dockerfile = []byte("FROM a:1\n" + text + "\n")
		_, err := New(r)
		require.ErrorContains(t, err, want)
		require.NotEmpty(t, operr.NextOf(err))
	}
}

// A build gets the agent and secrets that [tool.image] names, if they are set. docker gets the named variables but no other secrets.
func TestAgentAndSecretsOfABuild(t *testing.T) {
	const ssh, token, both = "RUN --mount=type=ssh,required x", "RUN --mount=type=secret,id=OUR_TOKEN,env=T,required=true x", "RUN --mount=type=ssh --mount=type=secret,id=OUR_TOKEN x"
	for _, c := range []struct {
		text    string
		ssh     bool
		secrets []string
		set     []string
		says    string // text in the error or warning
		failed  bool
	}{
		{ssh, true, nil, []string{"SSH_AUTH_SOCK"}, "", false},
		{ssh, true, nil, nil, "mounts the SSH agent default, but no SSH agent runs on this machine; the step requires this mount", true},
		{ssh, false, nil, []string{"SSH_AUTH_SOCK"}, "mounts the SSH agent default, but the build does not provide it; the step requires this mount", true},
		{"RUN --mount=type=ssh,id=work x", true, nil, []string{"SSH_AUTH_SOCK"}, "mounts the SSH agent work, but the build does not provide it", false},
		{token, false, []string{"OUR_TOKEN"}, []string{"OUR_TOKEN", "THEIR_TOKEN"}, "", false},
		{token, false, []string{"OUR_TOKEN"}, nil, "mounts the secret OUR_TOKEN, but the environment variable of this name is not set; the step requires this mount", true},
		{token, false, []string{"OTHER_TOKEN"}, []string{"OTHER_TOKEN"}, "mounts the secret OUR_TOKEN, but the build does not provide it", true},
		{both, true, []string{"OUR_TOKEN"}, []string{"SSH_AUTH_SOCK", "OUR_TOKEN"}, "", false},
		{both, true, []string{"OUR_TOKEN"}, []string{"SSH_AUTH_SOCK"}, "mounts the secret OUR_TOKEN, but the environment variable of this name is not set: set OUR_TOKEN", false},
	} {
		r := request(t)
		r.Locked, r.Dockerfile = true, []byte("FROM a:1\n"+c.text+"\n")
		r.Downstream.Image.SSH, r.Downstream.Image.Secrets = c.ssh, c.secrets
		isSet := func(name string) bool { return slices.Contains(c.set, name) }
		r.IsSet = isSet
		p, err := New(r)
		if c.failed {
			require.ErrorContains(t, err, c.says, c.text)
			require.NotEmpty(t, operr.NextOf(err))
			continue
		}
		require.NoError(t, err)
		if c.says == "" {
			require.Empty(t, p.Warnings)
		} else {
			require.Contains(t, strings.Join(p.Warnings, "\n"), c.says)
		}
		target, words := p.push().Target["default"], argv(t, "", p.push(), "/w/output")
		for _, name := range c.secrets {
			require.Equal(t, isSet(name), slices.Contains(target.Secret, buildx.Secret{Type: "env", ID: name, Env: name}), c.text)
		}
		lent := c.ssh && isSet("SSH_AUTH_SOCK")
		require.Equal(t, lent, slices.Equal(target.SSH, []string{"default"}))
		require.Equal(t, lent, slices.Contains(words, "--allow=ssh"))
		require.NotContains(t, words, "--allow=fs.read=")

		r.Dockerfile, r.IsSet = []byte("FROM a:1\n"), nil
		without, err := New(r)
		require.NoError(t, err)
		r.IsSet = isSet
		with, err := New(r)
		require.NoError(t, err)
		require.Equal(t, without.Labels[labelPlan], with.Labels[labelPlan], "secrets do not change the plan")
	}
}

// A credential that would appear in the provenance is rejected before the build.
func TestCredentialsOfAPlan(t *testing.T) {
	for want, change := range map[string]func(*Request){
		"the Dockerfile of app has a password in an address, which the provenance of the image would publish": func(r *Request) {
			r.Dockerfile = []byte("ARG INDEX=https://me:secret@host/simple\nFROM x\n")
		},
		"the build argument PIXI_IMAGE of app has a token or a key, which the provenance of the image would publish": func(r *Request) {
			r.PixiImage = "r.example/glpat-abcdefghijklmnopqrstuvwx/pixi"
		},
	} {
		r := request(t)
		change(&r)
		_, err := New(r)
		require.EqualError(t, err, want)
	}
}

// Modest returns a definition with reduced provenance, and does not change the plan.
func TestAModestDefinition(t *testing.T) {
	p, err := New(request(t))
	require.NoError(t, err)
	require.Equal(t, []string{"type=provenance,mode=min", "type=sbom,generator=sbom.example/scanner:1"}, p.push().Modest().Target["default"].Attest)
	require.Contains(t, p.push().Target["default"].Attest, "type=provenance,mode=max", "the plan is unchanged")
}

// An image must have the right labels: commit, version, base image, and the digest of the plan.
func TestRequiredLabels(t *testing.T) {
	p, err := New(request(t))
	require.NoError(t, err)
	w := p.expect()
	require.Equal(t, proof.Wanted{
		Repository: "ghcr.io/someone/theapp",
		Platforms:  []string{"linux/amd64", "linux/arm64"},
		Labels:     w.Labels,
		Settings:   proof.Label{Name: labelPlan, Value: p.digest()},
		SBOM:       true,
	}, w)
	for _, name := range []string{labelRevision, labelVersion, labelCreated, labelTitle, labelSource, labelBase} {
		require.Contains(t, w.Labels, proof.Label{Name: name, Value: p.Labels[name]})
		require.NotEmpty(t, p.Labels[name])
	}
	require.Contains(t, w.Labels, proof.Label{Name: labelBaseDigest}, "the Dockerfile pins no base image")
}
