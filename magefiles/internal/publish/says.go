package publish

import (
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// check compares what an installed package says of itself with its version: its metadata, and the __version__ of its modules.
func (p probe) check() error {
	if p.Version != "" && !version.Equivalent(p.Version, p.want) {
		return operr.New("let the versions of pyproject.toml and pixi.toml agree", "the installed %s says that it is %s, and its package is %s", p.Name, p.Version, p.want)
	}
	for _, module := range slices.Sorted(maps.Keys(p.Says)) {
		if says := p.Says[module]; p.wrong(module, says) {
			return operr.New("let the module take it from where the package has it, such as by importlib.metadata, or drop it",
				"the installed module %s of %s says by __version__ that it is %q, and should say %s", module, p.Name, says, p.want)
		}
	}
	return nil
}

// wrong reports whether a module's __version__ is a wrong one. Of the module that is named like the package every other version
// is, and what tools write where they know none. The only module of another name may have the version of something else, of a
// library that it wraps for instance: there it is one that a tool has made between tags, or a placeholder. Modules beside others
// that are not named like the package are what was vendored, and texts that are not versions ("2.9.9 (dt dec)") say nothing.
func (p probe) wrong(module, says string) bool {
	if version.Equivalent(says, p.want) {
		return false
	}
	placeholder := unknown(says)
	switch {
	case named(module, p.Name) || p.Distribution != "" && named(module, p.Distribution):
		return placeholder || version.Known(says)
	case len(p.Modules) == 1:
		return placeholder || version.Known(says) && madeBetweenTags(says)
	}
	return false
}

// madeBetweenTags reports whether a version has what tools append: the distance from the tag, and what is not committed.
func madeBetweenTags(text string) bool {
	return strings.Contains(text, ".dev") || strings.Contains(text, "+")
}

// unknown reports whether a text is one that tools and people write where they do not know a version.
func unknown(text string) bool {
	text = strings.ToLower(strings.Trim(strings.TrimSpace(text), "<>()[]{}_"))
	return text != "0.0.0" && slices.Contains(placeholders, text) || strings.HasPrefix(text, "0+u") ||
		slices.Contains([]string{"", "none", "unreleased", "uninstalled", "not installed", "undefined", "version", "0.0.0+unknown", "0.0.0-dev"}, text)
}

// named reports whether a module or a distribution is named like a package: acme_core and acme.core for acme-core.
func named(module, name string) bool { return manifest.PyPIName(module) == manifest.PyPIName(name) }

// pypiName is what a package's project is called; "" where that is not known.
func (p *Publisher) pypiName(name string) string {
	if p.Workspace == nil {
		return ""
	}
	if pkg, err := p.Workspace.Package(name); err == nil {
		return pkg.PyPIName
	}
	return ""
}
