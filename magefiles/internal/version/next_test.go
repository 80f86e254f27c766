package version

import (
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/require"
)

func parse(t testing.TB, text string) Version {
	v, err := Parse(text)
	require.NoError(t, err)
	return v
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ from, patch, minor, major string }{
		{"0.1.6", "0.1.7", "0.2.0", "1.0.0"},
		{"0.1.9", "0.1.10", "0.2.0", "1.0.0"},
		{"1.2", "1.2.1", "1.3", "2.0"},
		{"3", "3.0.1", "3.1", "4"},
		{"0.1.6.0", "0.1.7.0", "0.2.0.0", "1.0.0.0"},
		{"2026.01.2", "2026.1.3", "2026.2.0", "2027.0.0"},
		{"0.2.0rc1", "0.2.0", "0.2.0", "1.0.0"},
		{"0.2.1rc1", "0.2.1", "0.3.0", "1.0.0"},
		{"1.0.0.dev3", "1.0.0", "1.0.0", "1.0.0"},
		{"0.1.6.post2", "0.1.7", "0.2.0", "1.0.0"},
		{"0.1.6.post2.dev1", "0.1.7", "0.2.0", "1.0.0"},
	} {
		v := parse(t, c.from)
		got := []string{v.Next(Patch).String(), v.Next(Minor).String(), v.Next(Major).String()}
		require.Equal(t, []string{c.patch, c.minor, c.major}, got, c.from)
	}
	require.Equal(t, "0.2.0", parse(t, "0.2.0rc1").Next(None).String())
}

// For releases with three segments, the next version equals SemVer's. For a candidate, it differs on purpose.
func TestNextAndSemVer(t *testing.T) {
	for _, text := range []string{"0.1.6", "1.0.0", "0.0.9", "12.34.56"} {
		s := semver.MustParse(text)
		minor, major := s.IncMinor(), s.IncMajor()
		require.Equal(t, minor.String(), parse(t, text).Next(Minor).String())
		require.Equal(t, major.String(), parse(t, text).Next(Major).String())
	}
	skips := semver.MustParse("0.2.0-rc.1").IncMinor()
	require.Equal(t, "0.3.0", skips.String())
	require.Equal(t, "0.2.0", parse(t, "0.2.0rc1").Next(Minor).String())
	// SemVer has no .post or .dev. It sorts their nearest equivalents before the release.
	require.Equal(t, -1, semver.MustParse("0.2.0-post1").Compare(semver.MustParse("0.2.0")))
	require.Equal(t, 1, parse(t, "0.2.0.post1").Compare(parse(t, "0.2.0")))
	require.Equal(t, -1, parse(t, "0.2.0.dev1").Compare(parse(t, "0.2.0a1")))
	_, err := semver.NewVersion("0.1.6.0")
	require.Error(t, err)
	require.True(t, Same("0.1.6", "0.1.6.0"))
}

func TestNextPre(t *testing.T) {
	for _, c := range []struct {
		from, phase string
		size        Size
		want        string // "" for an error
	}{
		{"1.1.4", "rc", Minor, "1.2.0rc1"},
		{"1.1.4", "rc", None, "1.1.5rc1"},
		{"1.1.4", "a", Major, "2.0.0a1"},
		{"1.2.0rc1", "rc", Minor, "1.2.0rc2"},
		{"1.2.0a3", "rc", None, "1.2.0rc1"},
		{"1.2.0rc1", "a", None, ""},
		{"1.2.0rc1.dev2", "rc", None, "1.2.0rc1"},
		{"1.2.0", "dev", Patch, "1.2.1.dev1"},
		{"1.2.1.dev1", "dev", None, "1.2.1.dev2"},
		{"1.2.0rc1.dev2", "dev", None, "1.2.0rc1.dev3"},
		{"1.2.0rc1", "dev", None, ""},
		{"1.2.1.dev1", "a", None, "1.2.1a1"},
		{"1.2.0", "post", Major, "1.2.0.post1"},
		{"1.2.0.post1", "post", None, "1.2.0.post2"},
		{"1.2.0rc1", "post", None, ""},
		{"1.2.0.post1", "rc", Patch, "1.2.1rc1"},
	} {
		got, err := parse(t, c.from).NextPre(c.phase, c.size)
		if c.want == "" {
			require.Error(t, err, "%s %s", c.from, c.phase)
			continue
		}
		require.NoError(t, err, "%s %s", c.from, c.phase)
		require.Equal(t, c.want, got.String(), "%s %s", c.from, c.phase)
		require.Positive(t, got.Compare(parse(t, c.from)))
	}
}

// A version outside the common subset is rejected, and the accepted spelling is suggested.
func TestSuggest(t *testing.T) {
	for text, want := range map[string]string{
		"v0.2.0": "0.2.0", "0.2.0-rc.1": "0.2.0rc1", "0.2.0-beta": "0.2.0b0", "2026.1.0-beta": "2026.1.0b0", "0.2.0.alpha2": "0.2.0a2",
		"0.2.0c1": "0.2.0rc1", "0.2.0RC1": "0.2.0rc1", "0.2.0-1": "0.2.0.post1", "0.2.0rev3": "0.2.0.post3", "0.2.0.dev": "0.2.0.dev0",
		"0.2.0+local.1": "0.2.0", "2026.01.02": "2026.1.2", "0.0.00": "0.0.0", " 0.1.0 ": "0.1.0", "0.2.0_rc1": "0.2.0rc1",
		"1!0.2": "", "dynamic": "", "": "", "0.1.": "", "latest": "", "0.1.0-beta-gamma": "",
	} {
		require.Equal(t, want, Suggest(text), "%q", text)
		if _, err := Parse(text); err != nil && want != "" {
			require.ErrorContains(t, err, want+" is accepted")
		}
	}
	require.Equal(t, "2026.1.2", parse(t, "2026.01.2").Canonical())
	require.Equal(t, "0.2.0rc1.post1.dev0", parse(t, "0.2.0rc1.post1.dev0").Canonical())
}
