package uv

import (
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// listToolEnviron returns the environment variables for the toolchain's own tools, including build backends started by uv. It excludes variables
// that could change build results, and credentials other than those that uv and pip use to fetch packages. RATTLER_AUTH_FILE is excluded because
// its keys for conda channels may have write access.
func (i *Installer) listToolEnviron() []string { return i.Environ(fetchingByUV...) }

// fetchingByUV lists the variables of command.Fetching that uv and pip read.
var fetchingByUV = slices.DeleteFunc(slices.Clone(command.Fetching), func(name string) bool { return name == "RATTLER_AUTH_FILE" })

// BuildEnviron returns the environment variables for a build, which runs code of the package and its build backend. It includes only the
// credentials that the manifest lists.
func (i *Installer) BuildEnviron(p *workspace.Package) []string { return i.Environ(p.Build.Secrets...) }

// Environ returns our environment without variables that must not reach an installation or a build. It prevents uv from downloading interpreters
// unless the user's environment allows it.
func (i *Installer) Environ(pass ...string) []string {
	const downloads = "UV_PYTHON_DOWNLOADS"
	env, _ := command.Withhold(toolchain.WithoutOutside(i.env), slices.Concat(pass, i.pass)...)
	if _, set := command.Getenv(env, downloads); set {
		return env
	}
	return command.Setenv(env, downloads+"=never")
}
