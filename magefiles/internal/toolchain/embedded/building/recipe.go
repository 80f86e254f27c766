package building

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// recipe is a rattler-build recipe. It is encoded as JSON, which is valid YAML. It equals the recipe that pixi-build-python would generate
// (prefix-dev/pixi, crates/pixi_build_python/src/main.rs and crates/pixi_build_backend/src/generated_recipe.rs, 0.77), except that host
// dependencies are installed from PyPI into an environment that the script uses.
type recipe struct {
	Package      map[string]string `json:"package"`
	Build        recipeBuild       `json:"build"`
	Requirements map[string]any    `json:"requirements"`
	About        map[string]any    `json:"about,omitempty"`
}

type recipeBuild struct {
	Number int64          `json:"number"`
	String string         `json:"string,omitempty"`
	Noarch string         `json:"noarch"`
	Python map[string]any `json:"python"`
	Script map[string]any `json:"script"`
}

// newRecipe returns the recipe of a package, which must have passed checkBuildable.
func newRecipe(p *workspace.Package, script map[string]any, licenses []license) *recipe {
	run, constraints := writeRequirements(p, manifest.RoleRun), writeRequirements(p, manifest.RoleConstraint)
	r := &recipe{
		Package:      map[string]string{"name": p.Name, "version": p.Version.Text},
		Build:        recipeBuild{Number: p.Build.Number, Noarch: "python", Python: map[string]any{}, Script: script},
		Requirements: map[string]any{"run": append(run, findPythonRequirement(p))},
		About:        describe(p),
	}
	for _, l := range licenses {
		files, _ := r.About["license_file"].([]string)
		r.About["license_file"] = append(files, l.to)
	}
	if len(constraints) > 0 {
		r.Requirements["run_constraints"] = constraints
	}
	if p.Build.Prefix != "" {
		r.Build.String = p.Build.Prefix + "_pyh${{ hash }}_" + fmt.Sprint(p.Build.Number)
	}
	if p.Project != nil && len(p.Project.Scripts) > 0 {
		var points []string
		for _, s := range p.Project.Scripts {
			points = append(points, s.Key+" = "+s.Value)
		}
		r.Build.Python["entry_points"] = points
	}
	switch {
	case p.Build.Python.SkipPyc:
		r.Build.Python["skip_pyc_compilation"] = []string{"**/*.py"}
	case len(p.Build.Python.SkipPycGlobs) > 0:
		r.Build.Python["skip_pyc_compilation"] = p.Build.Python.SkipPycGlobs
	}
	return r
}

// checkBuildable returns an error if only pixi can build the package, and names the reason.
func checkBuildable(p *workspace.Package) error {
	if err := toolchain.CheckVersions(p); err != nil {
		return err
	}
	if why := WhyPixi(p); why != "" {
		return operr.New("build the package with pixi: PIPELINE_TOOLCHAIN=pixi", "%s: the embedded toolchain cannot build %s: %s", cmp.Or(p.Build.Pos, p.Pos), p.Name, why)
	}
	return nil
}

// WhyPixi returns the reason why only pixi can build the package correctly, or "".
func WhyPixi(p *workspace.Package) string {
	c := p.Build.Python
	switch {
	case p.Build.Backend != toolchain.PythonBackend:
		return fmt.Sprintf("its build backend is %s, but this toolchain supports only %s", p.Build.Backend, toolchain.PythonBackend)
	case c.Noarch != nil && !*c.Noarch:
		return "it is built for one platform (noarch = false)"
	case len(c.Compilers) > 0 || c.ABI3:
		return "it needs compilers"
	case !c.IgnoreMapping:
		return "its dependencies are mapped from PyPI by a service (ignore-pypi-mapping = false)"
	case len(p.Build.Targets) > 0:
		return "its build is configured for each platform (package.build.target)"
	case len(c.UnknownKeys) > 0:
		return fmt.Sprintf("%s does not know the configuration %s", toolchain.PythonBackend, strings.Join(c.UnknownKeys, ", "))
	case p.SourceDir == "":
		return "its sources are fetched (package.build.source)"
	case p.Project == nil:
		return "it has no pyproject.toml"
	}
	for _, d := range p.Deps {
		switch {
		case d.Spec.PinCompatible:
			return fmt.Sprintf("%s is pinned to the version in the host environment (pin-compatible, %s)", d.Name, d.Pos)
		case d.Role == manifest.RoleExtra && d.Kind == manifest.Conda:
			return fmt.Sprintf("it has extra dependencies (%s)", d.Pos)
		case d.Role == manifest.RoleRunExport:
			return fmt.Sprintf("it has run exports (%s)", d.Pos)
		}
	}
	for _, r := range p.Project.BuildRequires {
		if compiled := findCompiled(r); compiled != "" && c.Noarch == nil {
			return "it needs a compiler (" + compiled + ")"
		}
	}
	return ""
}

