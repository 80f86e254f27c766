package manifest

// KeyValue is an entry of a table whose order matters.
type KeyValue struct {
	Key, Value string
}

// Manifest is a manifest with a [workspace] table: the root's, or a downstream's.
type Manifest struct {
	Path       string // relative to the repository's root, with slashes
	Dir        string // its folder, relative to the repository's root; "." for the root itself
	Name       string
	ByFolder   bool   // it has no name: Name is that of its folder
	Version    string // [workspace] version; "" where there is none
	VersionPos Pos
	Channels   []string // as written, highest priority first
	AnyChannel bool     // channel-priority = "disabled": a package comes from any channel, and not from the first that has its name
	Platforms  []string // names: conda subdirs ("linux-64"), or the names of rich platforms
	Preview    []string // ["pixi-build"]; ["*"] for `preview = true`

	Pool         []Dependency   // [workspace.dependencies]
	Features     []*Feature     // the default feature first, then in the order of the source
	Environments []*Environment // the default environment first, then in the order of the source

	Metadata Metadata // what packages may inherit

	priorities []int64 // of Channels
}

// DefaultFeature and DefaultEnvironment are the names of what needs none.
const (
	DefaultFeature     = "default"
	DefaultEnvironment = "default"
)

// Environment is one entry of [environments].
type Environment struct {
	Pos              // zero for a default environment that is not written
	Name             string
	Features         []string // in order, the environment's own inline tables first; the default feature last, unless excluded
	SolveGroup       string
	NoDefaultFeature bool
}

// Feature is what environments are composed of. The tables of the manifest's top level are the feature "default";
// those written into an environment itself are a feature named after it as "environment:<name>".
type Feature struct {
	Name      string
	Platforms []string // nil: all of the workspace
	Channels  []string // nil: those of the workspace
	Targets   []Target // the one without a selector first, then in the order of the source; later ones win

	priorities []int64 // of Channels
}

// Target is a feature's content for all platforms (Selector "") or for those that its selector matches: a conda
// subdir, one of linux, osx (macos), win and unix, or a glob over platform names.
type Target struct {
	Selector     string
	Dependencies []Dependency // conda, PyPI, constraints and dev, told apart by Kind and Role, in the order of the source
	Tasks        []*Task
	Activation   Activation
}

// Activation is what happens to the process environment before a task runs.
type Activation struct {
	Scripts []string   // relative to the manifest's folder
	Env     []KeyValue // in order; values are expanded by the shell
}

// Resolved is an environment on one platform, with the tables of all its features put together as pixi does.
type Resolved struct {
	Environment *Environment
	Platform    string   // "" when no platform-specific table was taken
	Platforms   []string // those the environment can be installed on
	Channels    []string // highest priority first, among equals those of an earlier feature

	// Conda, PyPI and Constraints: within a feature a more specific target's entry replaces the general one's; a name
	// that two features ask for stands twice, in the features' order, and both must hold.
	Conda       []Dependency
	PyPI        []Dependency
	Constraints []Dependency
	Dev         []Dependency

	Tasks      []*Task // by name; a task of an earlier feature, and of a more specific target, wins
	Activation Activation
}

// Task is a task as written; nothing in it is expanded.
type Task struct {
	Pos
	Name    string
	Feature string
	Target  string // selector of its table; "" without

	Cmd         string   // one line for pixi's shell; "" for an alias. An array is joined as pixi joins it, see Quote
	Words       []string // the elements where cmd is an array, unquoted; nil else
	Alias       bool     // no cmd: only depends-on
	DependsOn   []TaskDependency
	Cwd         string // "" is the manifest's folder, which a relative one is joined to
	Env         []KeyValue
	Inputs      []string
	Outputs     []string
	Args        []TaskArg // nil: any arguments are appended to Cmd; else what is given must fit these, none included
	Description string
	Environment string // default-environment
	CleanEnv    bool
}

// Hidden reports whether pixi leaves the task out of its listings.
func (t *Task) Hidden() bool { return len(t.Name) > 0 && t.Name[0] == '_' }

// TaskDependency is one element of depends-on.
type TaskDependency struct {
	Task        string
	Args        []KeyValue // Key is "" for a positional argument
	Environment string
}

// TaskArg is a typed argument of a task.
type TaskArg struct {
	Name       string
	Default    string
	HasDefault bool
	Choices    []string
}
