package pixisays_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pixisays"
)

// Each message is matched regardless of line breaks, and its groups have the expected values.
func TestSentences(t *testing.T) {
	for name, c := range map[string]struct {
		sentence, printed string
		about             []string
	}{
		"lock":         {pixisays.LockNotUpToDate, "Error:   × lock file not up-to-date with\n  │ the workspace\n", nil},
		"lock, before": {pixisays.LockNotUpToDate, "  × lock-file not up-to-\n  │ date with the project\n", nil},
		"newer lock":   {pixisays.LockTooNew, "Error: \x1b[31m×\x1b[0m Lock-file version 9 is newer\n  │ than supported\n", nil},
		"pixi":         {pixisays.OtherPixi, "  × this project requires pixi '>=0.90', but\n  │ you have pixi 0.77.1\n", []string{">=0.90", "0.77.1"}},
		"workspace":    {pixisays.NoWorkspace, "  × could not find pixi.toml or pyproject.toml at directory\n  │ /w/x\n", []string{"/w/x"}},
		"environment":  {pixisays.NoEnvironment, "  × unknown environment 'docs'\n", []string{"docs"}},
		"candidates":   {pixisays.Unsolved + pixisays.NoCandidates, "  × failed to solve requirements of environment 'default' for platform\n  │ 'linux-64'\n  ├─▶ Cannot solve the request because of: No candidates were found for foo-\n  │   bar >=2.\n", []string{"foo-bar >=2", ""}},
		"login":        {pixisays.Refused, "  ╰─▶ HTTP status client error (403 Forbidden) for url (https://c.example)\n", []string{"403"}},
		"limit":        {pixisays.TooMany, "  ╰─▶ HTTP status client\n      error (429 Too Many Requests)\n", nil},
		"there":        {pixisays.AlreadyExists, "\x1b[33mSkipping 'a-1.0-0.conda'\x1b[0m (already exists)\n", []string{"a-1.0-0.conda"}},
		"flag":         {pixisays.InvalidValue, "error: invalid value '1' for '--frozen <FROZEN>'\n", []string{"1", "frozen"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := regexp.MustCompile(c.sentence).FindStringSubmatch(pixisays.Unwrap(c.printed))
			require.NotNil(t, m, pixisays.Unwrap(c.printed))
			require.ElementsMatch(t, c.about, m[1:])
		})
	}
	require.NotRegexp(t, pixisays.Unsolved+pixisays.NoCandidates, pixisays.Unwrap("my task: No candidates were found for x.\n"))
}
