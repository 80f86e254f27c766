package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Channel is what is asked of a channel before an image is built from it.
type Channel interface {
	URL() string
	Records(ctx context.Context, subdir string, names ...string) ([]condapkg.Record, error)
	Forms(ctx context.Context, subdir string, names ...string) []channel.Form
}

// Packages says whether a downstream's environment can be had from its channels, highest priority first, for platforms of
// OCI: every pin on a package of the workspace is in every form of the index that a solver may read; and what it asks for
// besides, and what its pinned packages ask for, is there by name. What lies deeper is the solver's to find, while the
// image is built. lock is the text of its pixi.lock, nil where there is none.
func Packages(ctx context.Context, d *workspace.Downstream, channels []Channel, platforms []string, lock []byte) (string, error) {
	l := &lookup{ctx: ctx, channels: channels, d: d, records: map[string][]condapkg.Record{}}
	pins := 0
	for _, platform := range platforms {
		subdir, _ := workspace.Subdir(platform)
		env, err := d.Manifest.Resolve(workspace.DefaultEnvironment, subdir)
		if err != nil {
			return "", err
		}
		if err := locked(d, lock, subdir); err != nil {
			return "", err
		}
		if pins, err = l.environment(env, subdir); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d pins and %d names, for %s", pins, len(l.asked)-pins, strings.Join(platforms, " and ")), nil
}

type lookup struct {
	ctx      context.Context
	d        *workspace.Downstream
	channels []Channel
	records  map[string][]condapkg.Record // by subdir and name
	asked    []string
}

// environment looks for everything that one environment asks for on one platform.
func (l *lookup) environment(env *workspace.Resolved, subdir string) (pins int, err error) {
	for _, dep := range env.Conda {
		name := workspace.CondaName(dep.Name)
		found, from, err := l.find(subdir, name)
		if err != nil {
			return 0, err
		}
		pin, exact := version.Pin(dep.Spec.Text)
		switch ours := l.ours(name); {
		case found == nil && ours && exact:
			return 0, invisible(dep.Pos, name, pin, l.urls(), subdir)
		case found == nil:
			return 0, l.missing(name, subdir, dep.Pos.String())
		case !ours || !exact:
			continue
		}
		pins++
		if err := l.pinned(from, name, pin, subdir, dep.Pos); err != nil {
			return 0, err
		}
		for _, r := range found {
			if r.Version == pin {
				if err := l.depends(r, subdir); err != nil {
					return 0, err
				}
			}
		}
	}
	return pins, nil
}

// ours says whether the downstream takes a package from the workspace.
func (l *lookup) ours(name string) bool {
	return slices.ContainsFunc(l.d.Requires, func(r workspace.Requirement) bool { return r.Package == name })
}

// find returns the records of a name for a platform, from the first channel that has the name, as a solver takes them.
func (l *lookup) find(subdir, name string) (found []condapkg.Record, from Channel, err error) {
	if !slices.Contains(l.asked, name) {
		l.asked = append(l.asked, name)
	}
	for _, c := range l.channels {
		for _, s := range []string{subdir, "noarch"} {
			key := c.URL() + " " + s + " " + name
			if _, known := l.records[key]; !known {
				records, err := c.Records(l.ctx, s, name)
				if err != nil && !errors.Is(err, channel.ErrNotFound) {
					return nil, nil, operr.New("try again; no image is built from what cannot be seen", "asking %s for %s: %w", c.URL(), name, err)
				}
				l.records[key] = records
			}
			found = append(found, l.records[key]...)
		}
		if len(found) > 0 {
			return found, c, nil
		}
	}
	return nil, nil, nil
}

// pinned wants a version in every form of the index.
func (l *lookup) pinned(c Channel, name, pin, subdir string, pos workspace.Pos) error {
	seen := map[string]bool{}
	offered := []string{}
	for _, s := range []string{subdir, "noarch"} {
		for _, f := range c.Forms(l.ctx, s, name) {
			if !f.Offered {
				continue
			}
			if f.Err != nil {
				return operr.New("try again", "%s cannot be read on %s: %w", f.Name, c.URL(), f.Err)
			}
			offered = append(offered, f.Name)
			seen[f.Name] = seen[f.Name] || slices.ContainsFunc(f.Records, func(r condapkg.Record) bool { return version.Same(r.Version, pin) })
		}
	}
	for _, form := range offered {
		if !seen[form] {
			return invisible(pos, name, pin, c.URL()+" in "+form, subdir)
		}
	}
	return nil
}

func invisible(pos workspace.Pos, name, pin, where, subdir string) error {
	return operr.New("publish it, or wait until the index shows it: `mage channel:show`; `mage app:upgrade` takes another version; a private channel is read with RATTLER_AUTH_FILE",
		"%s: %s %s is not visible on %s for %s", pos, name, pin, where, subdir)
}

// depends looks for what a package asks for, by name.
func (l *lookup) depends(r condapkg.Record, subdir string) error {
	for _, spec := range r.Depends {
		name, _, _ := strings.Cut(strings.TrimSpace(spec), " ")
		if strings.HasPrefix(name, "__") {
			continue // a property of the machine
		}
		found, _, err := l.find(subdir, name)
		if err != nil {
			return err
		}
		if found == nil {
			return l.missing(name, subdir, r.Name+" "+r.Version)
		}
	}
	return nil
}

func (l *lookup) missing(name, subdir, who string) error {
	return operr.New("publish it for that platform, or take the platform out of [tool.image]",
		"%s asks for %s, and no channel has it for %s: %s", who, name, subdir, l.urls())
}

func (l *lookup) urls() string {
	var urls []string
	for _, c := range l.channels {
		urls = append(urls, c.URL())
	}
	return strings.Join(urls, ", ")
}

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
