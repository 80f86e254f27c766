package registry

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// If a login cannot be read, the error names the program or file that failed, and does not blame the registry.
func TestLoginsThatCannotBeRead(t *testing.T) {
	s := imagetest.NewShop(t)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "docker-credential-broken"), []byte("#!/bin/sh\necho no session >&2\nexit 1\n"), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for config, want := range map[string]string{
		`{"credsStore":"desktop-x"}`:                       "docker's config.json names the credential helper docker-credential-desktop-x, which does not run",
		`{"credHelpers":{"` + s.Host + `":"ecr-login-x"}}`: "docker's config.json names the credential helper docker-credential-ecr-login-x, which does not run",
		`{"credsStore":"broken"}`:                          "docker's config.json names a credential helper, which failed: ",
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

// An image's login is the one for its registry, regardless of how the image is spelled, and never the login for another registry.
func TestLoginOfARegistry(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	auth := func(user string) string {
		return base64.StdEncoding.EncodeToString([]byte(user + ":secret of " + user))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{"registry.example.org":{"auth":%q},"other.example.org:5000":{"auth":%q}}}`, auth("one"), auth("two")), 0o600))
	digest := "@sha256:" + strings.Repeat("a", 64)
	for image, user := range map[string]string{
		"registry.example.org/team/app":               "one",
		"registry.example.org/team/app:2.11":          "one",
		"registry.example.org/team/app" + digest:      "one",
		"other.example.org:5000/caddy:2.11" + digest:  "two",
		"other.example.org/caddy":                     "",
		"docker.io/library/caddy:2.11":                "",
		"caddy:2.11":                                  "",
		"registry.example.org.evil.example/app":       "",
		"evil.example/registry.example.org/app:1":     "",
		"registry.example.org:8443/team/app" + digest: "",
	} {
		login, err := LoginOf(image)
		require.NoError(t, err, image)
		require.Equal(t, user, login.User, image)
		if user != "" {
			host, _, _ := strings.Cut(image, "/")
			require.Equal(t, host, login.Server)
		}
	}
}
