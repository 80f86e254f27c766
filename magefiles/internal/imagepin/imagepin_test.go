package imagepin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
)

const digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"

func pin(text string, places []imagepin.Place) string {
	return strings.ReplaceAll(string(imagepin.Pin([]byte(text), places, func(string) string { return digest })), digest, "D")
}

// Each image in a workflow that GitHub or this pipeline uses is pinned, and no other byte changes.
func TestWorkflow(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a container": {"jobs:\n  a:\n    container: debian:12\n", "jobs:\n  a:\n    container: debian:12@D\n"},
		"a container's image": {
			text: "jobs:\n  a:\n    container: # why\n      image: 'ghcr.io/o/x:1' # that one\n      options: --cpus 1\n",
			want: "jobs:\n  a:\n    container: # why\n      image: 'ghcr.io/o/x:1@D' # that one\n      options: --cpus 1\n",
		},
		"services":            {"jobs:\n  a:\n    services:\n      db: {image: \"postgres:17\", ports: [5432]}\n      cache:\n        image: redis\n", "jobs:\n  a:\n    services:\n      db: {image: \"postgres:17@D\", ports: [5432]}\n      cache:\n        image: redis:latest@D\n"},
		"a step":              {"jobs:\n  a:\n    steps:\n    - uses: docker://alpine:3.22\n    - uses: actions/checkout@v7\n", "jobs:\n  a:\n    steps:\n    - uses: docker://alpine:3.22@D\n    - uses: actions/checkout@v7\n"},
		"an action":           {"name: x\nruns:\n  using: docker\n  image: docker://ghcr.io/o/act:2\n", "name: x\nruns:\n  using: docker\n  image: docker://ghcr.io/o/act:2@D\n"},
		"an action's file":    {"runs:\n  using: docker\n  image: Dockerfile\n", "runs:\n  using: docker\n  image: Dockerfile\n"},
		"an action's steps":   {"runs:\n  using: composite\n  steps:\n  - uses: docker://a:1\n", "runs:\n  using: composite\n  steps:\n  - uses: docker://a:1@D\n"},
		"our variables":       {"env:\n  BUILDKIT_SBOM_GENERATOR: docker.io/docker/s:1\n  OTHER: b:1\njobs:\n  a:\n    env: {PIXI_IMAGE: p:1}\n    steps:\n    - env:\n        BASE_IMAGE: b:1\n", "env:\n  BUILDKIT_SBOM_GENERATOR: docker.io/docker/s:1@D\n  OTHER: b:1\njobs:\n  a:\n    env: {PIXI_IMAGE: p:1@D}\n    steps:\n    - env:\n        BASE_IMAGE: b:1@D\n"},
		"no SBOM":             {"env:\n  BUILDKIT_SBOM_GENERATOR: off\n  BASE_IMAGE: ''\n", "env:\n  BUILDKIT_SBOM_GENERATOR: off\n  BASE_IMAGE: ''\n"},
		"a builder":           {"jobs:\n  a:\n    steps:\n    - uses: docker/setup-buildx-action@v4\n      with:\n        driver-opts: network=host,image=moby/buildkit:v1,x=y\n", "jobs:\n  a:\n    steps:\n    - uses: docker/setup-buildx-action@v4\n      with:\n        driver-opts: network=host,image=moby/buildkit:v1@D,x=y\n"},
		"a builder, in lines": {"jobs:\n  a:\n    steps:\n    - uses: docker/setup-buildx-action@v4\n      with:\n        driver-opts: |\n          network=host\n          image=moby/buildkit:v1\n", "jobs:\n  a:\n    steps:\n    - uses: docker/setup-buildx-action@v4\n      with:\n        driver-opts: |\n          network=host\n          image=moby/buildkit:v1@D\n"},
		"an anchor":           {"jobs:\n  a:\n    container: &c debian:12\n  b:\n    container: *c\n", "jobs:\n  a:\n    container: &c debian:12@D\n  b:\n    container: *c\n"},
		"a tag, and letters":  {"# ä\r\njobs:\r\n  ü: {container: !!str debian:12}\r\n", "# ä\r\njobs:\r\n  ü: {container: !!str debian:12@D}\r\n"},
		"pinned":              {"jobs:\n  a:\n    container: debian:12@" + digest + "\n", "jobs:\n  a:\n    container: debian:12@D\n"},
		"nothing":             {"", ""},
		"not a workflow":      {"[1, {jobs: x}]\n", "[1, {jobs: x}]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			places, open, err := imagepin.Workflow([]byte(c.text))
			require.NoError(t, err)
			require.Empty(t, open)
			got := pin(c.text, places)
			require.Equal(t, c.want, got)
			require.NoError(t, yaml.Unmarshal([]byte(got), new(any)))
		})
	}
	_, _, err := imagepin.Workflow([]byte("a: [\n"))
	require.Error(t, err)
}

