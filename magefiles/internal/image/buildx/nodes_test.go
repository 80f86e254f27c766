package buildx

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// Output of buildx v0.38 for unresponsive nodes, without --bootstrap. With --bootstrap there is only an error.
const (
	inactive = "Name:   many\nDriver: remote\n\nNodes:\nName:             many0\nEndpoint:         unix:///run/a.sock\nStatus:           running\nPlatforms:        linux/amd64\nLabels:\n org.mobyproject.buildkit.worker.executor: oci\n\nName:     far\nEndpoint: tcp://far:1234\nStatus:   inactive\n"
	broken2  = "Name:   many\nDriver: kubernetes\n\nNodes:\nName:     a\nEndpoint: kubernetes:///many?deployment=a\nError:    no such deployment\n\nName:     b\nEndpoint: ssh://me@big\nStatus:   stopped\n"
)

func TestMissingNodesAreNamed(t *testing.T) {
	const died = "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n"
	for _, c := range []struct{ inspected, says, next string }{
		{inactive, "its node far (tcp://far:1234) is not running", "`docker buildx create --name many --node NODE --leave`"},
		{broken2, "its nodes a (kubernetes:///many?deployment=a) and b (ssh://me@big) are not running", "--leave"},
		{inspected, "", ""},
		{"", "", ""},
	} {
		b := &Builder{
			Name: "many",
			Runner: imagetest.Docker(func(ctx context.Context, k command.Cmd) error {
				if slices.Contains(k.Args, "--bootstrap") {
					return imagetest.Say(1, "#1 [internal] waiting for connection\n#1 ERROR: context deadline exceeded\n")(ctx, k)
				}
				return imagetest.Say(0, c.inspected)(ctx, k)
			}),
		}
		_, err := b.Look(t.Context())
		require.ErrorContains(t, err, "the builder many does not answer: "+c.says)
		require.Contains(t, fmt.Sprintf("%+v", err), c.next)
		err = b.explain(t.Context(), &command.ExitError{Name: "docker", Code: 1}, died, "")
		require.ErrorContains(t, err, "the builder many is gone: "+c.says)
		require.Contains(t, fmt.Sprintf("%+v", err), c.next)
		require.Contains(t, fmt.Sprintf("%+v", err), "no tag was moved")
	}
}

// A build that fails before it can check the image has its own set of causes, because it does not push.
func TestChecksThatCannotBeRun(t *testing.T) {
	const source = "ERROR: failed to build: failed to solve: r.example/a@sha256:0: failed to resolve source metadata for r.example/a@sha256:0: "
	for said, want := range map[string][2]string{
		source + "unexpected status from HEAD request to https://r.example/v2/a/manifests/sha256:0: 403 Forbidden\n":                      {"the registry does not let the builder read the image", "`docker login r.example`"},
		source + "pull access denied, repository does not exist or may require authorization: insufficient_scope: authorization failed\n": {"the registry does not let the builder read the image", "log in"},
		source + "unexpected status: 429 Too Many Requests\n":                                                                             {"the registry allows no more requests for now (429)", "wait"},
		source + "failed to do request: Head \"https://r.example/v2/a\": dial tcp: lookup r.example: no such host\n":                      {"the builder could not reach the registry", "that the builder can reach the registry"},
		source + "not found\n": {"the builder cannot find the image in the registry", "run the same command again"},
		"ERROR: failed to solve: failed to extract layer sha256:0: write /x: no space left on device\n":          {"there is no disk space left for the build", "docker buildx prune"},
		"ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n": {"the builder many is gone: its node far (tcp://far:1234) is not running", "--leave"},
		"ERROR: something new\n": {"the check of a on linux/amd64 could not be run: docker ended", "check that the builder can read the registry"},
	} {
		b := &Builder{Name: "many", Runner: imagetest.Docker(imagetest.Say(0, inactive))}
		err := b.ExplainUnread(t.Context(), &command.ExitError{Name: "docker", Code: 1}, said, "r.example/a", "the check of a on linux/amd64 could not be run")
		require.ErrorContains(t, err, want[0], said)
		require.Contains(t, fmt.Sprintf("%+v", err), want[1])
		require.Contains(t, fmt.Sprintf("%+v", err), "no tag was moved")
	}
}
