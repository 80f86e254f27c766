package lint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A method of a type with an Example may be for other modules, so it is not dead. Every other function that nothing reaches is dead.
func TestFunctionsInExamplesAreNotDead(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "a"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "a", "x_test.go"), []byte("package a\n\nfunc ExampleDoor() {}\n\n// func ExampleKey() {}\n"), 0o644))
	found := []string{
		"a/a.go:3:6: unreachable func: Door.Open",
		"a/a.go:4:6: unreachable func: Key.Turn",
		"a/a.go:5:6: unreachable func: open",
		"a/a.go:6:6: unreachable func: Doors.Open",
		"b/b.go:3:6: unreachable func: Door.Open",
	}
	dead, err := withoutExamples(root, strings.Join(found, "\n")+"\n")
	require.NoError(t, err)
	require.Equal(t, found[1:], dead)
	dead, err = withoutExamples(root, "")
	require.NoError(t, err)
	require.Empty(t, dead)
}