// findCompiled returns the requirement's name if it makes pixi-build-python add a compiler (pypi_mapping.rs,
// detect_compilers_from_build_requirements).
func findCompiled(requirement string) string {
	name := strings.ToLower(strings.ReplaceAll(readName(requirement), "_", "-"))
	if name == "maturin" || name == "setuptools-rust" {
		return name
	}
	return ""
}

func readName(requirement string) string {
	end := strings.IndexAny(requirement, " [<>=!~;(@")
	if end < 0 {
		return requirement
	}
	return requirement[:end]
}

// writeRequirements returns the package's dependencies with the given role, in the order in which pixi passes them to the backend.
func writeRequirements(p *workspace.Package, role manifest.Role) []any {
	var out []any
	for _, d := range p.Dependencies(role) {
		spec := writeSpec(d)
		if d.Condition == "" {
			out = append(out, spec)
			continue
		}
		out = append(out, map[string]any{"if": d.Condition, "then": []string{spec}})
	}
	return out
}

// writeSpec formats a dependency as a conda match spec: "numpy >=1.26,<3". For a source dependency it includes only the name and version.
func writeSpec(d manifest.Dependency) string {
	var fields []string
	field := func(name, value string) {
		if value != "" {
			fields = append(fields, name+"='"+value+"'")
		}
	}
	field("build", d.Spec.Build)
	field("build_number", d.Spec.Number)
	field("channel", d.Spec.Channel)
	field("subdir", d.Spec.Subdir)
	name := strings.ToLower(d.Name)
	text := makeExplicit(d.Spec.Text)
	if len(fields) > 0 {
		field("version", text)
		return name + "[" + strings.Join(fields, ",") + "]"
	}
	if text == "" || text == "*" {
		return name
	}
	return name + " " + text
}

// bareVersion matches a version without an operator within a spec.
var bareVersion = regexp.MustCompile(`(^|[|,(])([0-9][^|,()*]*)($|[|,)])`)

// These forms are valid in PEP 440 and in some conda parsers, but rattler-build rejects them.
var (
	exactPrefix   = regexp.MustCompile(`(^|[|,(])==([^|,()*=]+\.\*)`)            // ==3.12.*
	boundedPrefix = regexp.MustCompile(`(^|[|,(])(>=|<=|>|<|~=)([^|,()*]+)\.\*`) // >=3.11.*
)

// makeExplicit rewrites a version spec, without whitespace, for rattler-build. A bare version becomes an exact one, which is how pixi interprets
// it (with a warning). A prefix match is written with only the star and no operator.
func makeExplicit(spec string) string {
	spec = strings.ReplaceAll(strings.Join(strings.Fields(spec), ""), "===", "==")
	spec = exactPrefix.ReplaceAllString(spec, "$1$2")
	spec = boundedPrefix.ReplaceAllString(spec, "$1$2$3")
	for { // adjacent matches share a separator, so every second one is found only in the next iteration
		next := bareVersion.ReplaceAllString(spec, "$1==$2$3")
		if next == spec {
			return spec
		}
		spec = next
	}
}

// findPythonRequirement returns the requirement that pixi-build-python adds to host and run.
func findPythonRequirement(p *workspace.Package) string {
	if p.Build.Python.IgnorePyproject || p.Project.RequiresPython == "" {
		return "python"
	}
	return "python " + makeExplicit(p.Project.RequiresPython)
}

// describe returns the about section. Each field comes from the [package] table, or otherwise from pyproject.toml.
func describe(p *workspace.Package) map[string]any {
	project := *p.Project
	if p.Build.Python.IgnorePyproject {
		project = manifest.Project{}
	}
	url := func(names ...string) string {
		for _, name := range names {
			for _, u := range project.URLs {
				if u.Key == name {
					return u.Value
				}
			}
		}
		return ""
	}
	out := map[string]any{}
	set := func(key string, values ...string) {
		for _, v := range values {
			if v != "" {
				out[key] = v
				return
			}
		}
	}
	set("homepage", p.Metadata.Homepage, url("Homepage"))
	set("repository", p.Metadata.Repository, url("Repository", "Source", "Source Code"))
	set("documentation", p.Metadata.Documentation, url("Documentation", "Docs"))
	set("license", p.Metadata.License, project.License)
	set("description", p.Metadata.Description, project.Description)
	set("summary", project.Description)
	return out
}
