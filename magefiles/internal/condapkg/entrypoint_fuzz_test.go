package condapkg_test

import (
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// FuzzEntryPoint checks that an accepted entry point consists only of a file name and Python names, which are written to a script.
func FuzzEntryPoint(f *testing.F) {
	for _, text := range []string{
		"a = a:main", "a=a.b:c.d", "a = a:main [extra]", "../x = a:main", "/x = a:main", "a = a:main\nimport os", "a = a;import os:main", "a = :main", "a = a:", "=", ":", "..=a:b",
		".=a:b", `a\b = a:c`, "C:x = a:b", "a\x00 = a:b", "-x = a:b", "é = é:é", "a = a:main()",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := condapkg.ParseEntryPoint(text)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.Equal(t, p.Command, filepath.Base(filepath.Join("bin", p.Command)))
		require.Equal(t, "bin", filepath.Dir(filepath.Join("bin", p.Command)), "the script is directly in the folder bin")
		require.NotContains(t, p.Command, `\`)
		for _, name := range append(strings.Split(p.Module, "."), strings.Split(p.Function, ".")...) {
			plain := strings.Map(func(r rune) rune {
				if unicode.Is(unicode.M, r) || unicode.Is(unicode.N, r) {
					return '0'
				}
				return r
			}, name)
			require.True(t, token.IsIdentifier(plain) || token.IsKeyword(plain), "%q in %q", name, text)
		}
	})
}
