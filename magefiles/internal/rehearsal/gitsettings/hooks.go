package gitsettings

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// commitHooks are those that git calls where a release commits and tags.
var commitHooks = []string{"pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-rewrite", "reference-transaction", "post-index-change"}

// TakeHooks makes a folder of hooks for a clone: each calls the person's, which is in the folder from. One that is committed, below top, is called as the
// clone has it. guarded says that there is one that guards what is pushed, which is left out.
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
		script := "#!/bin/sh\nexec " + operr.Quoted(hook) + " \"$@\"\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			return false, err
		}
	}
	return executable(filepath.Join(from, "pre-push")), nil
}

// executable reports whether git would run a hook.
func executable(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o111 != 0
}
