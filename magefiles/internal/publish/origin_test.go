package publish_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// A file that someone put into the output folder is not published, regardless of its name and of the files next to it.
func TestHostileArtifacts(t *testing.T) {
	site := start(t)
	good := condapkgtest.Package{Name: "base", Depends: []string{"python"}}
	for name, plant := range map[string]func(t *testing.T, p *publish.Publisher){
		"a file": func(t *testing.T, p *publish.Publisher) { good.Write(t, p.Output) },
		"a file with a record beside it": func(t *testing.T, p *publish.Publisher) {
			have, err := condapkg.Identify(good.Write(t, p.Output))
			require.NoError(t, err)
			for _, dir := range []string{p.Output, filepath.Join(p.Output, "builds"), filepath.Join(p.Output, ".git", "pixi-release", "builds")} {
				require.NoError(t, (&provenance.Store{Dir: dir}).Keep(provenance.BuildRecord{SHA256: have.SHA256, Package: "base", Commit: "c1", Tools: "a builder "}))
			}
		},
		"a file that was built as another package": func(t *testing.T, p *publish.Publisher) {
			have, err := condapkg.Identify(good.Write(t, p.Output))
			require.NoError(t, err)
			require.NoError(t, p.Builds.Keep(provenance.BuildRecord{SHA256: have.SHA256, Package: "top", Commit: "c1", Tools: "a builder "}))
		},
		"other bytes in a file with the name of a built package": func(t *testing.T, p *publish.Publisher) {
			recorded(t, p, good.Write(t, p.Output))
			condapkgtest.Package{Name: "base", Depends: []string{"python"}, Files: map[string]string{"site-packages/base/evil.py": "x"}}.Write(t, p.Output)
		},
		"a link to a built package": func(t *testing.T, p *publish.Publisher) {
			elsewhere := good.Write(t, t.TempDir())
			require.NoError(t, os.Symlink(elsewhere, filepath.Join(p.Output, filepath.Base(elsewhere))))
		},
		"no archive": func(t *testing.T, p *publish.Publisher) {
			require.NoError(t, os.WriteFile(filepath.Join(p.Output, "base-1.0-pyh4616a5c_0.conda"), []byte("no"), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), site.channel(t))
			require.NoError(t, os.MkdirAll(p.Output, 0o755))
			plant(t, p)
			ready, passed, err := p.Ready(t.Context())
			require.NoError(t, err)
			require.Empty(t, ready)
			require.Len(t, passed, 1, "the file is reported as not counted")
		})
	}
}

// An artifact of other sources or tools is built again. An artifact of the same sources and tools is reused.
func TestOlderBuilds(t *testing.T) {
	site := start(t)
	same := func(is bool) func(context.Context, *workspace.Package, string) (bool, error) {
		return func(_ context.Context, p *workspace.Package, commit string) (bool, error) {
			return is && p.Name == "base" && commit == "c1", nil
		}
	}
	for name, c := range map[string]struct {
		now     publish.Origin
		version string
		counts  bool
		says    string
	}{
		"the same commit":                    {now: publish.Origin{Commit: "c1"}, counts: true},
		"a later commit with the same files": {now: publish.Origin{Commit: "c2", Same: same(true)}, counts: true},
		"a later commit with other files":    {now: publish.Origin{Commit: "c2", Same: same(false)}, says: "was built from other sources"},
		"a commit of a deleted branch":       {now: publish.Origin{Commit: "c2"}, says: "was built from other sources"},
		"other tools":                        {now: publish.Origin{Commit: "c1"}, version: "2", says: "was built with other tools (a builder )"},
		"with edits now":                     {now: publish.Origin{}, says: "was built from a commit, but the sources here are not committed"},
	} {
		t.Run(name, func(t *testing.T) {
			p, b := newPublisher(t, load(t, map[string][]string{"base": nil}), site.channel(t))
			_, err := plan(t, p)
			require.NoError(t, err)
			p.Origin, b.version = c.now, c.version
			ready, passed, err := p.Ready(t.Context())
			require.NoError(t, err)
			require.Equal(t, c.counts, len(ready) == 1)
			if !c.counts {
				require.Contains(t, passed[0], c.says)
			}
		})
	}
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), site.channel(t))
	p.Origin = publish.Origin{} // as with uncommitted edits
	made, err := plan(t, p)
	require.NoError(t, err)
	_, known, err := p.Builds.Of(made.Items[0].Record.SHA256)
	require.NoError(t, err)
	require.False(t, known, "a package that was built with edits has no record")
	p.Origin.Commit = "c1"
	ready, _, err := p.Ready(t.Context())
	require.NoError(t, err)
	require.Empty(t, ready, "a package that was built with edits is not published")
}

