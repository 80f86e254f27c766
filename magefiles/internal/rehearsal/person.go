package rehearsal

import (
	"context"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
)

// A rehearsal uses the user's git settings for commits (name, encoding, template, commit hooks). It ignores settings that redirect git to another
// place or contact a real remote.
const (
	gitConfigFile = "person.gitconfig"
	hooksDir      = "hooks"
)

// person creates a separate git configuration and hooks folder from the user's own.
func (r *run) person(ctx context.Context) error {
	settings, err := r.settings(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Dir, gitConfigFile), []byte(gitsettings.Write(settings)), 0o600); err != nil {
		return err
	}
	if gitsettings.Signs(settings) {
		r.missing("signing", "your git signs commits or tags, but a rehearsal signs nothing, so that no test gets your signature")
	}
	from, err := r.git(ctx, r.source.Top, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
	if err != nil {
		return err
	}
	guarded, err := gitsettings.TakeHooks(filepath.Join(r.Dir, hooksDir), from, r.source.Top, r.clone)
	if guarded {
		r.missing("the hook pre-push", "it guards the real remote")
	}
	return err
}

// git runs git in a folder with the user's configuration, and returns its output. An error has git's own message.
func (r *run) git(ctx context.Context, dir string, args ...string) (string, error) {
	return gitsettings.Ask(ctx, r.Runner, r.Environ, dir, args...)
}

// settings returns the repository's effective git settings, from all configuration files.
func (r *run) settings(ctx context.Context) ([]gitsettings.Setting, error) {
	out, err := r.git(ctx, r.source.Top, "config", "--list", "--null", "--includes")
	return gitsettings.Read(out), err
}

// gitEnviron returns an environment in which git reads only the configuration that person has written.
func (r *run) gitEnviron(env []string) []string {
	return command.Setenv(gitsettings.WithoutConfig(env), append(gitsettings.Dated(env, r.head.Time), "GIT_CONFIG_GLOBAL="+filepath.Join(r.Dir, gitConfigFile), "GIT_CONFIG_NOSYSTEM=1")...)
}
