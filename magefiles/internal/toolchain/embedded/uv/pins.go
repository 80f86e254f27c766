package uv

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// toolLine is the first line of a requirement in tools.txt.
var toolLine = regexp.MustCompile(`(?m)^(?:py-)?([a-z0-9-]+)==([^\s\\]+)`)

// pinnedLine is the first line of a requirement in backends.txt.
var pinnedLine = regexp.MustCompile(`(?m)^([a-z0-9-]+)==(\S+)`)

// plainRequirement is a PEP 508 requirement on versions: name, extras, specifier and marker. One that names an address is not
// of this form.
var plainRequirement = regexp.MustCompile(`^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^();@]*)\)?\s*(?:;.*)?$`)

// requirement is how a PEP 508 requirement begins, on versions or on an address.
var requirement = regexp.MustCompile(`^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:[(<>=!~;@]|$)`)

// checkRequirements refuses what a [build-system] table may not require. uv would take an option for its own, and install elsewhere or from
// elsewhere by it, and a path for a project of the work tree.
func checkRequirements(p *workspace.Package, requires []string) error {
	for _, r := range requires {
		m := requirement.FindStringSubmatch(r)
		if m == nil || strings.ContainsFunc(r, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }) || slices.Contains(fileEndings, path.Ext(m[1])) {
			return operr.New(`name a project: requires = ["hatchling>=1.20"]`, "the build environment of %s cannot be made: [build-system] requires %q in the pyproject.toml of %s, and that is not a requirement (PEP 508)", p.Name, r, p.SourceDir)
		}
	}
	return nil
}

// fileEndings are those of the files that uv installs from.
var fileEndings = []string{".whl", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".txt", ".toml"}

// FindUnpinned returns those of the requirements of a build environment that the pinned backends do not meet. What they are is decided by
// what is asked for alone: an installation that fails is not a reason to take anything else.
func FindUnpinned(requires []string) (unmet []string) {
	pinned := map[string]string{}
	for _, m := range pinnedLine.FindAllStringSubmatch(backendPins, -1) {
		pinned[m[1]] = m[2]
	}
	for _, r := range requires {
		m := plainRequirement.FindStringSubmatch(r)
		if m == nil || !meetsPin(pinned[manifest.PyPIName(m[1])], m[2]) {
			unmet = append(unmet, r)
		}
	}
	return unmet
}

// meetsPin reports whether a pinned version is one that a specifier admits; "" is no pin.
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

// DescribeTools names the pinned tools that decide about the bytes of an artifact, with their versions.
func DescribeTools() (tools []string) {
	for _, m := range toolLine.FindAllStringSubmatch(ToolPins, -1) {
		if m[1] == "rattler-build" || m[1] == "uv" {
			tools = append(tools, m[1]+" "+m[2])
		}
	}
	return tools
}

// DescribeBackends names the pinned backends that a build environment's requirements ask for, with their versions, and all pins by a digest,
// since backends require others.
func DescribeBackends(requires []string) (backends []string) {
	for _, m := range pinnedLine.FindAllStringSubmatch(backendPins, -1) {
		if slices.ContainsFunc(requires, func(r string) bool {
			n := plainRequirement.FindStringSubmatch(r)
			return n != nil && manifest.PyPIName(n[1]) == m[1]
		}) {
			backends = append(backends, m[1]+" "+m[2])
		}
	}
	all := sha256.Sum256([]byte(backendPins + ToolPins))
	return append(backends, "pins "+hex.EncodeToString(all[:4]))
}
