package workspace

import (
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// prefixForm is that of the beginning of a build string (CEP 26).
var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_.+]*$`)

// readBuild reads [package.build] (crates/pixi_manifest/src/toml/build_backend.rs).
func (s *source) readBuild() BuildConfig {
	pkg := s.pixi.Get("package")
	n := pkg.Get("build")
	b := BuildConfig{Pos: s.pos(n)}
	backend := n.Get("backend")
	b.Backend = s.str(backend.Get("name"))
	if b.Backend == "" {
		s.fail(firstNode(backend, n, pkg), `Add a backend, such as [package.build] backend = { name = "pixi-build-python", version = "*" }.`,
			"the package does not say which backend builds it")
		return b
	}
	b.Spec = s.readSpec(backend)
	b.Channels = s.strs(firstNode(backend.Get("channels"), n.Get("channels")))
	key, additional := "backend", backend.Get("additional-dependencies")
	if additional == nil {
		key, additional = "", n.Get("additional-dependencies")
	}
	keys := slices.DeleteFunc([]string{"package", "build", key, "additional-dependencies"}, func(k string) bool { return k == "" })
	b.Additional = s.condaTable(additional, Dependency{Role: RoleBackend}, keys...)
	if src := n.Get("source"); src != nil {
		b.Source = s.readSpec(src)
	}
	if number := n.Get("build-number"); number != nil && s.want(number, tomledit.Integer) {
		b.Number, _ = number.Int()
	}
	if b.Prefix = s.str(n.Get("build-string-prefix")); !prefixForm.MatchString(b.Prefix) {
		s.fail(n.Get("build-string-prefix"), "write it with letters, digits and _ . + alone", "build-string-prefix cannot be %q: it is a part of a file's name", b.Prefix)
	}
	b.Flags, b.Secrets = s.strs(n.Get("flags")), s.strs(n.Get("secrets"))
	b.Config, b.Node = s.backendConfig(n)
	for _, target := range n.Get("target").Members() {
		t := TargetConfig{Selector: target.Key}
		t.Config, t.Node = s.backendConfig(target)
		b.Targets = append(b.Targets, t)
	}
	b.Python = PythonConfig{IgnoreMapping: true, Installer: "uv"}
	if b.Backend == pythonBackend {
		s.readPythonConfig(b.Node, &b.Python)
	}
	return b
}

// backendConfig returns the `config` of [package.build], or the `configuration` that it was called before.
func (s *source) backendConfig(n *tomledit.Node) (map[string]any, *tomledit.Node) {
	config := firstNode(n.Get("config"), n.Get("configuration"))
	if config == nil || !s.want(config, tomledit.Table) {
		return nil, nil
	}
	return config.Plain().(map[string]any), config
}

// readPythonConfig reads the keys of crates/pixi_build_python/src/config.rs.
func (s *source) readPythonConfig(n *tomledit.Node, c *PythonConfig) {
	for _, e := range n.Members() {
		switch e.Key {
		case "noarch":
			noarch := s.boolean(e)
			c.Noarch = &noarch
		case "extra-args":
			c.ExtraArgs = s.strs(e)
		case "env":
			c.Env = s.pairs(e)
		case "extra-input-globs":
			c.ExtraInputGlobs = s.strs(e)
		case "compilers":
			c.Compilers = s.strs(e)
		case "ignore-pyproject-manifest":
			c.IgnorePyproject = s.boolean(e)
		case "ignore-pypi-mapping":
			c.IgnoreMapping = s.boolean(e)
		case "pypi-conda-map":
			c.MapConda = true
		case "abi3":
			c.ABI3 = s.boolean(e)
		case "skip-pyc-compilation":
			if e.Is(tomledit.Bool) {
				c.SkipPyc = e.True()
			} else {
				c.SkipPycGlobs = s.strs(e)
			}
		case "installer":
			c.Installer = s.str(e)
		case "debug-dir", "debug_dir": // of no effect any more
		default:
			c.UnknownKeys = append(c.UnknownKeys, e.Key)
		}
	}
}

func firstNode(nodes ...*tomledit.Node) *tomledit.Node {
	for _, n := range nodes {
		if n != nil {
			return n
		}
	}
	return nil
}
