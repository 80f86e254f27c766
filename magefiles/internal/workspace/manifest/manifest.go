package manifest

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// ReadManifest reads the [workspace] table and the tables that belong to it. If the manifest is a pyproject.toml, pyproject is its
// [project] table. pixi then uses the name and version of [project] if [workspace] has none, and installs the dependencies of
// [project] as PyPI dependencies (crates/pixi_manifest/src/pyproject.rs).
func (s *File) ReadManifest(pyproject *Project) *Manifest {
	ws, _ := s.workspace()
	m := &Manifest{Path: s.Path, Dir: s.Dir, Preview: s.readPreview(ws.Get("preview"))}
	m.Name = cmp.Or(s.Str(ws.Get("name")), s.Pixi.Get("package", "name").Text())
	if v := ws.Get("version"); v != nil {
		m.Version, m.VersionPos = s.Str(v), s.ValuePos(v)
	}
	if pyproject != nil {
		m.Name = cmp.Or(m.Name, pyproject.Name)
		if m.Version == "" && pyproject.Version.Source == VersionProject {
			m.Version, m.VersionPos = pyproject.Version.Text, pyproject.Version.Pos
		}
	}
	m.Channels, m.priorities = s.readChannels(ws.Get("channels"))
	m.AnyChannel = ws.Get("channel-priority").Text() == "disabled"
	m.Platforms = s.readPlatforms(ws.Get("platforms"))
	m.Metadata = s.ReadMetadata(ws, Metadata{})
	if pyproject != nil {
		m.Metadata.Description = cmp.Or(m.Metadata.Description, pyproject.Description)
	}

	_, key := s.workspace()
	m.Pool = s.condaTable(ws.Get("dependencies"), Dependency{Role: RolePool}, key, "dependencies")
	m.Features = []*Feature{s.readFeature(DefaultFeature, s.Pixi)}
	for _, f := range s.Pixi.Get("feature").Members() {
		m.Features = append(m.Features, s.readFeature(f.Key, f, "feature", f.Key))
	}
	s.addProjectFeatures(m, pyproject)
	s.readEnvironments(m)
	s.resolvePool(m)
	return m
}

// VersionNode returns the node of the workspace's version, or nil.
func (s *File) VersionNode() *tomledit.Node {
	ws, _ := s.workspace()
	if v := ws.Get("version"); v != nil {
		return v
	}
	if len(s.prefix) > 0 {
		return s.Doc.Root.Get("project", "version")
	}
	return nil
}

// readFeature reads the tables of a feature, of the top level, or of an inline environment.
func (s *File) readFeature(name string, n *tomledit.Node, keys ...string) *Feature {
	f := &Feature{Name: name, Targets: []Target{s.readTarget(name, "", n, keys)}}
	if len(keys) > 0 { // at the top level, these keys are in [workspace]
		f.Platforms = s.readPlatforms(n.Get("platforms"))
		f.Channels, f.priorities = s.readChannels(n.Get("channels"))
	}
	for _, t := range n.Get("target").Members() {
		f.Targets = append(f.Targets, s.readTarget(name, t.Key, t, append(keys[:len(keys):len(keys)], "target", t.Key)))
	}
	return f
}

// readTarget reads the dependency tables, tasks and activation of one target.
func (s *File) readTarget(feature, selector string, n *tomledit.Node, keys []string) Target {
	t := Target{Selector: selector}
	like := Dependency{Feature: feature, Target: selector}
	for _, e := range n.Members() {
		at := append(keys[:len(keys):len(keys)], e.Key)
		switch e.Key {
		case "dependencies", "host-dependencies", "build-dependencies":
			like.Role = RoleEnvironment
			t.Dependencies = append(t.Dependencies, s.condaTable(e, like, at...)...)
		case "constraints":
			like.Role = RoleConstraint
			t.Dependencies = append(t.Dependencies, s.condaTable(e, like, at...)...)
		case "dev":
			like.Role = RoleDev
			t.Dependencies = append(t.Dependencies, s.condaTable(e, like, at...)...)
		case "pypi-dependencies":
			like.Role = RoleEnvironment
			t.Dependencies = append(t.Dependencies, s.pypiTable(e, like, at...)...)
		case "tasks":
			t.Tasks = s.readTasks(e, feature, selector)
		case "activation":
			t.Activation = Activation{Scripts: s.Strs(e.Get("scripts")), Env: s.pairs(e.Get("env"))}
		}
	}
	return t
}

// addProjectFeatures adds the requirements of a pyproject.toml that is also a workspace. [project] dependencies are added to the
// default feature. The requirements of each extra and dependency group are added to the feature with the same name. requires-python
// becomes a dependency on python, unless the default feature already has one.
func (s *File) addProjectFeatures(m *Manifest, pyproject *Project) {
	if pyproject == nil {
		return
	}
	base := &m.Features[0].Targets[0]
	if !slices.ContainsFunc(base.Dependencies, func(d Dependency) bool { return d.Kind == Conda && CondaName(d.Name) == "python" }) {
		n := s.Doc.Root.Get("project", "requires-python")
		base.Dependencies = append(base.Dependencies, Dependency{
			Pos:     s.Pos(n),
			Name:    "python",
			Spec:    Spec{Text: cmp.Or(pyproject.RequiresPython, "*"), Node: n},
			Kind:    Conda,
			Role:    RoleEnvironment,
			Table:   RequiresPythonTable,
			Feature: DefaultFeature,
		})
	}
	for _, d := range pyproject.Dependencies {
		switch d.Role {
		case RoleRun:
			d.Feature = DefaultFeature
		case RoleExtra, RoleGroup:
			d.Feature = d.Group
		default:
			continue
		}
		f := m.feature(d.Feature)
		if f == nil {
			f = &Feature{Name: d.Feature, Targets: []Target{{}}}
			m.Features = append(m.Features, f)
		}
		f.Targets[0].Dependencies = append(f.Targets[0].Dependencies, d)
	}
}

