package publish

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

//go:embed imports.py
var importsProgram string

// probe is both a request to imports.py, to import the modules of one package, and its result.
type probe struct {
	Name         string   `json:"name"`
	Distribution string   `json:"distribution"`
	Modules      []string `json:"modules"`
	Version      string   `json:"version,omitempty"` // from the metadata of the distribution
	want         string

	Says map[string]string `json:"says,omitempty"` // the __version__ of each module, if it is a string
}

// Import imports the top-level modules of each installed package in the clean environment, and checks the versions that they report. A package
// without Python modules or metadata (only data, a program or dependencies) is skipped.
func (p *Publisher) Import(ctx context.Context, delivery Delivery, v *Verified) error {
	v.Imports = map[string][]string{}
	var probes []probe
	for n, i := range delivery.Items {
		if !here(i.Record) {
			continue
		}
		q, err := newProbe(i.Package, p.pypiName(i.Package), v.Files[n])
		if err != nil {
			return err
		}
		v.Imports[q.Name] = q.Modules
		if q.want = i.Record.Version; len(q.Modules) > 0 || q.Distribution != "" {
			probes = append(probes, q)
		}
	}
	if len(probes) == 0 {
		return nil
	}
	if v.Installed.Python == "" {
		return operr.New("add `python = \"*\"` to the run dependencies of this package", "%s has Python modules, but none of its dependencies installs Python", probes[0].Name)
	}
	answers, err := p.ask(ctx, v.Installed.Python, probes)
	if err != nil {
		return err
	}
	for n, a := range answers {
		a.want = probes[n].want
		if err := a.check(); err != nil {
			return err
		}
		v.Imports[a.Name] = a.Modules
	}
	return nil
}

// ask runs imports.py in the environment.
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
		Name: python,
		Args: []string{"-I", "-X", "pycache_prefix=" + pycache, "-c", importsProgram, string(question)},
		Env:  p.plain(),
	})
	if err != nil {
		return nil, importFailed(err)
	}
	if err := json.Unmarshal([]byte(answer), &answers); err != nil || len(answers) != len(probes) {
		return nil, fmt.Errorf("reading the answer of the import test: %q: %w", answer, err)
	}
	return answers, nil
}

// plain returns the runner's environment without credentials, for the imported code.
func (p *Publisher) plain() []string {
	runner, ok := p.Runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	env, _ := command.Withhold(runner.Environ())
	return env
}

// importFailed wraps an error of the import test, and suggests a likely cause unless Python was stopped from outside.
func importFailed(err error) error {
	next := "look for a dependency that is missing in the manifest, or a file that is missing in the package"
	if command.WasStopped(err) {
		next = ""
	}
	failed := operr.New(next, "importing the modules of the installed packages: %w", err)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		failed = failed.WithDetail(exit.Tail)
	}
	return failed
}

// newProbe lists the modules of an artifact, and finds the distribution whose metadata has the package's version. This is the distribution named
// pypi, the name in pyproject.toml. If pypi is "", it is the one named like the package, or the only one in the artifact. Vendored distributions
// are ignored.
func newProbe(name, pypi, archive string) (probe, error) {
	a, err := condapkg.Open(archive)
	if err != nil {
		return probe{}, err
	}
	defer a.Close()
	files, err := a.Files()
	p := probe{Name: name, Modules: modules(files)}
	var found []string
	for _, f := range files {
		if dist, ok := strings.CutSuffix(inSite(f), ".dist-info/METADATA"); ok && !strings.Contains(dist, "/") {
			dist, _, _ = strings.Cut(dist, "-")
			if found = append(found, dist); named(dist, pypi) || pypi == "" && named(dist, name) {
				p.Distribution = dist
			}
		}
	}
	if p.Distribution == "" && pypi == "" && len(found) == 1 {
		p.Distribution = found[0]
	}
	return p, err
}

// site matches the site-packages folder at the beginning of a path in a package: at the top for noarch Python packages, otherwise below
// lib/pythonX.Y (Unix) or Lib (Windows).
var site = regexp.MustCompile(`^(?:lib/python[0-9.]+t?/|Lib/)?site-packages/`)

// inSite returns the path of a file relative to site-packages, or "" if the file is not below it.
func inSite(file string) string {
	if at := site.FindString(file); at != "" {
		return file[len(at):]
	}
	return ""
}

var importable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*$`) })

// modules returns the top-level importable modules among an artifact's files: packages, single-file modules, and packages in namespaces. It omits
// files whose names cannot be imported, such as templates.
func modules(files []string) []string {
	out := []string{}
	for _, f := range files {
		rel, ok := strings.CutSuffix(inSite(f), ".py")
		if !ok {
			continue
		}
		module := strings.ReplaceAll(strings.TrimSuffix(rel, "/__init__"), "/", ".")
		if strings.HasSuffix(module, "__main__") || !importable().MatchString(module) {
			continue
		}
		out = append(out, module)
	}
	slices.Sort(out)
	// A package decides itself which of its submodules it imports.
	top := []string{}
	for _, m := range out {
		if !slices.ContainsFunc(top, func(t string) bool { return strings.HasPrefix(m, t+".") }) {
			top = append(top, m)
		}
	}
	return top
}
