package buildx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// inspected is what buildx v0.38 prints for a remote builder with two nodes.
const inspected = `Name:          many
Driver:        remote
Last Activity: 2026-11-23 08:39:12 +0000 UTC

Nodes:
Name:             many0
Endpoint:         unix:///run/a.sock
Status:           running
Platforms:        linux/amd64*, linux/amd64/v2, linux/386
Name:             many1
Endpoint:         tcp://other:1234
Platforms:        linux/arm64, linux/amd64
`

func TestLook(t *testing.T) {
	n, err := (&Builder{Runner: imagetest.Docker(imagetest.Say(0, inspected)), Name: "many"}).Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, Node{
		Name:        "many",
		Driver:      "remote",
		Platforms:   []string{"linux/amd64", "linux/amd64/v2", "linux/386", "linux/arm64"},
		HostNetwork: false,
		Bare:        []string{"tcp://other:1234"},
	}, n)
	require.True(t, n.Loopback())
	container := strings.Replace(inspected, "remote", "docker-container", 1)
	require.False(t, parseInspect(container).Loopback())
	require.True(t, parseInspect(strings.Replace(container, "Endpoint: ", "Driver Options:   network=\"host\"\nEndpoint: ", 1)).Loopback())

	for text, want := range map[string]string{
		"docker: unknown command: docker buildx\n\nRun 'docker --help' for more information\n":                       "docker has no buildx on this machine",
		"docker: 'buildx' is not a docker command.\nSee 'docker --help'\n":                                           "docker has no buildx on this machine",
		"unknown flag: --bootstrap\nSee 'docker --help'.\n":                                                          "docker has no buildx on this machine", // docker 20.10 without buildx
		"ERROR: no builder \"x\" found\n":                                                                            `there is no builder "x"`,
		"ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n": "the builder x does not answer",
	} {
		_, err := (&Builder{Runner: imagetest.Docker(imagetest.Say(1, text)), Name: "x"}).Look(t.Context())
		require.ErrorContains(t, err, want)
	}
	_, err = (&Builder{Runner: &commandtest.Script{}}).Look(t.Context())
	require.ErrorContains(t, err, "docker is not on PATH")

	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	cancel(gone)
	_, err = (&Builder{Runner: imagetest.Docker(imagetest.Say(1, "")), Name: "x"}).Look(ctx)
	require.ErrorIs(t, err, gone)
}

// record is abridged buildx output: two Dockerfile steps, one of them cached, and internal steps of buildx.
const record = `#0 building with "bench" instance using remote driver
#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 2.27kB done
#1 DONE 0.0s
#3 [linux/arm64 internal] load metadata for example/base:1
#3 DONE 0.0s
#6 [internal] load build context
#6 DONE 0.0s
#8 [linux/amd64 environment 3/3] RUN --mount=type=cache pixi install
#8 CACHED
#12 [linux/amd64->arm64 sources 3/3] COPY src /out/app/src
#12 ...
#9 [linux/amd64 stage-2 1/4] FROM example/base:1
#9 DONE 0.1s
#12 [linux/amd64->arm64 sources 3/3] COPY src /out/app/src
#12 DONE 0.2s
#13 [sources 2/2] RUN true
#13 DONE 0.1s
#16 exporting to image
#16 DONE 12.1s
`

// aDefinition defines an image that is pushed.
var aDefinition = Bake{Target: map[string]Target{"default": {Context: "/w/app", Platforms: []string{"linux/amd64"}}}}.Push("r/app", false)

func TestBake(t *testing.T) {
	dir := t.TempDir()
	write := func(metadata string) *Builder {
		return &Builder{Runner: imagetest.Docker(func(ctx context.Context, c command.Cmd) error {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "metadata.json"), []byte(metadata), 0o644))
			return imagetest.Say(0, record)(ctx, c)
		})}
	}
	built, err := write(`{"buildx.build.warnings":[],"default":{"containerimage.digest":"sha256:x","buildx.build.ref":"a/b/c"}}`).Build(t.Context(), aDefinition, dir)
	require.NoError(t, err)
	require.Equal(t, BuildResult{
		Digest: "sha256:x",
		Cached: []string{"[linux/amd64 environment 3/3] RUN --mount=type=cache pixi install"},
		Ran:    []string{"[linux/amd64->arm64 sources 3/3] COPY src /out/app/src", "[sources 2/2] RUN true"},
	}, built)

	_, err = write(`{"default":{}}`).Build(t.Context(), aDefinition, dir)
	require.EqualError(t, err, "buildx reported no digest")
	_, err = write(`no JSON`).Build(t.Context(), aDefinition, dir)
	require.ErrorContains(t, err, "reading the result of buildx")
}

