package touched_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/touched"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

var seed = flag.Uint64("touchedseed", 24, "seed of the random workspaces")

// model is the oracle's representation of a workspace. It uses numbers and no manifests.
type model struct {
	requires [][]bool // requires[i][j]: package i requires package j
	uses     [][]bool // uses[i][j]: package i uses library j
	inherits [][]bool // inherits[i][j]: package i inherits library j from the pool
	needs    [][]bool // needs[i][j]: library i requires library j
	inRoot   []bool   // libraries that an environment in the root manifest requires

	text      []int // version of a file in each package
	task      []int // version of a task of each package
	listed    []int // version of the root's requirement on each package
	pool      []int // version of the pool entry of each library
	locked    []int // version of each library in pixi.lock
	build     []int // sha256 of each library in pixi.lock, whose URL does not change
	rootTask  int   // version of a task that is for all packages
	platforms int
	other     map[string]int // versions of other files
}

func random(r *rand.Rand, packages, libraries int) *model {
	table := func(n, m int, chance float64, below bool) [][]bool {
		rows := make([][]bool, n)
		for i := range rows {
			rows[i] = make([]bool, m)
			for j := range rows[i] {
				rows[i][j] = (!below || j < i) && r.Float64() < chance
			}
		}
		return rows
	}
	m := &model{
		requires: table(packages, packages, 1.5/float64(packages), true),
		uses:     table(packages, libraries, 0.2, false),
		inherits: table(packages, libraries, 0.1, false),
		needs:    table(libraries, libraries, 0.25, true),
		inRoot:   table(1, libraries, 0.15, false)[0],
		text:     make([]int, packages),
		task:     make([]int, packages),
		listed:   make([]int, packages),
		pool:     make([]int, libraries),
		locked:   make([]int, libraries),
		build:    make([]int, libraries),
		other:    map[string]int{},
	}
	for i, of := range m.inherits {
		for l := range of {
			if of[l] {
				m.uses[i][l] = true
			}
		}
	}
	return m
}

// `files` returns the files of the workspace.
func (m *model) files() map[string]string {
	files := map[string]string{
		"app/pixi.toml": "[workspace]\nname = \"app\"\nchannels = []\nplatforms = [\"linux-64\"]\n[dependencies]\np0 = \"==1.0\"\n",
	}
	var root, lock strings.Builder
	fmt.Fprintf(&root, "[workspace]\nname = \"mono\"\nchannels = []\nplatforms = [%s]\n[workspace.dependencies]\n", []string{`"linux-64"`, `"linux-64", "osx-64"`}[m.platforms%2])
	for l, n := range m.pool {
		fmt.Fprintf(&root, "lib_%d = \">=%d\"\n", l, n)
	}
	fmt.Fprintf(&root, "[tasks]\nall = \"true %d\"\n", m.rootTask)
	for i, n := range m.task {
		fmt.Fprintf(&root, "test-p%d = \"pytest %d\"\nlint-p%d = \"ruff\"\n", i, n, i)
	}
	root.WriteString("[dependencies]\n")
	for l, asked := range m.inRoot {
		if asked {
			fmt.Fprintf(&root, "lib_%d = \"*\"\n", l)
		}
	}
	for i, n := range m.listed {
		fmt.Fprintf(&root, "p%d = { path = \"packages/p%d\", subdir = \"noarch%d\" }\n", i, i, n)
	}
	lock.WriteString("version: 6\nenvironments:\n  default:\n    channels: []\n    packages:\n      linux-64:\n")
	for l, n := range m.locked {
		fmt.Fprintf(&lock, "      - conda: https://conda.example/noarch/lib_%d-%d-0.conda\n", l, n)
	}
	lock.WriteString("packages:\n")
	for l, n := range m.locked {
		fmt.Fprintf(&lock, "- conda: https://conda.example/noarch/lib_%d-%d-0.conda\n  sha256: s%d\n  depends:\n  - python\n", l, n, m.build[l])
		for on, needs := range m.needs[l] {
			if needs {
				fmt.Fprintf(&lock, "  - lib_%d >=0,<9\n", on)
			}
		}
	}
	files["pixi.toml"], files["pixi.lock"] = root.String(), lock.String()
	for i := range m.text {
		var b strings.Builder
		fmt.Fprintf(&b, "[package]\nname = \"p%d\"\nversion = \"1.0\"\nbuild.backend.name = \"pixi-build-cmake\"\n[package.run-dependencies]\n", i)
		for on, requires := range m.requires[i] {
			if requires {
				fmt.Fprintf(&b, "p%d = \"==1.0\"\n", on)
			}
		}
		for l, uses := range m.uses[i] {
			switch {
			case m.inherits[i][l]:
				fmt.Fprintf(&b, "lib_%d = { workspace = true }\n", l)
			case uses:
				fmt.Fprintf(&b, "lib_%d = \"*\"\n", l)
			}
		}
		files[fmt.Sprintf("packages/p%d/pixi.toml", i)] = b.String()
		files[fmt.Sprintf("packages/p%d/src/x.c", i)] = fmt.Sprint(m.text[i])
	}
	for name, n := range m.other {
		files[name] = fmt.Sprint(n)
	}
	return files
}

