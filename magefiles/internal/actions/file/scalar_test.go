package file_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/expression"
	"github.com/foopack/foopack/magefiles/internal/actions/file"
)

// A plain scalar has the same value as in GitHub's runner, which uses the core schema of YAML 1.2 (actions/runner, YamlObjectReader.cs).
func TestScalars(t *testing.T) {
	for text, want := range map[string]expression.Value{
		"012": 12.0, "0755": 755.0, "08": 8.0, "0o17": 15.0, "0x1F": 31.0, "0xFFFFFFFF": -1.0, "+12": 12.0, "-5": -5.0, ".5": 0.5, "1.": 1.0, "1e3": 1000.0,
		"3.10": 3.1, "0b11": "0b11", "1_000": "1_000", "1_0.5": "1_0.5", "-0x1F": "-0x1F", "0x_1F": "0x_1F", "0x": "0x", "190:20:30": "190:20:30", "2024-01-02": "2024-01-02",
		"True": true, "FALSE": false, "yes": "yes", "on": "on", "~": nil, "Null": nil, "'012'": "012", "!!str 012": "012",
	} {
		w, err := file.Read("f.yml", []byte("on: push\nenv: {A: "+text+"}\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"))
		require.NoError(t, err, text)
		got, err := w.Top.At("env", "A").Value(expression.Env{})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	_, err := file.Read("f.yml", []byte("on: push\njobs: {a: {runs-on: x, timeout-minutes: 1_0, steps: [{run: x}]}}\n"))
	require.ErrorContains(t, err, `f.yml:2:41: "1_0" is not allowed`)
}
