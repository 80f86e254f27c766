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

// probe is what imports.py is asked, and what it answers.
type probe struct {
	Name         string   `json:"name"`
	Distribution string   `json:"distribution"`
	Modules      []string `json:"modules"`
	Version      string   `json:"version,omitempty"` // what its metadata says
	want         string

	Says map[string]string `json:"says,omitempty"` // by module: its __version__, where that is a text
}

// Import imports every module of every package in the clean environment and compares the versions. A package that has
// nothing for Python (data, a program, one that only depends on others) was installed, and that is all there is to see.
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
		return operr.New("let it require python: `python = \"*\"` in its run dependencies", "%s has Python modules, and what it depends on brings no Python", probes[0].Name)
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

// plain is the environment of what is imported: that of the runner, without credentials.
func (p *Publisher) plain() []string {
	runner, ok := p.Runner.(interface{ Environ() []string })
	if !ok {
		return nil
	}
	env, _ := command.Withhold(runner.Environ())
	return env
}

// importFailed says what may be the reason; of a Python that was stopped nothing is known.
func importFailed(err error) error {
	next := "a dependency may be missing in the manifest, or the package may lack a file"
	if command.WasStopped(err) {
		next = ""
	}
	failed := operr.New(next, "importing what was installed: %w", err)
	var exit *command.ExitError
	if errors.As(err, &exit) {
		failed = failed.WithDetail(exit.Tail)
	}
	return failed
}

// newProbe says what there is to import in an artifact, and under which name Python's metadata knows it: that of the project
// that the package is made of ("" where no pyproject.toml says so), and of no other that it brings along.
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

// site is where Python looks for modules: a noarch python package has them at the top, another one where its Python does, by
// the ways of Unix or of Windows.
var site = regexp.MustCompile(`^(?:lib/python[0-9.]+t?/|Lib/)?site-packages/`)

// inSite is the path of a file below site-packages; "" elsewhere.
func inSite(file string) string {
	if at := site.FindString(file); at != "" {
		return file[len(at):]
	}
	return ""
}

var importable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\pL_][\pL\pN_]*(?:\.[\pL_][\pL\pN_]*)*$`) })

// modules are the importable modules at the top of a payload: packages, single files, and packages in namespaces. Files that
// cannot be imported by their names, such as templates, are left out.
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
	// A module below one that is importable is imported, or not, as the package itself decides.
	top := []string{}
	for _, m := range out {
		if !slices.ContainsFunc(top, func(t string) bool { return strings.HasPrefix(m, t+".") }) {
			top = append(top, m)
		}
	}
	return top
}
