package workspace

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

	priorities        []int64 // of Channels
	workspaceMetadata Metadata
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

// Config is the [tool.release] table of the root manifest.
type Config struct {
	Channel    string    `json:"channel"`            // name of the channel on prefix.dev; default: the workspace's name, where it has one that fits; else ""
	Versioning string    `json:"versioning"`         // Lockstep or Independent; default Lockstep
	Publish    string    `json:"publish"`            // PublishCI or PublishHere; default PublishCI
	Branches   []string  `json:"branches,omitempty"` // that releases are made from, as path.Match has patterns; none, the default: the remote's default branch
	Branch     string    `json:"branch"`             // the first of Branches that is a name and no pattern; "" where there is none
	Remote     string    `json:"remote"`             // git remote that tags are pushed to; default "origin"
	Commit     string    `json:"commit"`             // message of a release's commit, with TitlePlaceholder; default DefaultCommit
	TagMessage string    `json:"tag-message"`        // message of a tag, with TitlePlaceholder; default DefaultTagMessage
	Include    []string  `json:"include,omitempty"`  // files and folders that builds need though git ignores them, relative to the root
	Pass       []string  `json:"pass,omitempty"`     // variables that tasks, builds and hooks get though they may hold a credential
	PyPI       []StandIn `json:"-"`                  // what stands for conda packages where there is no conda: [tool.release.pypi]
	Pos        Pos       `json:"-"`                  // of the table; zero where there is none
}

// What Config.Commit and Config.TagMessage are where they are not configured, and what stands in them for what is released.
const (
	TitlePlaceholder  = "{title}"
	DefaultCommit     = "chore(release): " + TitlePlaceholder
	DefaultTagMessage = TitlePlaceholder
)

// The values of Config.Versioning and Config.Publish.
const (
	Lockstep    = "lockstep"    // all packages have one version; the tag is v<version>
	Independent = "independent" // each has its own; tags are <package>/v<version>
	PublishCI   = "ci"          // the tag starts a workflow that uploads
	PublishHere = "here"        // the release uploads by itself
)
