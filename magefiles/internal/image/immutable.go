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

func keptFile(records, repository string) string {
	sum := sha256.Sum256([]byte(repository))
	return filepath.Join(records, "kept-"+hex.EncodeToString(sum[:16])+".json")
}

// ReadKept are the tags of a repository that the registry did not let go when they were last written, as a clone's records have it (see
// [Job]). What cannot be read is none.
func ReadKept(records, repository string) []string {
	if records == "" {
		return nil
	}
	var k keptTags
	text, err := os.ReadFile(keptFile(records, repository))
	if err != nil || json.Unmarshal(text, &k) != nil || k.Repository != repository {
		return nil
	}
	return slices.DeleteFunc(k.Tags, func(tag string) bool { return registry.CheckTag(tag) != nil })
}

func (j *Job) rememberKept(tag string) error {
	kept := ReadKept(j.Records, j.Plan.Repository)
	if j.Records == "" || slices.Contains(kept, tag) {
		return nil
	}
	return j.writeKept(append(kept, tag))
}

// forgetKept takes a tag out that the registry let go after all.
func (j *Job) forgetKept(tag string) error {
	kept := ReadKept(j.Records, j.Plan.Repository)
	if !slices.Contains(kept, tag) {
		return nil
	}
	return j.writeKept(slices.DeleteFunc(kept, func(t string) bool { return t == tag }))
}

func (j *Job) writeKept(tags []string) error {
	if len(tags) == 0 {
		if err := os.Remove(keptFile(j.Records, j.Plan.Repository)); !errors.Is(err, fs.ErrNotExist) {
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
	return atomicfile.WriteFile(keptFile(j.Records, j.Plan.Repository), append(text, '\n'), 0o644)
}

// foresee warns, before anything is built, of tags that are to be taken from another image, and that the registry did not let go
// before. They are tried all the same, as the registry may let them go now.
func (p *Plan) foresee(kept []string) {
	var names []string
	for _, t := range p.Tags {
		h, there := p.held[t.Name]
		if t.Moves && slices.Contains(kept, t.Name) && (p.named || there && h.order(p.Revision) != Same) {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("the registry kept %s where it was at an earlier push: raise the version, whose tags are new, or have the registry let go of it; other tags move all the same",
			strings.Join(names, ", ")))
	}
}
