package image_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image"
)

func TestSource(t *testing.T) {
	for remote, want := range map[string]string{
		"https://host.example/SomeOne/repo.git": "https://host.example/SomeOne/repo", "git@host.example:someone/repo": "https://host.example/someone/repo",
		"https://user:token@host.example:8443/a/b": "https://host.example:8443/a/b", "ssh://git@host.example:22/a/b.git": "https://host.example/a/b",
		"/srv/git/repo.git": "", "file:///srv/repo": "", "": "", "https://host.example/": "",
	} {
		require.Equal(t, want, image.Source(remote), remote)
	}
}
