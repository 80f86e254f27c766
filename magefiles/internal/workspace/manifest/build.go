package manifest

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// BuildConfig is the [package.build] table.
type BuildConfig struct {
	Pos               // position of the table's key
	Backend    string // name of the backend: "pixi-build-python"
	Spec       Spec   // the backend's version
	Channels   []string
	Additional []Dependency // additional-dependencies
	Source     Spec         // [package.build.source]; zero if there is none
	Number     int64        // build-number; 0 if there is none
	Prefix     string       // build-string-prefix
	Flags      []string
	Secrets    []string // names of environment variables that the build may see

	Python PythonConfig   // config, parsed for pixi-build-python; zero for other backends
	Config map[string]any // config as written, for any backend; nil if there is none
	Node   *tomledit.Node // node of config, for error positions; nil if there is none

	// Targets are the `config` tables of [package.build.target.<selector>], in source order.
	Targets []TargetConfig
}

// TargetConfig is the backend's configuration for one platform selector.
type TargetConfig struct {
	Selector string
	Config   map[string]any
	Node     *tomledit.Node
}

// PythonConfig is the configuration of pixi-build-python (crates/pixi_build_python/src/config.rs). ReadBuild sets defaults that differ
// from Go's zero value.
type PythonConfig struct {
	Noarch          *bool // nil: not set; the backend then builds noarch unless compilers are listed
	ExtraArgs       []string
	Env             []KeyValue
	ExtraInputGlobs []string
	Compilers       []string // nil: not set
	IgnorePyproject bool     // ignore-pyproject-manifest; default false
	IgnoreMapping   bool     // ignore-pypi-mapping; default true
	MapConda        bool     // whether pypi-conda-map is set
	ABI3            bool
	SkipPyc         bool     // skip-pyc-compilation = true
	SkipPycGlobs    []string // skip-pyc-compilation = [...]
	Installer       string   // "uv" or "pip"; default "uv"
	UnknownKeys     []string // keys that the backend would reject
}

// prefixForm matches the beginning of a build string (CEP 26).
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_.+]*$`)

// ReadBuild reads [package.build] (crates/pixi_manifest/src/toml/build_backend.rs).
func (s *File) ReadBuild() BuildConfig {
	pkg := s.Pixi.Get("package")
	n := pkg.Get("build")
	b := BuildConfig{Pos: s.Pos(n)}
	backend := n.Get("backend")
	b.Backend = s.Str(backend.Get("name"))
	if b.Backend == "" {
		s.Fail(cmp.Or(backend, n, pkg), `Add a backend, such as [package.build] backend = { name = "pixi-build-python", version = "*" }.`,
			"the package has no build backend")
		return b
	}
	b.Spec = s.readSpec(backend)
	b.Channels = s.Strs(cmp.Or(backend.Get("channels"), n.Get("channels")))
	key, additional := "backend", backend.Get("additional-dependencies")
	if additional == nil {
		key, additional = "", n.Get("additional-dependencies")
	}
	keys := slices.DeleteFunc([]string{"package", "build", key, "additional-dependencies"}, func(k string) bool { return k == "" })
	b.Additional = s.condaTable(additional, Dependency{Role: RoleBackend}, keys...)
	if src := n.Get("source"); src != nil {
		b.Source = s.readSpec(src)
	}
	if number := n.Get("build-number"); number != nil && s.Want(number, tomledit.Integer) {
		b.Number, _ = number.Int()
	}
	if b.Prefix = s.Str(n.Get("build-string-prefix")); !prefixForm.MatchString(b.Prefix) {
		s.Fail(n.Get("build-string-prefix"), "write only letters, digits and _ . +", "build-string-prefix cannot be %q: the prefix is a part of a file's name", b.Prefix)
	}
	b.Flags, b.Secrets = s.Strs(n.Get("flags")), s.Strs(n.Get("secrets"))
	b.Config, b.Node = s.backendConfig(n)
	for _, target := range n.Get("target").Members() {
		t := TargetConfig{Selector: target.Key}
		t.Config, t.Node = s.backendConfig(target)
		b.Targets = append(b.Targets, t)
	}
	b.Python = PythonConfig{IgnoreMapping: true, Installer: "uv"}
	if b.Backend == PythonBackend {
		s.readPythonConfig(b.Node, &b.Python)
	}
	return b
}

// backendConfig returns `config` in [package.build], or its old name, `configuration`.
func (s *File) backendConfig(n *tomledit.Node) (map[string]any, *tomledit.Node) {
	config := cmp.Or(n.Get("config"), n.Get("configuration"))
	if config == nil || !s.Want(config, tomledit.Table) {
		return nil, nil
	}
	return config.Plain().(map[string]any), config
}

// readPythonConfig reads the keys of crates/pixi_build_python/src/config.rs.
func (s *File) readPythonConfig(n *tomledit.Node, c *PythonConfig) {
	for _, e := range n.Members() {
		switch e.Key {
		case "noarch":
			noarch := s.Bool(e)
			c.Noarch = &noarch
		case "extra-args":
			c.ExtraArgs = s.Strs(e)
		case "env":
			c.Env = s.pairs(e)
		case "extra-input-globs":
			c.ExtraInputGlobs = s.Strs(e)
		case "compilers":
			c.Compilers = s.Strs(e)
		case "ignore-pyproject-manifest":
			c.IgnorePyproject = s.Bool(e)
		case "ignore-pypi-mapping":
			c.IgnoreMapping = s.Bool(e)
		case "pypi-conda-map":
			c.MapConda = true
		case "abi3":
			c.ABI3 = s.Bool(e)
		case "skip-pyc-compilation":
			if e.Is(tomledit.Bool) {
				c.SkipPyc = e.True()
			} else {
				c.SkipPycGlobs = s.Strs(e)
			}
		case "installer":
			c.Installer = s.Str(e)
		case "debug-dir", "debug_dir": // they no longer have an effect
		default:
			c.UnknownKeys = append(c.UnknownKeys, e.Key)
		}
	}
}
