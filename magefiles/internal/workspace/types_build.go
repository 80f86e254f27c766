package workspace

import "github.com/foopack/foopack/magefiles/internal/tomledit"

// KeyValue is an entry of a table whose order matters.
type KeyValue struct {
	Key, Value string
}

// BuildConfig is the [package.build] table.
type BuildConfig struct {
	Pos               // of the table's key
	Backend    string // name of the backend: "pixi-build-python"
	Spec       Spec   // the backend's version
	Channels   []string
	Additional []Dependency // additional-dependencies of the backend
	Source     Spec         // [package.build.source]; zero where there is none
	Number     int64        // build-number; 0 where there is none
	Prefix     string       // build-string-prefix
	Flags      []string
	Secrets    []string // names of environment variables that the build may see

	Python PythonConfig   // config, as pixi-build-python reads it; zero values for another backend
	Config map[string]any // config as it is written, for any backend; nil where there is none
	Node   *tomledit.Node // config, for positions in errors; nil where there is none

	// Targets are the `config` tables of [package.build.target.<selector>], in the order of the source.
	Targets []TargetConfig
}

// TargetConfig is the backend's configuration for one platform selector.
type TargetConfig struct {
	Selector string
	Config   map[string]any
	Node     *tomledit.Node
}

// PythonConfig is the configuration of pixi-build-python (crates/pixi_build_python/src/config.rs). Where the
// backend's default differs from Go's zero value, the default is filled in.
type PythonConfig struct {
	Noarch          *bool // nil: not said; the backend then takes noarch unless there are compilers
	ExtraArgs       []string
	Env             []KeyValue
	ExtraInputGlobs []string
	Compilers       []string // nil: not said
	IgnorePyproject bool     // ignore-pyproject-manifest; default false
	IgnoreMapping   bool     // ignore-pypi-mapping; default true
	MapConda        bool     // pypi-conda-map is there
	ABI3            bool
	SkipPyc         bool     // skip-pyc-compilation = true
	SkipPycGlobs    []string // skip-pyc-compilation = [...]
	Installer       string   // "uv" or "pip"; default "uv"
	UnknownKeys     []string // keys that the backend would refuse
}

// Metadata is what a [package] table says of itself. Values inherited by { workspace = true } are resolved.
type Metadata struct {
	Description   string
	Authors       []string
	License       string // SPDX expression
	LicenseFile   string // as written, relative to the manifest
	Readme        string
	Homepage      string
	Repository    string
	Documentation string
}

// Project is a pyproject.toml: its [project] and [build-system] tables.
type Project struct {
	Path           string // relative to the root
	Name           string
	NamePos        Pos
	Version        Version // VersionMissing where there is none
	Dynamic        []string
	RequiresPython string
	Python         []Dependency // what the file asks of the interpreter, each with its place; see PythonSpecs
	Description    string
	License        string   // SPDX expression, or { text = "…" }
	LicenseFile    string   // the old { file = "…" }
	LicenseFiles   []string // globs
	URLs           []KeyValue
	Scripts        []KeyValue // console_scripts, in the order of the source
	GUIScripts     []KeyValue
	BuildBackend   string   // [build-system] build-backend
	BuildRequires  []string // [build-system] requires, as written
	Elsewhere      []string // projects that [tool.uv.sources] takes from elsewhere than from PyPI, in the form of PEP 503

	// Dependencies are all PEP 508 requirements of the file: [project] dependencies, optional-dependencies,
	// [dependency-groups], [build-system] requires and [tool.poetry], told apart by Role and Group.
	Dependencies []Dependency
}
