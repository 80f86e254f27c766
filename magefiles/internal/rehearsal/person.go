package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	return r.takeHooks(ctx)
}

// settings are those that count in the repository, whatever file they stand in.
func (r *run) settings(ctx context.Context) ([]gitsettings.Setting, error) {
	out, err := r.git(ctx, r.source.Top, "config", "--list", "--null", "--includes")
	return gitsettings.Read(out), err
}

// gitEnviron lets git read that configuration alone, in an environment.
func (r *run) gitEnviron(env []string) []string {
	return command.Setenv(withoutConfig(env), append(r.dated(env), "GIT_CONFIG_GLOBAL="+filepath.Join(r.Dir, gitConfigFile), "GIT_CONFIG_NOSYSTEM=1")...)
}

// dated are the variables by which what a rehearsal commits has the second after its commit: packages bear the time of the commit that they are
// built of, and the same commit rehearsed again gives the same bytes. A person may say another time.
func (r *run) dated(env []string) []string {
	if _, said := command.Getenv(env, "GIT_COMMITTER_DATE"); said || r.head.Time.IsZero() {
		return nil
	}
	at := fmt.Sprintf("@%d +0000", r.head.Time.Unix()+1)
	return []string{"GIT_COMMITTER_DATE=" + at, "GIT_AUTHOR_DATE=" + at}
}

// allowProtocol says which kinds of remotes git may talk to, and keeps it from the embedded one, a folder.
const allowProtocol = "GIT_ALLOW_PROTOCOL"

// withoutConfig takes the configuration that a person's environment carries out of one. What it says is in the file.
func withoutConfig(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "GIT_CONFIG") || name == allowProtocol
	})
}

// commitHooks are those that git calls where a release commits and tags.
var commitHooks = []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-rewrite", "reference-transaction", "post-index-change"}

// takeHooks makes the folder of hooks for the clone: each calls the person's, of the repository or of core.hooksPath. One
// that is committed is called as the commit has it.
func (r *run) takeHooks(ctx context.Context) error {
	dir := filepath.Join(r.Dir, hooksDir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	from, err := r.git(ctx, r.source.Top, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
	if err != nil {
		return err
	}
	if executable(filepath.Join(from, "pre-push")) {
		r.missing("the hook pre-push", "it guards the real remote")
	}
	for _, name := range commitHooks {
		hook := filepath.Join(from, name)
		if !executable(hook) {
			continue
		}
		if rel, err := filepath.Rel(r.source.Top, hook); err == nil && filepath.IsLocal(rel) && executable(filepath.Join(r.clone, rel)) {
			hook = filepath.Join(r.clone, rel)
		}
		script := "#!/bin/sh\nexec " + command.Quote(hook) + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// executable reports whether git would run a hook.
func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}
