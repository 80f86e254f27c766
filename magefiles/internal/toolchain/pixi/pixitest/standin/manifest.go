package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// table is a TOML table with the order of its keys.
type table struct {
	values map[string]any
	order  []toml.Key
}

// read parses a TOML file, keeping the order of keys.
func read(path string) table {
	var t table
	meta, err := toml.DecodeFile(path, &t.values)
	check(err)
	t.order = meta.Keys()
	return t
}

func (t table) get(keys ...string) any {
	var v any = t.values
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func (t table) text(keys ...string) string {
	s, _ := t.get(keys...).(string)
	return s
}

// `under` returns the keys of a table in file order.
func (t table) under(keys ...string) []string {
	var out []string
	for _, k := range t.order {
		if len(k) > len(keys) && slices.Equal(k[:len(keys)], keys) && !slices.Contains(out, k[len(keys)]) {
			out = append(out, k[len(keys)])
		}
	}
	return out
}

// manifestName returns the name of the manifest that pixi would read in a folder.
func (s *standin) manifestName(dir string) string {
	if _, err := os.Stat(filepath.Join(dir, "pixi.toml")); err == nil {
		return "pixi.toml"
	}
	return "pyproject.toml"
}

// tables returns the manifest in a folder, and the path of its pixi tables.
func (s *standin) tables(dir string) (table, []string) {
	name := s.manifestName(dir)
	t := read(filepath.Join(dir, name))
	if name == "pyproject.toml" {
		return t, []string{"tool", "pixi"}
	}
	return t, nil
}

// root returns the folder of the [workspace] that contains the working directory.
func (s *standin) root() string {
	for dir := s.dir; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, s.manifestName(dir))); err == nil {
			t, above := s.tables(dir)
			if t.get(append(above, "workspace")...) != nil {
				return dir
			}
		}
		if dir == filepath.Dir(dir) {
			return s.dir
		}
	}
}

// pkg is the part of a package's manifest that the stand-in uses.
type pkg struct {
	dir, name, version string
	publish            bool
	depends            []string
	constrains         []string
	sources            []string // run dependencies on other packages' sources
}

// packageIn reads the package in a folder.
func (s *standin) packageIn(dir string) (pkg, bool) {
	t, above := s.tables(dir)
	in := func(keys ...string) []string {
		return append(slices.Clone(above), append([]string{"package"}, keys...)...)
	}
	if t.get(in()...) == nil {
		return pkg{}, false
	}
	var project table
	if path := filepath.Join(dir, "pyproject.toml"); exists(path) {
		project = read(path)
	}
	p := pkg{dir: dir, name: t.text(in("name")...), version: t.text(in("version")...)}
	p.publish, _ = t.get(in("publish")...).(bool)
	if p.name == "" {
		p.name = project.text("project", "name")
	}
	if inherits, _ := t.get(in("version", "workspace")...).(bool); inherits {
		root, above := s.tables(s.root())
		p.version = root.text(append(above, "workspace", "version")...)
	}
	if p.version == "" {
		p.version = project.text("project", "version")
	}
	p.depends = s.dependencies(&p, t, in("run-dependencies"))
	p.constrains = s.dependencies(&p, t, in("run-constraints"))
	p.depends = append(p.depends, strings.TrimSpace("python "+project.text("project", "requires-python")))
	return p, true
}

// dependencies reads a dependency table, including conditional entries.
func (s *standin) dependencies(p *pkg, t table, keys []string) (specs []string) {
	for _, name := range t.under(keys...) {
		at := append(slices.Clone(keys), name)
		if strings.HasPrefix(name, "if(") {
			if name == "if("+runtime.GOOS+")" {
				specs = append(specs, s.dependencies(p, t, at)...)
			}
			continue
		}
		spec := t.text(at...)
		if spec == "" {
			spec = t.text(append(at, "version")...)
		}
		if t.text(append(at, "path")...) != "" {
			p.sources = append(p.sources, name)
		}
		specs = append(specs, strings.TrimSpace(name+" "+strings.TrimPrefix(spec, "*")))
	}
	return specs
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// published returns the packages of the workspace with `publish = true`.
func (s *standin) published() []pkg {
	var found []pkg
	root := s.root()
	check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if path != root && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !exists(filepath.Join(path, s.manifestName(path))) {
			return nil
		}
		t, above := s.tables(path)
		if path != root && t.get(append(above, "workspace")...) != nil {
			return filepath.SkipDir
		}
		if p, ok := s.packageIn(path); ok && p.publish {
			found = append(found, p)
		}
		return nil
	}))
	return found
}
