package condapkg_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

var demo = condapkgtest.Package{
	Name:        "demo-pkg",
	Version:     "1.2.0",
	Depends:     []string{"python >=3.11", "numpy <3"},
	Extra:       map[string]any{"license": "BSD-3-Clause", "custom": map[string]any{"a": 1}, "sha256": "lies"},
	EntryPoints: []string{"demo = demo_pkg:main"},
}

func open(t *testing.T, data []byte) (*condapkg.Archive, error) {
	t.Helper()
	return condapkg.New(bytes.NewReader(data), int64(len(data)), condapkg.DefaultLimits)
}

func TestMetadataOfAnArchive(t *testing.T) {
	path := demo.Write(t, t.TempDir())
	a, err := condapkg.Open(path)
	require.NoError(t, err)
	defer a.Close()
	require.NoError(t, a.Check())

	x := a.Index()
	require.Equal(t, "demo-pkg", x.Name)
	require.Equal(t, []string{"python >=3.11", "numpy <3"}, x.Depends)
	require.Equal(t, condapkg.NoarchPython, x.Noarch)
	require.Equal(t, condapkgtest.Stamp.UnixMilli(), x.Timestamp)
	require.JSONEq(t, `{"a":1}`, string(x.Extra["custom"]))
	require.NoError(t, x.CheckFileName(filepath.Base(path)))

	link, err := a.Link()
	require.NoError(t, err)
	require.Equal(t, []string{"demo = demo_pkg:main"}, link.Noarch.EntryPoints)

	files, err := a.Files()
	require.NoError(t, err)
	require.Equal(t, []string{
		"info/about.json", "info/index.json", "info/link.json", "info/paths.json", "site-packages/demo_pkg/__init__.py",
	}, files)
	data, err := a.ReadFile("site-packages/demo_pkg/__init__.py")
	require.NoError(t, err)
	require.Contains(t, string(data), "1.2.0")
	_, err = a.ReadFile("site-packages/other.py")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestRecordEqualsTheIndexers(t *testing.T) {
	path := demo.Write(t, t.TempDir())
	r, err := condapkg.Inspect(path)
	require.NoError(t, err)
	require.Len(t, r.SHA256, 64, "the digest is computed, and not read from index.json")
	text := string(r.JSON())
	require.Less(t, strings.Index(text, `"build"`), strings.Index(text, `"depends"`))
	require.Contains(t, text, `"python >=3.11"`, "JSON does not escape >")
	require.NotContains(t, text, "constrains")

	var again condapkg.Record
	require.NoError(t, json.Unmarshal(r.JSON(), &again))
	require.Equal(t, r, again)
}

func TestReproducibleArchive(t *testing.T) {
	c := demo.Container()
	c.Files = append(c.Files, condapkg.Member{Path: "bin/tool", Mode: 0o700, Data: []byte("#!/bin/sh\n")},
		condapkg.Member{Path: "bin/alias", Link: "tool"}, condapkg.Member{Path: "a/" + strings.Repeat("long/", 60) + "x"})
	var one, two bytes.Buffer
	require.NoError(t, condapkg.Write(&one, c))
	c.Files[0], c.Files[2] = c.Files[2], c.Files[0]
	c.Time = c.Time.In(time.FixedZone("elsewhere", 3600))
	require.NoError(t, condapkg.Write(&two, c))
	require.Equal(t, one.Bytes(), two.Bytes())

	z, err := zip.NewReader(bytes.NewReader(one.Bytes()), int64(one.Len()))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		require.Equal(t, zip.Store, f.Method)
		require.Zero(t, f.Flags&8, "the sizes are before the data")
		require.Equal(t, condapkgtest.Stamp, f.Modified.UTC())
	}
	require.Equal(t, []string{"metadata.json", "pkg-" + c.Stem + ".tar.zst", "info-" + c.Stem + ".tar.zst"}, names)
	raw, err := z.File[1].Open()
	require.NoError(t, err)
	frame, err := io.ReadAll(raw)
	require.NoError(t, err)
	var h zstd.Header
	require.NoError(t, h.Decode(frame))
	require.True(t, h.HasFCS, "the frame has the size of its content")

	a, err := open(t, one.Bytes())
	require.NoError(t, err)
	modes := map[string]int64{}
	require.NoError(t, a.Walk(func(h *tar.Header, _ io.Reader) error {
		require.Zero(t, h.Uid+h.Gid)
		require.Equal(t, condapkgtest.Stamp.Unix(), h.ModTime.Unix())
		modes[h.Name] = h.Mode
		return nil
	}))
	require.EqualValues(t, 0o755, modes["bin/tool"])
	require.EqualValues(t, 0o644, modes["site-packages/demo_pkg/__init__.py"])
}

