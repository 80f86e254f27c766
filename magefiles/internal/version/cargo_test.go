package version

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A version that Cargo can represent survives a round trip. Other versions have no Cargo equivalent.
func TestCargo(t *testing.T) {
	for ours, cargo := range map[string]string{
		"0.1.0": "0.1.0", "0.2": "0.2.0", "1": "1.0.0", "0.2.0rc1": "0.2.0-rc.1", "0.2.0a3": "0.2.0-alpha.3", "0.2b2": "0.2.0-beta.2",
		"0.2.0.dev4": "0.2.0-dev.4", "0.2.0.post1": "", "0.2.0.1": "", "0.2.0a1.dev1": "",
	} {
		require.Equal(t, cargo, MustParse(ours).Cargo(), ours)
		if cargo != "" {
			require.True(t, Same(ours, FromCargo(cargo)), ours)
		}
	}
	for cargo, ours := range map[string]string{"0.2.0-rc1": "0.2.0rc1", "0.2.0-a.1": "0.2.0a1", "0.2.0-nightly.1": "0.2.0-nightly.1", "0.2.0+x": "0.2.0+x"} {
		require.Equal(t, ours, FromCargo(cargo))
	}
}
