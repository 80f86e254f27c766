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

// Build implements toolchain.Toolchain with `pixi publish`. It publishes packages one by one in the requested order, because pixi only considers
// source dependencies and not pins. If a package has another package's sources as a run dependency, pixi refuses to publish it alone, so Build
// publishes the whole workspace at once.
//
// pixi must never return an outdated file. It skips files that already exist in the target, so the target is a new folder. It caches the metadata
// that backends return for a package, so this cache is also in a new folder (--build-dir). It caches built packages, so a rebuild is forced
// (--clean). This costs a second or two per package, but compiler caches are kept. Every artifact is then checked by toolchain.Collect.
// SourceDate has no effect, because pixi clears the environment of a build. Variables that must not reach a build are removed anyway.
func (p *Pixi) Build(ctx context.Context, b toolchain.Build) ([]toolchain.Artifact, error) {
	if err := toolchain.CheckVersions(b.Packages...); err != nil {
		return nil, err
	}
	temporary, _ := command.Getenv(p.env, "TMPDIR") // a rehearsal sets TMPDIR to keep all files in its own folder
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

// `together` reports whether any package has another package's sources as a run dependency.
func together(packages []*workspace.Package) bool {
	return slices.ContainsFunc(packages, func(p *workspace.Package) bool {
		return slices.ContainsFunc(p.Deps, func(d manifest.Dependency) bool {
			return (d.Role == manifest.RoleRun || d.Role == manifest.RoleExtra) && d.Kind == manifest.Conda && d.Spec.Source()
		})
	})
}

// publishEach publishes the packages one by one.
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

// publishAll publishes the whole workspace. pixi includes every package with `publish = true`.
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
			"%s cannot be built: some packages run with the sources of others, so pixi must publish all packages together, but pixi leaves out packages without `publish = true`", strings.Join(left, ", "))
	}
	return p.build(ctx, b, temp, filepath.Join(temp, "all"), order{
		name:      b.Workspace.Manifest.Name,
		published: published,
		wanted:    b.Packages,
	})
}

// order describes what a single pixi call builds.
type order struct {
	name              string
	published, wanted []*workspace.Package // the packages that pixi builds, and the subset that the caller requested
}

// build runs pixi to build into target, from sources that are exclusive to this call, and returns the archives of the wanted packages.
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
		err = addContext(err, "building %s", o.name)
	} else {
		built, err = take(target, o.published, o.wanted)
	}
	return built, done(built, err)
}

// skipped matches the line that pixi prints for a file that it did not write. In a new folder pixi writes every file.
var skipped = regexp.MustCompile(pixisays.AlreadyExists)

// publish runs `pixi publish` in root with the given target. Builds get only the credentials that the manifests list for them.
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
		return addContext(err, "`pixi %s`", operr.Line(args[:1+len(which)]))
	}
	if m := skipped.FindStringSubmatch(said.String()); m != nil {
		return operr.New("build the package again; if this error remains, two outputs of the packages have the same file name",
			"pixi left out %s, because a file with this name already existed", m[1])
	}
	return nil
}

// take finds exactly one archive of each published package in target, and returns those of the wanted packages, in order.
func take(target string, published, wanted []*workspace.Package) ([]string, error) {
	entries, err := os.ReadDir(target)
	if err != nil {
		return nil, fmt.Errorf("reading the packages that pixi built: %w", err)
	}
	files := map[string]string{}
	for _, e := range entries {
		name, err := condapkg.ParseFileName(e.Name())
		isOurs := slices.ContainsFunc(published, func(p *workspace.Package) bool { return p.Name == name.Name })
		if err != nil || !isOurs || files[name.Name] != "" {
			return nil, operr.New("build the package again, and check which backend made the file",
				"pixi built %s, which belongs to none of the packages %s", e.Name(), list(published))
		}
		files[name.Name] = filepath.Join(target, e.Name())
	}
	var built []string
	for _, p := range wanted {
		if files[p.Name] == "" {
			return nil, operr.New("read pixi's messages: pixi skips a package without an error if its recipe has no output for this platform",
				"pixi succeeded, but built no %s", p.Name)
		}
		built = append(built, files[p.Name])
	}
	return built, nil
}

// list joins package names for output.
func list(packages []*workspace.Package) string {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
