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

// Digests say what a build made. One job of a CI hands them to the next as its output, which nobody else can write.
type Digests struct {
	Run          string   `json:"run,omitempty"`    // of the CI that built; "" elsewhere
	Commit       string   `json:"commit,omitempty"` // that was built; "" outside of git, and where there were edits
	Reproducible bool     `json:"reproducible"`     // the same tools would give the same bytes
	Files        []Digest `json:"files"`            // dependencies first
}

// Digest is one artifact.
type Digest struct {
	Package string `json:"package"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`          // hex
	Size    int64  `json:"size"`            // bytes
	Tools   string `json:"tools,omitempty"` // that built it, where that is known
}

// Names of the files that digests are written to, beside the artifacts.
const (
	DigestsJSON = "digests.json"
	DigestsText = "digests.txt" // as sha256sum writes and checks it
	SentJSON    = "sent.json"   // of what the channel has, when it was sent
)

// Digests describes what was built of the origin, in a run of a CI ("" elsewhere).
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

// digest describes one artifact.
func (p *Publisher) digest(ctx context.Context, a toolchain.Artifact) (Digest, error) {
	pkg, err := p.Workspace.Package(a.Package)
	if err != nil {
		return Digest{}, err
	}
	tools, err := p.Tools.BuiltWith(ctx, pkg)
	return Digest{Package: a.Package, File: filepath.Base(a.Path), SHA256: a.SHA256, Size: a.Size, Tools: tools}, err
}

// Line is the digests as JSON in one line.
func (d Digests) Line() (string, error) {
	data, err := json.Marshal(d)
	return string(data), err
}

// WriteTo writes the digests into the folder of the artifacts, as JSON and as text.
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

// WriteFile writes the digests into one file, as JSON.
func (d Digests) WriteFile(file string) error {
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return provenance.WriteMade(file, append(data, '\n'))
}

// most is how long digests may be, in bytes: a thousand packages have a quarter of it.
const most = 1 << 20

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// ParseDigests reads what Line wrote.
func ParseDigests(text string) (d Digests, err error) {
	const next = "hand over what `mage build:all` wrote: on GitHub, ${{ needs.build.outputs.digests }}"
	if len(text) > most {
		return d, operr.New(next, "the digests are %d bytes long, and may be %d", len(text), most)
	}
	in := json.NewDecoder(strings.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return d, operr.New(next, "the digests cannot be read: %.300s", err.Error()) // it repeats the names of fields, however long
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return d, operr.New(next, "there is more behind the digests")
	}
	var seen []string
	for _, f := range d.Files {
		name, err := condapkg.ParseFileName(f.File)
		if err != nil || name.Name != f.Package || !hexDigest.MatchString(f.SHA256) || f.Size < 0 {
			return d, operr.New(next, "the digests name %.80q of the package %.80q with the sha256 %.80q", f.File, f.Package, f.SHA256)
		}
		if slices.Contains(seen, f.Package) {
			return d, operr.New(next, "the digests name two files of %.80q", f.Package)
		}
		seen = append(seen, f.Package)
	}
	return d, nil
}

// Take takes exactly the files that digests name from a folder. Another file there that is named like an artifact is refused, as is
// one that is a link: somebody put it there.
func (p *Publisher) Take(dir string, d Digests) (Artifacts, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, operr.New("name the folder that holds what was built: -from=DIR", "%w", err)
	}
	for _, e := range entries {
		named := slices.ContainsFunc(d.Files, func(f Digest) bool { return f.File == e.Name() })
		switch {
		case filepath.Ext(e.Name()) == ".conda" && !named:
			return nil, operr.NewStopped("find out where it came from; nothing was sent", "%s is in %s, and no build of this run made it", e.Name(), dir)
		case named && !e.Type().IsRegular():
			return nil, operr.NewStopped("find out where it came from; nothing was sent", "%s in %s is not a file of its own", e.Name(), dir)
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
			return nil, operr.New("hand over all that was built; nothing was sent", "reading %s: %w", f.File, err)
		}
		if have.SHA256 != f.SHA256 {
			return nil, operr.NewStopped("find out who has replaced it; nothing was sent", "%s has sha256 %s, and the build made %s", f.File, have.SHA256, f.SHA256)
		}
		a, err := toolchain.Check(p.Workspace, pkg, path)
		if err != nil {
			return nil, operr.New("build it again from this commit", "%s cannot be published: %w", f.File, err)
		}
		if a.SHA256 != f.SHA256 {
			return nil, operr.NewStopped("find out who changes it; nothing was sent", "%s was changed while it was read", f.File)
		}
		all[f.Package] = a
	}
	return all, nil
}
