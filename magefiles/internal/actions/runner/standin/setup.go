package standin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

var (
	cacheInputs = []string{
		"path", "key", "restore-keys", "upload-chunk-size", "enableCrossOsArchive", "enablecrossosarchive", "fail-on-cache-miss", "lookup-only", "save-always",
	}
	attestInputs = []string{
		"subject-path", "subject-digest", "subject-name", "subject-checksums", "push-to-registry", "create-storage-record", "show-summary", "github-token",
		"predicate-type", "predicate", "predicate-path", "sbom-path",
	}
	attestBools = []string{"push-to-registry", "create-storage-record", "show-summary"}
)

// cache replaces actions/cache. The cache is always empty, so it reports a miss.
func cache(_ context.Context, c *runner.Call) error {
	switch {
	case c.Input("key", "") == "" || c.Input("path", "") == "":
		return fmt.Errorf("a cache needs a key and a path")
	case c.Bool("fail-on-cache-miss", false):
		return fmt.Errorf("the cache has no entry for %s, and fail-on-cache-miss is set", c.With["key"])
	}
	c.Say("nothing is in the cache for %s", c.With["key"])
	c.Output("cache-primary-key", c.With["key"])
	return nil
}

// saveCache is the cleanup of actions/cache. After a successful job, it logs that the files at the path would be saved.
func saveCache(_ context.Context, c *runner.Call) error {
	if c.Status() != runner.Success || c.Bool("lookup-only", false) {
		return nil
	}
	g, err := glob.Read(c.Workspace, c.Home, strings.Split(c.With["path"], "\n"))
	if err != nil {
		return err
	}
	if files, err := g.Files(true); err != nil || len(files) == 0 {
		c.Warn("there is nothing at the path of the cache: %s", strings.Join(strings.Fields(c.With["path"]), " "))
		//lint:ignore nilerr the action only warns, too
		return nil
	}
	c.Say("the cache %s would be saved", c.With["key"])
	return nil
}

// recordOnly does nothing; the result shows that the step was reached.
func recordOnly(_ context.Context, c *runner.Call) error {
	c.Say("%s is only recorded", c.Uses)
	return nil
}

// login replaces docker/login-action. If the registry has a stand-in, it writes the login to docker's configuration. Otherwise it only records the
// login.
func login(_ context.Context, c *runner.Call) error {
	if c.Input("registry-auth", "") != "" {
		return recordOnly(context.Background(), c)
	}
	if c.Input("username", "") == "" || c.Input("password", "") == "" {
		return fmt.Errorf("username and password required (a secret that does not exist is empty)")
	}
	registry := c.Input("registry", "docker.io")
	switch isToken := c.Token != "" && c.With["password"] == c.Token; {
	case isToken && registry != "ghcr.io":
		c.Doubt(c.Problem("registry", "the token of a job is a password for ghcr.io, not for %s", registry))
	case !c.IsSecret(c.With["password"]):
		c.Doubt(c.Problem("password", "the password for %s is not a secret: the file contains it, or everyone knows it", registry))
	}
	if registry == "ghcr.io" && c.With["password"] == c.Token && !c.Grant.Writes("packages") {
		c.Warn("the token of this job cannot push to %s: its permissions lack packages: write", registry)
	}
	here := c.Registries[registry]
	if here == "" {
		c.Say("logged in to %s as %s (only recorded)", registry, c.With["username"])
		return nil
	}
	auth := base64.StdEncoding.EncodeToString([]byte(c.With["username"] + ":" + c.With["password"]))
	text, err := json.Marshal(map[string]any{"auths": map[string]any{here: map[string]string{"auth": auth}}})
	if err != nil {
		return err
	}
	if err := beneath.WriteFile(c.Home, dockerConfigFile, text, 0o600); err != nil {
		return err
	}
	c.Say("logged in to %s, which stands in for %s, as %s", here, registry, c.With["username"])
	return nil
}

// dockerConfigFile is docker's configuration file, in a job's HOME.
const dockerConfigFile = ".docker/config.json"

