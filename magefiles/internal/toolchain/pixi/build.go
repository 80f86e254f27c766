package pixi

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pixisays"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Build implements toolchain.Toolchain by `pixi publish`: package by package in the order of the request, since pixi
// orders by source dependencies alone and not by pins; or, where one of them runs with another's sources, which pixi
// refuses to publish alone, once for the whole workspace.
//
// pixi must never give back an old file: it skips what already stands in the target, so that is a fresh folder; it
// keeps what backends once said of a package, so that is asked again (--build-dir); and it keeps built packages, so
// they are built again (--clean). What it costs is a second or two for each package; compilers' caches stay. Every
// artifact is then checked by toolchain.Collect. SourceDate has no effect: pixi clears the environment of a build. What must not reach one is
// taken out all the same.
func (p *Pixi) Build(ctx context.Context, b toolchain.Build) ([]toolchain.Artifact, error) {
	if err := toolchain.CheckVersions(b.Packages...); err != nil {
		return nil, err
	}
	temporary, _ := command.Getenv(p.env, "TMPDIR") // a rehearsal keeps everything in its own folder
	temp, err := os.MkdirTemp(temporary, "publish-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	var built []string
	if together(b.Packages) {
		built, err = p.publishAll(ctx, b, temp)
	} else {
		built, err = p.publishEach(ctx, b, temp)
	}
	if err != nil {
		return nil, err
	}
	return toolchain.Collect(b, built)
}

// together reports whether a package runs with sources of others.
func together(packages []*workspace.Package) bool {
	return slices.ContainsFunc(packages, func(p *workspace.Package) bool {
		return slices.ContainsFunc(p.Deps, func(d manifest.Dependency) bool {
			return (d.Role == manifest.RoleRun || d.Role == manifest.RoleExtra) && d.Kind == manifest.Conda && d.Spec.Source()
		})
	})
}

// publishEach publishes one package after the other.
func (p *Pixi) publishEach(ctx context.Context, b toolchain.Build, temp string) ([]string, error) {
	var built []string
	for i, pkg := range b.Packages {
		target := filepath.Join(temp, fmt.Sprint(i))
		found, err := p.build(ctx, b, temp, target, order{
			name:      pkg.Name,
			published: []*workspace.Package{pkg},
			wanted:    []*workspace.Package{pkg},
		}, "--path="+pkg.Dir)
		if err != nil {
			return nil, err
		}
		built = append(built, found...)
	}
	return built, nil
}

// publishAll publishes the workspace, of which pixi takes every package with `publish = true`.
func (p *Pixi) publishAll(ctx context.Context, b toolchain.Build, temp string) ([]string, error) {
	var published []*workspace.Package
	for _, pkg := range b.Workspace.Packages {
		if pkg.Publish {
			published = append(published, pkg)
		}
	}
	var left, manifests []string
	for _, pkg := range b.Packages {
		if !pkg.Publish {
			left, manifests = append(left, pkg.Name), append(manifests, pkg.Manifest)
		}
	}
	if left != nil {
		return nil, operr.New("set `publish = true` in [package] of "+strings.Join(manifests, ", "),
			"%s cannot be built: some packages run with others' sources, which pixi publishes only together, and it leaves out those without `publish = true`", strings.Join(left, ", "))
	}
	return p.build(ctx, b, temp, filepath.Join(temp, "all"), order{
		name:      b.Workspace.Manifest.Name,
		published: published,
		wanted:    b.Packages,
	})
}

// order is what one call of pixi builds.
type order struct {
	name              string
	published, wanted []*workspace.Package // what pixi builds, and what of it is asked for
}

// build has pixi build into target, from sources that are theirs alone, and returns the archives of the wanted packages.
func (p *Pixi) build(ctx context.Context, b toolchain.Build, temp, target string, o order, which ...string) (built []string, err error) {
	w, done, err := b.Take(ctx, o.published...)
	if err != nil {
		return nil, err
	}
	var secrets []string
	for _, pkg := range o.published {
		secrets = append(secrets, pkg.Build.Secrets...)
	}
	if err = p.publish(ctx, w.Root, b.Log, secrets, temp, target, which...); err != nil {
		err = about(err, "building %s", o.name)
	} else {
		built, err = take(target, o.published, o.wanted)
	}
	return built, done(built, err)
}

// skipped is what pixi says of a file that it did not write. Into a fresh folder it has no reason to.
var skipped = regexp.MustCompile(pixisays.AlreadyExists)

// publish runs `pixi publish` in a workspace's folder, into target.
// Builds get the credentials alone that the manifests name for them.
func (p *Pixi) publish(ctx context.Context, root string, log io.Writer, secrets []string, temp, target string, which ...string) error {
	args := append([]string{"publish"}, which...)
	args = append(args, "--target-dir="+target, "--clean", "--build-dir="+filepath.Join(temp, "build"))
	if log == nil {
		log = io.Discard
	}
	said := &ending{}
	env, _ := command.Withhold(toolchain.WithoutOutside(command.Unset(p.env, p.keep...)), slices.Concat(command.Fetching, secrets, p.pass)...)
	err := p.callWith(ctx, command.Cmd{
		Dir:    root,
		Args:   args,
		Env:    env,
		Stdout: log,
		Stderr: io.MultiWriter(log, said),
	})
	if err != nil {
		return about(err, "`pixi %s`", operr.Line(args[:1+len(which)]))
	}
	if m := skipped.FindStringSubmatch(said.String()); m != nil {
		return operr.New("build it again; if this stays, one of the packages produces the same file twice",
			"pixi left out %s, because a file of that name was there already", m[1])
	}
	return nil
}

// take looks for exactly one archive of each published package in target, and returns those of the wanted ones, in
// their order.
func take(target string, published, wanted []*workspace.Package) ([]string, error) {
	entries, err := os.ReadDir(target)
	if err != nil {
		return nil, fmt.Errorf("reading what pixi built: %w", err)
	}
	files := map[string]string{}
	for _, e := range entries {
		name, err := condapkg.ParseFileName(e.Name())
		isOurs := slices.ContainsFunc(published, func(p *workspace.Package) bool { return p.Name == name.Name })
		if err != nil || !isOurs || files[name.Name] != "" {
			return nil, operr.New("build it again, and look at which backend made the file",
				"pixi built %s, which is not expected of %s", e.Name(), list(published))
		}
		files[name.Name] = filepath.Join(target, e.Name())
	}
	var built []string
	for _, p := range wanted {
		if files[p.Name] == "" {
			return nil, operr.New("look at what pixi wrote; a package without an output for this platform is left out silently",
				"pixi succeeded and built no %s", p.Name)
		}
		built = append(built, files[p.Name])
	}
	return built, nil
}

// list writes the names of packages for people.
func list(packages []*workspace.Package) string {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