// Steps are counted regardless of what BuildKit prints before their number: a platform, a stage, both, or nothing.
func TestStepsAreCounted(t *testing.T) {
	for text, want := range map[string]BuildResult{
		"#5 [2/3] RUN x\n#5 DONE 0.1s\n#6 [3/3] COPY a b\n#6 CACHED\n":                       {Ran: []string{"[2/3] RUN x"}, Cached: []string{"[3/3] COPY a b"}},
		"#4 [1/3] FROM a\n#4 DONE 0.0s\n#5 [build 2/3] RUN x\n#5 DONE 0.1s\n":                {Ran: []string{"[build 2/3] RUN x"}},
		"#5 [linux/amd64 2/3] RUN x\n#5 CACHED\n#6 [linux/arm64 2/3] RUN x\n#6 DONE 11.1s\n": {Ran: []string{"[linux/arm64 2/3] RUN x"}, Cached: []string{"[linux/amd64 2/3] RUN x"}},
		"#5 [internal] load 2/3\n#5 DONE 0.1s\n#6 [auth] a/b:pull\n#6 DONE 0.0s\n":           {},
		"#5 [stage-1 10/12] RUN [ 1/2 ]\n#5 DONE 0.1s\n":                                     {Ran: []string{"[stage-1 10/12] RUN [ 1/2 ]"}},
	} {
		require.Equal(t, want, readRecord(text), text)
	}
}

