package condapkg

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Ext is the extension of .conda archives.
const Ext = ".conda"

// FileName contains the parts of an archive's name.
type FileName struct{ Name, Version, Build string }

// ParseFileName splits a file name from the right, because only the package name may contain a "-". It returns an error for anything that is not a
// plain file name, such as a path, because names come from untrusted sources.
func ParseFileName(file string) (FileName, error) {
	stem, ok := strings.CutSuffix(file, Ext)
	if !ok {
		return FileName{}, fmt.Errorf("the file name %.120q does not end in %s", file, Ext)
	}
	head, build, ok1 := cutLast(stem)
	name, version, ok2 := cutLast(head)
	if !ok1 || !ok2 || name == "" || version == "" || build == "" {
		return FileName{}, fmt.Errorf("the file name %.120q is not of the form name-version-build%s", file, Ext)
	}
	if err := (&Index{Name: name, Version: version, Build: build}).safe(); err != nil {
		return FileName{}, fmt.Errorf("the file name %.120q: %w", file, err)
	}
	return FileName{Name: name, Version: version, Build: build}, nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// CheckFileName returns an error if a file name does not match x's name, version and build.
func (x *Index) CheckFileName(file string) error {
	f, err := ParseFileName(file)
	if err != nil {
		return err
	}
	for _, c := range []struct{ what, file, index string }{
		{"name", f.Name, x.Name}, {"version", f.Version, x.Version}, {"build", f.Build, x.Build},
	} {
		if c.file != c.index {
			return fmt.Errorf("the file name has the %s %.120q, but info/index.json has %.120q", c.what, c.file, c.index)
		}
	}
	return nil
}

var (
	nameForm    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_][a-z0-9._-]{0,127}$`) })
	versionForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([0-9]+!)?[a-zA-Z0-9]+([._][a-zA-Z0-9]+)*_?(\+[a-zA-Z0-9]+([._][a-zA-Z0-9]+)*_?)?$`)
	})
	longNumber = regexp.MustCompile(`[0-9]{19}`) // may overflow rattler's 64-bit integers
	buildForm  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_.+]{1,64}$`) })
)

// Validate returns an error if x's record would be unusable or harmful in a channel: for example, a name that no spec matches, an invalid version,
// or a subdir that no client uses.
func (x *Index) Validate() error {
	switch {
	case !nameForm().MatchString(x.Name):
		return fmt.Errorf("info/index.json has the name %.120q; only a-z, 0-9, \".\", \"_\" and \"-\" are allowed", x.Name)
	case !versionForm().MatchString(x.Version) || len(x.Version) > 128 || longNumber.MatchString(x.Version):
		return fmt.Errorf("info/index.json has the version %.120q, which conda cannot read", x.Version)
	case !buildForm().MatchString(x.Build):
		return fmt.Errorf("info/index.json has the build string %.120q; only letters, digits, \"_\", \".\" and \"+\" are allowed", x.Build)
	case x.BuildNumber < 0:
		return fmt.Errorf("info/index.json has the negative build number %d", x.BuildNumber)
	case x.Subdir == "":
		return fmt.Errorf("info/index.json has no subdir")
	case !KnownSubdir(x.Subdir):
		return fmt.Errorf("info/index.json has the subdir %.120q, which is not a platform of conda", x.Subdir)
	}
	return nil
}

var (
	md5Form    = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
	sha256Form = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	pathForm   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^/\\\pC]*$`) })
)

// safe returns an error if a field could be used for path traversal, because fields become parts of paths and URLs. It is less strict than
// Validate, because channels have packages that are much older than those rules.
func (x *Index) safe() error {
	for _, c := range []struct{ what, value string }{{"name", x.Name}, {"version", x.Version}, {"build string", x.Build}, {"subdir", x.Subdir}} {
		if !pathForm().MatchString(c.value) || strings.HasPrefix(c.value, "-") || c.value == "." || c.value == ".." {
			return fmt.Errorf("the %s %.120q cannot be a part of a path", c.what, c.value)
		}
	}
	return nil
}

// Safe returns an error if an index's record must not be used.
func (r *Record) Safe() error {
	if err := r.safe(); err != nil {
		return err
	}
	switch {
	case r.Name == "":
		return errors.New("the record has no name")
	case r.Subdir != "" && !KnownSubdir(r.Subdir):
		return fmt.Errorf("the subdir %.120q of %.120q is not a platform of conda", r.Subdir, r.Name)
	case r.SHA256 != "" && !sha256Form.MatchString(r.SHA256):
		return fmt.Errorf("the sha256 %.120q of %.120q is not a digest", r.SHA256, r.Name)
	case r.MD5 != "" && !md5Form.MatchString(r.MD5):
		return fmt.Errorf("the md5 %.120q of %.120q is not a digest", r.MD5, r.Name)
	case r.Size < 0:
		return fmt.Errorf("the size of %.120q is negative: %d", r.Name, r.Size)
	}
	return nil
}

// NoarchSubdir is the subdir for platform-independent packages, which clients use in addition to their platform's.
const NoarchSubdir = "noarch"

// subdirs are rattler's platforms (rattler_conda_types, platform.rs), with noarch first.
var subdirs = []string{
	NoarchSubdir,
	"linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l", "linux-loongarch64", "linux-ppc",
	"linux-ppc64", "linux-ppc64le", "linux-riscv32", "linux-riscv64", "linux-s390x",
	"osx-64", "osx-arm64", "win-32", "win-64", "win-arm64",
	"freebsd-32", "freebsd-64", "freebsd-arm64", "ios-arm64", "iossimulator-64", "iossimulator-arm64",
	"android-32", "android-64", "android-aarch64", "android-armv7a",
	"emscripten-wasm32", "emscripten-wasm64", "wasi-wasm32", "zos-z",
}

// Subdirs returns the subdirs of a channel: noarch, and every platform that conda supports.
func Subdirs() []string { return append([]string{}, subdirs...) }

// KnownSubdir reports whether s is a valid subdir.
func KnownSubdir(s string) bool {
	for _, known := range subdirs {
		if s == known {
			return true
		}
	}
	return false
}
