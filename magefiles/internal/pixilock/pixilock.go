// Package pixilock parses pixi.lock files of format 6 or 7, and compares them.
//
// In both formats, an environment lists its packages for each platform, identified by a kind (conda, conda_source or pypi) and a location. The
// details of each package are in a separate entry. Format 7 adds platforms that are not plain subdirs, and precedes the location of a source with
// its name: NAME[HASH] @ PATH.
package pixilock

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The oldest and newest supported formats.
const oldest, newest = 6, 7

// Lock is the contents of a lock file.
type Lock struct {
	Version      int
	Environments map[string]Environment
	Entries      map[string]Entry // the packages, by kind and place: "conda https://…"
}

// Environment is one environment in a lock file.
type Environment struct {
	Packages map[string][]string // keys of Entries, by platform
	Settings map[string]any      // all other keys: channels, indexes, options
}

// Entry is a package.
type Entry struct {
	Name    string   // name, normalized by Fold
	Depends []string // names of required packages, normalized by Fold
	Plain   any      // the entire entry as written
}

// kinds lists the keys that identify a package.
var kinds = []string{"conda", "conda_source", "pypi"}

// Fold normalizes a name to lower case, with - for _ and ., so that conda and PyPI names can be compared.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '.' {
			return '-'
		}
		return r
	}, strings.ToLower(name))
}

// Read parses a lock file. file is its name in errors.
func Read(file string, text []byte) (*Lock, error) {
	var content struct {
		Version      int
		Environments map[string]map[string]any
		Packages     []map[string]any
	}
	const again = "run `mage lock` to write the lock file again"
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, operr.New(again, "reading %s: %w", file, err)
	}
	if content.Version < oldest || content.Version > newest {
		return nil, operr.New(again+", with a pixi that writes format 6 or 7", "%s has format %d, but only formats %d and %d are supported", file, content.Version, oldest, newest)
	}
	l := &Lock{
		Version:      content.Version,
		Environments: map[string]Environment{},
		Entries:      map[string]Entry{},
	}
	for _, p := range content.Packages {
		key, e := newEntry(p)
		if key == "" {
			return nil, operr.New(again, "%s has an entry of an unknown kind: %.80s", file, fmt.Sprint(p))
		}
		l.Entries[key] = e
	}
	for name, env := range content.Environments {
		one := Environment{
			Packages: map[string][]string{},
			Settings: env,
		}
		platforms, _ := env["packages"].(map[string]any)
		for platform, list := range platforms {
			items, _ := list.([]any)
			for _, item := range items {
				p, _ := item.(map[string]any)
				key, e := newEntry(p)
				if key == "" {
					return nil, operr.New(again, "%s lists a package of an unknown kind for %s: %.80s", file, platform, fmt.Sprint(item))
				}
				if _, ok := l.Entries[key]; !ok {
					l.Entries[key] = e
				}
				one.Packages[platform] = append(one.Packages[platform], key)
			}
		}
		delete(env, "packages")
		l.Environments[name] = one
	}
	return l, nil
}

func newEntry(p map[string]any) (key string, e Entry) {
	for _, kind := range kinds {
		place, ok := p[kind].(string)
		if !ok {
			continue
		}
		e := Entry{
			Name:  nameOf(p, place),
			Plain: p,
		}
		for _, list := range []string{"depends", "requires_dist"} {
			items, _ := p[list].([]any)
			for _, item := range items {
				text, _ := item.(string)
				if name := required(text); name != "" {
					e.Depends = append(e.Depends, name)
				}
			}
		}
		return kind + " " + place, e
	}
	return "", Entry{}
}

// nameOf returns the name in a package entry, or the name in its location.
func nameOf(p map[string]any, place string) string {
	if name, ok := p["name"].(string); ok {
		return Fold(name)
	}
	if name, _, ok := strings.Cut(place, "["); ok && !strings.ContainsAny(name, "/:") { // NAME[HASH] @ PATH
		return Fold(name)
	}
	base := path.Base(place)
	if stem, old := strings.CutSuffix(base, ".tar.bz2"); old {
		base = stem + condapkg.Ext
	}
	if f, err := condapkg.ParseFileName(base); err == nil {
		return Fold(f.Name)
	}
	name, _, _ := strings.Cut(base, "-") // first part of the name of a wheel or source folder
	if !strings.HasSuffix(base, ".whl") {
		name = base
	}
	return Fold(name)
}

// required returns the name at the start of a conda or PyPI requirement.
func required(text string) string {
	text = strings.TrimSpace(text)
	if _, after, ok := strings.Cut(text, "::"); ok {
		text = after
	}
	end := strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	})
	if end >= 0 {
		text = text[:end]
	}
	return Fold(text)
}

// Changes describes the differences between two lock files.
type Changes struct {
	Names    map[string]bool     // normalized names of packages whose entry changed, or that were added to or removed from an environment
	Settings bool                // whether environments, their platforms, or their solver settings changed
	Needed   map[string][]string // maps a package to the names that require it, in either file
}

// Compare returns the differences between two lock files.
func Compare(before, after *Lock) Changes {
	c := Changes{
		Names:  map[string]bool{},
		Needed: map[string][]string{},
	}
	for _, pair := range [][2]*Lock{{before, after}, {after, before}} {
		one, other := pair[0], pair[1]
		for key, e := range one.Entries {
			if o, ok := other.Entries[key]; !ok || !reflect.DeepEqual(e.Plain, o.Plain) {
				c.Names[e.Name] = true
			}
			for _, name := range e.Depends {
				c.Needed[name] = append(c.Needed[name], e.Name)
			}
		}
		for name, env := range one.Environments {
			there, ok := other.Environments[name]
			c.Settings = c.Settings || !ok || !reflect.DeepEqual(env.Settings, there.Settings)
			for platform, keys := range env.Packages {
				has, ok := there.Packages[platform]
				c.Settings = c.Settings || !ok
				c.missing(one, keys, has)
			}
		}
	}
	return c
}

// missing records the packages in one list that are not in the other.
func (c Changes) missing(of *Lock, keys, has []string) {
	there := map[string]bool{}
	for _, key := range has {
		there[key] = true
	}
	for _, key := range keys {
		if !there[key] {
			c.Names[of.Entries[key].Name] = true
		}
	}
}

// Reached returns the changed names and all names that directly or indirectly require them.
func (c Changes) Reached() map[string]bool {
	all := maps.Clone(c.Names)
	next := slices.Collect(maps.Keys(all))
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		for _, by := range c.Needed[name] {
			if !all[by] {
				all[by] = true
				next = append(next, by)
			}
		}
	}
	return all
}
