package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// Digests describes the files of a build. A CI job passes them to the next job as an output, which no other job can write.
type Digests struct {
	Run          string   `json:"run,omitempty"`    // the CI run that built the files; "" outside of CI
	Commit       string   `json:"commit,omitempty"` // the commit that was built; "" outside of git, or if there were uncommitted edits
	Reproducible bool     `json:"reproducible"`     // whether the tools always build the same bytes
	Files        []Digest `json:"files"`            // dependencies first
}

// Digest describes one artifact.
type Digest struct {
	Package string `json:"package"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`          // hex
	Size    int64  `json:"size"`            // bytes
	Tools   string `json:"tools,omitempty"` // the tools that built the artifact, if known
}

// Names of the files next to the artifacts that describe them.
const (
	DigestsJSON = "digests.json"
	DigestsText = "digests.txt" // in the format of sha256sum
	SentJSON    = "sent.json"   // the files that the channel has after the upload
)

// Digests returns the digests of artifacts that were built from p.Origin. run is the CI run, or "" outside of CI.
func (p *Publisher) Digests(ctx context.Context, run string, built ...toolchain.Artifact) (Digests, error) {
	d := Digests{Run: run, Commit: p.Origin.Commit, Reproducible: p.Tools.Reproducible(), Files: []Digest{}}
	for _, a := range built {
		f, err := p.digest(ctx, a)
		if err != nil {
			return d, err
		}
		d.Files = append(d.Files, f)
	}
	return d, nil
}

// digest returns the digest of one artifact.
func (p *Publisher) digest(ctx context.Context, a toolchain.Artifact) (Digest, error) {
	pkg, err := p.Workspace.Package(a.Package)
	if err != nil {
		return Digest{}, err
	}
	tools, err := p.Tools.BuiltWith(ctx, pkg)
	return Digest{Package: a.Package, File: filepath.Base(a.Path), SHA256: a.SHA256, Size: a.Size, Tools: tools}, err
}

// Line returns the digests as a single line of JSON.
func (d Digests) Line() (string, error) {
	data, err := json.Marshal(d)
	return string(data), err
}

// WriteTo writes the digests into the output folder, as JSON and as text.
func (d Digests) WriteTo(dir string) error {
	var text strings.Builder
	for _, f := range d.Files {
		fmt.Fprintf(&text, "%s  %s\n", f.SHA256, f.File)
	}
	return errors.Join(
		d.WriteFile(filepath.Join(dir, DigestsJSON)),
		provenance.WriteMade(filepath.Join(dir, DigestsText), []byte(text.String())),
	)
}

// WriteFile writes the digests to a file, as JSON.
func (d Digests) WriteFile(file string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return provenance.WriteMade(file, append(data, '\n'))
}

// `most` is the maximum length of the digests in bytes, about four times what a thousand packages need.
const most = 1 << 20

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseDigests parses the output of Line, and checks its entries.
func ParseDigests(text string) (d Digests, err error) {
	const next = "pass the digests that `mage build:all` wrote: on GitHub, -digests with ${{ needs.build.outputs.digests }}"
	if len(text) > most {
		return d, operr.New(next, "the digests are %d bytes long; at most %d are allowed", len(text), most)
	}
	in := json.NewDecoder(strings.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return d, operr.New(next, "cannot read the digests: %.300s", err.Error()) // shortened, because the error quotes field names of any length
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return d, operr.New(next, "there is more text after the digests")
	}
	var seen []string
	for _, f := range d.Files {
		name, err := condapkg.ParseFileName(f.File)
		if err != nil || name.Name != f.Package || !hexDigest.MatchString(f.SHA256) || f.Size < 0 {
			return d, operr.New(next, "the digests have an invalid entry: file %.80q, package %.80q, sha256 %.80q", f.File, f.Package, f.SHA256)
		}
		if slices.Contains(seen, f.Package) {
			return d, operr.New(next, "the digests name two files of the package %.80q", f.Package)
		}
		seen = append(seen, f.Package)
	}
	return d, nil
}

// Take returns the artifacts in dir that are listed in the digests. It fails if dir has a .conda file that is not listed, or if a listed file is
// not a regular file: builds do not create links.
func (p *Publisher) Take(dir string, d Digests) (Artifacts, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, operr.New("pass the folder with the built packages as -from=DIR", "%w", err)
	}
	for _, e := range entries {
		named := slices.ContainsFunc(d.Files, func(f Digest) bool { return f.File == e.Name() })
		switch {
		case filepath.Ext(e.Name()) == ".conda" && !named:
			return nil, operr.NewStopped("find out who put this file into the folder", "%s is in %s, but no build of this run made this file; nothing was sent", e.Name(), dir)
		case named && !e.Type().IsRegular():
			return nil, operr.NewStopped("find out who put this file into the folder", "%s in %s is not a regular file; nothing was sent", e.Name(), dir)
		}
	}
	all := Artifacts{}
	for _, f := range d.Files {
		pkg, err := p.Workspace.Package(f.Package)
		if err != nil {
			return nil, operr.New("check out the commit that was built", "the digests name %s, which is not a package of this workspace", f.Package)
		}
		path := filepath.Join(dir, f.File)
		have, err := condapkg.Identify(path)
		if err != nil {
			return nil, operr.New("put every file that the digests name into the folder that -from names", "nothing was sent: reading %s: %w", f.File, err)
		}
		if have.SHA256 != f.SHA256 {
			return nil, operr.NewStopped("find out who replaced this file", "%s changed after the build: expected sha256 %[3]s, found %[2]s; nothing was sent", f.File, have.SHA256, f.SHA256)
		}
		a, err := toolchain.Check(p.Workspace, pkg, path)
		if err != nil {
			return nil, operr.New("build this package again from this commit", "%s cannot be published: %w", f.File, err)
		}
		if a.SHA256 != f.SHA256 {
			return nil, operr.NewStopped("find out who changes this file", "%s changed while it was read; nothing was sent", f.File)
		}
		all[f.Package] = a
	}
	return all, nil
}