// The digests in a folder are accepted only if this clone built the artifacts from the commit that is checked out. If the folder and the build
// records disagree, the build records are used.
func TestHostileFolder(t *testing.T) {
	w, c := load(t, map[string][]string{"base": nil}), start(t).channel(t)
	for says, spoil := range map[string]func(p *publish.Publisher, f *publish.Digest){
		"": func(_ *publish.Publisher, f *publish.Digest) { f.Tools = "what the folder says" },
		"base-1.0-pyh4616a5c_0.conda has no build record in this clone, because it was built elsewhere or with uncommitted edits": func(_ *publish.Publisher, f *publish.Digest) { f.SHA256 = strings.Repeat("0", 64) },
		"base-1.0-pyh4616a5c_0.conda has no build record in this clone":                                                           func(_ *publish.Publisher, f *publish.Digest) { f.Package = "other" },
		"base-1.0-0.conda was built under another name, base-1.0-pyh4616a5c_0.conda":                                              func(_ *publish.Publisher, f *publish.Digest) { f.File = "base-1.0-0.conda" },
		"was built from the commit c1, but c2 is checked out":                                                                     func(p *publish.Publisher, _ *publish.Digest) { p.Origin.Commit = "c2" },
	} {
		for _, varies := range []bool{false, true} {
			p, b := newPublisher(t, w, c)
			b.varies = varies
			built := publish.Artifacts{}
			require.NoError(t, p.Build(t.Context(), w.Order(), built))
			d, err := p.Digests(t.Context(), "", built["base"])
			require.NoError(t, err)
			d.Reproducible = varies // the digests in the folder have the wrong value
			spoil(p, &d.Files[0])
			got, err := p.OfRecords(d)
			if says != "" {
				require.ErrorContains(t, err, says)
				require.Equal(t, "build the packages in this clone, from the committed files: `mage build:all`", operr.NextOf(err))
				continue
			}
			require.NoError(t, err)
			require.Equal(t, "a builder ", got.Files[0].Tools)
			require.Equal(t, !varies, got.Reproducible)
		}
	}
}

// If the output folder has two artifacts of the same package, the user must remove one.
func TestTwoArtifactsOfAPackage(t *testing.T) {
	p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), start(t).channel(t))
	require.NoError(t, os.MkdirAll(p.Output, 0o755))
	for _, build := range []string{"pyh0000000_0", "pyh4616a5c_0"} {
		recorded(t, p, condapkgtest.Package{Name: "base", Build: build, Depends: []string{"python"}}.Write(t, p.Output))
	}
	_, _, err := p.Ready(t.Context())
	require.ErrorContains(t, err, "there are two built packages of base: base-1.0-pyh0000000_0.conda and base-1.0-pyh4616a5c_0.conda")
}

