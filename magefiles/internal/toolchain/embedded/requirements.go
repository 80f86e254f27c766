package embedded

import (
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// pypiNames are conda packages that PyPI has under another name. Everything else is looked for under its own: where PyPI
// has no such package, uv says so.
var pypiNames = map[string]string{
	"matplotlib-base":     "matplotlib",
	"msgpack-python":      "msgpack",
	"pytorch":             "torch",
	"python-build":        "build",
	"playwright-python":   "playwright",
	"py-opencv":           "opencv-python",
	"pytables":            "tables",
	"python-graphviz":     "graphviz",
	"importlib_resources": "importlib-resources",
}

// pypiRequirement turns a conda requirement into one that uv understands, or says why there is none.
func pypiRequirement(d workspace.Dependency) (string, error) {
	name := strings.ToLower(d.Name)
	if other, ok := pypiNames[name]; ok {
		name = other
	}
	if d.Spec.Build != "" || d.Spec.Number != "" {
		return "", onlyPixi(d, "it names a conda build")
	}
	if d.Spec.Git != "" || d.Spec.URL != "" {
		return "", onlyPixi(d, "its sources are elsewhere")
	}
	spec, err := pypiSpecifier(d.Spec.Text)
	if err != nil {
		return "", onlyPixi(d, err.Error())
	}
	extras := ""
	if len(d.Spec.Extras) > 0 {
		extras = "[" + strings.Join(d.Spec.Extras, ",") + "]"
	}
	return name + extras + spec, nil
}

func onlyPixi(d workspace.Dependency, why string) error {
	return operr.New("run it with pixi: PIPELINE_TOOLCHAIN=pixi",
		"%s: the embedded toolchain cannot install %s %s from PyPI: %s", d.Pos, d.Name, d.Spec.Text, why)
}

// pypiSpecifier writes a conda version spec in the words of PEP 440. They mostly agree; a single "=" and a bare
// "1.2.*" are fuzzy for conda, and "|" has no counterpart.
func pypiSpecifier(spec string) (string, error) {
	var out []string
	for _, part := range strings.Split(strings.ReplaceAll(spec, " ", ""), ",") {
		version := strings.TrimLeft(part, "=<>!~")
		operator := part[:len(part)-len(version)]
		switch {
		case part == "" || part == "*":
		case strings.ContainsAny(part, "|()"):
			return "", fmt.Errorf("PEP 440 has no way to say %q", part)
		case version == "":
			return "", fmt.Errorf("%q has no version", part)
		case operator == "=":
			out = append(out, "=="+strings.TrimSuffix(version, ".*")+".*")
		case operator == "":
			out = append(out, "=="+version)
		case operator == ">=" || operator == ">" || operator == "<" || operator == "<=" || operator == "~=":
			out = append(out, operator+strings.TrimSuffix(version, ".*"))
		case operator == "==" || operator == "!=":
			out = append(out, part)
		default:
			return "", fmt.Errorf("%q is no operator", operator)
		}
	}
	return strings.Join(out, ","), nil
}
