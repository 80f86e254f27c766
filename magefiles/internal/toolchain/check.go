package toolchain

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Check reads a freshly built archive of p and compares it with the manifest: file name, name, version, build and
// build number, depends and constrains (the pins on siblings to the letter), that the archive holds exactly the
// files that it lists, and that the wheel inside is of the same version. A builder may return an old file (a cache that
// did not see a bump, a file that was there already): nothing is used before it has passed here. Where the wheel is of
// another version, a *WheelError is in the error's chain.
func Check(w *workspace.Workspace, p *workspace.Package, path string) (Artifact, error) {
	a, err := check(w, p, path)
	var other *WheelError
	if errors.As(err, &other) {
		return a, otherWheel(p, other)
	}
	return a, err
}

// checkAny is Check for a wheel that may be of another version, if a tool makes it from tags.
func checkAny(w *workspace.Workspace, p *workspace.Package, path string) (Artifact, error) {
	a, err := check(w, p, path)
	var other *WheelError
	switch {
	case !errors.As(err, &other):
		return a, err
	case other.Says == "" || p.FromTags() == nil:
		return a, otherWheel(p, other)
	}
	return a, nil
}

// StandIn begins the build string of what a rehearsal makes in place of a past release that cannot be built. It is nothing that may be
// published.
const StandIn = "standin_"

// check is Check without a next step where the wheel is of another version; the artifact is complete then, too.
func check(w *workspace.Workspace, p *workspace.Package, path string) (Artifact, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Artifact{}, err
	}
	r, err := condapkg.Identify(path)
	if err != nil {
		return Artifact{}, err
	}
	wheels, err := checkArchive(path)
	if err != nil {
		return Artifact{}, fmt.Errorf("reading %s: %w", path, err)
	}
	if err := r.CheckFileName(filepath.Base(path)); err != nil {
		return Artifact{}, fmt.Errorf("checking %s: %w", path, err)
	}
	if err := CheckIndex(w, p, &r.Index, workspace.HostPlatform()); err != nil {
		return Artifact{}, err
	}
	if strings.HasPrefix(r.Index.Build, StandIn) {
		return Artifact{}, operr.New("build the package: `mage build:package "+p.Name+"`", "%s was made by a rehearsal in place of a package that could not be built: it is empty", filepath.Base(path))
	}
	a := Artifact{Package: p.Name, Path: path, SHA256: r.SHA256, Size: r.Size, Index: r.Index}
	a.Wheel, err = checkWheel(p, filepath.Base(path), r.Index.Version, wheels)
	return a, err
}

// checkArchive reads the whole archive, and returns what it holds of wheels.
func checkArchive(path string) (wheels []distribution, err error) {
	a, err := condapkg.Open(path)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	err = a.CheckAnd(func(h *tar.Header, r io.Reader) error {
		d, ok, err := readDistribution(h, r)
		if ok {
			wheels = append(wheels, d)
		}
		return err
	})
	return wheels, err
}

// CheckIndex compares what an artifact says of itself with p's manifest. The platform is the one that it was built on,
// which decides conditional dependencies; "" where that is not known, as for a file of the channel.
func CheckIndex(w *workspace.Workspace, p *workspace.Package, x *condapkg.Index, platform string) error {
	var wrong []string
	if err := x.Validate(); err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, checkIdentity(p, x)...)
	wrong = append(wrong, checkDepends(w, p, x, platform)...)
	if len(wrong) == 0 {
		return nil
	}
	return operr.New(
		"the file was not used; build it again, and where that does not help, let the manifest and the builder's caches be looked at",
		"%s is not the package that %s describes: %s", x.FileName(), p.Manifest, wrong[0],
	).WithDetail(strings.Join(wrong, "\n"))
}

// checkIdentity compares name, version, build number and build string. A version that is made while building is not
// known here, and only a placeholder for one is refused.
func checkIdentity(p *workspace.Package, x *condapkg.Index) []string {
	var wrong []string
	differ := func(what, found, expected string) {
		wrong = append(wrong, fmt.Sprintf("its %s is %q and not %q", what, found, expected))
	}
	if x.Name != p.Name {
		differ("name", x.Name, p.Name)
	}
	if p.Version.Text != "" && x.Version != p.Version.Text {
		differ("version", x.Version, p.Version.Text)
	}
	if x.Version == "dynamic" {
		wrong = append(wrong, `its version is the placeholder "dynamic"`)
	}
	if x.BuildNumber != p.Build.Number {
		differ("build number", fmt.Sprint(x.BuildNumber), fmt.Sprint(p.Build.Number))
	}
	if suffix := fmt.Sprintf("_%d", x.BuildNumber); !strings.HasSuffix(x.Build, suffix) {
		differ("build string", x.Build, "…"+suffix)
	}
	if prefix := p.Build.Prefix; prefix != "" && !strings.HasPrefix(x.Build, prefix+"_") {
		differ("build string", x.Build, prefix+"_…")
	}
	if noarch := p.Build.Python.Noarch; p.Build.Backend == PythonBackend && noarch != nil &&
		*noarch != (x.Noarch == condapkg.NoarchPython) {
		differ("noarch", string(x.Noarch), map[bool]string{true: string(condapkg.NoarchPython)}[*noarch])
	}
	return wrong
}

// checkDepends compares depends and constrains.
func checkDepends(w *workspace.Workspace, p *workspace.Package, x *condapkg.Index, platform string) []string {
	expected := ExpectedDepends(p, platform)
	wrong := compare("depends", expected, x.Depends, func(m condapkg.MatchSpec) bool { return mayBeAdded(w, p, x, m) })
	constraints := expect(p, manifest.RoleConstraint, platform)
	return append(wrong, compare("constrains", constraints, x.Constrains, func(m condapkg.MatchSpec) bool {
		return !isSibling(w, m.Name) && !exact(p, x)
	})...)
}

// mayBeAdded reports whether a build may have added an entry of this name that no manifest asks for. It never may for a
// package of the workspace: that pin would be one that no bump knows of.
func mayBeAdded(w *workspace.Workspace, p *workspace.Package, x *condapkg.Index, m condapkg.MatchSpec) bool {
	return !isSibling(w, m.Name) && !exact(p, x)
}

// exact reports whether the manifest says everything that stands in depends: so it is for a noarch package of
// pixi-build-python that takes nothing from the PyPI mapping. Otherwise host dependencies export requirements
// (python_abi, libzlib), and other backends add their own.
func exact(p *workspace.Package, x *condapkg.Index) bool {
	return p.Build.Backend == PythonBackend && x.Noarch == condapkg.NoarchPython && p.Build.Python.IgnoreMapping
}

func isSibling(w *workspace.Workspace, name string) bool {
	for _, p := range w.Packages {
		if p.Name == name {
			return true
		}
	}
	return false
}
