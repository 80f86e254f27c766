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

// Check reads a freshly built archive of p and compares it with the manifest: file name, name, version, build, build number, depends and
// constrains. Pins on siblings must match exactly. The archive must contain exactly the files that it lists, and the wheel inside must have the
// same version. A builder may return a stale file, because its cache missed a bump or the file already existed, so no artifact is used until it
// has passed this check. If the wheel has another version, the error wraps a *WheelError.
func Check(w *workspace.Workspace, p *workspace.Package, path string) (Artifact, error) {
	a, err := check(w, p, path)
	var other *WheelError
	if errors.As(err, &other) {
		return a, explainVersion(p, other)
	}
	return a, err
}

// checkAny is like Check, but accepts a wheel with a different version if a tool derives the wheel's version from tags.
func checkAny(w *workspace.Workspace, p *workspace.Package, path string) (Artifact, error) {
	a, err := check(w, p, path)
	var other *WheelError
	switch {
	case !errors.As(err, &other):
		return a, err
	case other.Says == "" || p.FromTags() == nil:
		return a, explainVersion(p, other)
	}
	return a, nil
}

// StandIn is the prefix of the build string of an empty artifact that a rehearsal makes instead of a past release that cannot be built. These
// artifacts must never be published.
const StandIn = "standin_"

// check implements Check. If the wheel has a different version, it returns the complete artifact and an error without a next step.
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
		return Artifact{}, operr.New("build the package: `mage build:package "+p.Name+"`", "%s is an empty package, which a rehearsal made because the package itself could not be built", filepath.Base(path))
	}
	a := Artifact{Package: p.Name, Path: path, SHA256: r.SHA256, Size: r.Size, Index: r.Index}
	a.Wheel, err = checkWheel(p, filepath.Base(path), r.Index.Version, wheels)
	return a, err
}

// checkArchive reads the whole archive and returns the distributions in it.
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

// CheckIndex compares an artifact's metadata with p's manifest. `platform` is the platform of the build, which determines the conditional
// dependencies that apply. It is "" if unknown, for example for a file from the channel.
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
		"build the package again; if this error remains, correct the manifest or delete the builder's caches",
		"%s does not match %s, so the file was not used: %s", x.FileName(), p.Manifest, wrong[0],
	).WithDetail(strings.Join(wrong, "\n"))
}

// checkIdentity compares name, version, build number and build string. If the version is computed by the build, the expected version is unknown,
// and only a placeholder is an error.
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

// mayBeAdded reports whether a build may add an entry with this name that is not in the manifest. It must never add a package of the workspace,
// because a bump would not find and change that pin.
func mayBeAdded(w *workspace.Workspace, p *workspace.Package, x *condapkg.Index, m condapkg.MatchSpec) bool {
	return !isSibling(w, m.Name) && !exact(p, x)
}

// exact reports whether the manifest lists every entry of depends. This is true for a noarch package built by pixi-build-python without the PyPI
// mapping. In other cases, host dependencies export requirements (python_abi, libzlib), and other backends add their own.
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
