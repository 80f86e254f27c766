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

// toolLine matches the first line of a requirement in tools.txt.
var toolLine = regexp.MustCompile(`(?m)^(?:py-)?([a-z0-9-]+)==([^\s\\]+)`)

// pinnedLine matches the first line of a requirement in backends.txt.
var pinnedLine = regexp.MustCompile(`(?m)^([a-z0-9-]+)==(\S+)`)

// plainRequirement matches a PEP 508 requirement with a version: name, extras, specifier and marker. It does not match one with a URL.
var plainRequirement = regexp.MustCompile(`^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?([^();@]*)\)?\s*(?:;.*)?$`)

// requirement matches the start of a PEP 508 requirement with a version or a URL.
var requirement = regexp.MustCompile(`^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:[(<>=!~;@]|$)`)

// checkRequirements rejects unsafe entries in the requires list of a [build-system] table. uv would accept an option in this list, which could change
// the target or the source of the installation. uv would read a path as a project in the work tree.
func checkRequirements(p *workspace.Package, requires []string) error {
	for _, r := range requires {
		m := requirement.FindStringSubmatch(r)
		if m == nil || strings.ContainsFunc(r, func(c rune) bool { return unicode.IsControl(c) && c != '\t' }) || slices.Contains(fileEndings, path.Ext(m[1])) {
			return operr.New(`name a project, for example requires = ["hatchling>=1.20"]`, "cannot make the build environment of %s, because %q in the list `requires` is not a valid requirement (PEP 508): see [build-system] in the pyproject.toml of %s", p.Name, r, p.SourceDir)
		}
	}
	return nil
}

// fileEndings lists the suffixes of files that uv can install.
var fileEndings = []string{".whl", ".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".txt", ".toml"}

// FindUnpinned returns the build requirements that the pinned backends do not satisfy. This depends only on the requirements: other backends are
// never used just because an installation failed.
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

// meetsPin reports whether a specifier admits a pinned version. `pin` is "" if no version is pinned.
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

// DescribeTools returns the pinned tools that affect an artifact's contents, with their versions.
func DescribeTools() (tools []string) {
	for _, m := range toolLine.FindAllStringSubmatch(ToolPins, -1) {
		if m[1] == "rattler-build" || m[1] == "uv" {
			tools = append(tools, m[1]+" "+m[2])
		}
	}
	return tools
}

// DescribeBackends returns the pinned backends that a build requires, with their versions, and a digest of all pins, because backends have
// requirements of their own.
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
