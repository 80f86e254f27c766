package condapkg_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

const goodIndex = `{"name":"a","version":"1","build":"0","build_number":0,"subdir":"noarch","depends":[]}`

// raw writes an archive without the checks of Write.
type raw struct {
	info, pkg []tar.Header
	index     string
	method    uint16
	stem      string
	more      []string // additional zip entries
	infoZst   []byte   // replaces the info tar
	pathsJSON string
}

func (r raw) bytes(t testing.TB) []byte {
	t.Helper()
	if r.index == "" {
		r.index = goodIndex
	}
	if r.stem == "" {
		r.stem = "a-1-0"
	}
	if r.pathsJSON == "" {
		r.pathsJSON = `{"paths":[],"paths_version":1}`
	}
	info := r.infoZst
	if info == nil {
		info = pack(t, r.info, map[string]string{"info/index.json": r.index, "info/paths.json": r.pathsJSON})
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: r.method})
		require.NoError(t, err)
		_, err = w.Write(data)
		require.NoError(t, err)
	}
	put("pkg-"+r.stem+".tar.zst", pack(t, r.pkg, nil))
	put("info-"+r.stem+".tar.zst", info)
	for _, name := range r.more {
		put(name, []byte("x"))
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func pack(t testing.TB, members []tar.Header, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for path, data := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: path, Size: int64(len(data)), Typeflag: tar.TypeReg}))
		_, err := io.WriteString(w, data)
		require.NoError(t, err)
	}
	for _, h := range members {
		require.NoError(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.CopyN(w, zeros{}, h.Size)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	e, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return e.EncodeAll(b.Bytes(), nil)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func file(name string, size int64) tar.Header {
	return tar.Header{Name: name, Size: size, Typeflag: tar.TypeReg}
}

// bomb returns a zstd frame that decompresses to many zeros, and is not a tar.
func bomb(t testing.TB, size int) []byte {
	e, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	return e.EncodeAll(make([]byte, size), nil)
}

func TestHostileArchivesAreRefusedWithASentence(t *testing.T) {
	require.NoError(t, check(t, raw{}.bytes(t)), "the unchanged archive is valid")
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink}
	}
	for name, c := range map[string]struct {
		raw  raw
		says string
	}{
		"traversal":        {raw{pkg: []tar.Header{file("../evil", 1)}}, "leaves the package"},
		"traversal inside": {raw{pkg: []tar.Header{file("a/../../evil", 1)}}, "leaves the package"},
		"absolute":         {raw{pkg: []tar.Header{file("/etc/evil", 1)}}, "leaves the package"},
		"backslash":        {raw{pkg: []tar.Header{file(`..\evil`, 1)}}, "leaves the package"},
		"drive":            {raw{pkg: []tar.Header{file(`C:evil`, 1)}}, "leaves the package"},
		"info traversal":   {raw{info: []tar.Header{file("info/../../evil", 1)}}, "leaves the package"},
		"link out":         {raw{pkg: []tar.Header{link("a", "../../etc")}}, "points out of the package"},
		"link to root":     {raw{pkg: []tar.Header{link("a", "/etc")}}, "points out of the package"},
		"hard link out":    {raw{pkg: []tar.Header{{Name: "a", Linkname: "../b", Typeflag: tar.TypeLink}}}, "points out"},
		"device":           {raw{pkg: []tar.Header{{Name: "a", Typeflag: tar.TypeChar}}}, "special file"},
		"twice":            {raw{pkg: []tar.Header{file("a", 1), file("a", 1)}}, "occurs twice"},
		"payload has info": {raw{pkg: []tar.Header{file("info/index.json", 1)}}, "would replace"},
		"deflated":         {raw{method: zip.Deflate}, "are stored"},
		"two infos":        {raw{more: []string{"info-b-1-0.tar.zst"}}, "two info"},
		"wrong stem":       {raw{stem: "b-1-0"}, "the tar archives inside are named for"},
		"bad name":         {raw{index: `{"name":"A","version":"1","build":"0","subdir":"noarch"}`}, "has the name"},
		"no json":          {raw{index: `{`}, "info/index.json"},
		"info bomb":        {raw{info: []tar.Header{file("info/big", 65<<20)}}, "larger than the limit when unpacked"},
		"index bomb":       {raw{index: `{"name":"a","depends":[""` + strings.Repeat(`,""`, 3<<20) + `]}`}, "has more than"},
		"deep index":       {raw{index: `{"name":` + strings.Repeat("[", 1<<20)}, "info/index.json"},
		"index of another": {raw{index: `{"name":7,"version":[],"build":{}}`}, "info/index.json"},
		"path bomb":        {raw{pathsJSON: `{"paths":[{}` + strings.Repeat(",{}", 2<<20) + `]}`}, "lists more than"},
		"no list of paths": {raw{pathsJSON: `{"paths":{"a":1}}`}, "list of paths"},
		"many entries":     {raw{more: strings.Fields(strings.Repeat(strings.Repeat("x", 60000)+" ", 100))}, "list of entries is longer than the limit"},
		"a long path":      {raw{pkg: []tar.Header{file(strings.Repeat("a/", 400_000)+"a", 1)}}, "longer than any system allows"},
		"a long link":      {raw{pkg: []tar.Header{link("a", strings.Repeat("b/", 400_000)+"b")}}, "longer than any system allows"},
		"no tar":           {raw{infoZst: bomb(t, 1<<20)}, "info/index.json is missing"},
		"no zstd":          {raw{infoZst: []byte("plain")}, "info-a-1-0.tar.zst"},
	} {
		err := check(t, c.raw.bytes(t))
		require.ErrorIs(t, err, condapkg.ErrBad, name)
		require.ErrorContains(t, err, c.says, name)
	}
}

