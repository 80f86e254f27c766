package ciwrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// The workflows of this repository are those that ci:write writes for it, with the commits of pins.yml.
func TestOurFiles(t *testing.T) {
	w, err := workspace.Load(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	files, err := Plan(w, Settings{})
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, f := range files {
		require.Equal(t, Same, f.State, "%s: run `mage ci:write`; what is to be otherwise in it is changed in magefiles/internal/ciwrite\n%s", f.Path, Diff(f.Path, f.Old, f.New))
		hold(t, f)
		for _, m := range action().FindAllStringSubmatch(f.Old, -1) {
			require.Equal(t, pin(m[2]), m[2]+"@"+m[3]+m[4], "%s: pins.yml has another commit", f.Path)
		}
	}
}

const before = "on: push\n- uses: a/b@1111111111111111111111111111111111111111 # v1.2.0\nimage: x/y:1\n"

func TestStates(t *testing.T) {
	ours := addDigest(before)
	changed := strings.Replace(ours, "push", "pull_request", 1)
	other := addDigest(strings.Replace(before, "push", "create", 1))
	pinned := strings.NewReplacer("1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222", "v1.2.0", "v1.3.0",
		"x/y:1", "x/y:1@sha256:"+strings.Repeat("ab", 32)).Replace(ours)
	for name, c := range map[string]struct {
		old, next string
		state     State
	}{
		"no file":                   {"", ours, Absent},
		"unchanged":                 {ours, ours, Same},
		"other line endings":        {strings.ReplaceAll(ours, "\n", "\r\n"), ours, Same},
		"pins that a bot raised":    {pinned, ours, Same},
		"an older commit":           {strings.ReplaceAll(ours, "v1.2.0", "v1.1.9"), ours, Pins},
		"the workspace has changed": {ours, other, Behind},
		"the workspace has changed, and a bot raised a pin": {pinned, other, Behind},
		"a person changed it":                               {changed, ours, Changed},
		"a person and the workspace changed it":             {changed, other, Foreign},
		"a person applied the new text":                     {strings.Replace(changed, digest(before), digest(strings.Replace(before, "push", "create", 1)), 1), other, Changed},
		"a file of a person":                                {before, ours, Foreign},
		"a file of a person that begins like ours":          {begins + "x\n" + before, ours, Foreign},
		"a person added a comment":                          {strings.Replace(ours, "on: push\n", "on: push # x\n", 1), ours, Changed},
		"another first line":                                {"# x\n" + ours, ours, Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			state, _ := compare(c.old, c.next)
			require.Equal(t, c.state, state)
		})
	}
}

// A pin that a bot raised stays, unless ours is newer. A pin that is a tag instead of a commit is replaced.
func TestPinsRaisedByABot(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("ab", 32)
	of := func(ref, comment string) string { return "- uses: a/b@" + ref + " # " + comment + "\n" }
	one, two := strings.Repeat("1", 40), strings.Repeat("2", 40)
	for name, c := range map[string]struct{ old, next, want string }{
		"newer":                       {of(two, "v1.10.0"), of(one, "v1.9.0"), of(two, "v1.10.0")},
		"older":                       {of(two, "v1.9.0"), of(one, "v1.10.0"), of(one, "v1.10.0")},
		"without a version":           {of(two, "main"), of(one, "v1.10.0"), of(one, "v1.10.0")},
		"a tag":                       {of("v9", "v9"), of(one, "v1.10.0"), of(one, "v1.10.0")},
		"another action":              {strings.ReplaceAll(of(two, "v9"), "a/b", "a/c"), of(one, "v1"), of(one, "v1")},
		"an image":                    {"image=x/y:1" + digest + "\n", "image=x/y:1\n", "image=x/y:1" + digest + "\n"},
		"an image with a longer name": {"image=x/y:1" + digest + "\n", "image=x/y:12\n", "image=x/y:12\n"},
		"an image that is pinned":     {"x: x/y:1" + digest + " # z\n", "x: x/y:1@sha256:" + strings.Repeat("cd", 32) + " # z\n", "x: x/y:1" + digest + " # z\n"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, carry(c.old, c.next)) })
	}
}

// repository makes a git repository of an example.
func repository(t *testing.T, archive string) (string, *workspace.Workspace, *command.System) {
	t.Helper()
	top := unpacked(t, archive)
	runner := command.NewSystem(os.Environ(), nil)
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"init", "-q", "--initial-branch=master"}, Dir: top}))
	w, err := workspace.Load(top)
	require.NoError(t, err)
	return top, w, runner
}

func read1(t *testing.T, top, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, folder, name))
	require.NoError(t, err)
	return string(text)
}

