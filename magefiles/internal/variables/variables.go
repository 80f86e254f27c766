// Package variables says what variables of the environment mean to the pipeline. It is told them by a function, and reads nothing by itself:
// targets/wire.go gives it the process's own, a test any others.
//
//	variables.go  which there are, and what none of them may be
//	told.go       what they tell of a terminal, of times, and of where things are
//	ci.go         what a CI says of the run that we are in
//	outside.go    which channel, and which repository on GitHub, is meant, and by what hosts let us in
package variables

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Variables are those of an environment, as os.LookupEnv has those of this process.
type Variables func(name string) (value string, set bool)

// Getenv is the value of a variable; "" where it is not set.
func (v Variables) Getenv(name string) string {
	value, _ := v(name)
	return value
}

// secret are the variables whose values no child may print.
var secret = []string{"PREFIX_API_KEY", "GITHUB_TOKEN", "RELEASE_PR_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "DEPLOY_SSH_PRIVATE_KEY"}

// Secrets are the values that no person is shown. What has several lines is hidden line by line, as it would be shown.
func (v Variables) Secrets() (all []string) {
	for _, name := range secret {
		all = append(all, strings.FieldsFunc(v.Getenv(name), func(r rune) bool { return r == '\n' || r == '\r' })...)
	}
	return all
}

// named name something that is given to a program or to a server: none of them can be an option.
var named = []string{
	"BASE_IMAGE", "BUILDKIT_HOST", "BUILDKIT_SBOM_GENERATOR", "BUILDX_BUILDER", "CI_COMMIT_TAG", "DOCKER_CONTEXT", "DOCKER_HOST", "GITHUB_API_URL", "GITHUB_REF_NAME", "GITHUB_REPOSITORY",
	"IMAGE_REGISTRY", "PIPELINE_TOOLCHAIN", "PIXI_CONFIG", "PIXI_IMAGE", "PREFIX_CHANNEL", "PREFIX_SERVER_URL", "RATTLER_AUTH_FILE",
}

// Check refuses variables whose value begins with a dash.
func (v Variables) Check() error {
	for _, name := range named {
		if value := v.Getenv(name); strings.HasPrefix(value, "-") {
			return operr.NewUsage("correct it, or unset it", "%s cannot be %q: it begins with a dash, as options do", name, value)
		}
	}
	return nil
}
