package embedded

import (
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// pinnedLine is the first line of a requirement in backends.txt.
var pinnedLine = regexp.MustCompile(`(?m)^([a-z0-9-]+)==(\S+)`)

// plainRequirement is a PEP 508 requirement on versions: name, extras, specifier and marker. One that names an address is not
// of this form.
var plainRequirement = regexp.MustCompile(`^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^();@]*)\)?\s*(?:;.*)?$`)

// unpinned are those of the requirements of a build environment that the pinned backends do not meet. What they are is decided by
// what is asked for alone: an installation that fails is not a reason to take anything else.
func unpinned(requires []string) (unmet []string) {
	pinned := map[string]string{}
	for _, m := range pinnedLine.FindAllStringSubmatch(backendConstraints, -1) {
		pinned[m[1]] = m[2]
	}
	for _, r := range requires {
		m := plainRequirement.FindStringSubmatch(r)
		if m == nil || !meetsPin(pinned[workspace.PyPIName(m[1])], m[2]) {
			unmet = append(unmet, r)
		}
	}
	return unmet
}

// meetsPin says whether a pinned version is one that a specifier admits; "" is no pin.
func meetsPin(pin, specifier string) bool {
	if pin == "" {
		return false
	}
	if strings.TrimSpace(specifier) == "" {
		return true
	}
	spec, err := version.PEP440Range(specifier)
	if err != nil {
		return false
	}
	v, err := version.Parse(pin)
	return err == nil && spec.Has(v)
}
