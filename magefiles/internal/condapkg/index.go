package condapkg

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Index is info/index.json: the part of a package's metadata that a solver needs. Fields that are null or absent are
// zero here and are left out when it is written.
type Index struct {
	Name        string
	Version     string
	Build       string // the build string, such as "pyh4616a5c_0"
	BuildNumber int64  // not negative

	Depends    []string // match specs, in the order of the file
	Constrains []string

	Noarch        Noarch
	Subdir        string // "noarch", or a platform such as "linux-64"
	Timestamp     int64  // Unix time in milliseconds as a rule; in seconds where it is below 253402300800, as conda reads it
	License       string
	LicenseFamily string
	Arch          string
	Platform      string
	Features      string
	TrackFeatures []string

	PythonSitePackagesPath string // of a Python interpreter only (CEP 17)
	Purls                  []string
	Flags                  []string            // repodata v3 only
	ExtraDepends           map[string][]string // repodata v3 only

	// Extra holds the fields that this type does not name, so that what was read can be written again unchanged.
	Extra map[string]json.RawMessage
}

// Noarch says in what way a package is independent of the platform: "", "python", "generic", or "true", which is how
// old packages said generic and is the boolean in JSON.
type Noarch string

// The values of Noarch.
const (
	NoarchNone    Noarch = ""
	NoarchPython  Noarch = "python"
	NoarchGeneric Noarch = "generic"
	NoarchLegacy  Noarch = "true"
)

// UnmarshalJSON accepts the strings and booleans that conda packages are known to carry.
func (n *Noarch) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `null`, `false`, `""`:
		*n = NoarchNone
	case `true`:
		*n = NoarchLegacy
	case `"python"`, `"generic"`:
		*n = Noarch(strings.Trim(string(b), `"`))
	default:
		return fmt.Errorf(`noarch is %.40s, and can be "python" or "generic"`, b)
	}
	return nil
}

// MarshalJSON writes the boolean for NoarchLegacy and a string otherwise.
func (n Noarch) MarshalJSON() ([]byte, error) {
	if n == NoarchLegacy {
		return []byte("true"), nil
	}
	return json.Marshal(string(n))
}

// Stem is name-version-build, which names the archive and the two tars in it.
func (x *Index) Stem() string { return x.Name + "-" + x.Version + "-" + x.Build }

// FileName is the name that a channel gives the archive.
func (x *Index) FileName() string { return x.Stem() + Ext }

// UnmarshalJSON reads an index.json. Keys are matched exactly, unlike encoding/json's own way, and a key that stands
// twice is refused: two readers of one file must not see two packages.
func (x *Index) UnmarshalJSON(b []byte) error {
	o, err := parseObject(b)
	if err != nil {
		return err
	}
	*x = Index{}
	if err := x.take(o); err != nil {
		return err
	}
	x.Extra = o.rest()
	return nil
}

// take moves the fields of an index.json out of o.
func (x *Index) take(o *object) error {
	for key, to := range map[string]any{
		"name": &x.Name, "version": &x.Version, "build": &x.Build, "build_number": &x.BuildNumber,
		"depends": &x.Depends, "constrains": &x.Constrains, "noarch": &x.Noarch, "subdir": &x.Subdir,
		"timestamp": &x.Timestamp, "license": &x.License, "license_family": &x.LicenseFamily, "arch": &x.Arch,
		"platform": &x.Platform, "features": &x.Features, "track_features": (*features)(&x.TrackFeatures),
		"python_site_packages_path": &x.PythonSitePackagesPath, "purls": &x.Purls, "flags": &x.Flags,
		"extra_depends": &x.ExtraDepends,
	} {
		if err := o.take(key, to); err != nil {
			return err
		}
	}
	return nil
}

// MarshalJSON writes the fields with their keys sorted, and leaves out those that are empty, but for depends.
func (x Index) MarshalJSON() ([]byte, error) { return encode(x.fields()) }

// fields gives the values that are written.
func (x *Index) fields() map[string]any {
	m := make(map[string]any, 16+len(x.Extra))
	for key, raw := range x.Extra {
		m[key] = raw
	}
	m["name"], m["version"], m["build"], m["build_number"] = x.Name, x.Version, x.Build, x.BuildNumber
	m["depends"] = append([]string{}, x.Depends...)
	if x.Timestamp != 0 {
		m["timestamp"] = x.Timestamp
	}
	if x.Noarch != NoarchNone {
		m["noarch"] = x.Noarch
	}
	for key, s := range map[string]string{
		"subdir": x.Subdir, "license": x.License, "license_family": x.LicenseFamily, "arch": x.Arch,
		"platform": x.Platform, "features": x.Features, "track_features": strings.Join(x.TrackFeatures, " "),
		"python_site_packages_path": x.PythonSitePackagesPath,
	} {
		if s != "" {
			m[key] = s
		}
	}
	for key, l := range map[string][]string{"constrains": x.Constrains, "purls": x.Purls, "flags": x.Flags} {
		if len(l) > 0 {
			m[key] = l
		}
	}
	if len(x.ExtraDepends) > 0 {
		m["extra_depends"] = x.ExtraDepends
	}
	return m
}

// features is track_features: a list separated by spaces or commas, or an array of them.
type features []string

func (f *features) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*f = strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
		return nil
	}
	return json.Unmarshal(b, (*[]string)(f))
}
