package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapypi"
)

var (
	condaName = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
	project   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
)

// table makes the table's text from JSON: an object that maps each conda name to a list of projects, or to null.
func table(data []byte) (string, error) {
	var mapping map[string][]string
	if err := json.Unmarshal(data, &mapping); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(mapping)) {
		if !condaName.MatchString(name) {
			return "", fmt.Errorf("%q is not a conda name", name)
		}
		choice := choose(name, mapping[name])
		if choice != condapypi.CondaOnly && !project.MatchString(choice) {
			return "", fmt.Errorf("%s: %q is not a project", name, choice)
		}
		b.WriteString(condapypi.Encode(name, choice) + "\n")
	}
	return b.String(), nil
}

// choose returns the project with the package's name, if any, and otherwise the first one. It ignores "unknown", which is a placeholder for a
// missing name in the metadata.
func choose(name string, projects []string) string {
	normal := make([]string, 0, len(projects))
	for _, p := range projects {
		if p = condapypi.Normalize(p); p != "unknown" {
			normal = append(normal, p)
		}
	}
	switch {
	case len(normal) == 0:
		return condapypi.CondaOnly
	case slices.Contains(normal, condapypi.Normalize(name)):
		return condapypi.Normalize(name)
	}
	return normal[0]
}
