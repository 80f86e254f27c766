package deploy

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// secrets writes a release's secrets to a separate volume before its container starts. The values are passed on standard input, so they are not in
// any argument, label or log. end must be called after the container has started, because until then a process must keep in-memory volumes alive.
func (a *applying) secrets(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version) (end func() error, err error) {
	image, err := m.Engine.Image(ctx, v.Image)
	if err != nil {
		return nil, err
	}
	owner, err := ownerOf(a.Environment.User, image.User)
	if err != nil {
		return nil, err
	}
	values, err := a.secretValues(ctx)
	if err != nil {
		return nil, err
	}
	err = m.Engine.EnsureVolume(ctx, engine.Volume{Name: v.ID, Labels: a.labels(h, m, v), Memory: a.Environment.Memory})
	if err != nil {
		return nil, err
	}
	mount := engine.Mount{Volume: v.ID, Target: secretsDir}
	end = func() error { return nil }
	inside := &hoststate.State{Runner: m.Front.Inside(mount)}
	if a.Environment.Memory {
		if inside.Runner, end, err = m.Front.Holding(ctx, mount); err != nil {
			return nil, err
		}
	}
	for n, s := range a.Environment.Secrets {
		if err := inside.PutSecret(ctx, secretsDir, s.Name, owner, values[n]); err != nil {
			return nil, errors.Join(err, end())
		}
	}
	return end, nil
}

// needsSecrets reports whether secrets must be written. When returning to an old container, its volume already has them, unless they were in
// memory.
func (a *applying) needsSecrets() bool {
	return len(a.Environment.Secrets) > 0 && (!a.p.Back || a.Environment.Memory) && len(survey.Moving(a.hosts)) > 0
}

// withSecrets writes the secrets, and then starts a container with f.
func (a *applying) withSecrets(ctx context.Context, h survey.HostPlan, m *survey.Machine, v survey.Version, f func() error) error {
	end, err := a.secrets(ctx, h, m, v)
	if err != nil {
		return err
	}
	return errors.Join(f(), end())
}

// ownerOf returns the numeric id of the application's user. It rejects user names, because only the image can resolve them.
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
		return 0, operr.NewUsage("set user in the environment's table, or USER in the Dockerfile, to a number", "the owner of the secrets' files is unknown: expected the number of a user, found %q", user)
	}
	return number, nil
}

// secretValues returns the secrets in the order of the table. It reads them only once.
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
		return d.SecretVariable(s)
	}
	out, err := d.Output(ctx, s.Command)
	if err != nil {
		return nil, operr.New("run this command by hand, and correct the error that it prints", "the command of the secret %s failed: %w", s.Name, err)
	}
	out = bytes.TrimSuffix(bytes.TrimSuffix(out, []byte("\n")), []byte("\r"))
	if len(out) == 0 {
		return nil, operr.New("run this command by hand, and make it print the secret", "the command of the secret %s printed nothing", s.Name)
	}
	return out, nil
}
