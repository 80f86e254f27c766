package settings

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysInsteadOfNames(t *testing.T) {
	for text, refused := range map[string]bool{
		"npm_abcdefgh":          true,
		"ghp_abcdefgh":          true,
		"npm_config_userconfig": false,
		"NPM_TOKEN":             false,
	} {
		require.Equal(t, refused, RefuseKey("pass", text) != nil, text)
	}
}
