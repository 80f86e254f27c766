package bump_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// tracked returns all files in a tree.
func tracked(t testing.TB, root string) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, strings.TrimPrefix(filepath.ToSlash(file), root+"/"))
		}
		return err
	}))
	return all
}

// noted returns the lines that a plan mentions, as "file:line text".
func noted(p *bump.Plan) []string {
	all := []string{}
	for _, m := range p.Mentions {
		all = append(all, fmt.Sprintf("%s:%d %s", m.File, m.Line, m.Text))
	}
	return all
}

// A line that keeps the old version is mentioned, unless it is about the past or requires another project's package.
func TestMentions(t *testing.T) {
	root := tree(t, lockstep+pkg("acme-core", "0.1.6", "")+pkg("acme-ui", "0.1.6", runs+"acme-core = \"==0.1.6\"\nnumpy = \"==0.1.6\"\n")+`
-- app/pixi.toml --
[workspace]
version = "0.1.6"
channels = ["https://prefix.dev/acme"]
[dependencies]
acme-core = "==0.1.6"
-- README.md --
acme 0.1.6 is the newest. So is 0.1.6.
Not 10.1.6, 0.1.6.1, 0.1.6rc1, 0.1.6-rc.1, 0.1.6.dev1, 0.1.60, 1.0.1.6 or x0.1.6
pip install acme-core==0.1.6
pip install "numpy==0.1.6"
conda install numpy=0.1.6
https://example.org/acme/releases/v0.1.6/acme-core-0.1.6.tar.gz
docker pull redis:0.1.6
docker pull ghcr.io/acme/acme-ui:0.1.6
-- docs/conf.py --
release = "0.1.6"
version = '0.1'
-- Dockerfile --
FROM python:0.1.6
LABEL version=0.1.6
RUN pip install 'six>=0.1.6' six[x]~=0.1.6
-- package.json --
{ "version": "0.1.6",
  "dependencies": { "left-pad": "^0.1.6",
    "right-pad": "0.1.6" } }
-- .github/workflows/x.yml --
      - uses: actions/checkout@v0.1.6
-- chart/Chart.yaml --
appVersion: "0.1.6"
-- requirements-dev.txt --
left == 0.1.6
-- CHANGELOG.md --
## 0.1.6
-- docs/history.rst --
0.1.6
-- pixi.lock --
0.1.6
-- poetry.lock --
0.1.6
-- data.bin --
`+"\x00 0.1.6\n")
	p := plan(t, root, bump.Request{To: "minor"}, nil)
	p.NoteMentions(load(t, root), tracked(t, root))
	require.ElementsMatch(t, []string{
		"README.md:1 acme 0.1.6 is the newest. So is 0.1.6.",
		"README.md:3 pip install acme-core==0.1.6",
		"README.md:6 https://example.org/acme/releases/v0.1.6/acme-core-0.1.6.tar.gz",
		"README.md:8 docker pull ghcr.io/acme/acme-ui:0.1.6",
		`docs/conf.py:1 release = "0.1.6"`,
		"Dockerfile:2 LABEL version=0.1.6",
		`package.json:1 { "version": "0.1.6",`,
		`chart/Chart.yaml:1 appVersion: "0.1.6"`,
		// in a shell, a single equals sign may or may not be a requirement
		"README.md:5 conda install numpy=0.1.6",
	}, noted(p))
	require.Len(t, p.Notes, 2, "one of the notes is about pixi.lock")
	require.Contains(t, p.Notes[1], "0.1.6 stays in 9 more lines (Dockerfile:2, README.md:1, README.md:3 and 6 more, which -json lists); `copies = [\"Dockerfile\"]`")
}

// There is no note if no line keeps the old version, if no version changes, or if the version has only one dot.
func TestNoMentions(t *testing.T) {
	for archive, req := range map[string]bump.Request{
		lockstep + pkg("a", "0.1.6", "") + "-- x --\n0.1.7\n":                            {To: "patch"},
		lockstep + pkg("a", "0.1.6", "") + "-- x --\n0.1.6\n":                            {To: "0.1.6"},
		lockstep + pkg("a", "1.6", "") + "-- x --\n1.6\n":                                {To: "minor"},
		independent + pkg("a", "0.1.6", "") + pkg("b", "0.2.0", "") + "-- x --\n0.2.0\n": {To: "patch", Only: "a"},
	} {
		root := tree(t, archive)
		p := plan(t, root, req, nil)
		p.NoteMentions(load(t, root), tracked(t, root))
		require.Empty(t, p.Mentions)
		require.Empty(t, p.Notes)
	}
}

// If very many lines keep the old version, the plan counts all of them, but lists only the first ones.
func TestHostileMentions(t *testing.T) {
	root := tree(t, lockstep+pkg("a", "0.1.6", "")+"-- x --\n"+strings.Repeat("0.1.6 ", 100)+"\n"+strings.Repeat(strings.Repeat("x0.1.6", 3)+" 0.1.6\n", 5000))
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	p.NoteMentions(load(t, root), tracked(t, root))
	require.Len(t, p.Mentions, 1000)
	require.LessOrEqual(t, len(p.Mentions[0].Text), 200)
	require.Contains(t, p.Notes[0], "0.1.6 stays in 5001 more lines")
}