// A build is retried after a transient failure, and the steps of the first try count. Other failures are returned immediately.
func TestTransientBuildFailureIsRetried(t *testing.T) {
	dir := t.TempDir()
	const steps = "#5 [a 1/2] RUN x\n#5 %s\n#6 [a 2/2] RUN y\n#6 %s\n"
	var waited []time.Duration
	remember := func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	for failure, tries := range map[string]int{
		"ERROR: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 502 Bad Gateway\n":                                                                                                                      2,
		"ERROR: failed to copy: failed to do request: Put \"http://r\": EOF\n":                                                                                                                                                                   2,
		"ERROR: failed to solve: failed to copy: httpReadSeeker: failed open: unexpected status from GET request to http://r/v2/b/blobs/x: 500 Internal\n":                                                                                       2,
		"ERROR: failed to push r/app: read tcp: connection reset by peer\n":                                                                                                                                                                      2,
		"ERROR: failed to push r/app: denied: x\n":                                                                                                                                                                                               1,
		"ERROR: failed to push r/app: unexpected status from PUT request to http://r: 429 Too Many Requests\n":                                                                                                                                   2,
		"ERROR: failed to solve: r/a: failed to resolve source metadata for r/a: toomanyrequests: retry-after: 213.453µs, allowed: 44000/minute\n":                                                                                               2,
		"ERROR: failed to solve: a: failed to resolve source metadata for a: failed to do request: Head \"https://r/v2/a\": dial tcp: lookup r on 10.0.0.2:53: server misbehaving\n":                                                             2,
		"ERROR: failed to push r/app: failed to do request: Head \"https://r\": dial tcp: lookup r: Temporary failure in name resolution\n":                                                                                                      2,
		"ERROR: failed to push r/app: failed to do request: Head \"https://r\": dial tcp: lookup r: no such host\n":                                                                                                                              2,
		"ERROR: failed to push r/app: failed to authorize: failed to fetch oauth token: unexpected status from POST request to https://r/token: 503 Service Unavailable\n":                                                                       2,
		"ERROR: failed to solve: a: failed to copy: httpReadSeeker: failed open: unexpected status from GET request to https://r/v2/a/blobs/x: 429 Too Many Requests: toomanyrequests: You have reached your unauthenticated pull rate limit.\n": 1,
		"#5 ERROR: process \"/bin/sh -c x\" did not complete successfully: exit code: 1\nERROR: curl: 429 Too Many Requests\n":                                                                                                                   1,
		"ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: RUNN\n":                                                                                                                                                  1,
		"ERROR: rpc error: code = Unavailable desc = error reading from server: EOF\n":                                                                                                                                                           1,
		"#5 ERROR: process \"/bin/sh -c x\" did not complete successfully: exit code: 1\nERROR: curl: 502 Bad Gateway\n":                                                                                                                         1,
	} {
		ran := 0
		b := &Builder{
			Runner: imagetest.Docker(func(ctx context.Context, c command.Cmd) error {
				if !slices.Contains(c.Args, "bake") {
					return imagetest.Say(0, inspected)(ctx, c)
				}
				if ran++; ran < 2 {
					return imagetest.Say(1, fmt.Sprintf(steps, "CACHED", "DONE 2.0s")+failure)(ctx, c)
				}
				require.NoError(t, os.WriteFile(filepath.Join(dir, "metadata.json"), []byte(`{"default":{"containerimage.digest":"sha256:x"}}`), 0o644))
				return imagetest.Say(0, fmt.Sprintf(steps, "CACHED", "CACHED"))(ctx, c)
			}),
			Pause: remember,
		}
		waited = nil
		built, err := b.Build(t.Context(), aDefinition, dir)
		require.Equal(t, tries, ran, failure)
		require.Len(t, waited, tries-1)
		if tries == 1 {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, strings.Contains(strings.ToLower(failure), "toomanyrequests") || strings.Contains(failure, "429"), waited[0] == untilAllowed, failure)
		require.Equal(t, BuildResult{Digest: "sha256:x", Cached: []string{"[a 1/2] RUN x"}, Ran: []string{"[a 2/2] RUN y"}}, built)
	}
	ran := 0
	_, err := (&Builder{
		Runner: imagetest.Docker(func(ctx context.Context, c command.Cmd) error {
			ran++
			return imagetest.Say(1, "ERROR: failed to push r/app: EOF\n")(ctx, c)
		}),
		Pause: remember,
	}).Build(t.Context(), aDefinition, dir)
	require.ErrorContains(t, err, "the upload to the registry failed")
	require.Equal(t, 2, ran, "there is no third attempt")
}

// Starting a builder may pull its image, so it is retried after the same failures.
func TestBuilderStartIsRetried(t *testing.T) {
	const boot = "#1 [internal] booting buildkit\n#1 pulling image moby/buildkit:buildx-stable-1\n"
	for failure, tries := range map[string]int{
		"ERROR: Error response from daemon: Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: server misbehaving\n": 2,
		"ERROR: Error response from daemon: toomanyrequests: too many requests\n":                                                                                   2,
		"ERROR: Error response from daemon: received unexpected HTTP status: 503 Service Unavailable\n":                                                             2,
		"ERROR: Error response from daemon: toomanyrequests: You have reached your pull rate limit.\n":                                                              1,
		"ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n":                                                1,
		"ERROR: no builder \"many\" found\n": 1,
	} {
		ran := 0
		b := &Builder{
			Pause: imagetest.NoPause,
			Name:  "many",
			Runner: imagetest.Docker(func(ctx context.Context, c command.Cmd) error {
				if !slices.Contains(c.Args, "--bootstrap") {
					return imagetest.Say(1, "")(ctx, c)
				}
				if ran++; ran == 1 {
					return imagetest.Say(1, boot+failure)(ctx, c)
				}
				return imagetest.Say(0, inspected)(ctx, c)
			}),
		}
		_, err := b.Look(t.Context())
		require.Equal(t, tries, ran, failure)
		require.Equal(t, tries == 2, err == nil, failure)
	}
}

// If the user cancels the pause, Build returns the failure or the cancellation, and does not retry.
func TestCancelBeforeARetry(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	person, ran := errors.New("stopped by a person"), 0
	b := &Builder{Runner: imagetest.Docker(func(ctx context.Context, c command.Cmd) error { ran++; return imagetest.Say(1, "ERROR: EOF\n")(ctx, c) })}
	b.Pause = func(ctx context.Context, _ time.Duration) error { cancel(person); return context.Cause(ctx) }
	_, err := b.Build(ctx, aDefinition, t.TempDir())
	require.Equal(t, person, err)
	require.Equal(t, 1, ran)
}

