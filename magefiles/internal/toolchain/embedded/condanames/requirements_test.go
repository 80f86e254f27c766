package condanames

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPyPISpecifier(t *testing.T) {
	for in, want := range map[string]string{
		"":           "",
		"*":          "",
		">=1.26, <3": ">=1.26,<3",
		"==1.2":      "==1.2",
		"==1.2.*":    "==1.2.*",
		"1.2":        "==1.2",
		"2.*":        "==2.*",
		"=1.2":       "==1.2.*",
		"=1.2.*":     "==1.2.*",
		">=1.2.*":    ">=1.2",
		"!=1.5.*":    "!=1.5.*",
		"~=1.4.2":    "~=1.4.2",
	} {
		got, err := writeSpecifier(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"==1.2|==1.3", "(>=1,<2)", ">=", "=!1"} {
		_, err := writeSpecifier(in)
		require.Error(t, err, in)
	}
}
