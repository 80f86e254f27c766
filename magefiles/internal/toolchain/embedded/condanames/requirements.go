package condanames

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// WriteRequirement turns a conda requirement on what is a project of PyPI into one that uv understands, or says why there is
// none.
func WriteRequirement(d manifest.Dependency, project string) (string, error) {
	if d.Spec.Build != "" || d.Spec.Number != "" {
		return "", errors.New("it names a conda build")
	}
	if d.Spec.Git != "" || d.Spec.URL != "" {
		return "", errors.New("its sources are elsewhere")
	}
	spec, err := writeSpecifier(d.Spec.Text)
	if err != nil {
		return "", err
	}
	extras := ""
	if len(d.Spec.Extras) > 0 {
		extras = "[" + strings.Join(d.Spec.Extras, ",") + "]"
	}
	return project + extras + spec, nil
}

// writeSpecifier writes a conda version spec in the words of PEP 440. They mostly agree; a single "=" and a bare
// "1.2.*" are fuzzy for conda, and "|" has no counterpart.
func writeSpecifier(spec string) (string, error) {
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
