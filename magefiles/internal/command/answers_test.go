package command_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A secret may be part of a name, such as a folder, a branch or a JSON key. The program must read a child's output unmasked.
func TestParsedOutputIsNotMasked(t *testing.T) {
	for said, secret := range map[string]string{
		`/home/me/checkout/acme`:           "checkout",
		`{"environments_info": "default"}`: "environments_info",
		"release-1.2/of-a-branch":          "of-a-branch",
		"cHJlZml4LWtleQ and prefix-key":    "prefix-key", // as base64, too
	} {
		out, err := command.Output(t.Context(), system(secret), sh(`printf %s "$1"`, said))
		require.NoError(t, err)
		require.Equal(t, said, out)
		var shown bytes.Buffer
		c := sh(`printf %s "$1"`, said)
		c.Stdout = &shown
		require.NoError(t, system(secret).Run(t.Context(), c))
		require.NotContains(t, shown.String(), secret)
	}
}

// Output that the program parses is not masked. Output that users see is masked: standard error, and the last lines of both streams.
func TestParsedOutputIsMaskedForUsers(t *testing.T) {
	var out, said bytes.Buffer
	c := sh(`echo "a-secret-path"; echo "key a-secret-path" >&2; exit 3`)
	c.Stdout, c.Stderr, c.Answers = &out, &said, true
	err := system("a-secret-path").Run(t.Context(), c)
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, "a-secret-path\n", out.String())
	require.Equal(t, "key ***\n", said.String())
	require.NotContains(t, exit.Tail, "a-secret-path")
	require.Contains(t, exit.Tail, "***")

	var both bytes.Buffer
	c.Stdout, c.Stderr = &both, &both
	require.Error(t, system("a-secret-path").Run(t.Context(), c))
	require.Contains(t, both.String(), "key a-secret-path", "one writer for both is the program's")
}

func TestMask(t *testing.T) {
	for _, c := range []struct {
		writes []string
		want   string
	}{
		{[]string{"one a-secret two\n"}, "one *** two\n"},
		{[]string{"in two a-se", "cret writes\n"}, "in two *** writes\n"},
		{[]string{"a prompt? ", "a-secret\n"}, "a prompt? ***\n"},
		{[]string{"ends like one: a-se\n"}, "ends like one: a-se\n"},
	} {
		var b bytes.Buffer
		m := command.Mask(&b, "a-secret", "")
		for _, w := range c.writes {
			_, err := io.WriteString(m, w)
			require.NoError(t, err)
		}
		require.Equal(t, c.want, b.String())
		require.Equal(t, io.Writer(&b), m.Unmasked())
	}
}
