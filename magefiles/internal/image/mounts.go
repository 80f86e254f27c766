package image

import (
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/dockerfile"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// agent is the id of the SSH agent that a build is lent, and agentVariable the variable that leads to it.
const (
	agent         = "default"
	agentVariable = "SSH_AUTH_SOCK"
)

// nextForMounts is what to do about a mount that no build is given.
const nextForMounts = "let [tool.image] say `ssh = true`, or name a variable of the secret's id in `secrets`, or let the step do with PIXI_CONFIG and RATTLER_AUTH_FILE, which hold the settings and logins of package channels"

// lend gives the build what the manifest names and this environment has.
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

// checkMounts says which mounts of a Dockerfile the build is not given: agents, and secrets of a person's own. A step that requires one
// cannot end well, which is an error; others go without.
func (p *Plan) checkMounts(config *settings.Image, file *dockerfile.File) (warnings []string, err error) {
	for _, m := range file.Mounts() {
		what, why, next := "", "a build is given none", nextForMounts
		switch {
		case m.Type == "ssh" && (!p.SSH || m.ID != agent):
			what = "the SSH agent " + m.ID
			if config.SSH && m.ID == agent {
				why, next = "there is none here", "start one (`ssh-agent`, `ssh-add`): "+agentVariable+" leads to it"
			}
		case m.Type == "secret" && !slices.Contains(settings.GivenSecrets, m.ID) && !slices.Contains(p.Secrets, m.ID):
			what = "the secret " + m.ID
			if slices.Contains(config.Secrets, m.ID) {
				why, next = "the variable is not set here", "set "+m.ID
			}
		default:
			continue
		}
		said := fmt.Sprintf("line %d of %s/Dockerfile mounts %s, and %s", m.Line, p.Dir, what, why)
		if m.Required {
			return nil, operr.New(next, "%s: the step requires it", said)
		}
		warnings = append(warnings, said+": "+next)
	}
	return warnings, nil
}
