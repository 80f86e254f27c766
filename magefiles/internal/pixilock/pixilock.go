// Package pixilock reads a pixi.lock, of format 6 or 7, and says what of two of them differs.
//
// Both formats have environments, whose packages are listed for each platform by a key (conda, conda_source or pypi) and a place, and an entry for each
// of these that says more. Format 7 adds platforms that are more than a subdir, and sources that are named before their place: NAME[HASH] @ PATH.
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

// The formats that are read.
const oldest, newest = 6, 7

// Lock is what a file says.
type Lock struct {
	Version      int
	Environments map[string]Environment
	Entries      map[string]Entry // by kind and place: "conda https://…"
}

// Environment is one environment of a file.
type Environment struct {
	Packages map[string][]string // keys of Entries, by platform
	Settings map[string]any      // all else: channels, indexes, options
}

// Entry is a package.
type Entry struct {
	Name    string   // lower-cased, with - for _ and ., so that those of conda and of PyPI compare
	Depends []string // names of what it requires, in the same form
	Plain   any      // as it is written
}

// kinds are the keys under which a package stands.
var kinds = []string{"conda", "conda_source", "pypi"}

// Fold is a name in the form in which those of conda and of PyPI compare.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '.' {
			return '-'
		}
		return r
	}, strings.ToLower(name))
}

// Read reads a file.
func Read(file string, text []byte) (*Lock, error) {
	var content struct {
		Version      int
		Environments map[string]map[string]any
		Packages     []map[string]any
	}
	const again = "make it anew: `mage lock`"
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, operr.New(again, "reading %s: %w", file, err)
	}
	if content.Version < oldest || content.Version > newest {
		return nil, operr.New(again+", with a pixi whose lock files are of format 6 or 7", "%s is of format %d, and formats %d and %d are known", file, content.Version, oldest, newest)
	}
	l := &Lock{
		Version:      content.Version,
		Environments: map[string]Environment{},
		Entries:      map[string]Entry{},
	}
	for _, p := range content.Packages {
		key, e := newEntry(p)
		if key == "" {
			return nil, operr.New(again, "%s has an entry of no kind that is known: %.80s", file, fmt.Sprint(p))
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
					return nil, operr.New(again, "%s lists a package of no kind that is known for %s: %.80s", file, platform, fmt.Sprint(item))
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

// nameOf is what an entry says, or its place.
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
	name, _, _ := strings.Cut(base, "-") // of a wheel, or the folder of a source
	if !strings.HasSuffix(base, ".whl") {
		name = base
	}
	return Fold(name)
}

// required is the name at the beginning of a requirement, of conda or of PyPI.
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

// Changes are what differs between two files.
type Changes struct {
	Names    map[string]bool     // of packages whose entry differs, or that came to an environment or left it, in the form of Fold
	Settings bool                // environments, their platforms, or what they are solved with
	Needed   map[string][]string // who requires a package, in either file
}

// Compare says what differs.
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

// missing notes what is in one list and not in another.
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

// Reached are the names that differ, and those that require one of them, directly or through others.
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
