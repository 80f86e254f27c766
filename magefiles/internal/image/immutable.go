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

// keptTags lists the tags that a registry has refused to move. A clone records them because only a push reveals whether a tag can be moved, and the
// next build should warn in advance.
type keptTags struct {
	Repository string   `json:"repository"`
	Tags       []string `json:"tags"`
}

func keptFile(records, repository string) string {
	sum := sha256.Sum256([]byte(repository))
	return filepath.Join(records, "kept-"+hex.EncodeToString(sum[:16])+".json")
}

// ReadKept returns the repository's tags that the registry refused to move when they were last written, according to a clone's records (see [Job]).
// It returns nil if the records cannot be read.
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

// forgetKept deletes a tag from the records, because the registry has moved it.
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

// foresee adds a warning for each tag that would move to the new image but that the registry has refused to move before. The job still tries,
// because the registry may allow it now.
func (p *Plan) foresee(kept []string) {
	var names []string
	for _, t := range p.Tags {
		h, there := p.held[t.Name]
		if t.Moves && slices.Contains(kept, t.Name) && (p.named || there && h.order(p.Revision) != Same) {
			names = append(names, t.Name)
		}
	}
	if len(names) > 0 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("at an earlier push, the registry refused to move %s: raise the version, because a new version has new tags, or allow the registry to move tags; all other tags move anyway",
			strings.Join(names, ", ")))
	}
}
