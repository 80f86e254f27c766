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

// The list says of what day it is, has no program twice, and none that a job has to bring itself.
func TestTheListOfPrograms(t *testing.T) {
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

// What a job begins with is what the image has, wherever this machine keeps it, and nothing else that is here.
func TestImages(t *testing.T) {
	mine := t.TempDir()
	for name, mode := range map[string]os.FileMode{"terraform": 0o755, "helm": 0o755, "pixi": 0o755, "julia": 0o644} {
		require.NoError(t, os.WriteFile(filepath.Join(mine, name), []byte("#!/bin/sh\n"), mode))
	}
	i := &machine.Images{Dir: t.TempDir(), Ours: []string{"PATH=" + mine + ":/no/such/folder:relative"}}
	one, err := i.Of("Ubuntu-24.04-ARM")
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
	same, err := i.Of("ubuntu-latest")
	require.NoError(t, err)
	require.Equal(t, one, same)
	older, err := i.Of("ubuntu-22.04")
	require.NoError(t, err)
	require.True(t, there(older.Path, "terraform"))
}
