package registry_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

func TestRepository(t *testing.T) {
	for _, c := range []struct{ registry, name, want, err string }{
		{"ghcr.io/someone", "app", "ghcr.io/someone/app", ""},
		{"ghcr.io/SomeOne/", "App", "ghcr.io/someone/app", ""}, // an upper-case owner
		{"127.0.0.1:5000/x", "a-b__c.d", "127.0.0.1:5000/x/a-b__c.d", ""},
		{"localhost:5000", "app", "localhost:5000/app", ""},
		{"localhost", "app", "localhost/app", ""},
		{"registry:5000/x", "app", "registry:5000/x/app", ""},
		{"[::1]:5000/x", "app", "[::1]:5000/x/app", ""},
		{"localhost:99999/x", "app", "", `"localhost:99999/x" is not a valid registry, because 99999 is not a port number`},
		{"someone", "app", "", `"someone" is not a valid registry, because "someone" is not the name of a host`}, // Docker would resolve it on Docker Hub
		{"", "app", "", `"" is not a valid registry, because "" is not the name of a host`},
		{"https://ghcr.io/x", "app", "", `"https://ghcr.io/x" is not a valid registry, because "https:" is not the name of a host`},
		{"ghcr.io/x", "my app", "", `ghcr.io/x/my app cannot be the name of an image: "my app" is not allowed in it`},
		{"ghcr.io/x", "app:1", "", `ghcr.io/x/app:1 cannot be the name of an image: "app:1" is not allowed in it`},
		{"ghcr.io/x", "-app", "", `ghcr.io/x/-app cannot be the name of an image: "-app" is not allowed in it`},
		{"ghcr.io/x", "a..b", "", `ghcr.io/x/a..b cannot be the name of an image: "a..b" is not allowed in it`},
		{"ghcr.io//x", "app", "", `ghcr.io//x/app cannot be the name of an image: "" is not allowed in it`},
		{"ghcr.io/x", "", "", `ghcr.io/x/ cannot be the name of an image: "" is not allowed in it`},
		{"ghcr.io/x", "ünder", "", `ghcr.io/x/ünder cannot be the name of an image: "ünder" is not allowed in it`},
	} {
		got, err := registry.Repository(c.registry, c.name)
		require.Equal(t, c.want, got)
		if c.err == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, c.err)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	_, err := registry.Repository("ghcr.io/"+strings.Repeat("a", 250), "app")
	require.ErrorContains(t, err, "it has 262 characters, but at most 255 are allowed")
}

func TestCheckTag(t *testing.T) {
	require.NoError(t, registry.CheckTag("v1.2_3-x"))
	for _, bad := range []string{"", "-x", ".x", "a b", "1.0+x", strings.Repeat("a", 129)} {
		require.ErrorContains(t, registry.CheckTag(bad), "cannot be a tag")
	}
}
