package proof

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

func TestTheCheckKeepsTheEntryPoint(t *testing.T) {
	text, err := writeDockerfile("r/app@sha256:x", registry.Image{Entrypoint: []string{"/app/entrypoint"}}, []string{"sh", "-c", `echo "a b" && exit`})
	require.NoError(t, err)
	require.Equal(t, `FROM r/app@sha256:x
RUN ["/app/entrypoint","sh","-c","echo \"a b\" \u0026\u0026 exit"]
`, string(text))
}
