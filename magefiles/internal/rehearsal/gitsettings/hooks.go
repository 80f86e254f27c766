package gitsettings

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// commitHooks lists the hooks that git runs when a release commits and tags.
var commitHooks = []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-rewrite", "reference-transaction", "post-index-change"}

// TakeHooks creates a hooks folder for a clone. Each hook calls the user's hook in the folder `from`. If that hook is a repository file below `top`,
// the clone's version is called instead. `guarded` reports whether the user has a pre-push hook, which is left out.
func TakeHooks(dir, from, top, clone string) (guarded bool, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return false, err
	}
	for _, name := range commitHooks {
		hook := filepath.Join(from, name)
		if !executable(hook) {
			continue
		}
		if rel, err := filepath.Rel(top, hook); err == nil && filepath.IsLocal(rel) && executable(filepath.Join(clone, rel)) {
			hook = filepath.Join(clone, rel)
		}
		script := "#!/bin/sh\nexec " + operr.Quote(hook) + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			return false, err
		}
	}
	return executable(filepath.Join(from, "pre-push")), nil
}

// executable reports whether git would run a file as a hook.
func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}
