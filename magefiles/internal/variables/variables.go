// Package variables interprets the pipeline's environment variables. They are looked up with a function: targets/wire.go passes one that reads the
// process's environment, and tests pass their own.
//
//	variables.go  the names of the variables, and the values that no variable may have
//	told.go       variables about the terminal, times, and folders
//	ci.go         variables that a CI sets for this run
//	outside.go    the channel, the repository on GitHub, and the credentials for hosts
package variables

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Variables looks up a variable of an environment, as os.LookupEnv does for this process.
type Variables func(name string) (value string, set bool)

// Getenv returns the value of a variable; "" if it is not set.
func (v Variables) Getenv(name string) string {
	value, _ := v(name)
	return value
}

// secret lists the variables whose values no child may print.
var secret = []string{"PREFIX_API_KEY", "GITHUB_TOKEN", "RELEASE_PR_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "DEPLOY_SSH_PRIVATE_KEY"}

// Secrets returns the values that must be masked in output. The lines of a multi-line value are masked separately, because output is processed line
// by line.
func (v Variables) Secrets() (all []string) {
	for _, name := range secret {
		all = append(all, strings.FieldsFunc(v.Getenv(name), func(r rune) bool { return r == '\n' || r == '\r' })...)
	}
	return all
}

// `named` lists variables whose values become arguments of a program or parts of a URL: no value may look like an option.
var named = []string{
	"BASE_IMAGE", "BUILDKIT_HOST", "BUILDKIT_SBOM_GENERATOR", "BUILDX_BUILDER", "CI_COMMIT_TAG", "DOCKER_CONTEXT", "DOCKER_HOST", "GITHUB_API_URL", "GITHUB_REF_NAME", "GITHUB_REPOSITORY",
	"IMAGE_REGISTRY", "PIPELINE_TOOLCHAIN", "PIXI_CONFIG", "PIXI_IMAGE", "PREFIX_CHANNEL", "PREFIX_SERVER_URL", "RATTLER_AUTH_FILE",
}

// Check refuses variables whose value begins with a dash.
func (v Variables) Check() error {
	for _, name := range named {
		if value := v.Getenv(name); strings.HasPrefix(value, "-") {
			return operr.NewUsage("correct this variable, or unset it", "%s cannot be %q: a value that begins with a dash would be read as an option", name, value)
		}
	}
	return nil
}
