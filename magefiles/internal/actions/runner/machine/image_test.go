package machine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
)

// The list of programs is dated, has no duplicates, and contains no program that jobs have to install themselves.
func TestListOfPrograms(t *testing.T) {
	data, err := os.ReadFile("programs.txt")
	require.NoError(t, err)
	require.Regexp(t, `as of 20\d\d-\d\d-\d\d: image version [\d.]+ of ubuntu-24.04 and of ubuntu-22.04`, string(data))
	all := regexp.MustCompile(`(?m)^(?:#.*|\[\w\S*\])$`).ReplaceAllString(string(data), "")
	words := strings.Fields(all)
	for _, has := range []string{"sh", "bash", "git", "python3", "[", "jq", "docker", "sed"} {
		require.Contains(t, words, has)
	}
	for _, hasNot := range []string{"go", "gofmt", "uv", "pixi", "mage", "[all]"} {
		require.NotContains(t, words, hasNot)
	}
	slices.Sort(words)
	for i := 1; i < len(words); i++ {
		require.NotEqual(t, words[i-1], words[i])
	}
}

// A job starts with those programs of the image that this machine has, wherever they are installed, and with no other programs of this machine.
func TestImages(t *testing.T) {
	mine := t.TempDir()
	for name, mode := range map[string]os.FileMode{"terraform": 0o755, "helm": 0o755, "pixi": 0o755, "julia": 0o644} {
		require.NoError(t, os.WriteFile(filepath.Join(mine, name), []byte("#!/bin/sh\n"), mode))
	}
	i := &machine.Images{Dir: t.TempDir(), Ours: []string{"PATH=" + mine + ":/no/such/folder:relative"}}
	one, err := i.Find("Ubuntu-24.04-ARM")
	require.NoError(t, err)
	there := func(dir, name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	require.True(t, there(one.Path, "helm"))
	require.True(t, there(one.Path, "sh"), "of this machine's /bin")
	require.False(t, there(one.Path, "pixi"), "no image has it")
	require.False(t, there(one.Path, "terraform"), "the other image has it")
	require.Contains(t, one.Lacks, "julia", "it cannot be run")
	require.NotContains(t, one.Lacks, "helm")
	same, err := i.Find("ubuntu-latest")
	require.NoError(t, err)
	require.Equal(t, one, same)
	older, err := i.Find("ubuntu-22.04")
	require.NoError(t, err)
	require.True(t, there(older.Path, "terraform"))
}
