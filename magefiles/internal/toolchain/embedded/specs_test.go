package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExplicit(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"*":                 "*",
		"0.1.6":             "==0.1.6",
		"1.2|1.3|1.4":       "==1.2|==1.3|==1.4",
		"==1.2|1.3":         "==1.2|==1.3",
		">=1, <2":           ">=1,<2",
		"2.*":               "2.*",
		"==3.12.*":          "3.12.*",
		">=3.11,==3.12.*":   ">=3.11,3.12.*",
		">= 3.11.*, <4.*":   ">=3.11,<4",
		"===3.12.1":         "==3.12.1",
		"!=3.12.*":          "!=3.12.*",
		"==3.11.*|==3.13.*": "3.11.*|3.13.*",
		"=0.1":              "=0.1",
		"!=1.5":             "!=1.5",
		"~=1.4.2":           "~=1.4.2",
		"(>=1,<2)|>=3":      "(>=1,<2)|>=3",
		"(1.2|1.3),!=1.2.1": "(==1.2|==1.3),!=1.2.1",
	} {
		require.Equal(t, want, explicit(in), in)
	}
}

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
		got, err := pypiSpecifier(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"==1.2|==1.3", "(>=1,<2)", ">=", "=!1"} {
		_, err := pypiSpecifier(in)
		require.Error(t, err, in)
	}
}
