package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each script begins with a comment that describes what it tests. No two scripts have the same description. File names are in lower case, with
// hyphens.
func TestScriptsHaveDescriptions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*\.txtar$`)
	claims := map[string]string{}
	for _, file := range files {
		require.Regexp(t, name, filepath.Base(file), "lower case, with hyphens: the name is that of a test on every file system")
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		claim, _, _ := strings.Cut(string(text), "\n\n")
		require.True(t, strings.HasPrefix(claim, "# "), "%s does not begin with what it proves", file)
		claim = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(claim, "\n#", " ")), " "))
		require.Empty(t, claims[claim], "%s proves what another one proves", file)
		claims[claim] = file
	}
}