// Causes are distinguished by the request that failed, and each has its own next step.
func TestCausesAreDistinguished(t *testing.T) {
	step := "#11 ERROR: process \"/bin/sh -c x\" did not complete successfully: exit code: 1\n------\n > [2/2] RUN x:\n0.4 %s\n------\nDockerfile:2\n"
	blob := "ERROR: failed to build: failed to solve: failed to compute cache key: failed to copy: httpReadSeeker: failed open: unexpected status from GET request to https://reg.example:5000/v2/base/img/blobs/sha256:00: %s\n"
	for _, c := range []struct{ text, want, next string }{
		{fmt.Sprintf(step, "tar: write error: No space left on device"), "there is no disk space left for the build:", "docker buildx prune"},
		{"ERROR: failed to solve: failed to extract layer sha256:00: write /usr/lib/x.so: no space left on device\n", "there is no disk space left for the build:", "docker buildx prune"},
		{"ERROR: failed to build: failed to copy to tar: write /w/output/images/app/oci/blobs/x: no space left on device\n", "there is no disk space left for the build:", "output/"},
		{"ERROR: failed to solve: write /x: disk quota exceeded\n", "there is no disk space left for the build:", ""},
		{fmt.Sprintf(blob, "500 Internal Server Error"), "a layer of reg.example:5000/base/img, on which the image is based, cannot be pulled (500):", "→ run the same command again"},
		{fmt.Sprintf(blob, "403 Forbidden: denied: by the company's proxy"), "cannot be pulled (403):", "log in to the registry of that image"},
		{fmt.Sprintf(blob, "429 Too Many Requests"), "cannot be pulled (429):", "→ wait"},
		{"ERROR: failed to solve: failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://r/v2/a/blobs/sha256:0\": EOF\n", "a layer of a base image cannot be pulled:", ""},
		{"ERROR: failed to solve: failed to resolve source metadata for docker.io/docker/dockerfile:1: 429 Too Many Requests\n", "the image docker.io/docker/dockerfile:1 of the Dockerfile's `# syntax=` line cannot be pulled:", "remove the `# syntax=` line from the Dockerfile"},
		{"ERROR: failed to solve: failed to resolve source metadata for m.example/docker/dockerfile-upstream:master: no such host\n", "of the Dockerfile's `# syntax=` line cannot be pulled:", ""},
		{"ERROR: failed to solve: failed to resolve source metadata for r/dockerfiles/base:1: 403 Forbidden\n", "the base image r/dockerfiles/base:1 cannot be pulled:", ""},
		{"ERROR: failed to push r/app: unexpected status from PATCH request to https://r/v2/app/blobs/uploads/x: 413 Request Entity Too Large\n", "a layer is too large for the registry, or for a proxy before it (413):", "client_max_body_size"},
		{"ERROR: failed to push r/app: denied: adding 20.0 MiB of storage resource, which when updated will exceed the configured upper limit of 1.0 GiB\n", "the registry has no room for the image, because its quota is used up:", "higher quota"},
		{"ERROR: failed to push r/app: denied: the namespace storage limit has been reached\n", "its quota is used up:", ""},
		{"ERROR: failed to push r/app: unexpected status from PUT request to https://r/v2/app/manifests/sha256:0: 415 Unsupported Media Type\n", "the registry does not accept an index of images with attestations:", "OCI"},
		{"ERROR: failed to push r/app: MANIFEST_INVALID: manifest invalid\n", "the registry does not accept an index of images with attestations:", ""},
		{"ERROR: failed to push r/app: error getting credentials - err: exec: \"docker-credential-desktop\": executable file not found in $PATH, out: ``\n", "docker's credential helper docker-credential-desktop cannot be used:", "config.json"},
		{"ERROR: failed to solve: failed to resolve source metadata for r/base:1: failed to do request: Head \"https://r/v2/base/manifests/1\": Proxy Authentication Required\n", "requires a name and a password (407):", "--driver-opt env.HTTPS_PROXY="},
		{fmt.Sprintf(blob, "407 Proxy Authentication Required"), "requires a name and a password (407):", "HTTPS_PROXY"},
		{"ERROR: failed to push r/app: failed to do request: Put \"https://r/v2/app/manifests/1\": proxyconnect tcp: 407 authenticationrequired\n", "requires a name and a password (407):", "have the registry allowed on the proxy"},
		{fmt.Sprintf(step, "curl: (56) CONNECT tunnel failed, response 407"), "a step of the Dockerfile failed:", ""},
		{"ERROR: failed to push r/app: unexpected status from PUT request to https://r/v2/app/blobs/uploads/407: 500 Internal Server Error\n", "the upload to the registry failed:", "run the same command again"},
		{"ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n", "the builder big is gone:", "docker buildx ls"},
		{"ERROR: failed to push reg.example/me/app: denied: x\n", "the registry refused the upload:", "`docker login reg.example`"},
	} {
		err := (&Builder{Name: "big", Runner: imagetest.Docker(imagetest.Say(0, inspected))}).explain(t.Context(), &command.ExitError{Name: "docker", Code: 1}, c.text, "reg.example/me/app")
		require.ErrorContains(t, err, c.want, c.text)
		require.Contains(t, fmt.Sprintf("%+v", err), c.next)
		require.NotContains(t, fmt.Sprintf("%+v", err), "LOGIN")
	}
}