// logout is the cleanup of docker/login-action.
func logout(_ context.Context, c *runner.Call) error {
	if !c.Bool("logout", true) {
		return nil
	}
	if err := os.Remove(filepath.Join(c.Home, dockerConfigFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	c.Say("logged out")
	return nil
}

// buildx replaces docker/setup-buildx-action. It checks the inputs, but creates no builder.
func buildx(_ context.Context, c *runner.Call) error {
	for _, option := range strings.FieldsFunc(c.With["driver-opts"], func(r rune) bool { return r == '\n' }) {
		if option = strings.TrimSpace(option); option != "" && !strings.Contains(option, "=") {
			return c.Problem("driver-opts", "%q is not an option of a builder: expected NAME=VALUE", option)
		}
	}
	return recordOnly(context.Background(), c)
}

// attest replaces actions/attest. It checks permissions and files, but signs nothing.
func attest(_ context.Context, c *runner.Call) error {
	for _, right := range []string{"id-token", "attestations"} {
		if !c.Grant.Writes(right) {
			return fmt.Errorf("the job cannot attest: its permissions lack %s: write", right)
		}
	}
	if c.Input("subject-path", "") != "" {
		g, err := glob.Read(c.Workspace, c.Home, strings.FieldsFunc(c.With["subject-path"], func(r rune) bool { return r == '\n' || r == ',' }))
		if err != nil {
			return err
		}
		if files, err := g.Files(true); err != nil || len(files) == 0 {
			return fmt.Errorf("no file matches subject-path %s", c.With["subject-path"])
		}
	}
	return recordOnly(context.Background(), c)
}

var (
	goVersion     = regexp.MustCompile(`^(?:stable|oldstable|tip|[~^]?(?:>=?|<=?)?\s*1(?:\.(?:\d+|x|\*))?(?:\.(?:\d+|x|\*))?(?:-?(?:rc|beta)\.?\d+)?(?:\s+<=?\s*[\d.]+)?)$`)
	pythonVersion = regexp.MustCompile(`^(?:pypy|graalpy)?-?[~^]?(?:>=?|<=?)?\s*3\.(\d+|x)(?:\.(?:\d+|x))?t?(?:-dev|[-a-z.\d]*)?(?:\s+<=?\s*[\d.]+)?$`)
	toolVersion   = regexp.MustCompile(`^(?:latest|[=~^>< ]*v?\d+\.(?:\d+|x)(?:\.(?:\d+|x))?(?:[, ].*)?)$`)
	goLine        = regexp.MustCompile(`(?m)^(?:toolchain go|go )(\d+\.\S+)`)
)

// setupGo replaces actions/setup-go, with this machine's Go.
func setupGo(_ context.Context, c *runner.Call) error {
	version := c.Input("go-version", "")
	if name := c.Input("go-version-file", ""); version == "" && name != "" {
		data, err := beneath.ReadAtMost(c.Path(name), 1<<20)
		if err != nil {
			return fmt.Errorf("the file %s of go-version-file does not exist (is a checkout missing before this step?)", name)
		}
		version = strings.TrimSpace(string(data))
		if base := filepath.Base(name); base == gomodule.File || base == "go.work" {
			found := goLine.FindAllStringSubmatch(string(data), -1)
			if found == nil {
				return fmt.Errorf("%s has no line with a version of Go", name)
			}
			version = found[len(found)-1][1]
		}
	}
	if version != "" && !goVersion.MatchString(version) {
		return fmt.Errorf("%q is not a valid version of Go", version)
	}
	c.Output("go-version", version)
	c.AddPath(filepath.Join(c.Home, "go", "bin")) // where go installs programs
	return install(c, "go", version, "go", "gofmt")
}

// setupPython replaces actions/setup-python, with a Python for this job that is based on one of this machine.
func setupPython(ctx context.Context, c *runner.Call) error {
	versions := strings.Fields(strings.ReplaceAll(c.Input("python-version", ""), "\n", " "))
	if text := c.Input("python-version", ""); strings.ContainsAny(text, "<>") {
		versions = []string{text}
	}
	if name := c.Input("python-version-file", ""); len(versions) == 0 && name != "" {
		if _, err := os.Stat(c.Path(name)); err != nil {
			return fmt.Errorf("the file %s of python-version-file does not exist (is a checkout missing before this step?)", name)
		}
	}
	for _, v := range versions {
		m := pythonVersion.FindStringSubmatch(v)
		if m == nil {
			return fmt.Errorf("%q is not a valid version of Python", v)
		}
		if minor, err := strconv.Atoi(m[1]); err == nil && minor < 7 {
			return fmt.Errorf("GitHub has no Python %s (without quotes, YAML reads 3.10 as the number 3.1)", v)
		}
	}
	version := strings.Join(versions, " ")
	c.Output("python-version", version)
	found := ""
	if c.Python != nil {
		found = c.Python(version)
	}
	return installPython(ctx, c, version, found)
}

func setupUV(_ context.Context, c *runner.Call) error {
	c.AddPath(filepath.Join(c.Home, ".local", "bin")) // where uv installs tools
	return setupTool(c, "uv", c.Input("version", "latest"), "uv", "uvx")
}

func setupPixi(_ context.Context, c *runner.Call) error {
	if c.Bool("run-install", true) {
		c.Note("setup-pixi installs no environment here: `pixi run` installs the environment of its task")
	}
	if _, err := command.LookPath("pixi", standInEnviron(c)); err != nil && toolVersion.MatchString(c.Input("pixi-version", "latest")) {
		c.Note("this machine has no pixi, so the pipeline uses its embedded toolchain instead")
		return nil
	}
	return setupTool(c, "pixi", c.Input("pixi-version", "latest"), "pixi")
}

// standInEnviron returns the environment used to look up programs.
func standInEnviron(c *runner.Call) []string {
	if c.Installed == "" {
		return c.Environ
	}
	return []string{"PATH=" + c.Installed}
}

func setupTool(c *runner.Call, name, version string, programs ...string) error {
	if !toolVersion.MatchString(version) {
		return fmt.Errorf("%q is not a valid version of %s", version, name)
	}
	return install(c, name, version, programs...)
}

// install adds programs of this machine to PATH. The first of them must exist.
func install(c *runner.Call, name, version string, programs ...string) error {
	where := standInEnviron(c)
	all := map[string]string{}
	for i, p := range programs {
		found, err := command.LookPath(p, where)
		if err != nil && i == 0 {
			return fmt.Errorf("this machine has no %s to use instead of the program that %s installs", p, c.Uses)
		}
		if err == nil {
			all[p] = found
		}
	}
	if version != "" {
		c.Note("the %s of this machine stands in for %s %s", programs[0], name, version)
	}
	return installAs(c, name, version, all)
}

// writeProgram writes an executable. No other job may start a child meanwhile, because the child would inherit the open file until its exec, and
// running the program would then fail (text file busy).
func writeProgram(name, text string) error {
	_ = os.Remove(name) // a step may have put something there that blocks a writer
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(name, []byte(text), 0o755)
}

// toolDir returns a job's folder for a version of a tool.
func toolDir(c *runner.Call, name, version string) string {
	return filepath.Join(c.Tools, name, strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\ <>*", r) {
			return '-'
		}
		return r
	}, version))
}

// installAs adds programs to PATH that run programs of this machine.
func installAs(c *runner.Call, name, version string, programs map[string]string) error {
	bin := filepath.Join(toolDir(c, name, version), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for p, begins := range programs {
		text := "#!/bin/sh\nexec " + operr.Quote(begins) + " \"$@\"\n"
		if c.Script != nil {
			text = c.Script(p, begins)
		}
		if err := writeProgram(filepath.Join(bin, p), text); err != nil {
			return err
		}
	}
	c.AddPath(bin)
	return nil
}