func TestPayloadBombIsNotUnpacked(t *testing.T) {
	data := raw{pkg: []tar.Header{file("big", 3<<20)}}.bytes(t)
	l := condapkg.DefaultLimits
	l.Payload = 1 << 20
	a, err := condapkg.New(bytes.NewReader(data), int64(len(data)), l)
	require.NoError(t, err)
	require.ErrorContains(t, a.Check(), "larger than the limit when unpacked")
}

func TestListedPathsExist(t *testing.T) {
	c := condapkgtest.Package{Name: "a"}.Container()
	c.Files = nil
	var b bytes.Buffer
	require.NoError(t, condapkg.Write(&b, c))
	require.ErrorContains(t, check(t, b.Bytes()), "lists \"site-packages/a/__init__.py\", which is not in the payload")
}

func check(t testing.TB, data []byte) error {
	t.Helper()
	a, err := condapkg.New(bytes.NewReader(data), int64(len(data)), condapkg.DefaultLimits)
	if err != nil {
		return err
	}
	return a.Check()
}

// FuzzArchive checks that reading arbitrary bytes either fails with an ErrBad, or yields a consistent package, and stays within the limits.
func FuzzArchive(f *testing.F) {
	f.Add(raw{}.bytes(f))
	f.Add(raw{method: zip.Deflate}.bytes(f))
	f.Add(raw{pkg: []tar.Header{file("../evil", 1)}}.bytes(f))
	f.Add(raw{index: `{"name":"a","version":"1","build":"..","subdir":"noarch"}`, stem: "a-1-.."}.bytes(f))
	f.Add(raw{infoZst: bomb(f, 1<<20)}.bytes(f))
	f.Add(condapkgtest.Package{Name: "a", EntryPoints: []string{"a = a:main"}}.Bytes(f))
	l := condapkg.Limits{Info: 1 << 20, File: 1 << 20, Payload: 4 << 20, Ratio: 1000, Members: 1000}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := condapkg.New(bytes.NewReader(data), int64(len(data)), l)
		if err != nil {
			require.ErrorIs(t, err, condapkg.ErrBad)
			return
		}
		if err := a.Check(); err != nil {
			require.ErrorIs(t, err, condapkg.ErrBad)
			return
		}
		x := a.Index()
		require.NoError(t, x.CheckFileName(x.FileName()))
		_, err = a.Files()
		require.NoError(t, err)
	})
}