// Artifacts from another job are accepted only if all of them are present and unchanged.
func TestHostileFiles(t *testing.T) {
	site := start(t)
	for says, spoil := range map[string]func(t *testing.T, dir string, d *publish.Digests){
		"": func(*testing.T, string, *publish.Digests) {},
		"no build of this run made this file": func(t *testing.T, dir string, _ *publish.Digests) {
			condapkgtest.Package{Name: "evil"}.Write(t, dir)
		},
		"changed after the build: expected sha256": func(t *testing.T, dir string, _ *publish.Digests) {
			condapkgtest.Package{Name: "base", Depends: []string{"python"}, Files: map[string]string{"site-packages/x.py": ""}}.Write(t, dir)
		},
		"is not a regular file": func(t *testing.T, dir string, d *publish.Digests) {
			file := filepath.Join(dir, d.Files[0].File)
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			require.NoError(t, os.Rename(file, elsewhere))
			require.NoError(t, os.Symlink(elsewhere, file))
		},
		"reading base-1.0-pyh4616a5c_0.conda": func(t *testing.T, dir string, d *publish.Digests) {
			require.NoError(t, os.Remove(filepath.Join(dir, d.Files[0].File)))
		},
		"base-1.0-pyh4616a5c_0.conda cannot be published": func(t *testing.T, dir string, d *publish.Digests) {
			have, err := condapkg.Identify(condapkgtest.Package{Name: "base", Depends: []string{"python", "evil"}}.Write(t, dir))
			require.NoError(t, err)
			d.Files[0].SHA256 = have.SHA256 // the digest is correct, but the file does not match the manifest
		},
		"not a package of this workspace": func(_ *testing.T, _ string, d *publish.Digests) {
			d.Files = append(d.Files, publish.Digest{Package: "other", File: "other-1-0.conda", SHA256: strings.Repeat("0", 64)})
		},
	} {
		t.Run(says, func(t *testing.T) {
			p, _ := newPublisher(t, load(t, map[string][]string{"base": nil}), site.channel(t))
			_, err := plan(t, p)
			require.NoError(t, err)
			ready, _, err := p.Ready(t.Context())
			require.NoError(t, err)
			d, err := p.Digests(t.Context(), "7", ready["base"])
			require.NoError(t, err)
			spoil(t, p.Output, &d)
			taken, err := p.Take(p.Output, d)
			if says != "" {
				require.ErrorContains(t, err, says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, ready["base"].SHA256, taken["base"].SHA256)
		})
	}
}

func TestHostileDigests(t *testing.T) {
	file := publish.Digest{Package: "base", File: "base-1.0-0.conda", SHA256: strings.Repeat("0", 64), Size: 1, Tools: "x"}
	text := func(change func(d *publish.Digests)) string {
		d := publish.Digests{Run: "1", Commit: "c", Files: []publish.Digest{file}}
		change(&d)
		line, err := d.Line()
		require.NoError(t, err)
		return line
	}
	good := text(func(*publish.Digests) {})
	d, err := publish.ParseDigests(good)
	require.NoError(t, err)
	require.Equal(t, file, d.Files[0])
	for name, bad := range map[string]string{
		"nothing":                   "",
		"more":                      good + good,
		"another field":             strings.Replace(good, `"run"`, `"jump"`, 1),
		"a path":                    text(func(d *publish.Digests) { d.Files[0].File = "../base-1.0-0.conda" }),
		"a path inside":             text(func(d *publish.Digests) { d.Files[0].File = "base-1.0/../../../x-0.conda" }),
		"a folder":                  text(func(d *publish.Digests) { d.Files[0].Package, d.Files[0].File = "../base", "../base-1.0-0.conda" }),
		"a backslash":               text(func(d *publish.Digests) { d.Files[0].File = `base-1.0\..\x-0.conda` }),
		"an option":                 text(func(d *publish.Digests) { d.Files[0].Package, d.Files[0].File = "-base", "-base-1.0-0.conda" }),
		"an escape":                 text(func(d *publish.Digests) { d.Files[0].File = "base-1.0-\x1b[2J.conda" }),
		"dots":                      text(func(d *publish.Digests) { d.Files[0].File = "base-1.0-...conda" }),
		"a file of another package": text(func(d *publish.Digests) { d.Files[0].Package = "top" }),
		"no digest":                 text(func(d *publish.Digests) { d.Files[0].SHA256 = "ABC" }),
		"one package twice":         text(func(d *publish.Digests) { d.Files = append(d.Files, file) }),
		"negative":                  text(func(d *publish.Digests) { d.Files[0].Size = -1 }),
		"endless":                   `{"run":"` + strings.Repeat("x", 2<<20) + `"}`,
		"a list":                    "[]",
		"a long field":              `{"` + strings.Repeat("x", 100_000) + `":1}`,
	} {
		_, err := publish.ParseDigests(bad)
		require.Error(t, err, name)
		require.NotEmpty(t, operr.NextOf(err), name)
		require.Less(t, len(err.Error()), 500, name)
	}
}

// If the same tools built different bytes from one commit, publishing stops until the user has found the cause.
func TestCompare(t *testing.T) {
	pack := func(change func(*condapkgtest.Package)) string {
		pkg := condapkgtest.Package{Name: "base", Depends: []string{"python"}, Files: map[string]string{"site-packages/base/x.py": "1"}}
		change(&pkg)
		dir := t.TempDir()
		pkg.Write(t, dir)
		return dir
	}
	describe := func(dir, tools, commit string, same bool) publish.Digests {
		have, err := condapkg.Identify(filepath.Join(dir, "base-1.0-pyh4616a5c_0.conda"))
		require.NoError(t, err)
		return publish.Digests{Commit: commit, Reproducible: same, Files: []publish.Digest{{Package: "base", File: have.FileName(), SHA256: have.SHA256, Tools: tools}}}
	}
	one := pack(func(*condapkgtest.Package) {})
	other := pack(func(p *condapkgtest.Package) { p.Files["site-packages/base/x.py"] = "2" })
	later := pack(func(p *condapkgtest.Package) { p.Extra = map[string]any{"timestamp": 1767329999000} })

	c, err := publish.Compare(describe(one, "x", "c", true), one, describe(one, "x", "c", true), one)
	require.NoError(t, err)
	require.Len(t, c.Same, 1)
	_, err = publish.Compare(describe(one, "x", "c", true), one, describe(other, "x", "c", true), other)
	require.ErrorContains(t, err, "by the same tools")
	require.ErrorContains(t, err, "site-packages/base/x.py differs")
	var told *operr.Error
	require.ErrorAs(t, err, &told)
	require.Equal(t, operr.Stopped, told.Status)
	c, err = publish.Compare(describe(one, "x", "c", true), one, describe(other, "y", "c", true), other)
	require.NoError(t, err)
	require.Equal(t, []string{"base: built with x here, and with y in the other build"}, c.NotCompared)
	c, err = publish.Compare(describe(one, "NOT PINNED: z", "c", true), one, describe(other, "NOT PINNED: z", "c", true), other)
	require.NoError(t, err)
	require.Equal(t, []string{"base: site-packages/base/x.py differs"}, c.Shown)
	more := pack(func(p *condapkgtest.Package) { p.Files["site-packages/base/y.py"] = "" })
	for _, both := range [][2]string{{one, more}, {more, one}} {
		c, err = publish.Compare(describe(both[0], "pixi", "c", false), both[0], describe(both[1], "pixi", "c", false), both[1])
		require.NoError(t, err)
		require.Equal(t, []string{"base: site-packages/base/y.py is in only one of the two packages"}, c.Shown)
	}
	c, err = publish.Compare(describe(one, "pixi", "c", false), one, describe(later, "pixi", "c", false), later)
	require.NoError(t, err)
	require.Equal(t, []string{"base: the same files, packed at another time"}, c.Shown)
	_, err = publish.Compare(describe(one, "x", "", true), one, describe(one, "x", "", true), one)
	require.ErrorContains(t, err, "sources that are not committed")
	c, err = publish.Compare(describe(one, "x", "c", true), one, describe(other, "x", "c", false), other)
	require.NoError(t, err, "one of the two builds is not reproducible")
	require.Equal(t, []string{"base: site-packages/base/x.py differs"}, c.Shown)
	for _, commit := range []string{"", "d"} {
		_, err = publish.Compare(describe(one, "x", "c", true), one, describe(one, "x", commit, true), one)
		require.ErrorContains(t, err, "cannot be compared")
	}
	_, err = publish.Compare(describe(one, "x", "c", true), one, publish.Digests{Commit: "c", Files: []publish.Digest{}}, other)
	require.ErrorContains(t, err, "the other build has no base")
}

// If the build has other bytes than the file on the channel, the channel's file is kept if Keeps returns true. Otherwise this is a conflict.
func TestKeptFiles(t *testing.T) {
	site := start(t)
	c := site.channel(t)
	first, _ := newPublisher(t, load(t, map[string][]string{"base": nil, "top": {"base"}}), c)
	made, err := plan(t, first)
	require.NoError(t, err)
	_, err = first.Upload(t.Context(), made)
	require.NoError(t, err)
	for name, keeps := range map[string]func(*workspace.Package) bool{
		"all":  func(*workspace.Package) bool { return true },
		"some": func(p *workspace.Package) bool { return p.Name == "top" },
		"none": nil,
	} {
		p, b := newPublisher(t, load(t, map[string][]string{"base": nil, "top": {"base"}}), c)
		b.extra = map[string]any{"license": "another"}
		h, err := publish.Look(t.Context(), c, p.Workspace.Packages)
		require.NoError(t, err)
		ready := publish.Artifacts{}
		require.NoError(t, p.Build(t.Context(), p.Workspace.Order(), ready))
		p.Keeps = keeps
		again, err := p.Prepare(t.Context(), h, ready)
		if name != "all" {
			require.ErrorIs(t, err, channel.ErrExists, name)
			require.Equal(t, name == "none", strings.Contains(operr.DetailOf(err), "top-1.0"), name)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, map[string]publish.State{"base": publish.Kept, "top": publish.Kept}, states(again))
		require.Empty(t, again.Uploads())
		for i, r := range again.Records() {
			require.Equal(t, made.Records()[i].SHA256, r.SHA256, "the verified files are those on the channel")
		}
	}
}
