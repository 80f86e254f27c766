package pixi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Install implements toolchain.Toolchain. It creates a separate workspace whose only environment depends on the specs, and has pixi solve and
// install it. The index is downloaded again, because the user's cache may not include a package that was just uploaded.
func (p *Pixi) Install(ctx context.Context, i toolchain.Install) (toolchain.Environment, error) {
	var none toolchain.Environment
	if _, err := os.Stat(i.Dir); !errors.Is(err, fs.ErrNotExist) {
		return none, operr.New("name a folder that does not exist yet", "installing into %s: this folder already exists", i.Dir)
	}
	manifest, err := writeThrowaway(i, workspace.HostPlatform())
	if err != nil {
		return none, err
	}
	if err := os.MkdirAll(i.Dir, 0o755); err != nil {
		return none, err
	}
	if err := os.WriteFile(filepath.Join(i.Dir, pixiManifest), []byte(manifest), 0o644); err != nil {
		return none, err
	}
	c := command.Cmd{
		Dir:    i.Dir,
		Args:   []string{"install"},
		Stdout: i.Log,
		Stderr: i.Log,
		Env: command.Setenv(command.Unset(p.fetchEnviron(), "PIXI_FROZEN", "PIXI_LOCKED", "PIXI_NO_INSTALL"),
			"PIXI_CACHE_REPODATA_DIR="+filepath.Join(i.Dir, ".repodata")),
	}
	if err := p.callWith(ctx, c); err != nil {
		return none, addContext(err, "installing %s", strings.Join(i.Specs, ", "))
	}
	prefix, err := p.prefix(ctx, i.Dir, c.Env)
	if err != nil {
		return none, err
	}
	python := filepath.Join(prefix, "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		python = "" // no installed package provides Python
	}
	return toolchain.Environment{Dir: prefix, Python: python, Solved: true}, nil
}

// writeThrowaway returns a manifest for an environment with only the specs.
func writeThrowaway(i toolchain.Install, platform string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "[workspace]\nname = \"install\"\nchannels = [%s]\nplatforms = [%q]\n\n[dependencies]\n",
		quoteList(i.Channels), platform)
	for _, s := range i.Specs {
		parts := strings.Fields(s)
		switch len(parts) {
		case 1:
			fmt.Fprintf(&b, "%q = \"*\"\n", parts[0])
		case 2:
			fmt.Fprintf(&b, "%q = %q\n", parts[0], parts[1])
		case 3:
			fmt.Fprintf(&b, "%q = { version = %q, build = %q }\n", parts[0], parts[1], parts[2])
		default:
			return "", fmt.Errorf("installing %q: a match spec may have only a name, a version and a build, each without blanks", s)
		}
	}
	return b.String(), nil
}

// quoteList formats the elements of a TOML array.
func quoteList(list []string) string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, strconv.Quote(s))
	}
	return strings.Join(quoted, ", ")
}

// prefix returns the path of the default environment. It asks pixi, because the user's configuration may relocate environments.
func (p *Pixi) prefix(ctx context.Context, dir string, env []string) (string, error) {
	var out strings.Builder
	if err := p.callWith(ctx, command.Cmd{Dir: dir, Args: []string{"info", "--json"}, Env: env, Stdout: &out, Answers: true}); err != nil {
		return "", addContext(err, "asking pixi for the environment in %s", dir)
	}
	var info struct {
		Environments []struct {
			Name, Prefix string
		} `json:"environments_info"`
	}
	if err := json.Unmarshal([]byte(out.String()), &info); err != nil {
		return "", addContext(err, "reading the answer of `pixi info --json` in %s", dir)
	}
	for _, e := range info.Environments {
		if e.Name == manifest.DefaultEnvironment && e.Prefix != "" {
			return e.Prefix, nil
		}
	}
	return "", fmt.Errorf("`pixi info --json` in %s names no default environment", dir)
}