// changed applies a few random changes to the model. It returns the packages that these changes affect by definition, or reports that all packages
// are affected.
func (m *model) changed(r *rand.Rand) (after *model, about []bool, all bool) {
	next := *m
	next.text, next.task, next.listed = slices.Clone(m.text), slices.Clone(m.task), slices.Clone(m.listed)
	next.pool, next.locked, next.build, next.other = slices.Clone(m.pool), slices.Clone(m.locked), slices.Clone(m.build), maps.Clone(m.other)
	about = make([]bool, len(m.text))
	differs := make([]bool, len(m.locked)) // libraries
	for range r.IntN(4) {
		i, l := r.IntN(len(m.text)), r.IntN(len(m.locked))
		switch r.IntN(13) {
		case 0, 1, 2:
			next.text[i]++
			about[i] = true
		case 3:
			next.task[i]++
			about[i] = true
		case 4:
			next.listed[i]++
			about[i] = true
		case 5:
			next.pool[l]++
			for p := range about {
				about[p] = about[p] || m.inherits[p][l]
			}
		case 6:
			next.locked[l]++
			differs[l] = true
		case 7:
			next.build[l]++
			differs[l] = true
		case 8, 9:
			next.other[[]string{"README.md", "docs/x.py", "app/x.py", "packages/README.md", "LICENSE"}[r.IntN(5)]]++
		case 10:
			next.other[[]string{"pytest.ini", ".github/workflows/ci.yml", "magefiles/x.go", "go.mod", "conftest.py"}[r.IntN(5)]]++
			all = true
		case 12:
			next.other["packages/conftest.py"]++
			for p := range about {
				about[p] = true
			}
		case 11:
			if r.IntN(2) == 0 {
				next.rootTask++
			} else {
				next.platforms++
			}
			all = all || next.rootTask != m.rootTask || next.platforms%2 != m.platforms%2
		}
	}
	for again := true; again; { // until a fixed point is reached
		again = false
		for l := range differs {
			for on := range differs {
				if m.needs[l][on] && differs[on] && !differs[l] {
					differs[l], again = true, true
				}
			}
		}
	}
	for l, d := range differs {
		all = all || d && m.inRoot[l]
		for p := range about {
			about[p] = about[p] || d && m.uses[p][l]
		}
	}
	for again := true; again; {
		again = false
		for p := range about {
			for on := range about {
				if m.requires[p][on] && about[on] && !about[p] {
					about[p], again = true, true
				}
			}
		}
	}
	return &next, about, all
}

// load writes files to a folder and loads it as a workspace.
func load(t testing.TB, files map[string]string) *workspace.Workspace {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	return w
}

// difference returns the change between two sets of files.
func difference(before, after map[string]string) touched.Change {
	var c touched.Change
	all := maps.Clone(before)
	maps.Copy(all, after)
	for name := range all {
		if before[name] != after[name] {
			c.Files = append(c.Files, name)
		}
	}
	slices.Sort(c.Files)
	c.Manifest = [2][]byte{[]byte(before["pixi.toml"]), []byte(after["pixi.toml"])}
	c.Lock = [2][]byte{[]byte(before["pixi.lock"]), []byte(after["pixi.lock"])}
	return c
}

func names(t touched.Taken) []string {
	all := []string{}
	for _, p := range t.Packages {
		all = append(all, p.Name)
	}
	slices.Sort(all)
	return all
}

// TestAgainstBruteForce compares Find with the definition for 500 random workspaces and changes.
func TestAgainstBruteForce(t *testing.T) {
	t.Logf("-touchedseed=%d", *seed)
	seen := map[string]int{}
	for n := range 500 {
		r := rand.New(rand.NewPCG(*seed, uint64(n)))
		before := random(r, 1+r.IntN(9), 1+r.IntN(6))
		after, about, all := before.changed(r)
		files := after.files()
		got := touched.Find(load(t, files), difference(before.files(), files))
		want := []string{}
		for i, is := range about {
			if is || all {
				want = append(want, fmt.Sprintf("p%d", i))
			}
		}
		require.Equal(t, want, names(got), "workspace %d: %s", n, got.All)
		require.Equal(t, all, got.All != "", "workspace %d: %s", n, got.All)
		switch {
		case all:
			seen["all"]++
		case len(want) == 0:
			seen["none"]++
		case len(want) < len(about):
			seen["some"]++
		}
	}
	t.Log(seen)
	for _, how := range []string{"all", "none", "some"} {
		require.Greater(t, seen[how], 50, "all kinds of changes occur: %v", seen)
	}
}

// BenchmarkFind selects packages out of a thousand for changes to files, the root manifest and the lock file.
func BenchmarkFind(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	before := random(r, 1000, 200)
	clear(before.inRoot)
	after := *before
	after.text, after.task, after.locked = slices.Clone(before.text), slices.Clone(before.task), slices.Clone(before.locked)
	after.text[500]++
	after.task[600]++
	after.locked[199]++
	files := after.files()
	w, c := load(b, files), difference(before.files(), files)
	for b.Loop() {
		if t := touched.Find(w, c); t.All != "" {
			b.Fatal(t.All)
		}
	}
}
