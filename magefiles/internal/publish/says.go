package publish

import (
	"maps"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// check compares an installed package's version with its metadata, and with the __version__ of its modules.
func (p probe) check() error {
	if p.Version != "" && !version.Equivalent(p.Version, p.want) {
		return operr.New("write the same version into pyproject.toml and pixi.toml", "package %s is version %[3]s, but the Python distribution inside reports %[2]s", p.Name, p.Version, p.want)
	}
	for _, module := range slices.Sorted(maps.Keys(p.Says)) {
		if says := p.Says[module]; p.wrong(module, says) {
			return operr.New("let the module read the version by importlib.metadata, or remove __version__ from the module",
				"the installed module %s of package %s has __version__ %q, but the package is version %s", module, p.Name, says, p.want)
		}
	}
	return nil
}

// wrong reports whether a module's __version__ is wrong. A module that is named like the package must have the package's version. If the package
// has only one module, with another name, it may have the version of a library that it wraps: only a placeholder, or a version made between tags,
// is wrong. If there are several modules, those with other names are assumed to be vendored, and are not checked. A text that is not a version
// ("2.9.9 (dt dec)") is not wrong.
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

// madeBetweenTags reports whether a version has a suffix that tools add between tags: the distance from the tag, or a mark for uncommitted changes.
func madeBetweenTags(text string) bool {
	return strings.Contains(text, ".dev") || strings.Contains(text, "+")
}

// unknown reports whether a text is a placeholder for an unknown version.
func unknown(text string) bool {
	text = strings.ToLower(strings.Trim(strings.TrimSpace(text), "<>()[]{}_"))
	return text != "0.0.0" && slices.Contains(placeholders, text) || strings.HasPrefix(text, "0+u") ||
		slices.Contains([]string{"", "none", "unreleased", "uninstalled", "not installed", "undefined", "version", "0.0.0+unknown", "0.0.0-dev"}, text)
}

// `named` reports whether a module or a distribution is named like a package, as acme_core and acme.core are for acme-core.
func named(module, name string) bool { return manifest.PyPIName(module) == manifest.PyPIName(name) }

// pypiName returns the name of a package's Python project; "" if it is not known.
func (p *Publisher) pypiName(name string) string {
	if p.Workspace == nil {
		return ""
	}
	if pkg, err := p.Workspace.Package(name); err == nil {
		return pkg.PyPIName
	}
	return ""
}
