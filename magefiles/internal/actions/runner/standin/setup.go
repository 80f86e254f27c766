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

// cache is actions/cache of a run in which there is nothing yet: it misses.
func cache(_ context.Context, c *runner.Call) error {
	switch {
	case c.Input("key", "") == "" || c.Input("path", "") == "":
		return fmt.Errorf("a cache needs a key and a path")
	case c.Bool("fail-on-cache-miss", false):
		return fmt.Errorf("there is nothing in the cache for %s, and fail-on-cache-miss is set", c.With["key"])
	}
	c.Say("nothing is in the cache for %s", c.With["key"])
	c.Output("cache-primary-key", c.With["key"])
	return nil
}

// saveCache is the end of actions/cache: it keeps what a job that went well has at the path, or would.
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
		//lint:ignore nilerr as the action does
		return nil
	}
	c.Say("the cache %s would be saved", c.With["key"])
	return nil
}

// recorded does nothing: that the step was come to is in the result.
func recorded(_ context.Context, c *runner.Call) error {
	c.Say("%s is only recorded", c.Uses)
	return nil
}

// login is docker/login-action: for a registry that something stands in for docker's configuration gets the login for that, and any other is only recorded.
func login(_ context.Context, c *runner.Call) error {
	if c.Input("registry-auth", "") != "" {
		return recorded(context.Background(), c)
	}
	if c.Input("username", "") == "" || c.Input("password", "") == "" {
		return fmt.Errorf("username and password required (a secret that is not there is empty)")
	}
	registry := c.Input("registry", "docker.io")
	switch isToken := c.Token != "" && c.With["password"] == c.Token; {
	case isToken && registry != "ghcr.io":
		c.Doubt(c.Problem("registry", "the token of a job is a password of ghcr.io, and not of %s", registry))
	case !c.IsSecret(c.With["password"]):
		c.Doubt(c.Problem("password", "the password for %s is no secret: it stands in the file, or is what everybody knows", registry))
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

// dockerConfigFile is docker's configuration, in the HOME of a job.
const dockerConfigFile = ".docker/config.json"

// logout is the end of docker/login-action.
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

// buildx is docker/setup-buildx-action as far as its inputs go: no builder is made.
func buildx(_ context.Context, c *runner.Call) error {
	for _, option := range strings.FieldsFunc(c.With["driver-opts"], func(r rune) bool { return r == '\n' }) {
		if option = strings.TrimSpace(option); option != "" && !strings.Contains(option, "=") {
			return c.Problem("driver-opts", "%q is no option of a builder: each is NAME=VALUE", option)
		}
	}
	return recorded(context.Background(), c)
}

// attest is actions/attest as far as its rights and files go: nothing is signed.
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
			return fmt.Errorf("there is no file of subject-path %s", c.With["subject-path"])
		}
	}
	return recorded(context.Background(), c)
}

var (
	goVersion     = regexp.MustCompile(`^(?:stable|oldstable|tip|[~^]?(?:>=?|<=?)?\s*1(?:\.(?:\d+|x|\*))?(?:\.(?:\d+|x|\*))?(?:-?(?:rc|beta)\.?\d+)?(?:\s+<=?\s*[\d.]+)?)$`)
	pythonVersion = regexp.MustCompile(`^(?:pypy|graalpy)?-?[~^]?(?:>=?|<=?)?\s*3\.(\d+|x)(?:\.(?:\d+|x))?t?(?:-dev|[-a-z.\d]*)?(?:\s+<=?\s*[\d.]+)?$`)
	toolVersion   = regexp.MustCompile(`^(?:latest|[=~^>< ]*v?\d+\.(?:\d+|x)(?:\.(?:\d+|x))?(?:[, ].*)?)$`)
	goLine        = regexp.MustCompile(`(?m)^(?:toolchain go|go )(\d+\.\S+)`)
)