// Real BuildKit output of failed builds, with the expected errors.
func TestBuildErrors(t *testing.T) {
	step := "#11 ERROR: process \"/bin/sh -c set -eu\" did not complete successfully: exit code: 1\n------\n > [environment 3/3] RUN pixi install:\n0.4 %s\n------\nDockerfile:13\n"
	for _, c := range []struct{ text, want, detail string }{
		{fmt.Sprintf(step, "Error: Cannot solve the request because of: No candidates were found for special >=1.\n0.5"), "the environment cannot be solved, because no channel has special >=1:", "special"},
		// Output of pixi 0.77, which wraps sentences at the terminal's width.
		{fmt.Sprintf(step, "Error:   × failed to solve requirements of environment 'default' for platform 'linux-\n0.5   │ aarch64'\n0.5   ├─▶   × failed to solve the environment\n0.5   │\n0.5   ╰─▶ Cannot solve the request because of: No candidates were found for\n0.5       foopack-core ==0.9.9.\n0.5       \n"), "no channel has foopack-core ==0.9.9:", "remove that platform from the manifest"},
		{fmt.Sprintf(step, "Error:   × failed to solve requirements of environment 'default' for platform 'linux-\n0.5   │ 64'\n0.5   ╰─▶ Cannot solve the request because of: No candidates were found for py-\n0.5       nothing-has-this >=1.50.\n0.5       \n"), "no channel has py-nothing-has-this >=1.50:", ""},
		{fmt.Sprintf(step, "Error:   × lock file not up-to-date with the workspace\n"), "the lock file does not match the manifest:", "mage lock"},
		{fmt.Sprintf(step, "Error:   × Lock-file version 9 is newer than supported\n0.5   help: Maximum supported version: 7 (pixi v0.77.0)\n"), "the lock file was made by a newer pixi than the one that builds the image:", "PIXI_IMAGE"},
		{fmt.Sprintf(step, "Error:   × this project requires pixi '>=0.99', but you have pixi 0.77.0\n0.5    ╭─[/app/pixi.toml:7:18]\n"), "the manifest requires pixi >=0.99, but pixi 0.77.0 builds the image:", "PIXI_IMAGE"},
		{fmt.Sprintf(step, "Error:   × failed to solve requirements of environment 'default' for platform 'linux-\n0.5   │ 64'\n0.5   ├─▶   × could not find subdir 'noarch' in channel 'https://repo.prefix.dev/\n0.5   │     │ foopack/'\n0.5   │   \n0.5   ╰─▶ HTTP status client error (404 Not Found) for url\n"), "a package channel does not exist, or this login may not read the channel:", "RATTLER_AUTH_FILE"},
		{fmt.Sprintf(step, "no space left"), "a step of the Dockerfile failed:", "no space left"},
		{fmt.Sprintf(step, "exec /bin/sh: exec format error"), "a step runs a program for another platform:", ""},
		// A failed step is the cause, regardless of what it printed about its own requests.
		{fmt.Sprintf(step, "Error: failed to fetch repodata.json.zst\n0.5   HTTP status client error (403 Forbidden) for url (https://repo.example/t/secret/x)"), "a package channel refused a request from a step of the Dockerfile (403):", "RATTLER_AUTH_FILE"},
		{fmt.Sprintf(step, "Error: HTTP status client error (401 ) for url (https://repo.example/x)"), "a package channel refused a request from a step of the Dockerfile (401):", "RATTLER_AUTH_FILE"}, // over HTTP/2 a status has no words
		{fmt.Sprintf(step, "HTTP status client error (429 Too Many Requests) for url"), "a package channel allows no more requests for now (429):", "wait"},
		{fmt.Sprintf(step, "mkdir: cannot create directory '/out': Permission denied: '/out'"), "a step of the Dockerfile failed:", "Permission denied: '/out'"},
		{fmt.Sprintf(step, "PermissionError: [Errno 13] Permission denied: '/x'\n0.5 toomanyrequests"), "a step of the Dockerfile failed:", ""},
		{strings.ReplaceAll(fmt.Sprintf(step, "curl: (22) The requested URL returned error: 403 Forbidden"), "pixi install", "curl -f x"), "a step of the Dockerfile failed:", "403 Forbidden"},
		{"#8 [environment 1/1] RUN pixi install\n#8 0.3 WARN 403 Forbidden, trying the next mirror\n#8 DONE 1.0s\n#9 pushing layers\n#9 ERROR: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 500 Internal Server Error\nERROR: failed to build: failed to solve: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 500 Internal Server Error\n", "the upload to the registry failed:", ""},
		{"ERROR: failed to build: failed to solve: failed to resolve source metadata for docker.io/docker/buildkit-syft-scanner:stable-1: no such host\n", "the image that makes the SBOM cannot be pulled:", ""},
		{"ERROR: failed to solve: pixi.example/pixi:1: failed to resolve source metadata for pixi.example/pixi:1: pixi.example/pixi:1: not found\n", "the base image pixi.example/pixi:1 cannot be pulled:", ""},
		{"ERROR: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 500 Internal Server Error\n", "the upload to the registry failed:", ""},
		{"ERROR: failed to push r/app: unexpected status from POST request to http://r/v2/app/blobs/uploads/: 429 Too Many Requests\n", "the registry allows no more requests for now (429):", ""},
		{"ERROR: failed to push r/app: failed to authorize: failed to fetch oauth token: unexpected status from GET request: 401 Unauthorized\n", "the registry refused the upload:", ""},
		{"ERROR: failed to push r/app: server message: insufficient_scope: authorization failed\n", "the registry refused the upload:", ""},
		{"#5 ERROR: failed to push r/app: toomanyrequests: made to fail\n------\n > exporting to image:\n------\nERROR: failed to build: failed to push r/app: toomanyrequests: made to fail\n", "the registry allows no more requests for now (429):", "toomanyrequests: made to fail"},
		{"ERROR: failed to push r/app: denied: made to fail\n", "the registry refused the upload:", ""},
		{"ERROR: failed to push r/app: unknown: made to fail\n", "the upload to the registry failed:", ""},
		{"ERROR: failed to copy: failed to do request: Put \"http://r\": EOF\n", "the upload to the registry failed:", ""},
		{"ERROR: Multi-platform build is not supported for the docker driver.\n", "docker's own builder cannot build multi-platform images or attestations:", ""},
		{"ERROR: additional privileges requested\n", "buildx asks for permission to read files that the build needs:", ""},
		{"ERROR: something new\n", "building the image:", "something new"},
		{"401 Unauthorized\n", "the registry refused the upload:", ""},
	} {
		err := (&Builder{}).explain(t.Context(), &command.ExitError{Name: "docker", Code: 1}, c.text, "")
		require.ErrorContains(t, err, c.want, c.text)
		text := fmt.Sprintf("%+v", err)
		require.Contains(t, text, "no tag was moved")
		require.Contains(t, text, c.detail)
	}
}
