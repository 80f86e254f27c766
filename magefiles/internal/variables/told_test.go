package variables_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// Only whole seconds are accepted. Milliseconds would give a year of five digits, and a text that only begins with a number would give a wrong time.
func TestSourceDateEpoch(t *testing.T) {
	for text, want := range map[string]string{
		"0": "1970-01-01T00:00:00Z", "1767323046": "2026-01-02T03:04:06Z", " 1767323046\n": "2026-01-02T03:04:06Z", "253402300799": "9999-12-31T23:59:59Z",
	} {
		got, err := of(map[string]string{"SOURCE_DATE_EPOCH": text}).Epoch()
		require.NoError(t, err)
		require.Equal(t, want, got.Format("2006-01-02T15:04:05Z07:00"), text)
	}
	for text, want := range map[string]string{
		"1767323046000": "is after the year 9999: expected seconds", "253402300800": "is after the year 9999", "1e9": "is not a time", "1767323046.5": "is not a time",
		"-1": "is not a time", "2026-01-02": "is not a time", "1767323046 x": "is not a time", "99999999999999999999": "is not a time", "0x10": "is not a time",
	} {
		_, err := of(map[string]string{"SOURCE_DATE_EPOCH": text}).Epoch()
		require.ErrorContains(t, err, want, text)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// The folders of Pythons depend on the variables of uv and of runners. pyenv has only one folder.
func TestPythonPlaces(t *testing.T) {
	const home = "/home/somebody"
	plain := pythons.Places{
		UV:    filepath.Join(home, ".local/share/uv/python"),
		Pyenv: filepath.Join(home, ".pyenv/versions"),
		Tools: []string{"", ""},
	}
	set := map[string]string{}
	require.Equal(t, plain, of(set).Pythons(home))
	set["XDG_DATA_HOME"] = "/data"
	set["RUNNER_TOOL_CACHE"] = "/opt/hostedtoolcache"
	require.Equal(t, pythons.Places{UV: "/data/uv/python", Pyenv: plain.Pyenv, Tools: []string{"/opt/hostedtoolcache", ""}}, of(set).Pythons(home))
	set["UV_PYTHON_INSTALL_DIR"] = "/pythons"
	set["pythonLocation"] = "/opt/hostedtoolcache/Python/3.11.9/x64"
	require.Equal(t, "/opt/hostedtoolcache/Python/3.11.9/x64", of(set).Pythons(home).Chosen)
	require.Equal(t, "/pythons", of(set).Pythons(home).UV)
	require.Empty(t, of(set).Pythons("").Pyenv)
}

// No escape sequences are written if the terminal does not support them, or if the person has disabled them.
func TestColours(t *testing.T) {
	for want, all := range map[bool][]map[string]string{
		true:  {{"TERM": "xterm-256color"}, {"TERM": "screen"}, {}, {"CI": ""}},
		false: {{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": ""}, {"NO_COLOR": "1"}, {"CI": "true", "TERM": "xterm"}},
	} {
		for _, set := range all {
			require.Equal(t, want, of(set).Colors(), "%v", set)
		}
	}
}

// PIPELINE_PATIENCE is a duration with a unit, not a bare number.
func TestPatience(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "30s": 30 * time.Second, "1h30m": 90 * time.Minute} {
		got, err := of(map[string]string{"PIPELINE_PATIENCE": text}).Patience()
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"soon", "30", "0", "-1s", " "} {
		_, err := of(map[string]string{"PIPELINE_PATIENCE": text}).Patience()
		require.ErrorContains(t, err, "PIPELINE_PATIENCE="+text+" is not a duration")
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// If a person sets how long a child may be silent, the person is told before that time ends, and after five minutes at
// the latest.
func TestSilence(t *testing.T) {
	for text, want := range map[string][2]time.Duration{
		"":    {5 * time.Minute, time.Hour},
		"off": {5 * time.Minute, 0},
		"90m": {5 * time.Minute, 90 * time.Minute},
		"4s":  {2 * time.Second, 4 * time.Second},
	} {
		got, err := of(map[string]string{"PIPELINE_SILENCE": text}).Silence()
		require.NoError(t, err)
		require.Equal(t, want, [2]time.Duration{got.Tell, got.End}, text)
	}
	for _, text := range []string{"soon", "30", "0", "-1s"} {
		_, err := of(map[string]string{"PIPELINE_SILENCE": text}).Silence()
		require.ErrorContains(t, err, "PIPELINE_SILENCE="+text+" is not a duration")
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
}

// A changelog has the clock's date in UTC, unless SOURCE_DATE_EPOCH is a valid time.
func TestToday(t *testing.T) {
	clock := time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 2*60*60))
	require.Equal(t, "2026-02-28", of(nil).Today(clock))
	require.Equal(t, "2026-02-28", of(map[string]string{"SOURCE_DATE_EPOCH": "soon"}).Today(clock))
	require.Equal(t, "1970-01-02", of(map[string]string{"SOURCE_DATE_EPOCH": "86400"}).Today(clock))
}

func TestToolchain(t *testing.T) {
	for _, name := range []string{"", "pixi", "embedded"} {
		got, err := of(map[string]string{"PIPELINE_TOOLCHAIN": name}).Toolchain()
		require.NoError(t, err)
		require.Equal(t, name, got)
	}
	_, err := of(map[string]string{"PIPELINE_TOOLCHAIN": "conda"}).Toolchain()
	require.ErrorContains(t, err, "PIPELINE_TOOLCHAIN=conda is not the name of a toolchain")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))
}
