package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// toolLine is the first line of a requirement in tools.txt.
var toolLine = regexp.MustCompile(`(?m)^(?:py-)?([a-z0-9-]+)==([^\s\\]+)`)

// BuiltWith implements toolchain.Toolchain. What it names decides about the bytes of an artifact, together with the sources: two
// builds by the same tools give the same bytes, but for what is said not to be pinned.
func (e *Toolchain) BuiltWith(ctx context.Context, p *workspace.Package) (string, error) {
	python, err := e.buildInterpreter(ctx, p)
	if err != nil {
		return "", err
	}
	said := []string{"embedded on " + workspace.HostPlatform()}
	for _, m := range toolLine.FindAllStringSubmatch(toolRequirements, -1) {
		if m[1] == "rattler-build" || m[1] == "uv" {
			said = append(said, m[1]+" "+m[2])
		}
	}
	said = append(said, "Python "+python.Version)
	if p.Project == nil {
		return strings.Join(said, ", "), nil
	}
	requires := buildRequires(p)
	if unmet := unpinned(requires); unmet != nil {
		return strings.Join(append(said, toolchain.NotPinned+": "+strings.Join(unmet, ", ")), ", "), nil
	}
	for _, m := range pinnedLine.FindAllStringSubmatch(backendConstraints, -1) {
		if slices.ContainsFunc(requires, func(r string) bool {
			n := plainRequirement.FindStringSubmatch(r)
			return n != nil && workspace.PyPIName(n[1]) == m[1]
		}) {
			said = append(said, m[1]+" "+m[2])
		}
	}
	all := sha256.Sum256([]byte(backendConstraints + toolRequirements))
	return strings.Join(append(said, "pins "+hex.EncodeToString(all[:4])), ", "), nil
}

// Reproducible implements toolchain.Toolchain.
func (e *Toolchain) Reproducible() bool { return true }
