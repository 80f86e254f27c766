package condapkg

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// Ext is the file name extension of the archives that this package reads and writes.
const Ext = ".conda"

// FileName is the name of an archive, taken apart.
type FileName struct{ Name, Version, Build string }

// ParseFileName takes a file name apart from the right, since only the name of a package may hold a "-". What is not the name of one
// file, such as a path, is an error: many such names come from outside.
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

// CheckFileName says what is wrong where a file name is not the one that x asks for.
func (x *Index) CheckFileName(file string) error {
	f, err := ParseFileName(file)
	if err != nil {
		return err
	}
	for _, c := range []struct{ what, file, index string }{
		{"name", f.Name, x.Name}, {"version", f.Version, x.Version}, {"build", f.Build, x.Build},
	} {
		if c.file != c.index {
			return fmt.Errorf("the file name says %s %.120q, and info/index.json says %.120q", c.what, c.file, c.index)
		}
	}
	return nil
}

var (
	nameForm    = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_][a-z0-9._-]{0,127}$`) })
	versionForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^([0-9]+!)?[a-zA-Z0-9]+([._][a-zA-Z0-9]+)*_?(\+[a-zA-Z0-9]+([._][a-zA-Z0-9]+)*_?)?$`)
	})
	longNumber = regexp.MustCompile(`[0-9]{19}`) // does not fit into the 64 bits that rattler has for it
	buildForm  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9_.+]{1,64}$`) })
)

// Validate says what would make a record of x unusable, or a trap, for those who install from a channel: a name that no
// spec matches, a version that cannot be read, a subdir that nobody asks for.
func (x *Index) Validate() error {
	switch {
	case !nameForm().MatchString(x.Name):
		return fmt.Errorf("info/index.json has the name %.120q; it has to be of a-z, 0-9, \".\", \"_\" and \"-\"", x.Name)
	case !versionForm().MatchString(x.Version) || len(x.Version) > 128 || longNumber.MatchString(x.Version):
		return fmt.Errorf("info/index.json has the version %.120q, which conda cannot read", x.Version)
	case !buildForm().MatchString(x.Build):
		return fmt.Errorf("info/index.json has the build string %.120q; it has to be of letters, digits, \"_\", \".\" and \"+\"", x.Build)
	case x.BuildNumber < 0:
		return fmt.Errorf("info/index.json has the build number %d", x.BuildNumber)
	case x.Subdir == "":
		return fmt.Errorf("info/index.json names no subdir")
	case !KnownSubdir(x.Subdir):
		return fmt.Errorf("info/index.json has the subdir %.120q, which is no platform of conda's", x.Subdir)
	}
	return nil
}

var (
	md5Form    = regexp.MustCompile(`^[0-9a-fA-F]{32}$`)
	sha256Form = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	pathForm   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^/\\\pC]*$`) })
)

// safe says why what an index says of a package must not be used: it is a part of paths and addresses, and would lead elsewhere.
// Channels have packages that are much older than the rules that Validate knows; those are safe.
func (x *Index) safe() error {
	for _, c := range []struct{ what, value string }{{"name", x.Name}, {"version", x.Version}, {"build string", x.Build}, {"subdir", x.Subdir}} {
		if !pathForm().MatchString(c.value) || strings.HasPrefix(c.value, "-") || c.value == "." || c.value == ".." {
			return fmt.Errorf("the %s %.120q cannot be a part of a path", c.what, c.value)
		}
	}
	return nil
}

// Safe is for a record that an index has: it says why that must not be used.
func (r *Record) Safe() error {
	if err := r.safe(); err != nil {
		return err
	}
	switch {
	case r.Name == "":
		return errors.New("it has no name")
	case r.Subdir != "" && !KnownSubdir(r.Subdir):
		return fmt.Errorf("the subdir %.120q of %.120q is not a platform of conda's", r.Subdir, r.Name)
	case r.SHA256 != "" && !sha256Form.MatchString(r.SHA256):
		return fmt.Errorf("the sha256 %.120q of %.120q is not a digest", r.SHA256, r.Name)
	case r.MD5 != "" && !md5Form.MatchString(r.MD5):
		return fmt.Errorf("the md5 %.120q of %.120q is not a digest", r.MD5, r.Name)
	case r.Size < 0:
		return fmt.Errorf("the size of %.120q is %d", r.Name, r.Size)
	}
	return nil
}

// NoarchSubdir is that of packages that every platform takes, besides those of its own.
const NoarchSubdir = "noarch"

// subdirs are the platforms that rattler knows (rattler_conda_types, platform.rs), noarch first.
var subdirs = []string{
	NoarchSubdir,
	"linux-32", "linux-64", "linux-aarch64", "linux-armv6l", "linux-armv7l", "linux-loongarch64", "linux-ppc",
	"linux-ppc64", "linux-ppc64le", "linux-riscv32", "linux-riscv64", "linux-s390x",
	"osx-64", "osx-arm64", "win-32", "win-64", "win-arm64",
	"freebsd-32", "freebsd-64", "freebsd-arm64", "ios-arm64", "iossimulator-64", "iossimulator-arm64",
	"android-32", "android-64", "android-aarch64", "android-armv7a",
	"emscripten-wasm32", "emscripten-wasm64", "wasi-wasm32", "zos-z",
}

// Subdirs are the folders of a channel: noarch, and every platform that conda knows.
func Subdirs() []string { return append([]string{}, subdirs...) }

// KnownSubdir reports whether a channel has a folder of that name.
func KnownSubdir(s string) bool {
	for _, known := range subdirs {
		if s == known {
			return true
		}
	}
	return false
}
