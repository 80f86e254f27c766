package manifest

// KeyValue is an entry of an ordered table.
type KeyValue struct {
	Key, Value string
}

// Manifest is a manifest with a [workspace] table: the root manifest, or a downstream's.
type Manifest struct {
	Path       string // relative to the repository's root, with slashes
	Dir        string // folder of the manifest, relative to the repository's root; "." for the root itself
	Name       string
	ByFolder   bool   // whether the manifest has no name and Name is the folder name
	Version    string // [workspace] version; "" if there is none
	VersionPos Pos
	Channels   []string // channels as written, highest priority first
	AnyChannel bool     // channel-priority = "disabled": packages may come from any channel, not only from the first one that has them
	Platforms  []string // names: conda subdirs ("linux-64"), or the names of rich platforms
	Preview    []string // ["pixi-build"]; ["*"] for `preview = true`

	Pool         []Dependency   // [workspace.dependencies]
	Features     []*Feature     // the default feature first, then in source order
	Environments []*Environment // the default environment first, then in source order

	Metadata Metadata // values that packages may inherit

	priorities []int64 // priorities of Channels
}

// DefaultFeature and DefaultEnvironment are the names of the implicit feature and environment.
const (
	DefaultFeature     = "default"
	DefaultEnvironment = "default"
)

// Environment is one entry of [environments].
type Environment struct {
	Pos              // zero for the implicit default environment
	Name             string
	Features         []string // in order, inline tables first, and the default feature last unless excluded
	SolveGroup       string
	NoDefaultFeature bool
}

// Feature is a set of tables that environments combine. The tables at the top level of the manifest form the feature "default". Tables
// inside an environment form a feature called "environment:<name>".
type Feature struct {
	Name      string
	Platforms []string // nil: all platforms of the workspace
	Channels  []string // nil: the channels of the workspace
	Targets   []Target // the target without a selector first, then in source order; later targets override earlier ones

	priorities []int64 // priorities of Channels
}

// Target is the part of a feature that applies to all platforms (Selector "") or to those that Selector matches: a conda subdir, one of
// linux, osx (macos), win and unix, or a glob over platform names.
type Target struct {
	Selector     string
	Dependencies []Dependency // conda, PyPI, constraints and dev, in source order; Kind and Role distinguish them
	Tasks        []*Task
	Activation   Activation
}

// Activation changes the process environment before a task runs.
type Activation struct {
	Scripts []string   // relative to the manifest's folder
	Env     []KeyValue // in order; values are expanded by the shell
}

// Resolved is an environment on one platform, with the tables of all its features merged as in pixi.
type Resolved struct {
	Environment *Environment
	Platform    string   // "" if platform-specific tables were ignored
	Platforms   []string // platforms on which the environment can be installed
	Channels    []string // highest priority first; ties in feature order

	// Within a feature, a more specific target overrides the general target. A name required by two features is listed twice, in
	// feature order, and both requirements apply.
	Conda       []Dependency
	PyPI        []Dependency
	Constraints []Dependency
	Dev         []Dependency

	Tasks      []*Task // sorted by name; earlier features and more specific targets take precedence
	Activation Activation
}

// Task is a task as written, with nothing expanded.
type Task struct {
	Pos
	Name    string
	Feature string
	Target  string // selector of its table; "" without a selector

	Cmd         string   // one line for pixi's shell; "" for an alias; the elements of an array are joined with Quote
	Words       []string // unquoted elements if cmd is an array; otherwise nil
	Alias       bool     // no cmd, only depends-on
	DependsOn   []TaskDependency
	Cwd         string // relative to the manifest's folder; "" means that folder
	Env         []KeyValue
	Inputs      []string
	Outputs     []string
	Args        []TaskArg // nil: extra arguments are appended to Cmd; otherwise arguments must match this list, and none are allowed if it is empty
	Description string
	Environment string // default-environment
	CleanEnv    bool
}

// Hidden reports whether pixi omits the task from its listings.
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
