package lazyregexp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// An expression is compiled at the first call, and only once.
func TestNew(t *testing.T) {
	pattern := lazyregexp.New(`^a+$`)
	require.True(t, pattern().MatchString("aa"))
	require.Same(t, pattern(), pattern())
	broken := lazyregexp.New(`(`)
	require.Panics(t, func() { broken() })
}
