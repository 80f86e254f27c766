package survey

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
)

// A revision's description is stored in plans, which must not change when encoded as JSON and decoded.
func TestRevisionIsValidUTF8(t *testing.T) {
	t.Parallel()
	for _, revision := range []string{"release of \u0434\u0432\u0430", "12345678901\u9580\u9580", "v1-\u00fc", "after \u2713 switch", "\U0001f600\U0001f600\U0001f600\U0001f600"} {
		require.True(t, utf8.ValidString(Version{Image: "r@sha256:0123456789abcdef", Revision: revision}.Describe()), revision)
		_, seen := Judge(config.Revision{Header: "Version"}, "other", hoststate.Answer{Status: 200, Header: http.Header{"Version": {revision}}})
		require.True(t, utf8.ValidString(seen), revision)
	}
	// A header may contain arbitrary bytes.
	said := revisionOf(config.Revision{Header: "Version"}, hoststate.Answer{Status: 200, Header: http.Header{"Version": {"v1\xff\xfe"}}})
	require.Equal(t, "v1\uFFFD", said)
}
