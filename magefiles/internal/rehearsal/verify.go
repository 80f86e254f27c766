package rehearsal

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/version"
)

//go:embed imports.py
var importsProgram string

// install makes a clean environment from what came back from the channel.
func (r *run) install(ctx context.Context) (string, error) {
	var specs []string
	for _, a := range r.artifacts {
		specs = append(specs, a.Package+" =="+a.Index.Version)
	}
	var err error
	r.installed, err = r.tools.Install(ctx, toolchain.Install{
		Dir: filepath.Join(r.Dir, "environment"), Channels: append([]string{r.world.channelURL}, r.otherChannels()...),
		Specs: specs, Artifacts: r.fetched,
	})
	if err != nil {
		return "", err
	}
	if r.installed.Solved {
		return "a clean environment, solved by pixi", nil
	}
	r.missing("a conda solve of the environment", "there is no pixi here: dependencies came from PyPI, and the artifacts' own files were linked")
	return "a clean environment: the artifacts' files, and PyPI for what they depend on", nil
}

// otherChannels are the workspace's channels, for everything that is not ours.
func (r *run) otherChannels() []string {
	return slices.DeleteFunc(slices.Clone(r.workspace.Manifest.Channels), func(c string) bool {
		return path.Base(strings.TrimRight(c, "/")) == r.workspace.Config.Channel
	})
}

// probe is what imports.py is asked, and what it answers.
type probe struct {
	Name         string   `json:"name"`
	Distribution string   `json:"distribution"`
	Modules      []string `json:"modules"`
	Version      string   `json:"version,omitempty"`
}

// imports imports every module of every package in the clean environment and compares the versions.
func (r *run) imports(ctx context.Context) (string, error) {
	var probes []probe
	for i, a := range r.artifacts {
		p, err := newProbe(a.Package, r.fetched[i])
		if err != nil {
			return "", err
		}
		probes = append(probes, p)
	}
	question, err := json.Marshal(probes)
	if err != nil {
		return "", err
	}
	// Byte code of what did not change since the last rehearsal is kept: compiling it takes longer than all the rest.
	pycache := "pycache_prefix=" + filepath.Join(r.Dir, environmentsDir, "pycache")
	answer, err := command.Output(ctx, r.Runner, command.Cmd{
		Name: r.installed.Python, Args: []string{"-I", "-X", pycache, "-c", importsProgram, string(question)},
	})
	if err != nil {
		return "", importFailed(err)
	}
	if err := json.Unmarshal([]byte(answer), &probes); err != nil {
		return "", fmt.Errorf("reading the answer of the import test: %w", err)
	}
	var said []string
	for i, p := range probes {
		want := r.artifacts[i].Index.Version
		if p.Version != "" && !version.Same(p.Version, want) {
			return "", operr.New("let the versions of pyproject.toml and pixi.toml agree", "the installed %s says that it is %s, and its package is %s", p.Name, p.Version, want)
		}
		r.report.Packages = append(r.report.Packages, Package{
			Name: p.Name, Version: want, File: r.artifacts[i].Index.FileName(), SHA256: r.artifacts[i].SHA256, Imports: p.Modules,
		})
		said = append(said, p.Name+" "+want)
	}
	return strings.Join(said, ", "), nil
}

func importFailed(err error) error {
	failed := operr.New("a dependency may be missing in the manifest, or the package may lack a file", "importing what was installed: %w", err)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		failed = failed.WithDetail(exit.Tail)
	}
	return failed
}

// newProbe says what there is to import in an artifact, and under which name Python's metadata knows it.
func newProbe(name, archive string) (probe, error) {
	a, err := condapkg.Open(archive)
	if err != nil {
		return probe{}, err
	}
	defer a.Close()
	files, err := a.Files()
	p := probe{Name: name, Modules: modules(files)}
	for _, f := range files {
		if dist, ok := strings.CutSuffix(f, ".dist-info/METADATA"); ok {
			p.Distribution, _, _ = strings.Cut(path.Base(dist), "-")
		}
	}
	return p, err
}

// modules are the importable modules at the top of a payload: packages, single files, and packages in namespaces.
func modules(files []string) []string {
	var out []string
	for _, f := range files {
		rel, ok := strings.CutPrefix(f, "site-packages/")
		if !ok || !strings.HasSuffix(rel, ".py") {
			continue
		}
		module := strings.TrimSuffix(strings.TrimSuffix(rel, ".py"), "/__init__")
		if strings.HasSuffix(module, "__main__") {
			continue
		}
		out = append(out, strings.ReplaceAll(module, "/", "."))
	}
	slices.Sort(out)
	// A module below one that is importable is imported, or not, as the package itself decides.
	var top []string
	for _, m := range out {
		if !slices.ContainsFunc(top, func(t string) bool { return strings.HasPrefix(m, t+".") }) {
			top = append(top, m)
		}
	}
	return top
}
