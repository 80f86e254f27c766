package view_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// At a terminal, a list of packages in evidence has a line for each. Other evidence is wrapped. Elsewhere, evidence is one line.
func TestOnePackageALine(t *testing.T) {
	for evidence, want := range map[string]string{
		"a-1.0-pyh_0.conda 0123456789ab, b-1.0-pyh_0.conda 0123456789ab; built by uv": "✓ build                       <0.1s\n    a-1.0-pyh_0.conda 0123456789ab\n" +
			"    b-1.0-pyh_0.conda 0123456789ab\n    built by uv\n",
		"a, b, c; imported in a clean environment: the files, and PyPI for what they depend on": "✓ build                       <0.1s\n    a\n    b\n" +
			"    c\n    imported in a clean environment: the\n      files, and PyPI for what they\n      depend on\n",
		"app: a 0.1.0 → 0.1.1, b 0.1.0 → 0.1.1":        "✓ build                       <0.1s\n    app: a 0.1.0 → 0.1.1\n    b 0.1.0 → 0.1.1\n",
		"a 0.1.1 imported from it; 3 digests as in CI": "✓ build                       <0.1s  a\n    0.1.1 imported from it; 3 digests as\n    in CI\n",
		"app: a 0.1.0 → 0.1.1, app: b 0.1.0 → 0.1.1":   "✓ build                       <0.1s\n    app: a 0.1.0 → 0.1.1\n    app: b 0.1.0 → 0.1.1\n",
		"3 files, sent":     "✓ build                       <0.1s  3\n    files, sent\n",
		"yes, as before":    "✓ build                       <0.1s\n    yes, as before\n",
		"main at 0123, new": "✓ build                       <0.1s\n    main at 0123, new\n",
	} {
		var out bytes.Buffer
		v := &view.View{Out: &out, Err: &out}
		do := func() (string, error) { return evidence, nil }
		require.NoError(t, v.Step("build", do))
		require.Equal(t, "✓ build                       <0.1s  "+evidence+"\n", out.String())
		out.Reset()
		v.Breaks, v.Width = true, func() int { return 40 }
		require.NoError(t, v.Step("build", do))
		require.Equal(t, want, out.String())
		out.Reset()
		_, err := io.WriteString(v.Inner(&out), "✓ build                       <0.1s  "+evidence+"\n")
		require.NoError(t, err)
		require.Equal(t, want, out.String(), "of a release that is rehearsed")
	}
}
