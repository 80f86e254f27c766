package uv

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// readConfig returns flags that make uv read the user's or the machine's configuration but not a project's, because installing also builds other
// projects.
func (i *Installer) readConfig() []string {
	if file, set := command.Getenv(i.env, "UV_CONFIG_FILE"); set && file != "" {
		return nil // uv reads this file instead of all others
	}
	if file := i.findConfig(); file != "" {
		return []string{"--config-file=" + file}
	}
	return []string{"--no-config"}
}

// findConfig returns the user's or the machine's uv configuration file, or "".
func (i *Installer) findConfig() string {
	if file, _ := command.Getenv(i.env, "UV_CONFIG_FILE"); file != "" {
		return file
	}
	config, _ := command.Getenv(i.env, "XDG_CONFIG_HOME")
	if home, set := command.Getenv(i.env, "HOME"); config == "" && set {
		config = filepath.Join(home, ".config")
	}
	for _, dir := range []string{config, "/etc"} {
		file := filepath.Join(dir, "uv", "uv.toml")
		if st, err := os.Stat(file); dir != "" && err == nil && st.Mode().IsRegular() {
			return file
		}
	}
	return ""
}
