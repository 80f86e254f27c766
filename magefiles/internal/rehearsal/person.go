package rehearsal

import (
	"context"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
)

// What of a person's git takes part in a rehearsal: how they commit (name, encoding, template, commit hooks), and nothing that
// leads to another place or speaks to a real remote.
const (
	gitConfigFile = "person.gitconfig"
	hooksDir      = "hooks"
)

// person makes what the release needs of a person's git: a configuration of its own, and a folder of hooks.
func (r *run) person(ctx context.Context) error {
	settings, err := r.settings(ctx)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.Dir, gitConfigFile), []byte(gitsettings.Write(settings)), 0o600); err != nil {
		return err
	}
	if gitsettings.Signs(settings) {
		r.missing("signing", "git signs here: what a rehearsal makes would bear your signature, so nothing of it is signed")
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

// git asks git for something in a folder, as the person would there, and returns what it answers. Git's own words are in the
// error.
func (r *run) git(ctx context.Context, dir string, args ...string) (string, error) {
	return gitsettings.Ask(ctx, r.Runner, r.Environ, dir, args...)
}

// settings are those that count in the repository, whatever file they stand in.
func (r *run) settings(ctx context.Context) ([]gitsettings.Setting, error) {
	out, err := r.git(ctx, r.source.Top, "config", "--list", "--null", "--includes")
	return gitsettings.Read(out), err
}

// gitEnviron lets git read that configuration alone, in an environment.
func (r *run) gitEnviron(env []string) []string {
	return command.Setenv(gitsettings.WithoutConfig(env), append(gitsettings.Dated(env, r.head.Time), "GIT_CONFIG_GLOBAL="+filepath.Join(r.Dir, gitConfigFile), "GIT_CONFIG_NOSYSTEM=1")...)
}
