package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The cases come from the snapshots in crates/pixi_manifest/src/task.rs.
func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"foobar": "foobar", "foo bar": `"foo bar"`, `"`: `"`, `foo " bar`: `"foo \" bar"`, "": `""`, "$PATH": "$PATH",
		"PATH=$PATH;build/Debug": "PATH=$PATH;build/Debug", "name=[64,64]": `"name=[64,64]"`, "a\tb": "\"a\tb\"",
	} {
		require.Equal(t, want, Quote(word), word)
	}
}
