package masks_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/masks"
)

func TestHide(t *testing.T) {
	coded := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		secrets    []string
		text, want string
	}{
		"as it is":                   {[]string{"hidden"}, "it is hidden, hidden", "it is ***, ***"},
		"one that is short":          {[]string{"x"}, "axb", "a***b"},
		"one that is empty":          {[]string{"", " \n"}, "a b", "a b"},
		"line by line":               {[]string{"first\r\nsecond\n"}, "second, first", "***, ***"},
		"base64":                     {[]string{"a secret!"}, coded("a secret!"), "***"},
		"base64 behind a name":       {[]string{"a secret"}, coded("me:a secret"), "bWU6***"},
		"base64 behind another name": {[]string{"a secret"}, coded("user:a secret"), "dXNlcjph***"},
		"in an address":              {[]string{"a/b c+d"}, "a%2Fb%20c%2Bd", "***"},
		"in JSON":                    {[]string{"a\"b\\c\t<d"}, `{"x":"a\"b\\c\t<d"}`, `{"x":"***"}`},
		"in XML":                     {[]string{"<it's>"}, "&lt;it&apos;s&gt;", "***"},
		"in an expression":           {[]string{"it's"}, "'it''s'", "'***'"},
		"quoted":                     {[]string{`"a secret"`}, "a secret", "***"},
		"two that overlap":           {[]string{"abcd", "cdef"}, "_abcdef_", "_***_"},
		"one in another":             {[]string{"bc", "abcd"}, "abcd bc", "*** ***"},
		"one after the other":        {[]string{"abcd"}, "abcdabcd", "***"},
		"over itself":                {[]string{"aba"}, "ababa", "***"},
	} {
		t.Run(name, func(t *testing.T) {
			var m masks.Masks
			for _, s := range c.secrets {
				m.Add(s)
			}
			require.Equal(t, c.want, m.Hide(c.text))
		})
	}
}

// A credential of this machine is masked anywhere in base64. If it has several lines, each line that is long enough to be distinctive is masked.
func TestKeep(t *testing.T) {
	var m masks.Masks
	m.Keep([]string{"passw0rdxyz", "short", "{\n  first-of-it\n}\n"})
	require.Equal(t, "{ short *** *** }", m.Hide("{ short passw0rdxyz   first-of-it }"))
	for _, around := range []string{"", "a", "ab", "abc"} {
		coded := base64.StdEncoding.EncodeToString([]byte(around + "passw0rdxyz" + around))
		got := m.Hide(coded)
		require.Contains(t, got, "***", around)
		require.NotContains(t, got, coded[6:12], around)
	}
}

// Text that will be continued is cut before anything that may be the beginning of a secret, however much was masked before.
func TestHideBegun(t *testing.T) {
	var m masks.Masks
	require.Equal(t, "all of it", m.HideBegun("all of it"))
	m.Add("the-whole-secret")
	for end := range len("the-whole-secret") {
		got := m.HideBegun(strings.Repeat("x", 100) + "the-whole-secret" + "the-whole-secret"[:end])
		require.NotContains(t, got, "t")
		require.Contains(t, got, strings.Repeat("x", 70))
	}
}