// setupGo is actions/setup-go with the Go of this machine.
func setupGo(_ context.Context, c *runner.Call) error {
	version := c.Input("go-version", "")
	if name := c.Input("go-version-file", ""); version == "" && name != "" {
		data, err := beneath.ReadAtMost(c.Path(name), 1<<20)
		if err != nil {
			return fmt.Errorf("the file %s of go-version-file is not there (is a checkout missing before it?)", name)
		}
		version = strings.TrimSpace(string(data))
		if base := filepath.Base(name); base == gomodule.File || base == "go.work" {
			found := goLine.FindAllStringSubmatch(string(data), -1)
			if found == nil {
				return fmt.Errorf("%s has no line that says which Go it wants", name)
			}
			version = found[len(found)-1][1]
		}
	}
	if version != "" && !goVersion.MatchString(version) {
		return fmt.Errorf("%q is not a possible version of Go", version)
	}
	c.Output("go-version", version)
	c.AddPath(filepath.Join(c.Home, "go", "bin")) // where go puts what it installs
	return install(c, "go", version, "go", "gofmt")
}

// setupPython is actions/setup-python with a Python of the job, of one of this machine.
func setupPython(ctx context.Context, c *runner.Call) error {
	versions := strings.Fields(strings.ReplaceAll(c.Input("python-version", ""), "\n", " "))
	if text := c.Input("python-version", ""); strings.ContainsAny(text, "<>") {
		versions = []string{text}
	}
	if name := c.Input("python-version-file", ""); len(versions) == 0 && name != "" {
		if _, err := os.Stat(c.Path(name)); err != nil {
			return fmt.Errorf("the file %s of python-version-file is not there (is a checkout missing before it?)", name)
		}
	}
	for _, v := range versions {
		m := pythonVersion.FindStringSubmatch(v)
		if m == nil {
			return fmt.Errorf("%q is not a possible version of Python", v)
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
	c.AddPath(filepath.Join(c.Home, ".local", "bin")) // where uv puts the programs of its tools
	return setupTool(c, "uv", c.Input("version", "latest"), "uv", "uvx")
}

func setupPixi(_ context.Context, c *runner.Call) error {
	if c.Bool("run-install", true) {
		c.Note("setup-pixi installs no environment here: `pixi run` does when it is asked for")
	}
	if _, err := command.LookPath("pixi", installed(c)); err != nil && toolVersion.MatchString(c.Input("pixi-version", "latest")) {
		c.Note("this machine has no pixi: what the pipeline does with it is done by its embedded toolchain")
		return nil
	}
	return setupTool(c, "pixi", c.Input("pixi-version", "latest"), "pixi")
}

// installed is the environment in which programs are looked for that stand in.
func installed(c *runner.Call) []string {
	if c.Installed == "" {
		return c.Environ
	}
	return []string{"PATH=" + c.Installed}
}

func setupTool(c *runner.Call, name, version string, programs ...string) error {
	if !toolVersion.MatchString(version) {
		return fmt.Errorf("%q is not a possible version of %s", version, name)
	}
	return install(c, name, version, programs...)
}

// install puts programs of this machine into PATH, the first of which has to be there.
func install(c *runner.Call, name, version string, programs ...string) error {
	where := installed(c)
	all := map[string]string{}
	for i, p := range programs {
		found, err := command.LookPath(p, where)
		if err != nil && i == 0 {
			return fmt.Errorf("this machine has no %s that could stand in for the one that %s installs", p, c.Uses)
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

// writeProgram writes a program. While it is written no other job begins a child, which would have the file open too until it is exec'd: it could not be
// run meanwhile (text file busy).
func writeProgram(name, text string) error {
	_ = os.Remove(name) // what a step has put there might be waited for
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(name, []byte(text), 0o755)
}

// toolDir is where a job has a tool of a version.
func toolDir(c *runner.Call, name, version string) string {
	return filepath.Join(c.Tools, name, strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\ <>*", r) {
			return '-'
		}
		return r
	}, version))
}

// installAs puts programs into PATH, each of which begins a program of this machine.
func installAs(c *runner.Call, name, version string, programs map[string]string) error {
	bin := filepath.Join(toolDir(c, name, version), "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for p, begins := range programs {
		text := "#!/bin/sh\nexec " + operr.Quoted(begins) + " \"$@\"\n"
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
