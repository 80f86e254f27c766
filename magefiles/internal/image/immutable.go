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

// keptTags is what a clone remembers of a registry that did not let tags go: no other way tells before a build that it will not let them
// go again, since nothing but a push asks a registry for that.
type keptTags struct {
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
}

func (j *Job) keptFile() string {
	sum := sha256.Sum256([]byte(j.Plan.Repository))
	return filepath.Join(j.Records, "kept-"+hex.EncodeToString(sum[:16])+".json")
}

// keptTags are the tags that the registry did not let go when they were last written. What cannot be read is none.
func (j *Job) keptTags() (k keptTags) {
	if j.Records == "" {
		return keptTags{}
	}
	text, err := os.ReadFile(j.keptFile())
	if err != nil || json.Unmarshal(text, &k) != nil || k.Repository != j.Plan.Repository {
		return keptTags{}
	}
	k.Tags = slices.DeleteFunc(k.Tags, func(tag string) bool { return registry.CheckTag(tag) != nil })
	return k
}

func (j *Job) rememberKept(tag string) error {
	k := j.keptTags()
	if j.Records == "" || slices.Contains(k.Tags, tag) {
		return nil
	}
	return j.writeKept(append(k.Tags, tag))
}

// forgetKept takes a tag out that the registry let go after all.
func (j *Job) forgetKept(tag string) error {
	k := j.keptTags()
	if !slices.Contains(k.Tags, tag) {
		return nil
	}
	return j.writeKept(slices.DeleteFunc(k.Tags, func(t string) bool { return t == tag }))
}

func (j *Job) writeKept(tags []string) error {
	if len(tags) == 0 {
		if err := os.Remove(j.keptFile()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	slices.Sort(tags)
	text, err := json.MarshalIndent(keptTags{Repository: j.Plan.Repository, Tags: tags}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.Records, 0o755); err != nil {
		return fmt.Errorf("recording which tags the registry keeps: %w", err)
	}
	return atomicfile.WriteFile(j.keptFile(), append(text, '\n'), 0o644)
}

// Foresee warns, before anything is built, of tags that are to be taken from another image, and that the registry did not let go
// before. They are tried all the same, as the registry may let them go now.
func (j *Job) Foresee() {
	p, kept := j.Plan, j.keptTags()
	var names []string
	for _, t := range p.Tags {
		h, there := p.held[t.Name]
		if t.Moves && slices.Contains(kept.Tags, t.Name) && (p.named || there && h.order(p.Revision) != Same) {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("the registry kept %s where it was at an earlier push: raise the version, whose tags are new, or have the registry let go of it; other tags move all the same",
			strings.Join(names, ", ")))
	}
}
