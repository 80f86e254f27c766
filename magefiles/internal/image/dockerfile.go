package image

import (
	"cmp"
	"regexp"
	"strings"
)

var (
	argLine  = regexp.MustCompile(`(?i)^\s*ARG\s+([A-Za-z_]\w*)=("?)([^"\s]*)("?)\s*$`)
	fromLine = regexp.MustCompile(`(?i)^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$`)
	variable = regexp.MustCompile(`\$(?:\{(\w+)\}|(\w+))`)
)

// baseName is the image that the last stage of a Dockerfile is built on, with build arguments in place of the defaults
// that the ARG lines give; "" where the last stage stands on another stage, or the name cannot be told.
func baseName(dockerfile []byte, args map[string]string) string {
	defaults, base, stages := map[string]string{}, "", map[string]string{}
	for line := range strings.Lines(string(dockerfile)) {
		line = strings.TrimRight(line, "\r\n")
		if m := argLine.FindStringSubmatch(line); m != nil && base == "" {
			defaults[m[1]] = m[3]
		}
		m := fromLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		base = variable.ReplaceAllStringFunc(m[1], func(v string) string {
			name := strings.Trim(v, "${}")
			return cmp.Or(args[name], defaults[name])
		})
		if below, ok := stages[strings.ToLower(base)]; ok {
			base = below
		}
		if m[2] != "" {
			stages[strings.ToLower(m[2])] = base
		}
	}
	if base == "scratch" {
		return ""
	}
	return base
}
