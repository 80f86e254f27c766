package proof

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

func TestTheCheckKeepsTheEntryPoint(t *testing.T) {
	text, err := writeDockerfile("r/app@sha256:x", registry.Image{Entrypoint: []string{"/app/entrypoint"}}, []string{"sh", "-c", `echo "a b" && exit`})
	require.NoError(t, err)
	require.Equal(t, `FROM r/app@sha256:x
RUN ["/app/entrypoint","sh","-c","echo \"a b\" \u0026\u0026 exit"]
`, string(text))
}

// A shell-form entry point runs instead of the check, so its success proves nothing. It is rejected without a build.
func TestAnEntryPointThatTakesNoCheck(t *testing.T) {
	p := &Prover{Name: "site"}
	err := p.check(t.Context(), registry.Image{Entrypoint: []string{"/bin/sh", "-c", "exec serve"}})
	require.ErrorContains(t, err, "the image of site has an entry point in the shell form")
	require.Contains(t, operr.NextOf(err), `ENTRYPOINT ["program", "argument"]`)
}
