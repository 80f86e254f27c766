package image

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// locked wants a platform, and every pin, in the lock file.
func locked(d *workspace.Downstream, lock []byte, subdir string) error {
	if lock == nil {
		return nil
	}
	file := d.Dir + "/pixi.lock"
	var content struct {
		Environments map[string]struct {
			Packages map[string][]map[string]any `yaml:"packages"`
		} `yaml:"environments"`
	}
	if err := yaml.Unmarshal(lock, &content); err != nil {
		return operr.New("make it anew: `mage lock`", "reading %s: %w", file, err)
	}
	packages := content.Environments[workspace.DefaultEnvironment].Packages[subdir]
	if len(packages) == 0 {
		return operr.New("run `mage lock`, and commit it", "%s has no environment for %s", file, subdir)
	}
	for _, r := range d.Requires {
		if r.Pin == "" || r.Kind != workspace.Conda || r.Role != workspace.RoleEnvironment || r.Dependency.Feature != workspace.DefaultFeature {
			continue
		}
		has := slices.ContainsFunc(packages, func(p map[string]any) bool {
			url, _ := p["conda"].(string)
			return strings.Contains(url, "/"+r.Package+"-"+r.Pin+"-")
		})
		if !has {
			return operr.New("run `mage lock`, and commit it", "%s does not have %s %s for %s, which %s pins", file, r.Package, r.Pin, subdir, r.Pos)
		}
	}
	return nil
}
