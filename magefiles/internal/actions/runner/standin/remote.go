package standin

import (
	"errors"
	"os"
	"path/filepath"
)

// ReadOnly makes a bare repository in dir, which is not there yet, that has what another one has now and later, and takes no push: what jobs are told of that may
// not write, or that kept no credential. refusal is what a push is told; it may have no quote in it. (GitHub knows who pushes by a credential, for which a folder
// does not ask.)
func ReadOnly(dir, remote, refusal string) error {
	hooks, objects := filepath.Join(dir, "hooks"), filepath.Join(dir, "objects", "info")
	if err := errors.Join(os.MkdirAll(hooks, 0o755), os.MkdirAll(objects, 0o755)); err != nil {
		return err
	}
	// git clones no repository whose objects are behind a link.
	if err := os.WriteFile(filepath.Join(objects, "alternates"), []byte(filepath.Join(remote, "objects")+"\n"), 0o644); err != nil {
		return err
	}
	for _, name := range []string{"refs", "packed-refs", "shallow"} {
		if err := os.Symlink(filepath.Join(remote, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"HEAD", "config"} {
		data, err := os.ReadFile(filepath.Join(remote, name))
		if name == "config" {
			data = append(data, "\n[core]\n\thooksPath = hooks\n"...) // which is from the repository itself
		}
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o644)); err != nil {
			return err
		}
	}
	return writeProgram(filepath.Join(hooks, "pre-receive"), "#!/bin/sh\necho '"+refusal+"' >&2\nexit 1\n")
}
