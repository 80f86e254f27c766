package buildx

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// A secret may coincide with text that is parsed in buildx's output, such as a platform, a phrase or a host. The program parses the unmodified
// output, and secrets are redacted only for display.
func TestSecretsAreHiddenOnlyForDisplay(t *testing.T) {
	step := "#5 [linux/amd64 2/3] RUN x\n#5 ERROR: process \"/bin/sh -c x\" did not complete successfully: exit code: 1\n------\n > [linux/amd64 2/3] RUN x:\n0.4 tar: No space left on device\n------\n"
	for _, c := range []struct{ secret, said, says string }{
		{"successfully", step, "there is no disk space left for the build:"},
		{"space left", step, "there is no disk *** for the build:"},
		{"/manifests/", "ERROR: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 415 Unsupported Media Type\n", "the registry does not accept"},
		{"Unsupported Media", "ERROR: failed to push r/app: unexpected status from PUT request to http://r/v2/app/manifests/x: 415 Unsupported Media Type\n", "the registry does not accept"},
		{"desktop-of-us", "ERROR: error getting credentials - err: exec: \"docker-credential-desktop-of-us\": not found\n", "docker's credential helper docker-credential-*** cannot be used:"},
		{"docker-credential", "ERROR: error getting credentials - err: exec: \"docker-credential-desktop\": not found\n", "docker's credential helper ***-desktop cannot be used:"},
		{"base/the-secret", "ERROR: failed to solve: failed to resolve source metadata for r/base/the-secret:1: 403 Forbidden\n", "the base image r/***:1 cannot be pulled:"},
	} {
		var log bytes.Buffer
		b := &Builder{Runner: imagetest.Program(t, c.said, 1, "THEIR_TOKEN="+c.secret)}
		b.Log = &log
		said, err := b.record(t.Context(), []string{"buildx", "inspect"}, nil)
		require.Error(t, err)
		require.Equal(t, c.said, said)
		require.Contains(t, log.String(), "***")
		require.NotContains(t, log.String(), c.secret)
		err = b.explain(t.Context(), err, said, "")
		require.ErrorContains(t, err, c.says, c.secret)
		require.NotContains(t, fmt.Sprintf("%+v", err), c.secret)
	}

	for _, secret := range []string{"linux/amd64", "[linux/amd64 2/3]", "#5 DONE 0.1s"} {
		b := &Builder{Runner: imagetest.Program(t, "#5 [linux/amd64 2/3] RUN x\n#5 DONE 0.1s\n", 0, "THEIR_TOKEN="+secret)}
		said, err := b.record(t.Context(), []string{"buildx", "inspect"}, nil)
		require.NoError(t, err)
		require.Equal(t, BuildResult{Ran: []string{"[linux/amd64 2/3] RUN x"}}, readRecord(said))
	}
}
