package imagejob

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// digestFile is where the digest of an image of some platforms is written, for docker:merge.
func (m *Maker) digestFile(downstream string, platforms []string) string {
	return filepath.Join(m.dir(downstream), strings.ReplaceAll(strings.Join(platforms, "-"), "/", "-")+".digest")
}

// readDigest is the digest in a file, "" where there is none.
func readDigest(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// writeDigest writes the digest of an image of some platforms that was pushed, for a merge.
func (m *Maker) writeDigest(j *image.Job) error {
	if !j.Plan.Partial || !j.Result.Pushed {
		return nil
	}
	return atomicfile.WriteFile(m.digestFile(j.Plan.Dir, j.Plan.Platforms), []byte(j.Result.Digest+"\n"), 0o644)
}

// digests are those that were given, or those in the folder of images: of every set of its platforms.
func (m *Maker) digests(d *workspace.Downstream, given []string) ([]string, error) {
	if d.Image == nil {
		return nil, nil // the plan says that no image is made of it
	}
	for _, digest := range given {
		if err := registry.CheckDigest(digest); err != nil {
			return nil, err
		}
	}
	if len(given) > 0 {
		return given, nil
	}
	var found []string
	for set := range 1 << len(d.Image.Platforms) {
		var platforms []string
		for n, platform := range d.Image.Platforms {
			if set&(1<<n) != 0 {
				platforms = append(platforms, platform)
			}
		}
		if digest := readDigest(m.digestFile(d.Dir, platforms)); digest != "" {
			found = append(found, digest)
		}
	}
	if len(found) == 0 {
		return nil, operr.NewUsage("push the platforms first, `-platform=… -push`, and bring the files output/images/FOLDER/*.digest here, or name -digests", "there is no digest to be merged")
	}
	return found, nil
}
