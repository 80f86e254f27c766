package building

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/uv"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// BuiltWith describes the tools with which a package is built. Two builds with the same sources and tools are byte-for-byte identical, except if
// a tool is not pinned. BuiltWith marks these tools.
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
