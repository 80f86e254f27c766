package standin

import (
	"errors"
	"os"
	"path/filepath"
)

// ReadOnly creates a bare repository in dir, which must not exist. It always has the same contents as the repository remote, and rejects every push.
// Jobs get it as their remote if they may not write or do not persist their credentials. refusal is the error message for pushes, and must not
// contain a quote. (GitHub identifies the pusher by a credential; a folder does not.)
func ReadOnly(dir, remote, refusal string) error {
	hooks, objects := filepath.Join(dir, "hooks"), filepath.Join(dir, "objects", "info")
	if err := errors.Join(os.MkdirAll(hooks, 0o755), os.MkdirAll(objects, 0o755)); err != nil {
		return err
	}
	// git does not clone a repository whose objects folder is a symbolic link.
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
			data = append(data, "\n[core]\n\thooksPath = hooks\n"...) // relative to the repository itself
		}
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), data, 0o644)); err != nil {
			return err
		}
	}
	return writeProgram(filepath.Join(hooks, "pre-receive"), "#!/bin/sh\necho '"+refusal+"' >&2\nexit 1\n")
}
