package condanames

import (
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// WriteRequirement converts a conda requirement to a PEP 508 requirement on a PyPI project, or returns why that is impossible.
func WriteRequirement(d manifest.Dependency, project string) (string, error) {
	if d.Spec.Build != "" || d.Spec.Number != "" {
		return "", errors.New("the requirement names a conda build")
	}
	if d.Spec.Git != "" || d.Spec.URL != "" {
		return "", errors.New("the requirement names sources outside of PyPI")
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

// writeSpecifier converts a conda version spec to PEP 440. They mostly agree, but in conda a single "=" and a bare "1.2.*" are fuzzy, and "|" has
// no equivalent in PEP 440.
func writeSpecifier(spec string) (string, error) {
	var out []string
	for _, part := range strings.Split(strings.ReplaceAll(spec, " ", ""), ",") {
		version := strings.TrimLeft(part, "=<>!~")
		operator := part[:len(part)-len(version)]
		switch {
		case part == "" || part == "*":
		case strings.ContainsAny(part, "|()"):
			return "", fmt.Errorf("PEP 440 has no equivalent of %q", part)
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
			return "", fmt.Errorf("%q is not an operator", operator)
		}
	}
	return strings.Join(out, ","), nil
}
