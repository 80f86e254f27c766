package survey

import (
	"strings"
	"testing"
	"time"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/stretchr/testify/require"
)

// An upstream belongs to a version only if it contains the version's full name.
func TestVersionOfAnUpstream(t *testing.T) {
	t.Parallel()
	v := Version{ID: "app-staging-1", Port: 80}
	for upstream, want := range map[string]bool{v.Upstream(): true, "app-staging-1:81": true, "app-staging-12:80": false, "app-staging-1": false, hoststate.None: false, "": false} {
		require.Equal(t, want, v.At(upstream), upstream)
	}
}

// Applications that share a host have separate state, whatever their names are, under names that hosts and engines accept.
func TestApplicationsHaveSeparateState(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	environment := strings.Repeat("e", 30)
	for _, app := range []string{
		"my-app", "my_app", "my.app", "My-App", "-my-app", "a customer's \"portal\" $X", strings.Repeat("a", 30) + "1", strings.Repeat("a", 30) + "2", "\u043f\u043e\u0440\u0442\u0430\u043b", "\u9580",
	} {
		k := key(app, environment)
		require.True(t, hoststate.Name(k), "%s: %s", app, k)
		require.Empty(t, seen[k], "%s", k)
		seen[k] = app
		id := versionID(app, environment, localengine.Digest("x"), time.Now())
		require.Regexp(t, `^[a-z0-9][a-z0-9-]{0,62}$`, id, "%s", app)
	}
	require.Equal(t, "my-app.staging", key("my-app", "staging"))
}