// withInfo returns a raw archive with additional files in info/.
func withInfo(t testing.TB, files map[string]string) []byte {
	all := map[string]string{"info/index.json": goodIndex, "info/paths.json": `{"paths":[],"paths_version":1}`}
	for name, text := range files {
		all[name] = text
	}
	return raw{infoZst: pack(t, nil, all)}.bytes(t)
}

// TestHostileLinksInArchives checks that no member can be written or read through a symlink in the archive, wherever the link is.
func TestHostileLinksInArchives(t *testing.T) {
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeSymlink}
	}
	hard := func(name, to string) tar.Header {
		return tar.Header{Name: name, Linkname: to, Typeflag: tar.TypeLink}
	}
	deep := link("a/b/c/d", "../../../x") // points to x
	for name, c := range map[string]struct {
		members []tar.Header
		says    string
	}{
		"behind a link":                   {[]tar.Header{link("site-packages/a", "b"), file("site-packages/a/x", 1)}, "which is not a folder"},
		"a link to replace a folder":      {[]tar.Header{file("site-packages/a/x", 1), link("site-packages/a", "b")}, "occurs twice"},
		"behind a link, deeper":           {[]tar.Header{link("a", "b"), file("a/b/c/x", 1)}, "which is not a folder"},
		"behind a file":                   {[]tar.Header{file("a", 1), file("a/x", 1)}, "which is not a folder"},
		"a folder behind a link":          {[]tar.Header{link("a", "b"), {Name: "a/x/", Typeflag: tar.TypeDir}}, "which is not a folder"},
		"a link is a folder too":          {[]tar.Header{{Name: "a/", Typeflag: tar.TypeDir}, link("a", "b")}, "occurs twice"},
		"a folder is a link too":          {[]tar.Header{link("a", "b"), {Name: "a/", Typeflag: tar.TypeDir}}, "occurs twice"},
		"up from a link":                  {[]tar.Header{deep, link("out", "a/b/c/d/../../y")}, "points out of the package"},
		"up from a link that comes later": {[]tar.Header{link("out", "a/b/c/d/../../y"), deep}, "points out of the package"},
		"up by two links":                 {[]tar.Header{deep, link("a/two", "b/c/d"), link("a/out", "two/../../y")}, "points out of the package"},
		"a cycle of links":                {[]tar.Header{link("a", "b"), link("b", "a"), link("c", "a/../x")}, "points out of the package"},
		"hard link to a link":             {[]tar.Header{link("a", "b"), hard("c", "a")}, "not an earlier file of the archive"},
		"hard link to nothing":            {[]tar.Header{hard("c", "a")}, "not an earlier file of the archive"},
		"hard link to a folder":           {[]tar.Header{{Name: "a/", Typeflag: tar.TypeDir}, hard("c", "a")}, "not an earlier file of the archive"},
	} {
		err := check(t, raw{pkg: c.members}.bytes(t))
		require.ErrorIs(t, err, condapkg.ErrBad, name)
		require.ErrorContains(t, err, c.says, name)
	}
	for name, members := range map[string][]tar.Header{
		"a link":                  {file("lib/a.so.1", 1), link("lib/a.so", "a.so.1"), hard("lib/b.so", "lib/a.so.1")},
		"one to a folder":         {file("lib/x", 1), link("lib64", "lib"), link("share/l", "../lib/x")},
		"one with steps back":     {file("lib/x", 1), link("y", "lib/../lib/x")},
		"one by another one":      {file("lib/x", 1), link("lib64", "lib"), link("y", "lib64/../lib/x")},
		"one that leads nowhere":  {link("y", "of/another/package")},
		"a folder after its file": {file("a/x", 1), {Name: "a/", Typeflag: tar.TypeDir}, {Name: "a/", Typeflag: tar.TypeDir}},
	} {
		require.NoError(t, check(t, raw{pkg: members}.bytes(t)), name)
	}
}

