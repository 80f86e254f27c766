package uv

import (
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// pipSettings are those of pip by which it finds packages, with the variables of uv that are the same. uv reads nothing of pip's, and
// would ask PyPI where a company has told pip of its mirror. One that is set for uv, or in uv's configuration, stays as it is.
var pipSettings = []struct {
	key   string
	uv    string
	unset []string // variables of which none is set where pip's counts; besides uv
}{
	{"index-url", "UV_DEFAULT_INDEX", []string{"UV_INDEX_URL", "UV_NO_INDEX"}},
	{"extra-index-url", "UV_EXTRA_INDEX_URL", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX"}},
	{"no-index", "UV_NO_INDEX", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}},
	{"find-links", "UV_FIND_LINKS", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}}, // with no-index alone
	{"trusted-host", "UV_INSECURE_HOST", nil},
	{"proxy", "ALL_PROXY", []string{"HTTPS_PROXY", "https_proxy", "all_proxy"}},
}

// findIndexEnviron finds the environment of a uv that asks an index: that of our tools, with pip's settings in place of those that uv lacks.
func (i *Installer) findIndexEnviron(ctx context.Context, t Tools) []string {
	env := i.listToolEnviron()
	i.pipOnce.Do(func() { i.pip2uv = i.askPip(ctx, t, env) })
	return command.Setenv(env, i.pip2uv...)
}

// askPip returns the variables for uv that pip's settings stand for.
func (i *Installer) askPip(ctx context.Context, t Tools, env []string) (variables []string) {
	if !pipIsSet(env, pipOfTheSystem...) || uvHasIndex(i.findConfig()) {
		return nil
	}
	out, err := command.Output(ctx, i.runner, command.Cmd{
		Name:   t.Python,
		Args:   []string{"-I", "-m", "pip", "config", "list"},
		Env:    env,
		Stderr: io.Discard,
	})
	if err != nil {
		return nil // the installation says what is wrong
	}
	return writeForUV(parsePipConfig(out), env)
}

// writeForUV writes variables of pip's settings.
func writeForUV(pip map[string]string, env []string) (variables []string) {
	for _, s := range pipSettings {
		value := strings.Join(strings.Fields(pip[s.key]), " ")
		if s.key == "no-index" {
			if value = strings.ToLower(value); slices.Contains([]string{"1", "yes", "on", "t", "y"}, value) {
				value = "true"
			}
		}
		if value == "" || s.key == "no-index" && value != "true" || s.key == "find-links" && !slices.Contains(variables, "UV_NO_INDEX=true") {
			continue
		}
		if !slices.ContainsFunc(append(s.unset, s.uv), func(name string) bool { v, _ := command.Getenv(env, name); return v != "" }) {
			variables = append(variables, s.uv+"="+value)
		}
	}
	return variables
}

// pipOfTheSystem are the files by which pip is told something that no variable leads elsewhere.
var pipOfTheSystem = []string{"/etc/pip.conf", "/Library/Application Support/pip/pip.conf"}

// pipIsSet reports whether pip may be told where packages are, by variables, the person's files or those of the system: it takes some tenths
// of a second to ask it.
func pipIsSet(env []string, system ...string) bool {
	get := func(name string) string { v, _ := command.Getenv(env, name); return v }
	for _, name := range []string{"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_PROXY", "PIP_CONFIG_FILE"} {
		if get(name) != "" {
			return true
		}
	}
	files := slices.Clone(system)
	for _, dir := range filepath.SplitList(cmp.Or(get("XDG_CONFIG_DIRS"), "/etc/xdg")) {
		files = append(files, filepath.Join(dir, "pip", "pip.conf"))
	}
	if config := get("XDG_CONFIG_HOME"); config != "" {
		files = append(files, filepath.Join(config, "pip", "pip.conf"))
	}
	if home := get("HOME"); home != "" {
		files = append(files, filepath.Join(home, ".pip", "pip.conf"), filepath.Join(home, ".config", "pip", "pip.conf"), filepath.Join(home, "Library", "Application Support", "pip", "pip.conf"))
	}
	return slices.ContainsFunc(files, func(file string) bool { _, err := os.Stat(file); return err == nil })
}

var uvIndex = regexp.MustCompile(`(?m)^\s*(?:\[\[(?:pip\.)?index\]\]|(?:index|index-url|no-index)\s*=)`)

// uvHasIndex reports whether a configuration of uv's says where packages are.
func uvHasIndex(file string) bool {
	data, err := os.ReadFile(file)
	return err == nil && uvIndex.Match(data)
}

// parsePipConfig reads what `pip config list` writes, a line for each setting: section.key='value', as Python writes a text. A variable
// counts more than the section of `pip install`, and that more than all others.
func parsePipConfig(text string) map[string]string {
	settings := map[string]string{}
	for _, section := range []string{"global.", "install.", ":env:."} {
		for line := range strings.SplitSeq(text, "\n") {
			key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if name, of := strings.CutPrefix(key, section); ok && of {
				settings[name] = unquotePython(value)
			}
		}
	}
	return settings
}

// unquotePython takes the quotes off a text as Python writes it.
func unquotePython(text string) string {
	if len(text) < 2 || text[0] != '\'' && text[0] != '"' || text[len(text)-1] != text[0] {
		return text
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\'`, `'`, `\"`, `"`).Replace(text[1 : len(text)-1])
}
