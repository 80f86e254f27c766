package rehearsal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// What of a person's git takes part in a rehearsal: how they commit (name, encoding, template, commit hooks), and nothing that
// leads to another place or speaks to a real remote.
const (
	gitConfigFile = "person.gitconfig"
	hooksDir      = "hooks"
)

// elsewhere are the settings that take no part. Those that end in a dot are whole sections.
var elsewhere = []string{
	"remote.", "remotes.", "url.", "branch.", "push.", "pull.", "fetch.", "credential.", "http.", "https.", // other places
	"submodule.", "lfs.url", "lfs.pushurl", "remote.pushdefault", "core.sshcommand", "core.gitproxy",
	"include.", "includeif.", // what they include is listed by itself
	"core.bare", "core.worktree", "core.repositoryformatversion", "extensions.", // of the one repository
	"core.hookspath", "init.templatedir", // the hooks that run are chosen one by one
	"core.sparsecheckout", "core.sparsecheckoutcone", "core.fsmonitor", "index.", "maintenance.", "gc.",
	"receive.", "transfer.", "uploadpack.", "protocol.", "safe.barerepository",
	"commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated", // nothing is signed: it would bear the person's signature
}

// person makes what the release needs of a person's git: a configuration of its own, and a folder of hooks.
func (r *run) person(ctx context.Context) error {
	settings, err := r.settings(ctx)
	if err != nil {
		return err
	}
	if err := r.writeConfig(settings); err != nil {
		return err
	}
	r.tellSigning(settings)
	return r.takeHooks(ctx)
}

// setting is one line of `git config --list`.
type setting struct{ key, value string }

// settings are those that count in the repository, whatever file they stand in, the last one of a key counting most.
func (r *run) settings(ctx context.Context) (all []setting, err error) {
	out, err := r.git(ctx, r.source.Top, "config", "--list", "--null", "--includes")
	if err != nil {
		return nil, err
	}
	for entry := range strings.SplitSeq(out, "\x00") {
		key, value, valued := strings.Cut(entry, "\n")
		if key == "" {
			continue
		}
		if !valued {
			value = "true" // a key alone
		}
		all = append(all, setting{key: key, value: value})
	}
	return all, nil
}

// takesPart reports whether a setting is one of how a person commits.
func (s setting) takesPart() bool {
	key := strings.ToLower(s.key)
	return !slices.ContainsFunc(elsewhere, func(e string) bool {
		return key == e || strings.HasSuffix(e, ".") && strings.HasPrefix(key, e)
	})
}

// writeConfig writes the settings that take part to a file in git's own form.
func (r *run) writeConfig(settings []setting) error {
	var b strings.Builder
	for _, s := range settings {
		dot := strings.LastIndexByte(s.key, '.')
		if dot < 0 || !s.takesPart() {
			continue
		}
		section, name := s.key[:dot], s.key[dot+1:]
		if first, sub, ok := strings.Cut(section, "."); ok {
			section = first + " " + quoteConfig(sub)
		}
		fmt.Fprintf(&b, "[%s]\n\t%s = %s\n", section, name, quoteConfig(s.value))
	}
	return os.WriteFile(filepath.Join(r.Dir, gitConfigFile), []byte(b.String()), 0o600)
}

// quoteConfig writes a text as git reads it in a configuration file.
func quoteConfig(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\b", `\b`).Replace(text) + `"`
}

// tellSigning names that nothing is signed, where the person signs.
func (r *run) tellSigning(settings []setting) {
	signs := map[string]bool{}
	for _, s := range settings {
		switch key := strings.ToLower(s.key); key {
		case "commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated":
			signs[key] = !slices.Contains([]string{"false", "no", "off", "0", ""}, strings.ToLower(s.value))
		}
	}
	if signs["commit.gpgsign"] || signs["tag.gpgsign"] || signs["tag.forcesignannotated"] {
		r.missing("signing", "git signs here: what a rehearsal makes would bear your signature, so nothing of it is signed")
	}
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
		script := "#!/bin/sh\nexec '" + strings.ReplaceAll(hook, "'", `'\''`) + "' \"$@\"\n"
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
