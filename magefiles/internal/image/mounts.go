package image

import (
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// agent is the id of the SSH agent that a build may use. agentVariable is the environment variable with its socket.
const (
	agent         = "default"
	agentVariable = "SSH_AUTH_SOCK"
)

// nextForMounts is the next step for a mount that the build does not provide.
const nextForMounts = "for an SSH agent, write `ssh = true` into [tool.image]; for a secret, add its id to `secrets` of [tool.image]; for settings and logins of package channels, mount PIXI_CONFIG or RATTLER_AUTH_FILE"

// lend adds the SSH agent and the secrets that the manifest names to the plan, if the environment has them.
func (p *Plan) lend(config *settings.Image, isSet func(string) bool) {
	if isSet == nil {
		return
	}
	p.SSH = config.SSH && isSet(agentVariable)
	for _, name := range config.Secrets {
		if isSet(name) && !slices.Contains(p.Secrets, name) {
			p.Secrets = append(p.Secrets, name)
		}
	}
}

// checkMounts finds Dockerfile mounts that the build does not provide: SSH agents and user-defined secrets. It returns an error for a mount that a
// step requires, because the step would fail, and a warning for an optional one.
func (p *Plan) checkMounts(config *settings.Image, file *dockerfile.File) (warnings []string, err error) {
	for _, m := range file.Mounts() {
		what, why, next := "", "the build does not provide it", nextForMounts
		switch {
		case m.Type == "ssh" && (!p.SSH || m.ID != agent):
			what = "the SSH agent " + m.ID
			if config.SSH && m.ID == agent {
				why, next = "no SSH agent runs on this machine", "start an SSH agent (`eval \"$(ssh-agent)\"`, then `ssh-add`), which sets "+agentVariable
			}
		case m.Type == "secret" && !slices.Contains(settings.GivenSecrets, m.ID) && !slices.Contains(p.Secrets, m.ID):
			what = "the secret " + m.ID
			if slices.Contains(config.Secrets, m.ID) {
				why, next = "the environment variable of this name is not set", "set "+m.ID
			}
		default:
			continue
		}
		said := fmt.Sprintf("line %d of %s/Dockerfile mounts %s, but %s", m.Line, p.Dir, what, why)
		if m.Required {
			return nil, operr.New(next, "%s; the step requires this mount", said)
		}
		warnings = append(warnings, said+": "+next)
	}
	return warnings, nil
}
