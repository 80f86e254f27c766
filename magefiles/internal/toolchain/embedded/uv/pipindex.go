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

// pipSettings lists the pip settings that determine where packages are found, each with uv's equivalent variable. uv ignores pip's settings, so
// it would use PyPI even if a company mirror is configured in pip. Variables and configuration for uv take precedence.
var pipSettings = []struct {
	key   string
	uv    string
	unset []string // the pip setting is used only if neither these nor uv's variable are set
}{
	{"index-url", "UV_DEFAULT_INDEX", []string{"UV_INDEX_URL", "UV_NO_INDEX"}},
	{"extra-index-url", "UV_EXTRA_INDEX_URL", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_NO_INDEX"}},
	{"no-index", "UV_NO_INDEX", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}},
	{"find-links", "UV_FIND_LINKS", []string{"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL"}}, // used only with no-index
	{"trusted-host", "UV_INSECURE_HOST", nil},
	{"proxy", "ALL_PROXY", []string{"HTTPS_PROXY", "https_proxy", "all_proxy"}},
}

// findIndexEnviron returns the environment variables for a uv that accesses an index: those for our tools, and pip's settings if uv has none.
func (i *Installer) findIndexEnviron(ctx context.Context, t Tools) []string {
	env := i.listToolEnviron()
	i.pipOnce.Do(func() { i.pip2uv = i.askPip(ctx, t, env) })
	return command.Setenv(env, i.pip2uv...)
}

// askPip returns the variables for uv that correspond to pip's settings.
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
		return nil // the installation will report the problem
	}
	return writeForUV(parsePipConfig(out), env)
}

// writeForUV converts pip's settings to variables for uv.
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

// pipOfTheSystem lists pip configuration files at fixed paths.
var pipOfTheSystem = []string{"/etc/pip.conf", "/Library/Application Support/pip/pip.conf"}

// pipIsSet reports whether variables or the user's or system's configuration files may configure an index for pip. Querying pip itself takes a
// few tenths of a second.
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

// uvHasIndex reports whether a uv configuration file configures an index.
func uvHasIndex(file string) bool {
	data, err := os.ReadFile(file)
	return err == nil && uvIndex.Match(data)
}

// parsePipConfig parses the output of `pip config list`, which has one setting per line: section.key='value', with a Python string literal. Variables
// take precedence over the section for `pip install`, and this section takes precedence over all others.
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

// unquotePython returns the value of a quoted Python string.
func unquotePython(text string) string {
	if len(text) < 2 || text[0] != '\'' && text[0] != '"' || text[len(text)-1] != text[0] {
		return text
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\'`, `'`, `\"`, `"`).Replace(text[1 : len(text)-1])
}