// environmentForm matches environment names, which are also folder names.
var environmentForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*$`)

// readEnvironments reads [environments]. Tables defined inside an environment become a separate feature, which precedes the
// environment's other features.
func (s *File) readEnvironments(m *Manifest) {
	m.Environments = []*Environment{{Name: DefaultEnvironment, Features: []string{DefaultFeature}}}
	for _, n := range s.Pixi.Get("environments").Members() {
		e := &Environment{Pos: s.Pos(n), Name: n.Key}
		if !environmentForm.MatchString(n.Key) {
			s.Fail(n, "write only letters, digits and -", "an environment cannot be called %q: its name is also the name of a folder", n.Key)
		}
		features := n
		if n.Is(tomledit.Table) {
			features = n.Get("features")
			e.SolveGroup, e.NoDefaultFeature = s.Str(n.Get("solve-group")), s.Bool(n.Get("no-default-feature"))
			s.inlineFeature(m, n)
		}
		if m.feature("environment:"+n.Key) != nil {
			e.Features = append(e.Features, "environment:"+n.Key)
		}
		for i, name := range s.Strs(features) {
			if m.feature(name) == nil {
				s.Fail(features.At(i), "add its tables, or correct the name: "+Suggest(name, m.featureNames())+ListNames(m.featureNames())+".", "no feature named %q", name)
				continue
			}
			e.Features = append(e.Features, name)
		}
		if !e.NoDefaultFeature {
			e.Features = append(e.Features, DefaultFeature)
		}
		if n.Key == DefaultEnvironment {
			m.Environments[0] = e
			continue
		}
		m.Environments = append(m.Environments, e)
	}
}

// inlineFeature returns a feature made of an environment's keys other than features, solve-group and no-default-feature.
func (s *File) inlineFeature(m *Manifest, n *tomledit.Node) {
	own := slices.ContainsFunc(n.Members(), func(e *tomledit.Node) bool {
		return e.Key != "features" && e.Key != "solve-group" && e.Key != "no-default-feature"
	})
	if own {
		m.Features = append(m.Features, s.readFeature("environment:"+n.Key, n, "environments", n.Key))
	}
}

// resolvePool replaces the { workspace = true } entries in all features with those in the pool.
func (s *File) resolvePool(m *Manifest) {
	pool := m.PoolByName()
	for _, f := range m.Features {
		for _, t := range f.Targets {
			for i := range t.Dependencies {
				if t.Dependencies[i].Spec.Workspace {
					s.Inherit(&t.Dependencies[i], pool)
				}
			}
		}
	}
}

// PoolByName returns the pool entries keyed by conda name.
func (m *Manifest) PoolByName() map[string]*Dependency {
	pool := make(map[string]*Dependency, len(m.Pool))
	for i := range m.Pool {
		pool[CondaName(m.Pool[i].Name)] = &m.Pool[i]
	}
	return pool
}

func (m *Manifest) feature(name string) *Feature {
	for _, f := range m.Features {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func (m *Manifest) featureNames() []string {
	var names []string
	for _, f := range m.Features {
		names = append(names, f.Name)
	}
	return names
}

// readPreview reads `preview = true` or `preview = ["pixi-build"]`.
func (s *File) readPreview(n *tomledit.Node) []string {
	if n.True() {
		return []string{"*"}
	}
	return n.Strings()
}

// readChannels reads channels, written as "name" or { channel = "name", priority = 1 }. It returns their names, sorted by priority, and
// their priorities, or nil if there are no channels. The default priority is 0.
func (s *File) readChannels(n *tomledit.Node) (names []string, priorities []int64) {
	if n == nil || !s.Want(n, tomledit.Array) {
		return nil, nil
	}
	names = []string{}
	for _, e := range n.Elements() {
		s.NoOption(e, e.Get("channel"))
		name, priority := e.Text(), int64(0)
		if e.Is(tomledit.Table) {
			name = s.Str(e.Get("channel"))
			priority, _ = e.Get("priority").Int()
		}
		at := slices.IndexFunc(priorities, func(p int64) bool { return p < priority })
		if at < 0 {
			at = len(names)
		}
		names, priorities = slices.Insert(names, at, name), slices.Insert(priorities, at, priority)
	}
	return names, priorities
}

// readPlatforms returns the names of platforms written as "linux-64" or { name = "gpu", platform = "linux-64", … }.
func (s *File) readPlatforms(n *tomledit.Node) []string {
	if n == nil || !s.Want(n, tomledit.Array) {
		return nil
	}
	names := make([]string, 0, len(n.Children))
	for _, e := range n.Elements() {
		s.NoOption(e, e.Get("name"), e.Get("platform"))
		names = append(names, cmp.Or(e.Text(), e.Get("name").Text(), e.Get("platform").Text()))
	}
	return names
}

// Dependencies returns all dependencies of a [workspace] manifest except those from [project].
func (m *Manifest) Dependencies() []Dependency {
	out := slices.Clone(m.Pool)
	for _, f := range m.Features {
		for _, t := range f.Targets {
			for _, d := range t.Dependencies {
				if d.Role == RoleEnvironment || d.Role == RoleConstraint || d.Role == RoleDev {
					out = append(out, d)
				}
			}
		}
	}
	return out
}
