package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// sidecarSum returns the sha256 of a record's sidecar, or "" if the record has no sidecar.
func sidecarSum(r condapkg.Record) (sum string) {
	_ = json.Unmarshal(r.Extra[attestation.Field], &sum) // a value that is not a string is ignored
	return sum
}

// advertise sets the sha256 of a record's sidecar, or removes it if sum is "".
func advertise(r *condapkg.Record, sum string) {
	extra := map[string]json.RawMessage{}
	for key, value := range r.Extra {
		extra[key] = value
	}
	delete(extra, attestation.Field)
	if sum != "" {
		extra[attestation.Field] = json.RawMessage(`"` + sum + `"`)
	}
	if r.Extra = extra; len(extra) == 0 {
		r.Extra = nil
	}
}

// writeSidecar writes an upload's attestation to the subdir and adds its sha256 to the upload's record.
func (d *subdir) writeSidecar(u *channel.Upload) error {
	if u.Attestation == nil {
		advertise(&u.Record, "")
		return nil
	}
	data, sum := attestation.Sidecar(u.Attestation)
	advertise(&u.Record, sum)
	return atomicfile.WriteFile(filepath.Join(d.dir, attestation.SidecarName(u.File, sum)), data, 0o644)
}

// hasSidecar reports whether the record's sidecar exists. It returns true for a record without a sidecar.
func (d *subdir) hasSidecar(r condapkg.Record) bool {
	sum := sidecarSum(r)
	if sum == "" {
		return true
	}
	_, err := os.Stat(filepath.Join(d.dir, attestation.SidecarName(r.FileName(), sum)))
	return err == nil
}

// findSidecar looks for a valid sidecar of the artifact among the files in `beside`, and adds its sha256 to the record.
func (d *subdir) findSidecar(r *condapkg.Record, beside []string) {
	for _, name := range beside {
		sum := name[strings.LastIndexByte(name, '.')+1:]
		if data, err := os.ReadFile(filepath.Join(d.dir, name)); err == nil && attestation.OfSidecar(data, sum, r.FileName(), r.SHA256) {
			advertise(r, sum)
			return
		}
	}
}

// removeSidecar removes the old record's sidecar, unless the new record has the same sidecar. A sidecar that is left over after a power failure is
// never served.
func (d *subdir) removeSidecar(was, is condapkg.Record) {
	if sum := sidecarSum(was); sum != "" && sum != sidecarSum(is) {
		os.Remove(filepath.Join(d.dir, attestation.SidecarName(was.FileName(), sum)))
	}
}

// openSidecar opens an artifact's sidecar, if the artifact's record contains its sha256. The caller must hold d.mu.
func (d *subdir) openSidecar(name string) (*channel.File, error) {
	file, sum, ok := strings.Cut(name, ".sigs.")
	e := d.entries[file]
	if !ok || e == nil || sum == "" || sidecarSum(e.Record) != sum {
		return nil, notFound(name)
	}
	f, err := openFile(filepath.Join(d.dir, name), name, `"`+sum+`"`)
	if err == nil {
		f.Immutable = true
	}
	return f, err
}
