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

// Install implements toolchain.Toolchain: a workspace of its own whose only environment has the specs as its
// dependencies, solved and installed by pixi. The index is read afresh, not from the user's cache: a package that was
// uploaded a moment ago is not in there.
func (p *Pixi) Install(ctx context.Context, i toolchain.Install) (toolchain.Environment, error) {
	var none toolchain.Environment
	if _, err := os.Stat(i.Dir); !errors.Is(err, fs.ErrNotExist) {
		return none, operr.New("name a folder that does not exist yet", "installing into %s: it is already there", i.Dir)
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
		return none, about(err, "installing %s", strings.Join(i.Specs, ", "))
	}
	prefix, err := p.prefix(ctx, i.Dir, c.Env)
	if err != nil {
		return none, err
	}
	python := filepath.Join(prefix, "bin", "python")
	if _, err := os.Stat(python); errors.Is(err, fs.ErrNotExist) {
		python = "" // nothing in it is of Python
	}
	return toolchain.Environment{Dir: prefix, Python: python, Solved: true}, nil
}

// writeThrowaway writes the manifest of an environment with nothing but the specs in it.
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
			return "", fmt.Errorf("installing %q: a match spec has a name, a version and a build at most, without blanks", s)
		}
	}
	return b.String(), nil
}

// quoteList writes the items of an array of TOML.
func quoteList(list []string) string {
	var quoted []string
	for _, s := range list {
		quoted = append(quoted, strconv.Quote(s))
	}
	return strings.Join(quoted, ", ")
}

// prefix asks pixi where the default environment is: a user's configuration may keep environments elsewhere.
func (p *Pixi) prefix(ctx context.Context, dir string, env []string) (string, error) {
	var out strings.Builder
	if err := p.callWith(ctx, command.Cmd{Dir: dir, Args: []string{"info", "--json"}, Env: env, Stdout: &out, Answers: true}); err != nil {
		return "", about(err, "asking pixi for the environment in %s", dir)
	}
	var info struct {
		Environments []struct {
			Name, Prefix string
		} `json:"environments_info"`
	}
	if err := json.Unmarshal([]byte(out.String()), &info); err != nil {
		return "", about(err, "reading the answer of `pixi info --json` in %s", dir)
	}
	for _, e := range info.Environments {
		if e.Name == manifest.DefaultEnvironment && e.Prefix != "" {
			return e.Prefix, nil
		}
	}
	return "", fmt.Errorf("`pixi info --json` in %s names no default environment", dir)
}
