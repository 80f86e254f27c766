package registry

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// A login that cannot be read is told by the program, or the file, that does not give it: the registry is well.
func TestLoginsThatCannotBeRead(t *testing.T) {
	s := imagetest.NewShop(t)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker-credential-broken"), []byte("#!/bin/sh\necho no session >&2\nexit 1\n"), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for config, want := range map[string]string{
		`{"credsStore":"desktop-x"}`:                       "docker's credential helper docker-credential-desktop-x cannot be used",
		`{"credHelpers":{"` + s.Host + `":"ecr-login-x"}}`: "docker's credential helper docker-credential-ecr-login-x cannot be used",
		`{"credsStore":"broken"}`:                          "the credential helper that docker's config.json names fails: ",
		`{"auths":{`:                                       "docker's configuration cannot be read",
		`[]`:                                               "docker's configuration cannot be read",
	} {
		dir := t.TempDir()
		t.Setenv("DOCKER_CONFIG", dir)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600))
		_, tags := (&Registry{}).Tags(t.Context(), s.Host+"/a/b")
		for _, err := range []error{tags, (&Registry{}).MayPush(t.Context(), s.Host+"/a/b")} {
			require.ErrorContains(t, err, want, config)
			require.ErrorIs(t, err, ErrLogin)
			require.NotContains(t, fmt.Sprintf("%+v", err), "can be reached")
		}
	}
}