func TestWriteRefuses(t *testing.T) {
	for name, m := range map[string]condapkg.Member{
		"outside": {Path: "../x"}, "absolute": {Path: "/x"}, "info in the payload": {Path: "info/index.json"},
		"twice": {Path: "site-packages/demo_pkg/__init__.py"}, "link out": {Path: "a", Link: "../b"},
	} {
		c := demo.Container()
		c.Files = append(c.Files, m)
		require.Error(t, condapkg.Write(io.Discard, c), name)
	}
}

func TestFileNames(t *testing.T) {
	f, err := condapkg.ParseFileName("a-b-c-1.0-py_0.conda")
	require.NoError(t, err)
	require.Equal(t, condapkg.FileName{Name: "a-b-c", Version: "1.0", Build: "py_0"}, f)
	for _, wrong := range []string{"", ".conda", "a-1.conda", "-1-0.conda", "a-1-0.tar.bz2", "a-1-0"} {
		_, err := condapkg.ParseFileName(wrong)
		require.Error(t, err, wrong)
	}
	x := condapkg.Index{Name: "a", Version: "2", Build: "0"}
	require.ErrorContains(t, x.CheckFileName("a-1-0.conda"), `file name has the version "1", but info/index.json has "2"`)
}

func TestIndexReadsLikeRattler(t *testing.T) {
	var x condapkg.Index
	read := func(s string) error { return json.Unmarshal([]byte(s), &x) }
	require.NoError(t, read(`{"name":"a","NAME":"b","license":null,"noarch":true,"track_features":"x, y","depends":["a"]}`))
	require.Equal(t, "a", x.Name, "keys are matched exactly")
	require.Equal(t, condapkg.NoarchLegacy, x.Noarch)
	require.Equal(t, []string{"x", "y"}, x.TrackFeatures)
	require.Contains(t, x.Extra, "NAME")
	require.NotContains(t, x.Extra, "license")

	require.ErrorContains(t, read(`{"name":"a","name":"b"}`), "occurs twice")
	for _, wrong := range []string{
		`[]`, `{`, `{} {}`, `{"depends":"a"}`, `{"depends":[1]}`, `{"build_number":-1.5}`, `{"noarch":"maybe"}`,
		`{"flags":3}`, `{"purls":"x"}`, `{"extra_depends":[]}`, `{"timestamp":"now"}`,
	} {
		require.Error(t, read(wrong), wrong)
	}
}

func TestValidate(t *testing.T) {
	good := condapkg.Index{Name: "a_b-c.d", Version: "1!2.0.post1+local.1", Build: "py_0", Subdir: "noarch"}
	require.NoError(t, good.Validate())
	for version, good := range map[string]bool{ // verified with rattler.Version in py-rattler 0.28
		"1": true, "2024a": true, "1.0_": true, "1.0.post1.dev3": true, "1e5": true, "0!1": true, "1+a.b_c": true,
		"1..2": false, "1__2": false, "1._2": false, "1!": false, "!1": false, "1+": false, "_1": false,
		"99999999999999999999999.1": false, "1+2+3": false,
	} {
		x := condapkg.Index{Name: "a", Version: version, Build: "0", Subdir: "noarch"}
		require.Equal(t, good, x.Validate() == nil, version)
	}
	for what, change := range map[string]func(*condapkg.Index){
		"upper case": func(x *condapkg.Index) { x.Name = "Demo" },
		"version":    func(x *condapkg.Index) { x.Version = "1-2" },
		"empty":      func(x *condapkg.Index) { x.Version = "" },
		"dots":       func(x *condapkg.Index) { x.Version = "1." },
		"build":      func(x *condapkg.Index) { x.Build = "a/b" },
		"subdir":     func(x *condapkg.Index) { x.Subdir = "../noarch" },
		"no subdir":  func(x *condapkg.Index) { x.Subdir = "" },
		"number":     func(x *condapkg.Index) { x.BuildNumber = -1 },
	} {
		x := good
		change(&x)
		require.ErrorContains(t, x.Validate(), "info/index.json", what)
	}
}

func TestInspectInvalidArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-1-0.conda")
	require.NoError(t, os.WriteFile(path, []byte("not a zip"), 0o644))
	_, err := condapkg.Inspect(path)
	require.ErrorIs(t, err, condapkg.ErrBad)
	require.ErrorContains(t, err, path)
	_, err = condapkg.Inspect(path + ".none")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
