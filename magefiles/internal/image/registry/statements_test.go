package registry

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/stretchr/testify/require"
)

// A statement is either read completely, or rejected.
func TestLongStatementIsRefused(t *testing.T) {
	layer := static.NewLayer([]byte(`{"a":"b"}`), "application/vnd.in-toto+json")
	text, err := readStatement(layer, 9)
	require.NoError(t, err)
	require.Equal(t, `{"a":"b"}`, string(text))
	_, err = readStatement(layer, 8)
	require.EqualError(t, err, "an attestation is longer than the limit of 8 bytes, so it was not searched for credentials")
}
