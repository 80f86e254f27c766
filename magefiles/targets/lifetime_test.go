package targets

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// What is printed by us hides the credentials, and what a program reads of us does not.
func TestPeopleAreShownNoSecret(t *testing.T) {
	t.Setenv("PREFIX_API_KEY", "release-candidate")
	require.Equal(t, "the branch *** is there", plain(errors.New("the branch release-candidate is there")).Error())
	for name, err := range map[string]error{
		"as it is": operr.NewUsage("see release-candidate", "x").WithDetail("of release-candidate"),
		"wrapped":  fmt.Errorf("x: %w", operr.NewUsage("see release-candidate", "y").WithDetail("of release-candidate")),
		"within":   operr.New("see release-candidate", "x: %w", operr.NewUsage("", "y").WithDetail("of release-candidate")),
		"a cure":   operr.NewUsage("else", "x: %w", operr.Cured("see release-candidate", errors.New("y"))).WithDetail("of release-candidate"),
		"a cure, deep": fmt.Errorf("z: %w", fmt.Errorf("y: %w", operr.Cured("see release-candidate",
			operr.NewUsage("else", "x").WithDetail("of release-candidate")))),
	} {
		require.Contains(t, fmt.Sprintf("%+v", plain(err)), "of ***\n→ see ***", name)
		require.Equal(t, operr.ExitStatus(err), plain(err).ExitStatus(), name)
	}
	var out bytes.Buffer
	v := view.View{Out: command.Mask(&out, secrets()...), Err: command.Mask(&out, secrets()...)}
	v.Say("on %s", "release-candidate")
	v.Table([]string{"A"}, [][]string{{"release-candidate"}})
	require.Equal(t, "on ***\nA\n***\n", out.String())
	out.Reset()
	require.NoError(t, v.JSON("release-candidate"))
	require.Equal(t, "\"release-candidate\"\n", out.String())
}
