package uv

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// readConfig returns the flags by which uv reads the configuration of the person, or of the machine, and none of the project: what is
// installed by them builds other projects too.
func (i *Installer) readConfig() []string {
	if file, set := command.Getenv(i.env, "UV_CONFIG_FILE"); set && file != "" {
		return nil // it is read in place of all others
	}
	if file := i.findConfig(); file != "" {
		return []string{"--config-file=" + file}
	}
	return []string{"--no-config"}
}

// findConfig finds the configuration that uv reads: the person's, or the machine's; "" where there is none.
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
