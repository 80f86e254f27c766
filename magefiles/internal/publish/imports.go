package publish

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
	"github.com/foopack/foopack/magefiles/internal/version"
)

//go:embed imports.py
var importsProgram string

// probe is what imports.py is asked, and what it answers.
type probe struct {
	Name         string   `json:"name"`
	Distribution string   `json:"distribution"`
	Modules      []string `json:"modules"`
	Version      string   `json:"version,omitempty"`
	want         string
}

// Import imports every module of every package in the clean environment and compares the versions.
func (p *Publisher) Import(ctx context.Context, plan Plan, v *Verified) error {
	var probes []probe
	for n, i := range plan.Items {
		if !here(i.Record) {
			continue
		}
		q, err := newProbe(i.Package, v.Files[n])
		if err != nil {
			return err
		}
		q.want = i.Record.Version
		probes = append(probes, q)
	}
	answers, err := p.ask(ctx, v.Installed.Python, probes)
	if err != nil {
		return err
	}
	v.Imports = map[string][]string{}
	for n, a := range answers {
		if want := probes[n].want; a.Version != "" && !version.Same(a.Version, want) {
			return operr.New("let the versions of pyproject.toml and pixi.toml agree", "the installed %s says that it is %s, and its package is %s", a.Name, a.Version, want)
		}
		v.Imports[a.Name] = a.Modules
	}
	return nil
}

// ask runs imports.py in an environment.
func (p *Publisher) ask(ctx context.Context, python string, probes []probe) (answers []probe, err error) {
	question, err := json.Marshal(probes)
	if err != nil {
		return nil, err
	}
	pycache := p.Pycache
	if pycache == "" {
		pycache = filepath.Join(p.Scratch, "pycache")
	}
	answer, err := command.Output(ctx, p.Runner, command.Cmd{
		Name: python, Args: []string{"-I", "-X", "pycache_prefix=" + pycache, "-c", importsProgram, string(question)},
	})
	if err != nil {
		return nil, importFailed(err)
	}
	if err := json.Unmarshal([]byte(answer), &answers); err != nil || len(answers) != len(probes) {
		return nil, fmt.Errorf("reading the answer of the import test: %q: %w", answer, err)
	}
	return answers, nil
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
