package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	require.Equal(t, "foo_bar", CondaName("Foo_Bar"))
	require.Equal(t, "foo-bar-baz", PyPIName("Foo__Bar.-baz"))
	require.Equal(t, "foo-bar", PyPIName("foo--bar"))
}
