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

// ownBuild is what a clone remembers of an image that it has built, or joined, and proved. It is the one thing by which an
// image is taken without a build. Labels, tags and attestations are not: whoever may push to the registry can write all of
// them, and nobody signs what BuildKit attests. A digest stands for its bytes, and the folder that git keeps for the clone
// is written by nothing that a repository or a registry holds.
type ownBuild struct {
	Repository string   `json:"repository"`
	Kept       bool     `json:"kept"` // in a folder of this machine, and not in the registry
	Plan       string   `json:"plan"` // digest of the definition, which has the commit in it
	Platforms  []string `json:"platforms"`
	Revision   string   `json:"revision"`
	Digest     string   `json:"digest"` // of the index

	Checked []string `json:"checked,omitempty"` // platforms on which it ran its check here
}

// describeBuild is the record of the job's plan, without a digest.
func (j *Job) describeBuild() ownBuild {
	p := j.Plan
	return ownBuild{Repository: p.Repository, Kept: !j.Push, Plan: p.Labels[labelPlan], Platforms: slices.Sorted(slices.Values(p.Platforms)), Revision: p.Revision}
}

// recordFile is named by all that a record is about: nothing of it is part of a path.
func (j *Job) recordFile(r ownBuild) string {
	r.Digest, r.Checked = "", nil
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings can be written
	}
	sum := sha256.Sum256(text)
	return filepath.Join(j.Records, hex.EncodeToString(sum[:16])+".json")
}

// readRecord is what this clone remembers of the image of the job's plan; without a digest where it remembers none. A record that is
// about anything else, or that cannot be read, is none: the image is built again.
func (j *Job) readRecord() (r ownBuild) {
	if j.Records == "" || j.Plan.Dirty() { // what the changes are, no plan says
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

// listChecked are the platforms of the plan on which the image ran its check.
func (r ownBuild) listChecked() []string {
	return slices.DeleteFunc(append([]string{}, r.Checked...), func(p string) bool { return !slices.Contains(r.Platforms, p) })
}

// remember records the image that the job made, once all that proves it has passed.
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

// forget takes the record of an earlier build away: what it is about is about to be written over.
func (j *Job) forget() error {
	if j.Records == "" {
		return nil
	}
	if err := os.Remove(j.recordFile(j.describeBuild())); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
