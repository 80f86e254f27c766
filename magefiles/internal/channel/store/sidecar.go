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

// advertised is the sha256 of the sidecar that a record names, or "".
func advertised(r condapkg.Record) (sum string) {
	_ = json.Unmarshal(r.Extra[attestation.Field], &sum) // what is no string names none
	return sum
}

// advertise lets a record name its sidecar, or none.
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

// writeSidecar puts the attestation of an upload beside where the artifact will be, and lets the record name it.
func (d *subdir) writeSidecar(u *channel.Upload) error {
	if u.Attestation == nil {
		advertise(&u.Record, "")
		return nil
	}
	data, sum := attestation.Sidecar(u.Attestation)
	advertise(&u.Record, sum)
	return atomicfile.WriteFile(filepath.Join(d.dir, attestation.SidecarName(u.File, sum)), data, 0o644)
}

// hasSidecar reports whether the sidecar that a record names is there.
func (d *subdir) hasSidecar(r condapkg.Record) bool {
	sum := advertised(r)
	if sum == "" {
		return true
	}
	_, err := os.Stat(filepath.Join(d.dir, attestation.SidecarName(r.FileName(), sum)))
	return err == nil
}

// findSidecar lets a record name the one of the sidecars beside its artifact that is about its bytes.
func (d *subdir) findSidecar(r *condapkg.Record, beside []string) {
	for _, name := range beside {
		sum := name[strings.LastIndexByte(name, '.')+1:]
		if data, err := os.ReadFile(filepath.Join(d.dir, name)); err == nil && attestation.OfSidecar(data, sum, r.FileName(), r.SHA256) {
			advertise(r, sum)
			return
		}
	}
}

// removeSidecar removes the one that a record named, unless another names it still. One that stays behind after a loss of
// power is served to no one.
func (d *subdir) removeSidecar(was, is condapkg.Record) {
	if sum := advertised(was); sum != "" && sum != advertised(is) {
		os.Remove(filepath.Join(d.dir, attestation.SidecarName(was.FileName(), sum)))
	}
}

// openSidecar opens the sidecar that a record names. The caller holds the lock.
func (d *subdir) openSidecar(name string) (*channel.File, error) {
	file, sum, ok := strings.Cut(name, ".sigs.")
	e := d.entries[file]
	if !ok || e == nil || sum == "" || advertised(e.Record) != sum {
		return nil, notFound(name)
	}
	f, err := onDisk(filepath.Join(d.dir, name), name, `"`+sum+`"`)
	if err == nil {
		f.Immutable = true
	}
	return f, err
}
