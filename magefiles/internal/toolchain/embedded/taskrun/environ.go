package taskrun

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// prepare creates the process environment for every environment that the steps need, then checks the values of the variables that they use.
func prepare(ctx context.Context, o Options, steps []*step) (map[string][]string, error) {
	environments := map[string][]string{}
	var names []string
	for _, s := range steps {
		if !s.task.Alias && !slices.Contains(names, s.environment) {
			names = append(names, s.environment)
		}
	}
	if o.Check != nil {
		if err := o.Check(ctx, names); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		base, err := o.Env(ctx, name)
		if err != nil {
			return nil, err
		}
		if environments[name], err = activate(o, name, base); err != nil {
			return nil, err
		}
	}
	for _, s := range steps {
		s.checkValues(environments[s.environment])
	}
	return environments, refusalError(steps)
}

// activate adds the variables that pixi sets for every task: its own, and those in the workspace's activation.env, which take precedence.
func activate(o Options, environment string, base []string) ([]string, error) {
	r, err := o.Manifest.Resolve(environment, o.Platform)
	if err != nil {
		return nil, err
	}
	if len(r.Activation.Scripts) > 0 {
		return nil, refuseEnvironment(environment, "has the activation script "+r.Activation.Scripts[0]+", which a shell must run first")
	}
	label := o.Manifest.Name
	if environment != manifest.DefaultEnvironment {
		label += ":" + environment
	}
	version := o.Manifest.Version
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	env := command.Setenv(base,
		"INIT_CWD="+o.InitCwd,
		"PIXI_PROJECT_ROOT="+o.Root,
		"PIXI_PROJECT_NAME="+o.Manifest.Name,
		"PIXI_PROJECT_MANIFEST="+filepath.Join(o.Root, path.Base(o.Manifest.Path)),
		"PIXI_PROJECT_VERSION="+version,
		"PIXI_ENVIRONMENT_NAME="+environment,
		"PIXI_ENVIRONMENT_PLATFORMS="+strings.Join(r.Platforms, ","),
		"PIXI_PROMPT=("+label+") ",
		"CONDA_DEFAULT_ENV="+label,
		"PIXI_IN_SHELL=1",
	)
	for _, kv := range r.Activation.Env {
		value, ok := expandActivation(kv.Value, env)
		if !ok {
			return nil, refuseEnvironment(environment, "sets "+kv.Key+" in activation.env to "+kv.Value+", which needs a shell")
		}
		env = command.Setenv(env, kv.Key+"="+value)
	}
	return env, nil
}

func refuseEnvironment(name, reason string) error {
	return &operr.Error{
		Summary: "environment " + name + " cannot be activated without pixi: it " + reason,
		Next:    advise(""),
		Err:     ErrRefused,
		Status:  operr.Failed,
	}
}

var reference = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expandActivation expands a value in activation.env. pixi passes a value that contains a $ to a shell in double quotes, and leaves others
// unchanged. Only $NAME and ${NAME} are supported here.
func expandActivation(value string, env []string) (string, bool) {
	if !strings.Contains(value, "$") {
		return value, true
	}
	ok := !strings.ContainsAny(value, "`\\")
	expanded := os.Expand(value, func(name string) string {
		ok = ok && reference.MatchString(name)
		v, _ := command.Getenv(env, name)
		return v
	})
	return expanded, ok && !strings.Contains(value, "$(")
}
