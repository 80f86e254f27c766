package proof

import (
	"context"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/image/buildx"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// prover returns a prover for a local image, which calls the given function instead of docker.
func prover(t *testing.T, docker func(ctx context.Context, c command.Cmd) error) *Prover {
	return &Prover{
		Builder:    &buildx.Builder{Runner: imagetest.Docker(docker), Pause: imagetest.NoPause},
		Name:       "theapp",
		Repository: "ghcr.io/someone/theapp",
		Digest:     "sha256:index",
		Kept:       "/kept",
		Dir:        t.TempDir(),
		Check:      []string{"sh", "-c", "python -c 'import lib'"},
	}
}
