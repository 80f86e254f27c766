package rules_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module   = "github.com/foopack/foopack/"
	internal = module + "magefiles/internal/"
)

// layers are the packages of magefiles/internal from the bottom up: a package may import those of lower layers, its own
// sub-packages, and its parent, and no sibling. So every package can be read, and tested, knowing only what is below it.
var layers = [][]string{
	{"operr", "dag", "atomicfile", "beneath", "tomledit", "version", "command", "condapkg", "condapypi", "faults", "attestation", "pause", "pixisays", "dockerfile", "gomodule", "lazyregexp", "columns"},
	{"workspace", "channel", "journal", "httpclient", "httpserver", "imagepin", "provenance", "workflow", "steps", "changelog", "engine", "hoststate", "actions/expression", "actions/annotation", "pixilock", "lifetime", "actions/pins"},
	{"bump", "gitrepo", "toolchain", "actions/file", "channel/store", "channel/server", "channel/prefixdev", "oidc", "github", "image", "available", "host", "localengine"},
	{"sources", "publish", "localprefix", "localregistry", "session", "imagejob", "lint", "doctor", "folders", "proxy", "localproxy", "localbuilder", "actions/starts", "touched", "actions/runner", "usage", "schema"},
	{"release", "view", "ourchannel", "publishing", "bumping", "deploy", "begun"},
	{"rehearsal", "releasing", "releasepr", "variables", "delivery", "cirun", "ciwrite"},
	{"localfleet", "adopt"},
}

// support are packages that only tests may import; they stand outside the layers.
var support = []string{"command/commandtest", "command/argvtest", "attestation/attestationtest", "channel/channeltest", "gitrepo/gitrepotest", "session/sessiontest", "condapkg/condapkgtest", "toolchain/pixi/pixitest", "pythontest", "killtest", "ptytest", "pypitest", "minichannel", "rattlertest", "monorepotest", "imagebench", "image/imagetest", "hostiletest", "deploy/deploytest", "engine/enginetest", "engine/dockerdtest", "host/hosttest", "hoststate/hoststatetest", "proxy/proxytest", "lint/linttest", "rules"}

// reserved packages may be imported only where the reason says.
var reserved = []struct {
	imported string
	by       []string
	reason   string
}{
	{"os/exec", []string{"magefiles/internal/command", "magefiles/internal/localengine", "magefiles/internal/localproxy"}, "every child must die with us, and no secret may reach a log; what a container of the stand-ins runs has no secret but a rehearsal's, and ends by itself"},
	{"github.com/magefile/mage/mg", []string{"magefiles/targets", "magefiles/targets/deploy"}, "targets are the only face; what they call must be testable without Mage"},
	{"github.com/magefile/mage/sh", []string{"magefiles/targets"}, "it expands $X in arguments and ignores the context: for one-line development targets only"},
}

type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Dir          string
	GoFiles      []string
}

// load asks the go command, which knows about build tags and test files.
func load(t *testing.T) []goPackage {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Dir,GoFiles", "./...")
	cmd.Dir = "../../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		packages = append(packages, p)
	}
	require.NotEmpty(t, packages)
	return packages
}

// layer returns the layer of a package and the entry of layers that it belongs to, which may be a parent of it.
func layer(name string) (level int, member string) {
	level = -1
	for i, names := range layers {
		for _, n := range names {
			if (name == n || strings.HasPrefix(name, n+"/")) && len(n) > len(member) {
				level, member = i, n
			}
		}
	}
	return level, member
}

func isSupport(name string) bool {
	return slices.ContainsFunc(support, func(s string) bool { return name == s || strings.HasPrefix(name, s+"/") })
}

func TestEveryPackageHasALayer(t *testing.T) {
	var seen []string
	for _, p := range load(t) {
		name, ok := strings.CutPrefix(p.ImportPath, internal)
		if !ok {
			continue
		}
		_, member := layer(name)
		require.True(t, member != "" || isSupport(name), "%s stands in no layer: put it into layers, where its doc says what it is for", name)
		seen = append(seen, name)
	}
	for _, names := range append(layers, support) {
		for _, n := range names {
			require.Contains(t, seen, n, "%s stands in the rules and is no package", n)
		}
	}
}

// ARCHITECTURE, "The layers", has a row for each layer, with its packages. Names that begin with a slash are sub-packages of the one before.
func TestArchitectureHasTheLayers(t *testing.T) {
	_, section, found := strings.Cut(read(t, "../../../ARCHITECTURE.md"), "\n## The layers\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	for i, names := range layers {
		_, row, found := strings.Cut(section, fmt.Sprintf("\n| %d | ", i))
		require.True(t, found, "ARCHITECTURE, \"The layers\", has no row for layer %d", i)
		row, _, _ = strings.Cut(row, " | ")
		var written []string
		for _, m := range quoted.FindAllStringSubmatch(row, -1) {
			if !strings.HasPrefix(m[1], "/") {
				written = append(written, m[1])
			}
		}
		require.ElementsMatch(t, names, written, "ARCHITECTURE, \"The layers\", layer %d", i)
	}
}

func TestImportsPointDownward(t *testing.T) {
	for _, p := range load(t) {
		name, ok := strings.CutPrefix(p.ImportPath, internal)
		if !ok || isSupport(name) {
			continue
		}
		level, member := layer(name)
		for _, i := range p.Imports {
			other, ok := strings.CutPrefix(i, internal)
			if !ok {
				require.False(t, strings.HasPrefix(i, module), "%s imports %s: nothing in internal may know the targets", name, i)
				continue
			}
			require.False(t, isSupport(other), "%s imports %s, which is for tests", name, other)
			otherLevel, otherMember := layer(other)
			family := member == otherMember || strings.HasPrefix(member, otherMember+"/") || strings.HasPrefix(otherMember, member+"/")
			require.True(t, family || otherLevel < level,
				"%s (layer %d) imports %s (layer %d): imports point downward; let it be a small interface that targets/wire.go fills", name, level, other, otherLevel)
		}
	}
}

func TestReservedImports(t *testing.T) {
	packages := load(t)
	for _, r := range reserved {
		var by []string
		for _, p := range packages {
			name := strings.TrimPrefix(p.ImportPath, module)
			if slices.Contains(p.Imports, r.imported) && !isSupport(strings.TrimPrefix(name, "magefiles/internal/")) {
				by = append(by, name)
			}
		}
		for _, b := range by {
			require.Contains(t, r.by, b, "%s imports %s: %s", b, r.imported, r.reason)
		}
		for _, allowed := range r.by {
			require.Contains(t, by, allowed, "%s no longer imports %s: take it out of the rule", allowed, path.Base(r.imported))
		}
	}
}
