package condapkgtest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

func TestDifference(t *testing.T) {
	const file = "site-packages/a/x.py"
	pack := func(change func(c *condapkg.Container)) string {
		c := condapkgtest.Package{Name: "a", Files: map[string]string{file: "first\nsecond = 1\n", "site-packages/a/y.py": ""}}.Container()
		if change != nil {
			change(&c)
		}
		path := filepath.Join(t.TempDir(), "a-1.0-pyh4616a5c_0.conda")
		f, err := os.Create(path)
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, condapkg.Write(f, c))
		return path
	}
	require.Empty(t, condapkgtest.Difference(t, pack(nil), pack(nil)))
	for says, change := range map[string]func(c *condapkg.Container){
		`site-packages/a/x.py differs from byte 15 on (line 2): "first\nsecond = 1\n" and "first\nsecond = 2\n"`:   func(c *condapkg.Container) { c.Files[0].Data = []byte("first\nsecond = 2\n") },
		`site-packages/a/x.py differs from byte 6 on (line 2): "first\nsecond = 1\n" and "first\n", where it ends`: func(c *condapkg.Container) { c.Files[0].Data = []byte("first\n") },
		"site-packages/a/y.py is in only one of the two":                                                           func(c *condapkg.Container) { c.Files = c.Files[:1] },
		"site-packages/a/x.py is '0' -rw-r--r-- 2026":                                                              func(c *condapkg.Container) { c.Files[0].Mode = 0o755 },
		"info/about.json differs from byte 1 on (line 1)":                                                          func(c *condapkg.Container) { c.Info[1].Data = []byte("{ }") },
		"packed differently": func(c *condapkg.Container) { c.Level = 19 },
	} {
		require.Contains(t, condapkgtest.Difference(t, pack(nil), pack(change)), "a-1.0-pyh4616a5c_0.conda: ")
		require.Contains(t, condapkgtest.Difference(t, pack(nil), pack(change)), says)
	}
	other := condapkgtest.Package{Name: "b"}.Write(t, t.TempDir())
	require.Equal(t, "one file is called a-1.0-pyh4616a5c_0.conda, the other "+filepath.Base(other), condapkgtest.Difference(t, pack(nil), other))
}
