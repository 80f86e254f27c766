package manifest

import "github.com/foopack/foopack/magefiles/internal/tomledit"

// Metadata is the descriptive part of a [package], such as description, authors, license and URLs. Inherited values are resolved.
type Metadata struct {
	Description   string
	Authors       []string
	License       string // SPDX expression
	LicenseFile   string // path as written, relative to the manifest
	Readme        string
	Homepage      string
	Repository    string
	Documentation string
}

// ReadMetadata reads the metadata of a [package] or [workspace] table. `inherited` provides the values for { workspace = true }.
func (s *File) ReadMetadata(n *tomledit.Node, inherited Metadata) Metadata {
	field := func(key, fromWorkspace string) string {
		v := n.Get(key)
		if !v.Is(tomledit.Table) {
			return s.Str(v)
		}
		if s.Inherits(v) && fromWorkspace == "" {
			s.Fail(v, "add the key to the workspace's manifest, or write its value here", "%s is inherited, but the workspace does not define it", key)
		}
		return fromWorkspace
	}
	m := Metadata{
		Description:   field("description", inherited.Description),
		License:       field("license", inherited.License),
		LicenseFile:   field("license-file", inherited.LicenseFile),
		Readme:        field("readme", inherited.Readme),
		Homepage:      field("homepage", inherited.Homepage),
		Repository:    field("repository", inherited.Repository),
		Documentation: field("documentation", inherited.Documentation),
	}
	if authors := n.Get("authors"); authors.Is(tomledit.Table) {
		m.Authors = inherited.Authors
	} else {
		m.Authors = s.Strs(authors)
	}
	return m
}
