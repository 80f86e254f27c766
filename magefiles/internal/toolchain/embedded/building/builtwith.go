package building

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/uv"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// BuiltWith names what a package is built with. That decides about the bytes of an artifact, together with the sources: two
// builds by the same tools give the same bytes, but for what is said not to be pinned.
func (b *Builder) BuiltWith(ctx context.Context, p *workspace.Package) (string, error) {
	python, err := b.FindPython(ctx, p)
	if err != nil {
		return "", err
	}
	said := []string{"embedded on " + workspace.HostPlatform()}
	said = append(said, uv.DescribeTools()...)
	said = append(said, "Python "+python.Version)
	if p.Project == nil {
		return strings.Join(said, ", "), nil
	}
	requires := uv.Requirements(p)
	if unmet := uv.FindUnpinned(requires); unmet != nil {
		return strings.Join(append(said, toolchain.NotPinned+": "+strings.Join(unmet, ", ")), ", "), nil
	}
	return strings.Join(append(said, uv.DescribeBackends(requires)...), ", "), nil
}
