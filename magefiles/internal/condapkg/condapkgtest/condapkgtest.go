// Package condapkgtest makes small but complete .conda archives for tests. Real clients can index, solve and install them.
package condapkgtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Package describes an archive. Only Name is required. The defaults are version 1.0, noarch python, and build pyh4616a5c_0.
type Package struct {
	Name, Version, Build string
	Depends              []string
	Noarch               condapkg.Noarch // defaults to python if Subdir is empty too
	Subdir               string          // defaults to noarch
	Extra                map[string]any  // additional fields for index.json, which override those above
	Files                map[string]string
	EntryPoints          []string // "command = module:function"
}

// Stamp is the time of everything in an archive.
var Stamp = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

// Container returns the archive's content.
func (p Package) Container() condapkg.Container {
	p = p.defaults()
	var files []condapkg.Member
	for _, path := range slices.Sorted(maps.Keys(p.Files)) {
		files = append(files, condapkg.Member{Path: path, Data: []byte(p.Files[path])})
	}
	index := map[string]any{
		"name": p.Name, "version": p.Version, "build": p.Build, "build_number": 0, "subdir": p.Subdir,
		"depends": append([]string{}, p.Depends...), "timestamp": Stamp.UnixMilli(),
	}
	link := map[string]any{"type": p.Noarch}
	if p.Noarch != condapkg.NoarchNone {
		index["noarch"] = p.Noarch
	}
	if len(p.EntryPoints) > 0 {
		link["entry_points"] = p.EntryPoints
	}
	maps.Copy(index, p.Extra)
	info := []condapkg.Member{
		{Path: "info/index.json", Data: marshal(index)},
		{Path: "info/about.json", Data: []byte("{}")},
		{Path: "info/paths.json", Data: condapkg.PathsJSON(files)},
	}
	if p.Noarch == condapkg.NoarchPython {
		info = append(info, condapkg.Member{
			Path: "info/link.json",
			Data: marshal(map[string]any{
				"noarch": link, "package_metadata_version": 1,
			}),
		})
	}
	return condapkg.Container{
		Stem:  p.Name + "-" + p.Version + "-" + p.Build,
		Info:  info,
		Files: files,
		Time:  Stamp,
		Level: 1,
	}
}

func (p Package) defaults() Package {
	if p.Version == "" {
		p.Version = "1.0"
	}
	if p.Subdir == "" {
		if p.Subdir = "noarch"; p.Noarch == "" {
			p.Noarch = condapkg.NoarchPython
		}
	}
	if p.Build == "" {
		p.Build = "pyh4616a5c_0"
	}
	if p.Files == nil {
		module := string(bytes.ReplaceAll([]byte(p.Name), []byte("-"), []byte("_")))
		p.Files = map[string]string{"site-packages/" + module + "/__init__.py": "__version__ = \"" + p.Version + "\"\n"}
	}
	return p
}

// Bytes returns the archive.
func (p Package) Bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, condapkg.Write(&b, p.Container()))
	return b.Bytes()
}

// Write writes the archive to a folder under its own name, and returns the path.
func (p Package) Write(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, p.FileName())
	require.NoError(t, os.WriteFile(path, p.Bytes(t), 0o644))
	return path
}

// FileName returns the archive's name on a channel.
func (p Package) FileName() string { return p.Container().Stem + condapkg.Ext }

func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
