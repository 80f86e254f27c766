package uv

import (
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// listToolEnviron lists the environment of the toolchain's own tools, and so of the build backends that uv runs: without what would change
// what they make of the sources, and without credentials, but for those by which uv and pip fetch packages. A file of conda channels'
// keys, which may be able to write, is none of these.
func (i *Installer) listToolEnviron() []string { return i.Environ(fetchingByUV...) }

// fetchingByUV are those of command.Fetching that uv and pip read.
var fetchingByUV = slices.DeleteFunc(slices.Clone(command.Fetching), func(name string) bool { return name == "RATTLER_AUTH_FILE" })

// BuildEnviron is the environment of a build, which runs code of the package and of its build backend: with the credentials alone
// that the manifest names for it.
func (i *Installer) BuildEnviron(p *workspace.Package) []string { return i.Environ(p.Build.Secrets...) }

// Environ is our environment without what has no place in an installation or a build. Without being asked, uv downloads no
// interpreter.
func (i *Installer) Environ(pass ...string) []string {
	const downloads = "UV_PYTHON_DOWNLOADS"
	env, _ := command.Withhold(toolchain.WithoutOutside(i.env), slices.Concat(pass, i.pass)...)
	if _, set := command.Getenv(env, downloads); set {
		return env
	}
	return command.Setenv(env, downloads+"=never")
}
