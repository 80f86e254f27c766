package condapkg

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Index is info/index.json, the part of a package's metadata that solvers need. Null and missing fields have their zero values, and are omitted
// when encoding.
type Index struct {
	Name        string
	Version     string
	Build       string // build string, such as "pyh4616a5c_0"
	BuildNumber int64  // not negative

	Depends    []string // match specs, in file order
	Constrains []string

	Noarch        Noarch
	Subdir        string // "noarch", or a platform such as "linux-64"
	Timestamp     int64  // Unix time in milliseconds; values below 253402300800 are in seconds, as in conda
	License       string
	LicenseFamily string
	Arch          string
	Platform      string
	Features      string
	TrackFeatures []string

	PythonSitePackagesPath string // only for Python interpreters (CEP 17)
	Purls                  []string
	Flags                  []string            // only in repodata v3
	ExtraDepends           map[string][]string // only in repodata v3

	// Extra contains fields that are not listed above, so that encoding an index preserves them.
	Extra map[string]json.RawMessage
}

// Noarch is the kind of a platform-independent package: "python", "generic", or "true", which old packages use for generic, as a JSON boolean. It
// is "" for a platform-specific package.
type Noarch string

// Values of Noarch.
const (
	NoarchNone    Noarch = ""
	NoarchPython  Noarch = "python"
	NoarchGeneric Noarch = "generic"
	NoarchLegacy  Noarch = "true"
)

// UnmarshalJSON accepts the strings and booleans that occur in conda packages.
func (n *Noarch) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `null`, `false`, `""`:
		*n = NoarchNone
	case `true`:
		*n = NoarchLegacy
	case `"python"`, `"generic"`:
		*n = Noarch(strings.Trim(string(b), `"`))
	default:
		return fmt.Errorf(`noarch is %.40s, but must be "python" or "generic"`, b)
	}
	return nil
}

// MarshalJSON encodes NoarchLegacy as a boolean, and other values as strings.
func (n Noarch) MarshalJSON() ([]byte, error) {
	if n == NoarchLegacy {
		return []byte("true"), nil
	}
	return json.Marshal(string(n))
}

// Stem returns name-version-build, which is used in the names of the archive and its two tars.
func (x *Index) Stem() string { return x.Name + "-" + x.Version + "-" + x.Build }

// FileName returns the archive's name in a channel.
func (x *Index) FileName() string { return x.Stem() + Ext }

// UnmarshalJSON decodes an index.json. Unlike encoding/json, it matches keys exactly, and rejects duplicate keys, so that all readers of a file
// agree on its content.
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

// MarshalJSON encodes the fields sorted by key. It omits empty fields, except depends.
func (x Index) MarshalJSON() ([]byte, error) { return encode(x.fields()) }

// fields returns the values to encode.
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

// features parses track_features: a space- or comma-separated string, or an array of strings.
type features []string

func (f *features) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*f = strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
		return nil
	}
	return json.Unmarshal(b, (*[]string)(f))
}
