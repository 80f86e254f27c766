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

// layers lists the packages of magefiles/internal from the bottom up. A package may import packages of lower layers, its sub-packages and its
// parent, but no other package of its own layer, so that a reader or a test of a package needs only the layers below it.
var layers = [][]string{
	{"operr", "dag", "atomicfile", "beneath", "tomledit", "version", "command", "condapkg", "condapypi", "faults", "attestation", "pause", "pixisays", "dockerfile", "gomodule", "lazyregexp", "columns"},
	{"workspace", "channel", "journal", "httpclient", "httpserver", "imagepin", "provenance", "workflow", "steps", "changelog", "engine", "hoststate", "actions/expression", "actions/annotation", "pixilock", "lifetime", "actions/pins"},
	{"bump", "gitrepo", "toolchain", "actions/file", "channel/store", "channel/server", "channel/prefixdev", "oidc", "github", "image", "available", "host", "localengine"},
	{"sources", "publish", "localprefix", "localregistry", "session", "imagejob", "lint", "doctor", "folders", "proxy", "localproxy", "localbuilder", "actions/starts", "touched", "actions/runner", "usage", "schema", "nextstep"},
	{"release", "view", "ourchannel", "publishing", "bumping", "deploy", "begun"},
	{"rehearsal", "releasing", "releasepr", "variables", "delivery", "cirun", "ciwrite"},
	{"localfleet", "adopt"},
}

// support lists packages that only tests may import. They are in no layer.
var support = []string{"command/commandtest", "command/argvtest", "attestation/attestationtest", "channel/channeltest", "gitrepo/gitrepotest", "session/sessiontest", "condapkg/condapkgtest", "toolchain/pixi/pixitest", "pythontest", "killtest", "ptytest", "pypitest", "minichannel", "rattlertest", "monorepotest", "imagebench", "image/imagetest", "hostiletest", "deploy/deploytest", "engine/enginetest", "engine/dockerdtest", "host/hosttest", "hoststate/hoststatetest", "proxy/proxytest", "lint/linttest", "rules", "samecode", "picture"}

// reserved lists packages that only the packages in `by` may import.
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

// load lists all packages with the go command, which handles build tags and test files.
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

// layer returns the layer of a package, and its entry in layers: the package itself or a parent.
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
		require.True(t, member != "" || isSupport(name), "%s is in no layer: add the package to layers, and say in its package comment what the package is for", name)
		seen = append(seen, name)
	}
	for _, names := range append(layers, support) {
		for _, n := range names {
			require.Contains(t, seen, n, "%s is listed in the rules, but is not a package", n)
		}
	}
}

// ARCHITECTURE, "The layers", has a row for each layer, which lists the layer's packages. A name with a leading slash is a sub-package of the name
// before it.
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
				require.False(t, strings.HasPrefix(i, module), "%s imports %s: packages in internal must not import the targets", name, i)
				continue
			}
			require.False(t, isSupport(other), "%s imports %s, which is only for tests", name, other)
			otherLevel, otherMember := layer(other)
			family := member == otherMember || strings.HasPrefix(member, otherMember+"/") || strings.HasPrefix(otherMember, member+"/")
			require.True(t, family || otherLevel < level,
				"%s (layer %d) imports %s (layer %d): imports must point downward; use a small interface instead, and let targets/wire.go pass the implementation", name, level, other, otherLevel)
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
			require.Contains(t, by, allowed, "%s no longer imports %s: remove this import from the rule", allowed, path.Base(r.imported))
		}
	}
}
