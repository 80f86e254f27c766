package embedded

import (
	"context"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// program is a program on PATH that is used instead of a conda package.
type program struct{ asked, name, path string }

// addForeign records how to install a conda requirement on a package that is not in the workspace.
func (e *Toolchain) addForeign(n *needs, d manifest.Dependency, beside *manifest.Project) {
	if d.Spec.Path != "" {
		n.refuse(d, "", "its sources are in %s, which is not a package of this workspace", d.Spec.Path)
		return
	}
	a := condanames.Find(e.workspace, d, beside)
	ours := condanames.FindOwnProject(e.workspace, a.Project)
	switch {
	case a.LeftOut:
	case a.Program != "":
		e.addProgram(n, d, a)
	case a.Project == "":
		n.refuse(d, condanames.SuggestLines(a, manifest.CondaName(d.Name)), "%s", a.Why)
	case ours != nil:
		n.refuse(d, "", "%s is a project of this workspace with the conda name %s (%s): require the conda name", a.Project, ours.Name, ours.Manifest)
	default:
		requirement, err := condanames.WriteRequirement(d, a.Project)
		if err != nil {
			n.refuse(d, "", "%v", err)
			return
		}
		n.fromPyPI = append(n.fromPyPI, requirement)
		if manifest.PyPIName(a.Project) != manifest.PyPIName(d.Name) {
			n.renamed = append(n.renamed, fmt.Sprintf("%s is the project %s, according to %s", d.Name, a.Project, a.WriteOrigin()))
		}
	}
}

// addProgram looks up a program on the PATH that tasks will have.
func (e *Toolchain) addProgram(n *needs, d manifest.Dependency, a condanames.Answer) {
	path, err := command.LookPath(a.Program, e.env)
	if err != nil {
		n.refuse(d, "", "%s maps the package to the program %s, which is not on PATH", a.WriteOrigin(), a.Program)
		return
	}
	n.programs = append(n.programs, program{asked: writeAsked(d.Name, d.Spec.Text), name: a.Program, path: path})
}

// showPrograms prints, once each, the programs that are used instead of conda packages, with their versions. These versions are not checked
// against the manifest's requirements.
func (e *Toolchain) showPrograms(ctx context.Context, programs []program) error {
	for _, p := range programs {
		if _, shown := e.shown.LoadOrStore(p, true); shown {
			continue
		}
		out, err := command.Output(ctx, e.runner, command.Cmd{Name: p.path, Args: []string{"--version"}, Env: e.uv.Environ()})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		version, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
		if err != nil || version == "" {
			version = "which printed no version for --version"
		}
		e.say("instead of %s, the program %s on PATH is used: %s, %s", p.asked, p.name, p.path, version)
	}
	return nil
}

// addThirdParty records the archives' dependencies on packages that are not in the workspace. It checks that dependencies on workspace packages
// are satisfied by the archives or by packages installed from source.
func (e *Toolchain) addThirdParty(n *needs, archives []*condapkg.Archive) error {
	have := map[string]string{}
	for _, p := range n.packages {
		have[p.Name] = p.Version.Text
	}
	for _, a := range archives {
		have[a.Index().Name] = a.Index().Version
	}
	for _, a := range archives {
		index := a.Index()
		for _, text := range index.Depends {
			m := condapkg.ParseMatchSpec(text)
			if err := checkPin(index.FileName(), m, have); err != nil {
				return err
			}
			if _, there := have[m.Name]; there || m.Name == "python" || strings.HasPrefix(m.Name, "__") {
				continue
			}
			d, beside := e.findRequirement(index, m)
			if condanames.FindOwn(e.workspace, d) != nil {
				return operr.New("build and publish both packages together, also for this platform",
					"%s depends on %s, which is a package of this workspace, but the channel did not supply this package", index.FileName(), text)
			}
			e.addForeign(n, d, beside)
		}
	}
	return nil
}

// checkPin checks an exact pin on a package that will be installed.
func checkPin(file string, m condapkg.MatchSpec, have map[string]string) error {
	at, there := have[m.Name]
	if pin, exact := version.Pin(m.Version); there && exact && !version.Same(pin, at) {
		return operr.New("build and publish both packages together", "%s depends on %s, but the channel supplied %s %s", file, m, m.Name, at)
	}
	return nil
}

// findRequirement converts an artifact's requirement to a dependency. If the workspace has the same requirement, the result has its position in
// the manifest.
func (e *Toolchain) findRequirement(index condapkg.Index, m condapkg.MatchSpec) (manifest.Dependency, *manifest.Project) {
	d := manifest.Dependency{Name: m.Name, Pos: manifest.Pos{File: index.FileName()}, Spec: manifest.Spec{Text: m.Version}}
	if m.Build != "*" {
		d.Spec.Build = m.Build
	}
	p := condanames.FindOwn(e.workspace, manifest.Dependency{Name: index.Name})
	if p == nil {
		return d, nil
	}
	for _, of := range p.Dependencies(manifest.RoleRun) {
		if manifest.CondaName(of.Name) == m.Name {
			d.Pos, d.Spec.Channel = of.Pos, of.Spec.Channel
		}
	}
	return d, p.Project
}
