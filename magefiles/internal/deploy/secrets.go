package deploy

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// secrets writes the secrets of a release to a volume of its own, before its container starts. The values go over standard input, and are in
// no argument, label or log.
func (a *applying) secrets(ctx context.Context, h HostPlan, m *Machine) error {
	if len(a.Environment.Secrets) == 0 || a.p.Back && !a.Environment.Memory {
		return nil
	}
	owner, err := ownerOf(a.Environment.User, a.facts.Get()[h.Host].User)
	if err != nil {
		return err
	}
	values, err := a.secretValues(ctx)
	if err != nil {
		return err
	}
	v := a.will(h)
	err = m.Engine.EnsureVolume(ctx, engine.Volume{Name: v.ID, Labels: a.labels(h, v), Memory: a.Environment.Memory})
	if err != nil {
		return err
	}
	inside := &hoststate.State{Runner: m.Front.Inside(engine.Mount{Volume: v.ID, Target: secretsDir})}
	for n, s := range a.Environment.Secrets {
		if err := inside.PutSecret(ctx, secretsDir, s.Name, owner, values[n]); err != nil {
			return err
		}
	}
	return nil
}

// ownerOf is the number of the user that the application runs as: a name is known inside the image alone.
func ownerOf(configured, image string) (int, error) {
	user := configured
	if user == "" {
		user = image
	}
	user, _, _ = strings.Cut(user, ":")
	if user == "" || user == "root" {
		return 0, nil
	}
	number, err := strconv.Atoi(user)
	if err != nil || number < 0 {
		return 0, operr.NewUsage("set user to a number in the environment's table, or USER to one in the Dockerfile", "who is to read the secrets is not known: the user %q is a name", user)
	}
	return number, nil
}

// secretValues are the secrets in the order of their table; they are asked for once.
func (d *Deployer) secretValues(ctx context.Context) ([][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known != nil {
		return d.known, nil
	}
	var all [][]byte
	for _, s := range d.Environment.Secrets {
		value, err := d.secret(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, value)
	}
	d.known = all
	return all, nil
}

func (d *Deployer) secret(ctx context.Context, s config.Secret) ([]byte, error) {
	if len(s.Command) == 0 {
		return d.secretVariable(s)
	}
	out, err := d.Output(ctx, s.Command)
	if err != nil {
		return nil, operr.New("run it by hand, and see what it says", "the command of the secret %s failed: %w", s.Name, err)
	}
	out = bytes.TrimSuffix(bytes.TrimSuffix(out, []byte("\n")), []byte("\r"))
	if len(out) == 0 {
		return nil, operr.New("run it by hand, and see what it prints", "the command of the secret %s printed nothing", s.Name)
	}
	return out, nil
}

// secretVariable is the value of a secret that is a variable.
func (d *Deployer) secretVariable(s config.Secret) ([]byte, error) {
	value, there := d.Variable(s.Variable)
	if !there || value == "" {
		return nil, operr.NewUsage("set it", "the secret %s is the variable %s, which is not set", s.Name, s.Variable)
	}
	return []byte(value), nil
}
