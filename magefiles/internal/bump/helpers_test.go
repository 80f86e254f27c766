package bump_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// tree writes the files of a txtar archive to a temporary folder and returns it. A file that ends in .link becomes a symlink to its content. A file
// that ends in .crlf gets CRLF line endings and a byte order mark.
func tree(t testing.TB, archive string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		if link, ok := strings.CutSuffix(name, ".link"); ok {
			require.NoError(t, os.Symlink(strings.TrimSpace(string(f.Data)), link))
			continue
		}
		data := f.Data
		if crlf, ok := strings.CutSuffix(name, ".crlf"); ok {
			name, data = crlf, []byte("\ufeff"+strings.ReplaceAll(string(data), "\n", "\r\n"))
		}
		require.NoError(t, os.WriteFile(name, data, 0o644))
	}
	return root
}

func load(t testing.TB, root string) *workspace.Workspace {
	t.Helper()
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

func loadError(root string) error {
	_, err := workspace.Load(root)
	return err
}

// history is a History with fixed results.
type history struct {
	tags    map[string]string        // tags that are reachable from HEAD
	commits map[string][]bump.Commit // keyed by the tag that they follow
	others  []string                 // tags on other branches
	roots   map[string][2]string     // root manifest before and after each commit
}

func (h history) MergedTags(context.Context) (map[string]string, error) { return h.tags, nil }

func (h history) Tags(context.Context) (map[string]string, error) {
	all := maps.Clone(h.tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, tag := range h.others {
		all[tag] = "elsewhere"
	}
	return all, nil
}

func (h history) EachCommit(_ context.Context, since string, visit func(bump.Commit)) error {
	for _, c := range h.commits[since] {
		visit(c)
	}
	return nil
}

func (h history) Versions(_ context.Context, commits []string, _ string) (before, after [][]byte, err error) {
	for _, c := range commits {
		before, after = append(before, []byte(h.roots[c][0])), append(after, []byte(h.roots[c][1]))
	}
	return before, after, nil
}

func plan(t testing.TB, root string, req bump.Request, h bump.History) *bump.Plan {
	t.Helper()
	p, err := bump.New(t.Context(), load(t, root), req, h)
	require.NoError(t, err, "%+v", err)
	return p
}

// refused requires that making a plan fails, and returns the full error text.
func refused(t testing.TB, root string, req bump.Request) string {
	t.Helper()
	_, err := bump.New(t.Context(), load(t, root), req, nil)
	require.Error(t, err)
	return fmt.Sprintf("%+v", err)
}

// edits formats a plan's edits as "file:line old → new".
func edits(p *bump.Plan) []string {
	out := []string{}
	for _, f := range p.Files {
		for _, e := range f.Edits {
			out = append(out, fmt.Sprintf("%s:%d %s → %s", f.Path, e.Line, e.Old, e.New))
		}
	}
	return out
}

// moves formats a plan's packages as "name old → new: reason; reason".
func moves(p *bump.Plan) []string {
	out := []string{}
	for _, m := range p.Packages {
		var why []string
		for _, r := range m.Why {
			why = append(why, string(r.Kind))
		}
		out = append(out, fmt.Sprintf("%s %s → %s: %s", m.Name, m.Old, m.New, strings.Join(why, ", ")))
	}
	return out
}

func store(root string) *bump.Store {
	return &bump.Store{Top: root, Dir: filepath.Join(root, ".git", "state")}
}

// `files` returns the contents of all files in a tree, except .git.
func files(t testing.TB, root string) map[string]string {
	t.Helper()
	got := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" {
			if d != nil && d.IsDir() {
				return filepath.SkipDir
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		rel, _ := filepath.Rel(root, path)
		if d.Type()&os.ModeSymlink != 0 {
			link, err := os.Readlink(path)
			got[rel] = "-> " + link
			return err
		}
		data, err := os.ReadFile(path)
		got[rel] = string(data)
		return err
	}))
	return got
}

// apply applies a plan, and requires that only the planned bytes change.
func apply(t testing.TB, root string, p *bump.Plan) {
	t.Helper()
	want := files(t, root)
	for _, f := range p.Files {
		text := want[f.Path]
		for i := len(f.Edits) - 1; i >= 0; i-- {
			e := f.Edits[i]
			require.Equal(t, e.Old, text[e.At:e.At+len(e.Old)])
			text = text[:e.At] + e.New + text[e.At+len(e.Old):]
		}
		want[f.Path] = text
	}
	_, err := store(root).Apply(t.Context(), p)
	require.NoError(t, err, "%+v", err)
	require.Equal(t, want, files(t, root))
}

func write(t testing.TB, root, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
}
