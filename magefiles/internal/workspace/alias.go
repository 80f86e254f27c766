package workspace

import (
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/named"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// What a workspace is made of is read by the packages below, and called by the workspace's name where it is used.
type (
	Pos            = manifest.Pos
	KeyValue       = manifest.KeyValue
	Manifest       = manifest.Manifest
	Project        = manifest.Project
	Environment    = manifest.Environment
	Resolved       = manifest.Resolved
	Task           = manifest.Task
	TaskDependency = manifest.TaskDependency
	Dependency     = manifest.Dependency
	Spec           = manifest.Spec
	Kind           = manifest.Kind
	Role           = manifest.Role
	Version        = manifest.Version
	VersionSource  = manifest.VersionSource
	Config         = settings.Config
	Copy           = settings.Copy
	Image          = settings.Image
	NamedFile      = named.File
)

// The worlds that a requirement may belong to.
const (
	Conda = manifest.Conda
	PyPI  = manifest.PyPI
)

// What a dependency table may be for, as far as others ask.
const (
	RoleRun         = manifest.RoleRun
	RoleHost        = manifest.RoleHost
	RoleBuild       = manifest.RoleBuild
	RoleConstraint  = manifest.RoleConstraint
	RoleExtra       = manifest.RoleExtra
	RoleRunExport   = manifest.RoleRunExport
	RoleGroup       = manifest.RoleGroup
	RoleEnvironment = manifest.RoleEnvironment
)

// Where a version may come from, as far as others ask.
const (
	VersionPackage   = manifest.VersionPackage
	VersionWorkspace = manifest.VersionWorkspace
	VersionProject   = manifest.VersionProject
	VersionTag       = manifest.VersionTag
	VersionDynamic   = manifest.VersionDynamic
	VersionBackend   = manifest.VersionBackend
	VersionMissing   = manifest.VersionMissing
	VersionEnv       = manifest.VersionEnv
)

// Names of files, folders, tables and environments.
const (
	PixiFile            = manifest.PixiFile
	PyprojectFile       = manifest.PyprojectFile
	PixiDir             = manifest.PixiDir
	RecipeFile          = manifest.RecipeFile
	RequiresPythonTable = manifest.RequiresPythonTable
	PoetryPythonTable   = manifest.PoetryPythonTable
	DefaultEnvironment  = manifest.DefaultEnvironment
)

// Values of Config and of Image.
const (
	Lockstep         = settings.Lockstep
	Independent      = settings.Independent
	PublishCI        = settings.PublishCI
	PublishHere      = settings.PublishHere
	TitlePlaceholder = settings.TitlePlaceholder
	CacheRegistry    = settings.CacheRegistry
)

// CondaName returns the form in which conda names are compared.
func CondaName(name string) string { return manifest.CondaName(name) }

// PyPIName returns the form in which names of PyPI are compared.
func PyPIName(name string) string { return manifest.PyPIName(name) }

// Nearest returns the name that what was given is most likely meant to be; "" where none is close.
func Nearest(given string, names []string) string { return manifest.Nearest(given, names) }

// PythonSpecs are what a pyproject.toml asks of the interpreter.
func PythonSpecs(doc *tomledit.Document) []Dependency { return manifest.PythonSpecs(doc) }

// Subdir is conda's name of a platform of OCI.
func Subdir(platform string) (subdir string, ok bool) { return settings.Subdir(platform) }

// GivenSecrets are the ids of the files that every build may mount, where there are such.
var GivenSecrets = settings.GivenSecrets
