package manifest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParsePEP508(t *testing.T) {
	for _, c := range []struct {
		text, name, spec string
		offset           int
	}{
		{"a", "a", "", 1},
		{" a_b.c ", "a_b.c", "", 7},
		{"a==1", "a", "==1", 1},
		{"a [x,y] >= 1 , <2 ; m", "a", ">= 1 , <2", 8},
		{"a(==1.0)", "a", "==1.0", 2},
		{"a ( == 1.0 ) ;m", "a", "== 1.0", 4},
		{"a~=1.0;python_version<'3'", "a", "~=1.0", 1},
	} {
		name, spec, ok := parsePEP508(c.text)
		require.True(t, ok, c.text)
		require.Equal(t, []any{c.name, c.spec, c.offset}, []any{name, spec.Text, spec.Offset}, c.text)
	}
	name, spec, ok := parsePEP508("pip[x] @ https://x/y;z.zip#sha1=1 ; os_name=='nt'")
	require.True(t, ok)
	require.Equal(t, []string{"pip", "https://x/y;z.zip#sha1=1", "os_name=='nt'"}, []string{name, spec.URL, spec.Marker})
	for _, bad := range []string{"", "-e .", "==1", "a 1.0", "a @", "./x"} {
		_, _, ok := parsePEP508(bad)
		require.False(t, ok, bad)
	}
}

// FuzzParsePEP508 checks that parsing never panics, and that the version part starts at Offset.
func FuzzParsePEP508(f *testing.F) {
	for _, s := range []string{"a [x] (>=1) ; m", "a @ u ;m", "a==1", "("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, spec, ok := parsePEP508(s); ok && spec.URL == "" {
			require.Equal(t, spec.Text, s[spec.Offset:spec.Offset+len(spec.Text)])
		}
	})
}