// An image that cannot be determined, or cannot be pinned by an insertion, is reported and not changed.
func TestOpen(t *testing.T) {
	for text, want := range map[string]string{
		"jobs:\n  a:\n    container: ${{ matrix.image }}\n":                   "line 3: ${{ matrix.image }}: the name comes from an expression",
		"jobs:\n  a:\n    container: \"debian\\x3a12\"\n":                     "line 3: debian:12: this form of the name cannot be edited",
		"jobs:\n  a:\n    container: >-\n      debian:12\n":                   "line 3: debian:12: this form of the name cannot be edited",
		"jobs:\n  a:\n    steps:\n    - uses: docker://o/x:${{ inputs.v }}\n": "line 4: o/x:${{ inputs.v }}: the name comes from an expression",
	} {
		places, open, err := imagepin.Workflow([]byte(text))
		require.NoError(t, err)
		require.Empty(t, places)
		require.Len(t, open, 1)
		require.Contains(t, open[0].String(), want)
	}
	places, open := imagepin.Dockerfile([]byte("ARG V=12\nFROM debian:$V\nFROM a:1\n"))
	require.Equal(t, []imagepin.Place{{Ref: "a:1", End: 32, Line: 3}}, places)
	require.Contains(t, open[0].String(), "line 2: debian:$V: the name is composed of several parts")
}

// A place without a known digest does not change. A name without a tag gets latest as well as the digest.
func TestPin(t *testing.T) {
	text := "ARG A=host:5000/one\nFROM ${A} AS x\nFROM two:2\nFROM three@" + digest + "\nCOPY --from=host:5000/one /a /a\n"
	places, open := imagepin.Dockerfile([]byte(text))
	require.Empty(t, open)
	require.Len(t, places, 3)
	got := imagepin.Pin([]byte(text), places, func(ref string) string {
		if ref == "two:2" {
			return ""
		}
		return digest
	})
	require.Equal(t, strings.ReplaceAll(text, "host:5000/one", "host:5000/one:latest@"+digest), string(got))
	again, _ := imagepin.Dockerfile(got)
	require.Equal(t, []string{"two:2"}, refs(again))
}

func refs(places []imagepin.Place) (all []string) {
	for _, p := range places {
		all = append(all, p.Ref)
	}
	return all
}

// Every image in this repository is pinned, or can be.
func TestOurImagesCanBePinned(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	n := 0
	for _, pattern := range []string{"app/Dockerfile", "containers/*/Dockerfile", "magefiles/internal/*/*.Dockerfile", ".github/workflows/*.yml"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		require.NotEmpty(t, files, pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var places []imagepin.Place
			var open []imagepin.Open
			if strings.HasSuffix(file, ".yml") {
				places, open, err = imagepin.Workflow(text)
				require.NoError(t, err)
			} else {
				places, open = imagepin.Dockerfile(text)
			}
			require.Empty(t, open, file)
			n += len(places) + strings.Count(string(text), "@sha256:")
		}
	}
	require.GreaterOrEqual(t, n, 7, "the images of this repository are found")
}

func TestWhatIsAWorkflowOrADockerfile(t *testing.T) {
	for file, want := range map[string][2]bool{
		".github/workflows/ci.yml": {true, false}, ".github/workflows/ci.yaml": {true, false}, "sub/.github/workflows/ci.yml": {false, false},
		"action.yml": {true, false}, "a/b/action.yaml": {true, false}, ".github/dependabot.yml": {true, false}, ".github/workflows/x.md": {false, false},
		"Dockerfile": {false, true}, "a/Dockerfile.dev": {false, true}, "b/images.Dockerfile": {false, true}, "Containerfile": {false, true},
		"a/.dockerignore": {false, false}, "Dockerfile.dockerignore": {false, false}, "dockerfile.go": {false, false}, "Dockerfiles/x": {false, false},
	} {
		require.Equal(t, want, [2]bool{imagepin.IsWorkflow(file), dockerfile.IsName(file)}, file)
	}
}
