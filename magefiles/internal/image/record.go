package image

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// ownBuild is a clone's record of an image that it has built or merged, and verified. A job reuses an image only if it has this record. Labels,
// tags and attestations are not sufficient: anyone with push access can forge them, and BuildKit's attestations are not signed. The record contains
// the image's digest, and it is stored in the clone's git directory, where no content of a repository or registry can be written.
type ownBuild struct {
	Repository string   `json:"repository"`
	Kept       bool     `json:"kept"` // the image is in a local folder, and not in the registry
	Plan       string   `json:"plan"` // digest of the definition, which includes the commit
	Platforms  []string `json:"platforms"`
	Revision   string   `json:"revision"`
	Digest     string   `json:"digest"` // digest of the index

	Checked []string `json:"checked,omitempty"` // platforms on which this clone has run the check
}

// describeBuild returns the record for the job's plan, without the digest.
func (j *Job) describeBuild() ownBuild {
	p := j.Plan
	return ownBuild{Repository: p.Repository, Kept: !j.Push, Plan: p.Labels[labelPlan], Platforms: slices.Sorted(slices.Values(p.Platforms)), Revision: p.Revision}
}

// recordFile returns the path of a record. The name is a hash of the record without its results, so that no text from a record appears in the path.
func (j *Job) recordFile(r ownBuild) string {
	r.Digest, r.Checked = "", nil
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // unreachable: strings can always be marshaled
	}
	sum := sha256.Sum256(text)
	return filepath.Join(j.Records, hex.EncodeToString(sum[:16])+".json")
}

// readRecord returns this clone's record for the job's plan. The digest is empty if there is no valid record; the image is then built again.
func (j *Job) readRecord() (r ownBuild) {
	if j.Records == "" || j.Plan.Dirty() { // a plan does not identify uncommitted changes
		return ownBuild{}
	}
	file := j.recordFile(j.describeBuild())
	if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
		return ownBuild{}
	}
	if text, err := os.ReadFile(file); err != nil || json.Unmarshal(text, &r) != nil {
		return ownBuild{}
	}
	if j.recordFile(r) != file || registry.CheckDigest(r.Digest) != nil || strings.Contains(r.Digest, "@") {
		return ownBuild{}
	}
	return r
}

// listChecked returns the recorded platforms on which the check passed.
func (r ownBuild) listChecked() []string {
	return slices.DeleteFunc(append([]string{}, r.Checked...), func(p string) bool { return !slices.Contains(r.Platforms, p) })
}

// remember records the image that the job built and verified.
func (j *Job) remember() error {
	if j.Records == "" || j.Plan.Dirty() {
		return nil
	}
	r := j.describeBuild()
	r.Digest, r.Checked = j.Result.Digest, j.Result.Checked
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.Records, 0o755); err != nil {
		return fmt.Errorf("recording the image: %w", err)
	}
	return atomicfile.WriteFile(j.recordFile(r), append(text, '\n'), 0o644)
}

// forget deletes the record of an earlier build, because its image is about to be overwritten.
func (j *Job) forget() error {
	if j.Records == "" {
		return nil
	}
	if err := os.Remove(j.recordFile(j.describeBuild())); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
