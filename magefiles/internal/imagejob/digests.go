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

// digestFile returns the path of the file with the digest of an image for some platforms, which docker:merge reads.
func (m *Maker) digestFile(downstream string, platforms []string) string {
	return filepath.Join(m.dir(downstream), strings.ReplaceAll(strings.Join(platforms, "-"), "/", "-")+".digest")
}

// readDigest returns the digest in a file, or "" if the file does not exist.
func readDigest(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// writeDigest stores the digest of a pushed image for some platforms, for a later merge.
func (m *Maker) writeDigest(j *image.Job) error {
	if !j.Plan.Partial || !j.Result.Pushed {
		return nil
	}
	return atomicfile.WriteFile(m.digestFile(j.Plan.Dir, j.Plan.Platforms), []byte(j.Result.Digest+"\n"), 0o644)
}

// digests returns the given digests. If there are none, it reads them from the image folder, which may have a file
// with a digest for each set of platforms.
func (m *Maker) digests(d *workspace.Downstream, given []string) ([]string, error) {
	if d.Image == nil {
		return nil, nil // the plan reports a downstream without an image
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
		return nil, operr.NewUsage("push each platform first with `-platform=… -push`; then copy the files output/images/FOLDER/*.digest into this clone, or pass -digests", "no digest was found to merge")
	}
	return found, nil
}