// Write writes a file, and writes it again when it is out of date. If a person has changed the file, Write keeps the file, shows the difference, and
// returns an error that names the file.
func TestWrite(t *testing.T) {
	top, w, runner := repository(t, root+"-- base/pixi.toml --\n"+named("base")+"-- shop/pixi.toml --\n"+app+"[tool.image]\n"+mage)
	var out strings.Builder
	write := func(dry bool) Result {
		t.Helper()
		out.Reset()
		r, err := Write(t.Context(), runner, w, dry)
		require.NoError(t, err)
		r.Show(&view.View{
			Out: &out,
			Err: &out,
		})
		return r
	}
	stale := func() string {
		t.Helper()
		text, err := Stale(t.Context(), runner, w)
		require.NoError(t, err)
		return text
	}
	require.Empty(t, stale(), "a file that was never generated is not out of date")
	write(true)
	require.NoDirExists(t, filepath.Join(top, ".github"))
	require.Contains(t, out.String(), "would be written")
	require.NoError(t, write(false).RefusalError())
	ci := read1(t, top, "ci.yml")
	require.Contains(t, ci, "branches: [master]", "the branch that is checked out in a new repository")
	require.NoError(t, write(false).RefusalError())
	require.Contains(t, out.String(), ".github/workflows/ci.yml            up to date\n")
	require.Empty(t, stale())

	// The clone has another branch now: the existing ci.yml says which branch is meant.
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"symbolic-ref", "HEAD", "refs/heads/feature"}, Dir: top}))
	require.Empty(t, stale())
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk/1"}, Dir: top}))
	require.Equal(t, "○ out of date: .github/workflows/ci.yml, .github/workflows/publish-shop.yml (`mage ci:write -diff` shows the changes)", stale())
	write(true)
	require.Equal(t, ci, read1(t, top, "ci.yml"))
	require.Contains(t, out.String(), "Changes that `mage ci:write` would make:\n--- a/.github/workflows/ci.yml\n+++ b/.github/workflows/ci.yml\n")
	require.NoError(t, write(false).RefusalError())
	require.Contains(t, read1(t, top, "ci.yml"), `branches: ["trunk/1"]`)

	mine := strings.Replace(read1(t, top, "ci.yml"), "mage check", "mage lint", 1)
	put(t, top, folder+"/ci.yml", mine)
	require.Empty(t, stale(), "the generated text has not changed since the edit")
	require.NoError(t, write(false).RefusalError())
	require.Equal(t, mine, read1(t, top, "ci.yml"))
	require.Contains(t, out.String(), "-      - run: go tool mage lint\n+      - run: go tool mage check\n")

	put(t, top, "oldest.toml", "")
	put(t, top, "pixi.toml", strings.TrimPrefix(root, "-- pixi.toml --\n")+"[tasks]\ntest-base = \"true\"\n[tool.release]\npublish = \"here\"\n")
	var err error
	w, err = workspace.Load(top)
	require.NoError(t, err)
	require.Contains(t, stale(), "ci.yml, .github/workflows/release.yml")
	err = write(false).RefusalError()
	require.ErrorContains(t, err, ".github/workflows/ci.yml: a person has edited or made this file, so it was not overwritten")
	require.Equal(t, mine, read1(t, top, "ci.yml"))

	// The difference can be applied as a patch, whose first line marks the file as reviewed.
	_, patch, _ := strings.Cut(out.String(), "--- a/")
	require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"apply", "-"}, Dir: top, Stdin: strings.NewReader("--- a/" + patch)}))
	r := write(false)
	require.Equal(t, Same, r.Files[0].State)
	require.ErrorContains(t, r.RefusalError(), ".github/workflows/release.yml was written for a package, image or environment that the workspace no longer has")
	require.FileExists(t, filepath.Join(top, folder, "release.yml"))
}

// If the folder or a file is a link, nothing is written through it.
func TestHostileLinks(t *testing.T) {
	top, w, runner := repository(t, root+"-- base/pixi.toml --\n"+named("base")+mage)
	outside := t.TempDir()
	require.NoError(t, os.Symlink(outside, filepath.Join(top, ".github")))
	_, err := Write(t.Context(), runner, w, false)
	require.Error(t, err)
	require.Contains(t, operr.NextOf(err), "each link among its folders")
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Empty(t, entries)

	require.NoError(t, os.Remove(filepath.Join(top, ".github")))
	require.NoError(t, os.MkdirAll(filepath.Join(top, ".github", "workflows"), 0o755))
	require.NoError(t, os.Symlink(filepath.Join(outside, "ci.yml"), filepath.Join(top, ".github", "workflows", "ci.yml")))
	_, err = Write(t.Context(), runner, w, false)
	require.Error(t, err)
	require.Contains(t, operr.NextOf(err), "each link among its folders")
	require.NoFileExists(t, filepath.Join(outside, "ci.yml"))
}

// If the remote is an address, which may even run a program, git does not know it as a name.
func TestHostileRemote(t *testing.T) {
	_, w, runner := repository(t, root+"-- base/pixi.toml --\n"+named("base")+mage)
	w.Config.Remote = "ext::sh -c touch% PWN"
	_, err := Write(t.Context(), runner, w, true)
	require.ErrorContains(t, err, `the default branch of the remote "ext::sh -c touch% PWN"`)
	require.Contains(t, operr.NextOf(err), "`remote` in [tool.release]")
}

func TestDiff(t *testing.T) {
	lines := func(n int) (all []string) {
		for i := range n {
			all = append(all, strings.Repeat("x", i+1))
		}
		return all
	}
	text := func(all []string) string { return strings.Join(all, "\n") + "\n" }
	require.Empty(t, Diff("f", "a\nb\n", "a\nb\n"))
	require.Equal(t, "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n", Diff("f", "a\nb\n", "c\nb\n"))
	a := lines(20)
	b := append(append([]string{"new"}, a[:9]...), a[10:]...)
	require.Equal(t, "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n+new\n x\n xx\n xxx\n@@ -7,7 +8,6 @@\n "+strings.Join(a[6:9], "\n ")+"\n-"+a[9]+"\n "+strings.Join(a[10:13], "\n ")+"\n", Diff("f", text(a), text(b)))
	require.Empty(t, Diff("f", "a\r\nb\r\n", "a\nb\n"), "git may check out files with CRLF")
}