// TestHostileEntryPoints checks that an entry point is rejected if its command is a path, or if its target is not a Python name.
func TestHostileEntryPoints(t *testing.T) {
	for _, point := range []string{
		"../../x = a:main", "/etc/x = a:main", `..\x = a:main`, "a/b = a:main", ".. = a:main", ". = a:main", " = a:main", "a b = a:main", "a:b = a:main",
		"a\nb = a:main", "a\u202eb = a:main", "a = a:main()", "a = a;import os:main", "a = a:main\nimport os", "a = a", "a", "", "a = :main", "a = a:", "a = ..a:main", "a = a b:c",
	} {
		text, err := json.Marshal(map[string]any{"noarch": map[string]any{"type": "python", "entry_points": []string{"good = a:main", point}}})
		require.NoError(t, err)
		err = check(t, withInfo(t, map[string]string{"info/link.json": string(text)}))
		require.ErrorIs(t, err, condapkg.ErrBad, point)
		require.ErrorContains(t, err, "entry point", point)
	}
	for point, want := range map[string]condapkg.EntryPoint{
		"a = a:main":                       {Command: "a", Module: "a", Function: "main"},
		"my-tool.v2=my_tool.cli : app.run": {Command: "my-tool.v2", Module: "my_tool.cli", Function: "app.run"},
		"a = a:main [extra]":               {Command: "a", Module: "a", Function: "main"},
		"été = modül:täsk":                 {Command: "été", Module: "modül", Function: "täsk"},
	} {
		got, err := condapkg.ParseEntryPoint(point)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestHostileIndexOfAnArchive checks that names that are paths are rejected when the archive is opened.
func TestHostileIndexOfAnArchive(t *testing.T) {
	for _, index := range []string{
		`{"name":"../a","version":"1","build":"0","subdir":"noarch"}`, `{"name":"a","version":"1/../../x","build":"0","subdir":"noarch"}`,
		`{"name":"a","version":"1","build":"0/../../../x","subdir":"noarch"}`, `{"name":"a","version":"1","build":"0","subdir":".."}`,
		`{"name":"a","version":"1","build":"0","subdir":"../noarch"}`, `{"name":"a\\b","version":"1","build":"0","subdir":"noarch"}`,
		`{"name":"-a","version":"1","build":"0","subdir":"noarch"}`, `{"name":"a\u0000","version":"1","build":"0","subdir":"noarch"}`,
	} {
		data := raw{index: index}.bytes(t)
		_, err := condapkg.New(bytes.NewReader(data), int64(len(data)), condapkg.DefaultLimits)
		require.ErrorIs(t, err, condapkg.ErrBad, index)
		require.ErrorContains(t, err, "cannot be a part of a path", index)
	}
	for _, path := range []string{"../x", "/etc/x", "a/../../x", `a\x`} {
		text, err := json.Marshal(map[string]any{"paths": []any{map[string]any{"_path": path, "path_type": "directory"}}, "paths_version": 1})
		require.NoError(t, err)
		require.ErrorContains(t, check(t, withInfo(t, map[string]string{"info/paths.json": string(text)})), "leaves the package", path)
	}
}

// Folders count too, because a member with a short name may be in many of them.
func TestHostileDepth(t *testing.T) {
	var deep []tar.Header
	for i := range 1000 {
		deep = append(deep, file(fmt.Sprint(i, strings.Repeat("/a", 1000)), 0))
	}
	data := raw{pkg: deep}.bytes(t)
	l := condapkg.DefaultLimits
	l.Members = 10_000
	a, err := condapkg.New(bytes.NewReader(data), int64(len(data)), l)
	require.NoError(t, err)
	require.ErrorContains(t, a.Check(), "members and folders")

	l.Members, l.Names = 1<<20, 1<<20
	a, err = condapkg.New(bytes.NewReader(data), int64(len(data)), l)
	require.NoError(t, err)
	require.ErrorContains(t, a.Check(), "the total length of all paths in the archive exceeds the limit")
}
